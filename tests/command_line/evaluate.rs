//! `runner evaluate`, as its users run it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use protocol::Evaluation;
use serde_json::Value;

const POLICY: &str = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.1 -q ::";

fn evaluate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg("evaluate").args(arguments).env("NO_COLOR", "1").output().unwrap()
}

/// What is printed by an evaluation that must end well.
fn printed(arguments: &[&str]) -> String {
    let output = evaluate(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}\n{stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[arguments, &["--format", "json"]].concat())).unwrap()
}

/// What is complained about by one that must be refused.
fn refused(arguments: &[&str]) -> String {
    let output = evaluate(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/learner/tests/fixtures").join(name)
}

fn log(domain: &str) -> String {
    fixture(&format!("{domain}.dsjson")).to_str().unwrap().to_owned()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `src/learner/tests/fixtures/make_golden.py` asked VW for the same.
#[test]
fn predictions_are_those_of_vw_for_every_policy_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let golden = fs::read_to_string(fixture("coffee.jsonl")).unwrap();
    let golden: Vec<Value> =
        golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let policies: Vec<&str> =
        golden.iter().map(|vector| vector["policy"].as_str().unwrap()).collect();
    let (file, out) = (folder.path().join("policies"), folder.path().join("predictions.jsonl"));
    fs::write(&file, policies.join("\n")).unwrap();
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    printed(&[&log("coffee"), "--policies", file, "--predictions", out, "--threads", "3"]);
    let text = fs::read_to_string(out).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(policies.len() >= 60);
    assert_eq!(lines.len(), policies.len() * golden[0]["pmf"].as_array().unwrap().len());
    for (number, line) in lines.iter().enumerate() {
        let (event, policy) = (number / policies.len(), number % policies.len());
        assert_eq!(line["policy"], policies[policy]);
        assert_eq!(line["event"], format!("event{event}"));
        assert_eq!(line["pmf"], golden[policy]["pmf"][event], "{event}: {}", policies[policy]);
    }
}

#[test]
fn threads_compression_and_cuts_of_the_log_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(log("numeric")).unwrap();
    let middle = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(30).unwrap().0;
    let (first, second) = bytes.split_at(middle + 1);
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = path("whole.gz", &gzip(bytes.as_slice()));
    let parts = [path("first.gz", &gzip(first)), path("second", second)];
    let members = path("members.gz", &[gzip(first), gzip(second)].concat());
    let plain = log("numeric");
    let policies =
        ["-p", POLICY, "-p", "bag=--cb_explore_adf --bag 3 --hash all", "--baseline", "bag"];
    let expected = printed(&[&[&*plain, "--threads", "1"], &policies[..]].concat());
    for logs in [vec![&*plain], vec![&whole], vec![&members], vec![&parts[0], &parts[1]]] {
        let arguments = [&logs[..], &["--threads", "4"], &policies].concat();
        assert_eq!(printed(&arguments), expected, "{logs:?}");
    }
}

#[test]
fn bad_lines_are_counted_with_the_reason_and_never_stop_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let good = fs::read_to_string(log("coffee")).unwrap();
    let (first, rest) = good.split_once('\n').unwrap();
    let text = format!("{first}\n\nnot json\n{{\"a\":[1],}}\n{first}}}\n{rest}{{\"c\":");
    fs::write(&path, text).unwrap();
    let log = path.to_str().unwrap();
    let report = json(&[log, "-p", POLICY]);
    let events = good.lines().count();
    assert_eq!(report["log"]["events"], events);
    assert_eq!(report["log"]["lines"], events + 4);
    let dropped = report["log"]["dropped"].as_array().unwrap();
    let seen: Vec<_> = dropped
        .iter()
        .map(|drops| {
            (
                drops["reason"].as_str().unwrap(),
                drops["lines"].as_u64().unwrap(),
                drops["first"]["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [("NotAnObject", 1, 3), ("Syntax", 3, 4)]);
    let table = printed(&[log, "-p", POLICY]);
    assert!(table.contains("! 3 lines dropped: it is not JSON; first at "), "{table}");
}

#[test]
fn a_log_that_breaks_off_is_judged_as_far_as_it_goes_and_said_to_be_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.gz");
    let whole = gzip(&fs::read(log("coffee")).unwrap().repeat(40));
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let output = evaluate(&[path.to_str().unwrap(), "-p", POLICY, "--format", "json"]);
    assert_eq!(output.status.code(), Some(5));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["log"]["events"].as_u64().unwrap() > 100);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("what was read up to there is shown"), "{stderr}");
}

