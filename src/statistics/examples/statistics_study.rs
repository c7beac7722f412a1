//! How often the statistics of comparisons hold what they promise: `just study`.
//!
//! Prints the tables of `src/cli/guide/comparing.md`, as Markdown. Every draw has an address,
//! so the tables are the same on every machine.

use seed::{PhaseKey, Purpose, Seed};
use statistics::{Confidence, Moments, Planning, Runs, Sequential, band, holm, power};

fn main() {
    powers();
    partly_paired();
    bands();
    sequential();
}

/// Normal differences of a world, and whatever else it draws.
fn draws(study: &str, world: u32) -> seed::Draws {
    Seed(0).draws(PhaseKey::new(study), u64::from(world), Purpose::Flip)
}

/// The share of worlds in which something happens, in per cent.
fn share(worlds: u32, mut happens: impl FnMut(u32) -> bool) -> f64 {
    let count = (0..worlds).filter(|world| happens(*world)).count();
    100.0 * f64::from(u32::try_from(count).unwrap_or(worlds)) / f64::from(worlds)
}

/// The smallest detectable difference, and how often it is shown.
fn powers() {
    const WORLDS: u32 = 10_000;
    println!("| seeds | policies compared | \"could have shown\", in deviations | shown in |");
    println!("|---:|---:|---:|---:|");
    for policies in [1_usize, 5] {
        for pairs in [5_u32, 10, 20] {
            let planning = Planning::usual(0.05, policies);
            let (n, freedom) = (f64::from(pairs), f64::from(pairs) - 1.0);
            let effect = planning.detectable(1.0 / n.sqrt(), freedom);
            let shown = share(WORLDS, |world| {
                let mut draws = draws("power", world);
                let p: Vec<f64> = (0..policies)
                    .map(|policy| {
                        let mean = if policy == 0 { effect } else { 0.0 };
                        let pairs = (0..pairs).map(|_| [0.0, mean + draws.normal()]);
                        let runs = Runs { pairs: pairs.collect(), ..Runs::default() };
                        runs.test(Confidence::P95).and_then(|test| test.p).unwrap_or(1.0)
                    })
                    .collect();
                holm(&p)[0] < 0.05
            });
            println!("| {pairs} | {policies} | {effect:.2} | {shown:.1} % |");
        }
    }
    println!();
}

/// Equal groups of which only some runs have partners.
fn partly_paired() {
    const WORLDS: u32 = 10_000;
    println!("| pairs and other runs of each side | correlation 0 | 0.5 | 0.9 |");
    println!("|---|---:|---:|---:|");
    for (pairs, alone) in [(2, 18), (5, 15), (5, 1), (10, 10), (18, 2)] {
        print!("| {pairs} + {alone} |");
        for r in [0.0, 0.5, 0.9_f64] {
            let false_findings = share(WORLDS, |world| {
                let mut draws = draws("pairs", world);
                let pair = |_| {
                    let (first, other) = (draws.normal(), draws.normal());
                    [first, r * first + (1.0 - r * r).sqrt() * other]
                };
                let pairs = (0..pairs).map(pair).collect();
                let [first_only, second_only] =
                    [(); 2].map(|()| (0..alone).map(|_| draws.normal()).collect());
                let runs = Runs { pairs, first_only, second_only };
                runs.test(Confidence::P95).and_then(|test| test.p).is_some_and(|p| p < 0.05)
            });
            print!(" {false_findings:.1} % |");
        }
        println!();
    }
    println!();
}

/// The curves of a world: a value at each of so many points.
type World = fn(&mut seed::Draws, usize) -> Vec<f64>;

const POINTS: usize = 40;

const WORLDS: [(&str, World); 5] = [
    ("independent points", |draws, points| (0..points).map(|_| draws.normal()).collect()),
    ("a slow drift", |draws, points| {
        let mut level = 0.0;
        let step = |_| {
            level = 0.95 * level + (1.0 - 0.95_f64 * 0.95).sqrt() * draws.normal();
            level
        };
        (0..points).map(step).collect()
    }),
    ("half of the points noisier", |draws, points| {
        let scale = |at: usize| if 2 * at < points { 1.0 } else { 3.0 };
        (0..points).map(|at| scale(at) * draws.normal()).collect()
    }),
    ("success rates of 20 iterations around 0.5", |draws, points| rates(draws, points, 50)),
    ("success rates of 20 iterations around 0.97", |draws, points| rates(draws, points, 97)),
];

