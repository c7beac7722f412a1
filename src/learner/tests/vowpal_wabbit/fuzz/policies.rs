//! Random policies, over all options that are supported.

use super::logs::{NUMBERED, Style};
use super::rng::Rng;

/// A policy for logs of a style.
pub fn policy(rng: &mut Rng, style: Style) -> String {
    let kind = match style {
        Style::Tame | Style::Wild => "--cb_explore_adf".to_owned(),
        Style::Slots => "--ccb_explore_adf".to_owned(),
        Style::Numbered => format!("--cb_explore {NUMBERED}"),
    };
    let mut words = vec![kind, explorer(rng), interactions(rng), learning(rng)];
    for _ in 0..rng.below(4) {
        words.push(other(rng));
    }
    words.retain(|words| !words.is_empty());
    words.join(" ")
}

fn number(rng: &mut Rng, values: &[&str]) -> String {
    rng.pick(values).to_owned()
}

fn explorer(rng: &mut Rng) -> String {
    let epsilon = if rng.one_in(2) {
        format!(" --epsilon {}", number(rng, &["0", "0.05", "0.2", "0.7", "1", "0.999"]))
    } else {
        String::new()
    };
    let first_only = if rng.one_in(3) { " --first_only" } else { "" };
    let any = format!(" --cb_type {}", rng.pick(&["mtr", "ips", "dr", "dm", "sm"]));
    let some = format!(" --cb_type {}", rng.pick(&["mtr", "ips", "dr"]));
    let cost_type = if rng.one_in(3) { String::new() } else { any };
    let costs = rng.pick(&[
        "",
        " --cb_min_cost -1",
        " --cb_min_cost -1 --cb_max_cost 0",
        " --cb_max_cost 7 --cb_min_cost -3",
    ]);
    let mellow = if rng.one_in(2) {
        format!(" --mellowness {}", number(rng, &["0.001", "0.05", "0.5", "10"]))
    } else {
        String::new()
    };
    let explorer = match rng.below(10) {
        0 | 1 => format!("{epsilon}{cost_type}{first_only}"),
        2 => format!(
            "--softmax --lambda {}{epsilon}{cost_type}",
            rng.pick(&["1", "7", "30", "-3", "0", "0.1", "1000"])
        ),
        3 => format!("--first {}{epsilon}{cost_type}", rng.below(30)),
        4 => {
            let greedify = if rng.one_in(3) { " --greedify" } else { "" };
            format!("--bag {}{epsilon}{cost_type}{first_only}{greedify}", rng.between(1, 7))
        }
        5 => {
            let psi = rng.pick(&["", " --psi 0", " --psi 0.1", " --psi 5"]);
            let nounif = if rng.one_in(2) { " --nounif" } else { "" };
            format!("--cover {}{psi}{some}{epsilon}{nounif}{first_only}", rng.between(1, 6))
        }
        6 => {
            let scale = rng.pick(&["", " --gamma_scale 1", " --gamma_scale 500"]);
            let exponent = rng.pick(&[
                "",
                " --gamma_exponent 0.3",
                " --gamma_exponent 1",
                " --gamma_exponent 0",
            ]);
            format!("--squarecb{scale}{exponent}{epsilon}")
        }
        7 => {
            let scale = rng.pick(&["", " --gamma_scale 1", " --gamma_scale 500"]);
            format!("--squarecb --elim{scale}{costs}{mellow}")
        }
        8 => {
            let kind = rng.pick(&["--regcb", "--regcb --regcbopt", "--regcbopt"]);
            format!("{kind}{costs}{mellow}{first_only}")
        }
        _ => {
            let alpha = rng.pick(&["", " --rnd_alpha 0.5"]);
            let lambda = rng.pick(&["", " --rnd_invlambda 2"]);
            format!("--rnd {}{alpha}{lambda}{epsilon}{cost_type}", rng.between(1, 3))
        }
    };
    explorer.trim().to_owned()
}

fn letters(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| *rng.pick(&[&'F', &'i', &'j', &':', &':', &'N', &'s', &'x', &'c'])).collect()
}

fn interactions(rng: &mut Rng) -> String {
    let mut all = Vec::new();
    for _ in 0..rng.below(3) {
        all.push(match rng.below(6) {
            0..=2 => "-q ::".to_owned(),
            3 => format!("-q {}", letters(rng, 2)),
            4 => format!("--cubic {}", letters(rng, 3)),
            _ => {
                let order = rng.between(2, 4);
                format!("--interactions {}", letters(rng, order))
            }
        });
    }
    all.join(" ")
}

fn learning(rng: &mut Rng) -> String {
    let rules = ["", "", "", "", "--coin", "--sgd", "--adaptive", "--normalized", "--invariant"];
    let more = ["--adaptive --invariant", "--normalized --invariant", "--adaptive --normalized"];
    let rule = if rng.one_in(4) { rng.pick(&more) } else { rng.pick(&rules) };
    let rate = rng.pick(&["", "", "-l 0.5", "-l 0.001", "-l 0.05", "-l 3", "-l 0"]);
    let power = rng.pick(&["", "", "--power_t 0", "--power_t 0.7", "--power_t 1", "--power_t 0.5"]);
    format!("{rule} {rate} {power}").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn other(rng: &mut Rng) -> String {
    match rng.below(20) {
        0 => format!("-b {}", rng.between(3, 22)),
        1 => "--hash all".to_owned(),
        2 => "--chain_hash".to_owned(),
        3 => format!("--hash_seed {}", rng.below(100)),
        4 => "--noconstant".to_owned(),
        5 => format!("-C {}", rng.pick(&["0.3", "-2"])),
        6 => format!("--ignore {}", rng.pick(&["i", "F", "j", "s", "F --ignore i"])),
        7 => format!("--keep {}", rng.pick(&["i", "F --keep j", "F --keep i --keep s"])),
        8 => format!("--ignore_linear {}", rng.pick(&["F", "i", "j"])),
        9 => format!("--clip_p {}", rng.pick(&["0.2", "0.01", "1"])),
        10 | 11 => format!("--random_seed {}", rng.below(1000)),
        12 => rng
            .pick(&[
                "--min_prediction -0.4 --max_prediction 0.3",
                "--max_prediction 0.5",
                "--min_prediction -2",
            ])
            .to_owned(),
        13 => format!("--initial_t {}", rng.pick(&["1", "2", "100"])),
        14 | 15 => format!("--l1 {}", rng.pick(&["0.0005", "0.00001", "0.1"])),
        16 | 17 => format!("--l2 {}", rng.pick(&["0.002", "0.00001", "0.1"])),
        _ => String::new(),
    }
}