#[test]
fn the_contract_s_shape_has_the_same_numbers() {
    let contract = printed(&[&log("coffee"), "-p", POLICY, "--format", "contract"]);
    let contract: Evaluation = serde_json::from_str(&contract).unwrap();
    let report = json(&[&log("coffee"), "-p", POLICY]);
    let names: Vec<_> = contract.policy_results.iter().map(|result| &*result.name).collect();
    assert_eq!(names, ["online", "baseline1", "baselineRand", POLICY]);
    for (result, policy) in
        contract.policy_results.iter().zip(report["policies"].as_array().unwrap())
    {
        let total = result.total_summary.as_ref().unwrap();
        let ips = policy["whole"]["estimates"]["ips"]["value"].as_f64().unwrap();
        assert!((total.average_reward - ips).abs() < 1e-12);
    }
}

#[test]
fn the_table_for_spreadsheets_has_a_row_for_each_quantity() {
    let text = printed(&[&log("coffee"), "-p", &format!("mine={POLICY}"), "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mine: Vec<_> = rows.iter().filter(|row| &row[0] == "mine").map(|row| &row[4]).collect();
    assert_eq!(mine, ["ips", "snips", "mle", "cressie_read", "dr", "vs_online"]);
}

/// Every action of these events was logged with certainty: nothing is known of others.
#[test]
fn where_numbers_would_lie_there_are_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let line = r#"{"_label_cost":-1,"_label_probability":1,"_labelIndex":1,"a":[2,1],"c":{"_multi":[{"A":"b"},{"A":"c"}]},"p":[1,0]}"#;
    fs::write(&path, format!("{line}\n").repeat(60)).unwrap();
    let report = printed(&[path.to_str().unwrap()]);
    assert!(report.contains("baseline1: no overlap"), "{report}");
    fs::write(&path, line).unwrap();
    let report = printed(&[path.to_str().unwrap()]);
    assert!(report.contains("too few"), "{report}");
}

#[test]
fn a_search_confirms_what_it_finds_on_events_it_has_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut run = Command::new(env!("CARGO_BIN_EXE_runner"));
    run.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "scenarios/baseline.yaml",
        "--quiet",
        "--out",
    ]);
    assert!(run.arg(&out).output().unwrap().status.success());
    let report = json(&[out.join("log.dsjson").to_str().unwrap(), "--discover", "--quiet"]);
    let events = report["log"]["events"].as_u64().unwrap();
    assert_eq!(report["held_out_from"], events - events / 5);
    let policies = report["policies"].as_array().unwrap();
    let found: Vec<_> = policies.iter().filter(|policy| policy["source"] == "discovered").collect();
    assert!(!found.is_empty());
    let better = |policy: &&&Value| policy["held_out"]["vs_online"]["shown"] == "better";
    assert!(found.iter().any(|policy| better(&policy)), "{found:#?}");
    for policy in &found {
        assert_eq!(policy["held_out"]["events"], events / 5);
    }
}

