//! Logs as worlds.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::folder::{contents, json, rows};
use super::{completed, killed_and_resumed, run_into};
use crate::tools;

/// What is said of a damaged Parquet file.
const PARQUET: &str = if cfg!(feature = "parquet") {
    "cannot be played: it cannot be read as Parquet"
} else {
    "is a Parquet file, which this build does not read"
};

/// A copy of the shipped log and a scenario of it, changed.
struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scenarios")).unwrap();
        fs::create_dir_all(folder.path().join("data/shop")).unwrap();
        let copy = Self { folder };
        copy.write(&shipped("data/shop/log.csv"));
        copy
    }

    fn write(&self, log: &str) {
        fs::write(self.folder.path().join("data/shop/log.csv"), log).unwrap();
    }

    /// The scenario of one policy, as `change` makes it of the shipped one.
    fn scenario(&self, change: impl Fn(String) -> String) -> String {
        let text = shipped("scenarios/log.yaml");
        let start = text.find("matrix:").unwrap();
        let end = text.find("phases:").unwrap();
        let text = change(text[..start].to_owned() + &text[end..]);
        let path = self.folder.path().join("scenarios/log.yaml");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn shipped(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The log with the rewards of every second context's events permuted among all of these events.
fn shuffled(log: &str) -> String {
    let mut lines: Vec<String> = log.lines().map(ToOwned::to_owned).collect();
    let context = |line: &str| line.split(',').take(2).collect::<Vec<_>>().join(",");
    let mut contexts: Vec<String> = lines[1..].iter().map(|line| context(line)).collect();
    contexts.sort();
    contexts.dedup();
    let half: Vec<&String> = contexts.iter().step_by(2).collect();
    let events: Vec<usize> =
        (1..lines.len()).filter(|at| half.contains(&&context(&lines[*at]))).collect();
    let rewards: Vec<char> = events.iter().map(|at| lines[*at].chars().last().unwrap()).collect();
    // A step that has no factor in common with the number of events visits each once; of the golden
    // ratio it leaves nothing of their order.
    let golden = rewards.len() * 618 / 1000;
    let step =
        (golden..=rewards.len() + golden).find(|step| gcd(*step, rewards.len()) == 1).unwrap();
    for (number, at) in events.iter().enumerate() {
        let reward = rewards[number * step % rewards.len()];
        lines[*at].pop();
        lines[*at].push(reward);
    }
    lines.join("\n") + "\n"
}

fn gcd(one: usize, other: usize) -> usize {
    if other == 0 { one } else { gcd(other, one % other) }
}

/// The expected rewards of the world that wrote the shipped log, by context and offer.
fn truth() -> BTreeMap<[String; 2], BTreeMap<String, f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/shop/visitors.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |row: &csv::StringRecord| {
        let rewards = header.iter().zip(row).filter_map(|(name, value)| {
            Some((name.strip_prefix("rewards.")?.to_owned(), value.parse().unwrap()))
        });
        ([row[0].to_owned(), row[1].to_owned()], rewards.collect())
    };
    reader.records().map(|record| row(&record.unwrap())).collect()
}

/// Two policies play in the twin. The expected reward of their choices in the world that wrote the
/// log lies in the interval about the reward that the twin reports, and about the corrected one.
#[test]
fn policies_earn_in_the_twin_what_they_earn_in_the_world_that_wrote_the_log() {
    let copy = Copy::new();
    let truth = truth();
    let scenario = copy.scenario(|text| text);
    for (name, exploration) in [("uniform", "1.0"), ("learning", "0.2")] {
        let out = copy.out(name);
        let set = format!("loop.exploration_percentage={exploration}");
        completed(&out, &scenario, &["--quiet", "--set", &set]);
        let events = rows(&out, "events.csv");
        let expected = |row: &BTreeMap<String, String>| {
            truth[&[row["segment"].clone(), row["device"].clone()]][&row["chosen"]]
        };
        let known = events.iter().map(expected).sum::<f64>()
            / f64::from(u32::try_from(events.len()).unwrap());
        let summary = json(&out, "summary.json");
        let phase = &summary["phases"][0];
        let reward = phase["mean_reward"].as_f64().unwrap();
        let agreement = &phase["off_policy"];
        let [difference, half_width] =
            ["difference", "half_width"].map(|key| agreement[key].as_f64().unwrap());
        let corrected = reward + difference;
        assert!((corrected - known).abs() < half_width, "{name}: {corrected}, {known} {agreement}");
        assert!((reward - known).abs() < half_width, "{name}: {reward}, {known} {agreement}");
        assert_eq!(agreement["agrees"], true, "{name}: {agreement}");
        assert_eq!(agreement["extrapolation"], 0.0);
        let notices = summary["notices"].to_string();
        assert!(notices.contains("proved on") && notices.contains("they agree"), "{notices}");
    }
}

#[test]
fn a_log_whose_rewards_were_shuffled_in_half_of_the_contexts_is_refused() {
    let copy = Copy::new();
    copy.write(&shuffled(&shipped("data/shop/log.csv")));
    let scenario = copy.scenario(|text| text);
    let output = run_into(&copy.out("out"), &scenario, &["--quiet"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for part in ["error: rewards do not follow the action in", "log.yaml:", "explain at most"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

/// A log that changes is not given back by a twin that does not.
#[test]
fn a_log_that_drifts_is_refused_with_the_window_that_deviates() {
    let copy = Copy::new();
    let log = shipped("data/shop/log.csv");
    let flat = |(number, line): (usize, &str)| match line.rsplit_once(',') {
        Some((rest, _)) if number > 4500 => format!("{rest},0\n"),
        _ => format!("{line}\n"),
    };
    copy.write(&log.lines().enumerate().map(flat).collect::<String>());
    let scenario = copy.scenario(|text| text);
    let output = run_into(&copy.out("out"), &scenario, &["--quiet"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("does not give back its log") && stderr.contains("window"), "{stderr}");
}

/// What a replay uses is what the log says of the choices it made, and policies learn of nothing
/// else.
#[test]
fn a_replay_uses_the_logged_rewards_of_equal_choices_alone() {
    let copy = Copy::new();
    let replay = |text: String| {
        text.replace("\n  columns:", "\n  play: replay\n  columns:")
            .replace("iterations: 10_000", "iterations: 6_000")
    };
    let scenario = copy.scenario(replay);
    let out = copy.out("out");
    completed(&out, &scenario, &["--quiet", "--set", "loop.exploration_percentage=0.5"]);
    let log = shipped("data/shop/log.csv");
    let logged: Vec<Vec<&str>> =
        log.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let (mut used, mut clicks) = (0_u32, 0.0);
    for (row, logged) in rows(&out, "events.csv").iter().zip(&logged) {
        assert_eq!([&row["segment"], &row["device"]], [logged[0], logged[1]]);
        if row["outcome"] == "completed" {
            assert_eq!(row["chosen"], logged[2]);
            let reward: f64 = row["reward"].parse().unwrap();
            assert_eq!(reward, logged[4].parse::<f64>().unwrap());
            (used, clicks) = (used + 1, clicks + reward);
        } else {
            assert_eq!((&*row["outcome"], &*row["reward"]), ("rejected", ""));
        }
    }
    assert!((100..3000).contains(&used), "{used}");
    let summary = json(&out, "summary.json");
    let phase = &summary["phases"][0];
    assert_eq!(phase["rejected"], 6000 - used);
    assert!((phase["mean_reward"].as_f64().unwrap() - clicks / f64::from(used)).abs() < 1e-12);
    assert_eq!(phase["success_rate"].as_f64(), phase["mean_reward"].as_f64());
    assert!(summary["notices"].to_string().contains(&format!("used {used} of 6000 logged events")));
    // The log of the loop has the events that count as learned, and no other.
    let joined = fs::read_to_string(out.join("log.dsjson")).unwrap();
    let learned = joined.lines().filter(|line| !line.contains("_skipLearn\":true")).count() as u64;
    let used = u64::from(used);
    assert!(learned <= used && learned + 100 > used, "{learned} of {used}");
    let again = copy.out("again");
    completed(&again, &scenario, &["--quiet", "--set", "loop.exploration_percentage=0.5"]);
    assert!(contents(&out) == contents(&again), "a replay is deterministic");
}

/// The rows of the shipped log as lines, their features in the same order.
fn lines(form: impl Fn(&[&str; 5]) -> String) -> String {
    let log = shipped("data/shop/log.csv");
    let line = |row: &str| form(&row.split(',').collect::<Vec<_>>().try_into().unwrap()) + "\n";
    log.lines().skip(1).map(line).collect()
}

fn json_line([segment, device, offer, probability, clicked]: &[&str; 5]) -> String {
    format!(
        r#"{{"segment":"{segment}","device":"{device}","offer":"{offer}","probability":{probability},"clicked":{clicked}}}"#
    )
}

/// It names every action that could be chosen.
fn dsjson_line([segment, device, offer, probability, clicked]: &[&str; 5]) -> String {
    let offers = ["Lamp", "Mug", "Poster", "Racket", "Shoes", "Ticket"];
    let chosen = offers.iter().position(|known| known == offer).unwrap();
    let mut ranking = [1, 2, 3, 4, 5, 6];
    ranking.swap(0, chosen);
    let tags = offers.map(|offer| format!(r#"{{"_tag":"{offer}"}}"#)).join(",");
    format!(
        r#"{{"_label_cost":-{clicked},"_label_probability":{probability},"_labelIndex":{chosen},"a":{ranking:?},"c":{{"segment":"{segment}","device":"{device}","_multi":[{tags}]}}}}"#
    )
}

/// Without its `columns`.
fn of_dsjson(text: &str) -> String {
    let columns = text.lines().find(|line| line.starts_with("  columns:")).unwrap().to_owned();
    text.replace(&(columns + "\n"), "")
}

#[test]
fn a_log_is_the_same_world_in_csv_in_json_lines_and_in_dsjson() {
    let copy = Copy::new();
    let short = |text: String| text.replace("iterations: 10_000", "iterations: 2_000");
    for play in ["twin", "replay"] {
        let played = |text: String| {
            short(text).replace("\n  columns:", &format!("\n  play: {play}\n  columns:"))
        };
        let mut expected = None;
        for (name, log) in [
            ("csv", shipped("data/shop/log.csv")),
            ("json", lines(json_line)),
            ("dsjson", lines(dsjson_line)),
        ] {
            copy.write(&log);
            let is_table = name != "dsjson";
            let scenario = copy
                .scenario(|text| if is_table { played(text) } else { of_dsjson(&played(text)) });
            let out = copy.out(&format!("{play}-{name}"));
            completed(&out, &scenario, &["--quiet"]);
            let events = fs::read(out.join("events.csv")).unwrap();
            assert!(*expected.get_or_insert_with(|| events.clone()) == events, "{play}: {name}");
        }
    }
}

/// The same log with three in four of its events without a click left out, for which the others
/// stand (`pdrop`): the replay is as unbiased, and the twin is proved and earns the same.
#[test]
fn a_thinned_log_is_played_as_the_whole_one() {
    let copy = Copy::new();
    let whole = lines(dsjson_line);
    let mut count = 0;
    let mut thin = |line: &str| {
        if !line.contains("\"_label_cost\":-0,") {
            return Some(line.to_owned() + "\n");
        }
        count += 1;
        (count % 4 == 0).then(|| line.replacen('{', "{\"pdrop\":0.75,", 1) + "\n")
    };
    let thinned: String = whole.lines().filter_map(&mut thin).collect();
    assert!(thinned.lines().count() < 3500, "{}", thinned.lines().count());
    let uniform = ["--quiet", "--set", "loop.exploration_percentage=1.0"];
    let mut earned = BTreeMap::new();
    for (name, log) in [("whole", &whole), ("thinned", &thinned)] {
        copy.write(log);
        for play in ["replay", "twin"] {
            let most = if play == "twin" { 6000 } else { log.lines().count() };
            let scenario = copy.scenario(|text| {
                let text =
                    of_dsjson(&text).replace("log.csv\n", &format!("log.csv\n  play: {play}\n"));
                text.replace("iterations: 10_000", &format!("iterations: {most}"))
            });
            let out = copy.out(&format!("{name}-{play}"));
            completed(&out, &scenario, &uniform);
            let summary = json(&out, "summary.json");
            earned.insert((name, play), summary["phases"][0]["mean_reward"].as_f64().unwrap());
            let notices = summary["notices"].to_string();
            assert_eq!(notices.contains("(`pdrop`)"), name == "thinned", "{notices}");
        }
    }
    let expected = earned[&("whole", "twin")];
    for ((name, play), reward) in &earned {
        // A replay uses a few hundred of the events.
        let tolerance = if *play == "twin" { 0.03 } else { 0.08 };
        assert!((reward - expected).abs() < tolerance, "{name} {play}: {earned:?}");
    }
}

/// Written by pyarrow, with the same content.
#[test]
#[cfg(feature = "parquet")]
fn a_parquet_file_is_the_same_world_as_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = Vec::new();
    for file in ["log.jsonl", "log.parquet"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables").join(file);
        fs::copy(from, folder.path().join(file)).unwrap();
        let scenario = folder.path().join("log.yaml");
        let text = format!(
            "version: 1\nname: log\ndatasets: {{ log: {file}, play: replay, columns: \
             'action=item,reward=click,probability=p,context=user.*,features=price' }}\n\
             context: [user.city]\nphases:\n  - iterate: {{ name: learn, iterations: 300, \
             concurrency: 1 }}\n"
        );
        fs::write(&scenario, text).unwrap();
        let out = folder.path().join(file.replace('.', "-"));
        completed(&out, scenario.to_str().unwrap(), &["--quiet"]);
        events.push(fs::read(out.join("events.csv")).unwrap());
    }
    assert!(events[0] == events[1]);
}

/// A log is the same world however it is compressed; what cannot be read is refused.
#[test]
fn a_compressed_log_is_the_same_world_and_its_twin_goes_on_after_a_kill() {
    let copy = Copy::new();
    let log = shipped("data/shop/log.csv");
    let arguments = ["--quiet", "--set", "expect=[learn.errors == 0]"];
    let scenario = copy.scenario(|text| text.replace("iterations: 10_000", "iterations: 3_000"));
    completed(&copy.out("plain"), &scenario, &arguments);
    let events = |name: &str| fs::read(copy.out(name).join("events.csv")).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(log.as_bytes()).unwrap();
    let (gzip, zstd) = (gzip.finish().unwrap(), zstd_frames::frame(log.as_bytes()));
    let path = copy.folder.path().join("data/shop/log.csv");
    for (name, bytes) in [("gzip", &gzip), ("zstd", &zstd)] {
        fs::write(&path, bytes).unwrap();
        completed(&copy.out(name), &scenario, &arguments);
        assert!(events(name) == events("plain"), "{name}");
    }
    let killed = copy.out("killed");
    killed_and_resumed(&killed, &scenario, &arguments);
    assert!(contents(&killed) == contents(&copy.out("zstd")));
    for (bytes, message) in
        [(&b"PAR1\x15\x04"[..], PARQUET), (&gzip[..gzip.len() / 2], "cannot be decompressed")]
    {
        fs::write(&path, bytes).unwrap();
        let output = run_into(&copy.out("refused"), &scenario, &arguments);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(message), "{stderr}");
    }
}

/// The sample of the Open Bandit Dataset that the Python package `obp` ships.
#[test]
fn the_open_bandit_dataset_has_a_twin_in_which_a_policy_plays() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/obd/obp/dataset/obd/random/men");
    if !data.join("men.csv").exists() {
        return tools::missing("the sample of the Open Bandit Dataset", "`tests/obd/install`");
    }
    let folder = tempfile::tempdir().unwrap();
    for file in ["men.csv", "item_context.csv"] {
        fs::copy(data.join(file), folder.path().join(file)).unwrap();
    }
    let scenario = folder.path().join("obd.yaml");
    let text = "version: 1\nname: obd\ndatasets: { log: men.csv, columns: obd }\n\
                context: [position]\nphases:\n  - iterate: { name: learn, iterations: 500, \
                concurrency: 8, rate: 40/s }\n";
    fs::write(&scenario, text).unwrap();
    let out = folder.path().join("out");
    completed(&out, scenario.to_str().unwrap(), &["--quiet"]);
    let summary = json(&out, "summary.json");
    let notices = summary["notices"].to_string();
    assert!(notices.contains("proved on"), "{notices}");
    let extrapolation = summary["phases"][0]["off_policy"]["extrapolation"].as_f64().unwrap();
    assert!(extrapolation < 0.1, "{extrapolation}");
}