/// Success rates less their mean.
fn rates(draws: &mut seed::Draws, points: usize, percent: u64) -> Vec<f64> {
    let rate = |_| {
        let hits = (0..20).filter(|_| draws.below(100) < percent).count();
        f64::from(u32::try_from(hits).unwrap_or(20)) / 20.0
            - f64::from(u32::try_from(percent).unwrap_or(0)) / 100.0
    };
    (0..points).map(rate).collect()
}

/// How often the band holds the whole mean curve.
fn bands() {
    const EXPERIMENTS: u32 = 1000;
    println!("| success curve | 5 seeds | 10 seeds | 20 seeds |");
    println!("|---|---:|---:|---:|");
    for (name, world) in WORLDS {
        print!("| {name} |");
        for seeds in [5, 10, 20] {
            let held = share(EXPERIMENTS, |experiment| {
                let mut draws = draws("band", experiment);
                let curves: Vec<_> = (0..seeds).map(|_| world(&mut draws, POINTS)).collect();
                let Some(band) = band(&curves, Confidence::P95) else { return false };
                let half = band.simultaneous.unwrap_or_default();
                half.iter().zip(&band.means).all(|(half, mean)| mean.abs() <= half + 1e-12)
            });
            print!(" {held:.1} % |");
        }
        println!();
    }
    println!();
}

/// The seeds that a fixed design needs to show a difference of `mean` deviations with 90 %
/// power.
fn fixed_seeds(mean: f64) -> u32 {
    let shows = |seeds: &u32| {
        let n = f64::from(*seeds);
        power(mean * n.sqrt(), n - 1.0, 0.05) >= 0.9
    };
    (3..100_000).find(shows).expect("a difference worth a study")
}

/// What sequential gates decide, and after how many seeds.
fn sequential() {
    const EXPERIMENTS: u32 = 20_000;
    let design = Sequential::new(200, Confidence::P95);
    let first = design.looks()[0].pairs;
    println!(
        "| true difference, in deviations | wrong side | right side | seeds on average | \
         fixed design at 90 % power | share | at the first look |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for mean in [0.0, 0.25, 0.5, 0.6, 0.75, 0.9, 1.0, 2.0, 3.0] {
        let (mut wrong, mut right, mut at_first, mut seeds) = (0, 0, 0, 0);
        for experiment in 0..EXPERIMENTS {
            let mut draws = draws("sequential study", experiment);
            let mut moments = Moments::default();
            let decision = design.looks().iter().find_map(|look| {
                while moments.count() < look.pairs {
                    moments.add(mean + draws.normal());
                }
                let t = moments.mean()? / moments.standard_error()?;
                (t.abs() > look.critical).then_some((t > 0.0, look.pairs))
            });
            let (side, taken) = decision.map_or((None, 200), |(side, taken)| (Some(side), taken));
            wrong += u32::from(side == Some(false));
            right += u32::from(side == Some(true));
            at_first += u32::from(side.is_some() && taken == first);
            seeds += taken;
        }
        let percent = |count: u32| 100.0 * f64::from(count) / f64::from(EXPERIMENTS);
        #[expect(clippy::cast_precision_loss, reason = "at most a million seeds")]
        let average = seeds as f64 / f64::from(EXPERIMENTS);
        let [wrong, right, at_first] = [wrong, right, at_first].map(percent);
        let [fixed, part] = if mean < 0.5 {
            [String::new(), String::new()]
        } else {
            let fixed = fixed_seeds(mean);
            [fixed.to_string(), format!("{:.0} %", 100.0 * average / f64::from(fixed))]
        };
        println!(
            "| {mean} | {wrong:.1} % | {right:.1} % | {average:.1} | {fixed} | {part} | {at_first:.1} % |"
        );
    }
}