/// `src/learner/tests/fixtures/make_slots.py` asked VW what it predicts for each slot.
#[test]
fn events_with_slots_are_judged_by_their_first() {
    let golden = fs::read_to_string(fixture("slots_varied.jsonl")).unwrap();
    let golden: Value = serde_json::from_str(golden.lines().next().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("predictions.jsonl");
    let policy = format!("vw={}", golden["policy"].as_str().unwrap());
    let log = log("slots_varied");
    let report = json(&[&log, "-p", &policy, "--predictions", file.to_str().unwrap()]);
    assert_eq!(report["log"]["events"], 60, "{report}");
    let predictions = fs::read_to_string(file).unwrap();
    assert_eq!(predictions.lines().count(), 60);
    for (line, slots) in predictions.lines().zip(golden["slots"].as_array().unwrap()) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["pmf"], line["slots"][0]);
        for (found, slot) in line["slots"].as_array().unwrap().iter().zip(slots.as_array().unwrap())
        {
            let ranked = slot.as_array().unwrap();
            let offered = found.as_array().unwrap().iter().filter(|p| **p != 0.0).count();
            assert_eq!(ranked.iter().filter(|ranked| ranked[1] != 0.0).count(), offered);
            for ranked in ranked {
                let action = usize::try_from(ranked[0].as_u64().unwrap()).unwrap();
                assert_eq!(found[action], ranked[1], "{line} {ranked}");
            }
        }
    }
    let found = json(&[&log, "--discover", "--quiet"])["policies"].to_string();
    assert!(found.contains("--ccb_explore_adf") && !found.contains("--cb_explore_adf"), "{found}");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let stderr = refused(&[
        "no/such/log",
        "-p",
        "--cb_explore_adf --epsilno 0.1",
        "-p",
        "online=--cb_explore_adf",
        "--baseline",
        "nobody",
    ]);
    for part in ["`no/such/log`", "--epsilon", "`online` is the name", "`--baseline nobody`"] {
        assert!(stderr.contains(part), "no {part} in:\n{stderr}");
    }
}

#[test]
fn bad_values_of_options_say_what_is_expected() {
    for (arguments, expected) in [
        (["--confidence", "95"], "between 0 and 1"),
        (["--rewards", "1..0"], "0..1"),
        (["--max-weight", "0.5"], "above 1"),
    ] {
        let stderr = refused(&[&[&*log("coffee")], &arguments[..]].concat());
        assert!(stderr.contains(expected), "{stderr}");
    }
    let stderr = refused(&["-", "--discover"]);
    assert!(stderr.contains("twice"), "{stderr}");
}

/// A log of `events` choices among three actions, of which the first is the best where it
/// rains and the second where it does not; a new day begins with every hundredth.
fn weather(events: usize) -> String {
    let line = |event: usize| {
        let (action, rains) = (event * 7 % 3, (event * 5).is_multiple_of(2));
        let cost = if action == usize::from(!rains) && !event.is_multiple_of(4) { -1 } else { 0 };
        let (day, weather) = (1 + event / 100, if rains { "rain" } else { "sun" });
        let ranking: Vec<usize> = (0..3).map(|i| (action + i) % 3 + 1).collect();
        format!(
            r#"{{"_label_cost":{cost},"_label_probability":0.3333333333333333,"_labelIndex":{action},"Timestamp":"2026-01-{day:02}T12:00:00Z","EventId":"{event}","a":{ranking:?},"c":{{"u":{{"weather":"{weather}"}},"_multi":[{{"i":{{"id":"0"}}}},{{"i":{{"id":"1"}}}},{{"i":{{"id":"2"}}}}]}},"p":[0.3333333333333333,0.3333333333333333,0.3333333333333333]}}"#
        ) + "\n"
    };
    (0..events).map(line).collect()
}

fn written(folder: &tempfile::TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn logs_without_events_are_refused_with_the_first_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let log = weather(3);
    let values: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(log.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let unlabelled = r#"{"a":[1],"c":{"_multi":[{"i":{"id":"0"}}]},"p":[1.0]}"#;
    for (name, bytes, expected) in [
        ("empty", Vec::new(), "is empty"),
        ("blank", b"\n\n".to_vec(), "is empty"),
        ("utf16", utf16, "UTF-16"),
        ("array", serde_json::to_vec(&values).unwrap(), "JSON array"),
        ("pretty", serde_json::to_vec_pretty(&values[0]).unwrap(), "over several lines"),
        ("foreign", b"time,reward\n1,2\n".to_vec(), "does not start with `{`"),
        ("other", b"{\"event\":\"click\"}\n".to_vec(), "has no context `c`"),
        ("unlabelled", unlabelled.as_bytes().to_vec(), "has a label"),
        ("binary", vec![0, 159, 146, 150], "UTF-16"),
        ("gzip", gzip(b"time,reward\n"), "does not start with `{`"),
    ] {
        let stderr = refused(&[&written(&folder, name, bytes)]);
        assert!(stderr.contains(expected), "{name}: {stderr}");
    }
    let foreign = written(&folder, "foreign", "time,reward\n1,2\n");
    let (empty, good) = (written(&folder, "empty", ""), written(&folder, "good", weather(60)));
    let stderr = refused(&[&good, &foreign]);
    assert!(stderr.contains("foreign` has 2 lines and no event: 1:1"), "{stderr}");
    // An hour in which nothing happened is no mistake.
    printed(&[&good, &empty]);
}

#[test]
fn a_log_that_does_not_exist_is_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(&folder, "january.dsjson", weather(3));
    for (path, expected) in [
        (log.replace("january", "janaury"), format!("did you mean `{log}`?")),
        (log.replace("january.dsjson", "january"), format!("did you mean `{log}`?")),
        (log.replace("january", "none/january"), "there is no folder `".to_owned()),
        (log.replace("january.dsjson", "x"), "has a name like it".to_owned()),
    ] {
        let stderr = refused(&[&path]);
        let missing = format!("log `{path}` does not exist");
        assert!(stderr.contains(&missing) && stderr.contains(&expected), "{stderr}");
    }
}

#[test]
fn a_difference_is_that_of_the_rewards_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(&folder, "log", weather(900));
    let report = json(&[&log, "-p", POLICY, "-p", "bag=--cb_explore_adf --bag 3 -q ui"]);
    let policies = report["policies"].as_array().unwrap();
    let value =
        |policy: &Value| policy["whole"]["estimates"]["cressie_read"]["value"].as_f64().unwrap();
    for policy in &policies[1..] {
        let difference = &policy["whole"]["vs_online"]["difference"];
        let number = |key: &str| difference[key].as_f64().unwrap();
        let apart = value(policy) - value(&policies[0]);
        assert!((number("value") - apart).abs() < 1e-12, "{policy}");
        assert!(number("lower") <= apart && apart <= number("upper"), "{policy}");
    }
    assert_eq!(policies[4]["whole"]["vs_online"]["shown"], "better");
    assert_eq!(policies[2]["whole"]["vs_online"]["shown"], "no difference shown");
}

#[test]
fn differences_are_broken_down_by_features_and_windows() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(&folder, "log", weather(900));
    let asked = [&*log, "--by", "weather", "--by", "u.weather", "--by", "nothing"];
    let report = json(&[&asked[..], &["--window", "1d"]].concat());
    let breakdowns = report["breakdowns"].as_array().unwrap();
    let parts = |index: usize| -> Vec<&str> {
        let parts = breakdowns[index]["parts"].as_array().unwrap();
        parts.iter().map(|part| part["part"].as_str().unwrap()).collect()
    };
    assert_eq!(parts(0), ["rain", "sun"]);
    assert_eq!(parts(1), ["rain", "sun"]);
    assert_eq!(parts(2), ["(none)"]);
    assert_eq!(parts(3).len(), 9);
    assert_eq!(parts(3)[0], "2026-01-01T00:00:00Z");
    let first = |part: usize| &breakdowns[0]["parts"][part]["policies"][1]["vs_online"];
    assert_eq!((&first(0)["shown"], &first(1)["shown"]), (&"better".into(), &"worse".into()));
    // Two policies in two parts are four comparisons; uniform choice is that of the log.
    assert!(first(0)["p_holm"].as_f64() > first(0)["p"].as_f64());
    let text = printed(&[&log, "--by", "weather"]);
    assert!(text.contains("by weather; p is corrected for 4 comparisons (Holm)"), "{text}");
    let stderr = refused(&[&log, "--window", "soon"]);
    assert!(stderr.contains("--window"), "{stderr}");
}

#[test]
fn gates_decide_the_exit_code_and_are_written_for_ci() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(&folder, "log", weather(900));
    let short = written(&folder, "short", weather(60));
    let (junit, markdown) = (folder.path().join("junit.xml"), folder.path().join("summary.md"));
    let gate = |text: &str| written(&folder, "gates.yaml", format!("gates:\n  - {text}\n"));
    let (good, bad) =
        ("good=--cb_explore_adf -q ui --epsilon 0.1", "bad=--cb_explore_adf --epsilon 1");
    for (log, gates, code, word) in [
        (&log, "{ metric: log.mean_reward, require: better }", 3, "fail"),
        (&log, "{ metric: log.mean_reward, require: better, policies: good }", 0, "pass"),
        (&log, "{ metric: log.mean_reward, margin: 0.05, policies: bad }", 0, "pass"),
        (
            &log,
            "{ metric: log.mean_reward, margin: 0.05, policies: bad, against: good }",
            3,
            "fail",
        ),
        (
            &log,
            "{ metric: log.mean_reward, require: better, margin: 0.42, policies: good }",
            0,
            "inconclusive",
        ),
        (
            &log,
            "{ metric: log.mean_reward, require: better, margin: 0.42, policies: good, inconclusive: fail }",
            4,
            "inconclusive",
        ),
        (&short, "{ metric: log.mean_reward, policies: good }", 4, "not_judged"),
    ] {
        let gates = gate(gates);
        let files = ["--junit", junit.to_str().unwrap(), "--markdown", markdown.to_str().unwrap()];
        let arguments = [log, "-p", good, "-p", bad, "--gates", &gates, "--format", "json"];
        let output = evaluate(&[&arguments[..], &files].concat());
        let text = fs::read_to_string(&gates).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let verdicts = report["gates"].as_array().unwrap();
        assert!(verdicts.iter().any(|verdict| verdict["outcome"] == word), "{text}{verdicts:?}");
        let xml = fs::read_to_string(&junit).unwrap();
        assert!(xml.contains(&format!("tests=\"{}\"", verdicts.len())), "{xml}");
        assert_eq!(
            xml.contains("<failure"),
            code == 3 || (code == 4 && word != "not_judged"),
            "{xml}"
        );
        assert_eq!(xml.contains("<error"), word == "not_judged", "{xml}");
    }
    let markdown = fs::read_to_string(markdown).unwrap();
    assert_eq!(markdown.matches("## runner evaluate").count(), 7);
    assert!(markdown.contains("| gate | of | observed | |"), "{markdown}");
}

#[test]
fn gates_that_a_log_cannot_judge_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(&folder, "log", weather(90));
    let gate = |text: &str| written(&folder, "gates.yaml", format!("gates:\n  - {text}\n"));
    let refused = |gates: &str, arguments: &[&str]| {
        refused(&[&[&*log, "--gates", &gate(gates)], arguments].concat())
    };
    let policy = ["-p", POLICY];
    for (gates, arguments, expected) in [
        ("{ metric: log.mean_reward }", &policy[..0], "no policy for the gates to judge"),
        ("{ metric: log.success_rate }", &policy[..], "a log has no `log.success_rate`"),
        ("{ metric: validation.mean_reward }", &policy[..], "validation"),
        ("{ metric: log.mean_reward, policies: nobody }", &policy[..], "nobody"),
    ] {
        let stderr = refused(gates, arguments);
        assert!(stderr.contains(expected), "{gates}: {stderr}");
    }
    let empty = written(&folder, "none.yaml", "gates: []\n");
    let output = evaluate(&[&log, "-p", POLICY, "--gates", &empty]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn an_interval_that_is_not_symmetric_is_not_shown_as_one() {
    let text = printed(&[&log("coffee"), "-p", POLICY]);
    let estimators = text.split("every estimator").nth(1).unwrap();
    assert!(estimators.contains(" ± ") && estimators.contains(" +0."), "{text}");
}

/// VW refuses such lines, or takes each action for an event of its own.
#[test]
fn a_policy_that_is_not_for_the_log_is_named_and_the_others_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let slots = log("slots_varied");
    let single = log("coffee");
    let numbered = written(&folder, "numbered.dsjson", numbered(60));
    let gates = written(
        &folder,
        "gates.yaml",
        "gates:\n  - { metric: log.mean_reward, require: better }\n",
    );
    for (log, wrong, right, reason) in [
        (&slots, "--cb_explore_adf", "--ccb_explore_adf", "has slots"),
        (&slots, "--cb_explore 4", "--ccb_explore_adf", "has slots"),
        (&numbered, "--cb_explore_adf", "--cb_explore 3", "lists no actions in `_multi`"),
        (&single, "--cb_explore 3", "--cb_explore 4", "has 4 actions, and `--cb_explore 3`"),
    ] {
        let (wrong, right) = (format!("wrong={wrong}"), format!("right={right}"));
        let (markdown, junit) = (folder.path().join("report.md"), folder.path().join("report.xml"));
        let output = evaluate(&[
            log,
            "-p",
            &wrong,
            "-p",
            &right,
            "--format",
            "json",
            "--gates",
            &gates,
            "--markdown",
            markdown.to_str().unwrap(),
            "--junit",
            junit.to_str().unwrap(),
        ]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains("policy `wrong` was not judged") && stderr.contains(reason),
            "{stderr}"
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names: Vec<_> =
            report["policies"].as_array().unwrap().iter().map(|of| &of["name"]).collect();
        assert_eq!(names, ["online", "baseline1", "baselineRand", "right"]);
        assert_eq!(report["failed"][0]["name"], "wrong");
        assert_eq!(report["failed"][0]["at"]["line"], 1);
        let gate = report["gates"]
            .as_array()
            .unwrap()
            .iter()
            .find(|gate| gate["policy"] == "wrong against online");
        assert_eq!(gate.unwrap()["outcome"], "not_judged", "{report}");
        assert!(fs::read_to_string(&markdown).unwrap().contains("not judged"));
        assert!(fs::read_to_string(&junit).unwrap().contains("<error"));
        fs::remove_file(markdown).unwrap();
    }
}

/// Events that number three actions, of which the second is the best.
fn numbered(events: usize) -> String {
    let line = |event: usize| {
        let (action, hour) = (event % 3 + 1, event % 24);
        let cost = if action == 2 { -1 } else { 0 };
        format!(
            "{{\"_label_cost\":{cost},\"_label_probability\":0.333,\"_label_Action\":{action},\
             \"EventId\":\"{event}\",\"a\":[1,2,3],\"c\":{{\"F\":{{\"hour\":{hour}}}}}}}\n"
        )
    };
    (0..events).map(line).collect()
}

#[test]
fn actions_that_are_known_by_their_number_are_learned() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(&folder, "log.dsjson", numbered(3000));
    let report = json(&[&log, "-p", "numbered=--cb_explore 3 --epsilon 0.1"]);
    let policy = &report["policies"][3];
    assert_eq!(
        (policy["name"].as_str(), report["log"]["events"].as_u64()),
        (Some("numbered"), Some(3000))
    );
    let value = policy["whole"]["estimates"]["snips"]["value"].as_f64().unwrap();
    assert!(value > 0.85, "{value}");
    let stderr = refused(&[&log, "-p", "--cb_explore_adf"]);
    assert!(stderr.contains("has no actions in `_multi`"), "{stderr}");
}
