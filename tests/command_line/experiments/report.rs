//! `runner report`, as its users run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{completed, experiment, runner};

fn report(arguments: &[&str]) -> Output {
    runner().arg("report").args(arguments).output().unwrap()
}

fn headings(html: &str) -> Vec<String> {
    let parts = html.split("<h2>").skip(1);
    parts.map(|part| part.split("</h2>").next().unwrap().to_owned()).collect()
}

/// A short run of the tutorial.
fn run(out: &Path, seed: &str) -> String {
    let shown = out.display().to_string();
    let mut command = runner();
    command.args(["scenarios/baseline.yaml", "--quiet", "--out", &shown, "--seed", seed]);
    command.args([
        "--set",
        "phases.baseline.iterations=600",
        "--set",
        "expect=['baseline.errors == 0']",
    ]);
    completed(command);
    shown
}

#[test]
fn a_run_an_experiment_and_two_of_them_are_told_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (run(&folder.path().join("a"), "1"), run(&folder.path().join("b"), "2"));
    let experimented = path("e");
    completed(experiment(["--out", &experimented], &[]));
    let page = |folders: &[&str], more: &[&str]| {
        let out = path("page.html");
        let output = report(&[folders, &["-o", &out], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, format!("{out}\n").as_bytes());
        fs::read_to_string(out).unwrap()
    };
    let html = page(&[&first], &["--svg", &path("svg")]);
    let parts = [
        "Result",
        "Phases",
        "Expectations",
        "Offline evaluation",
        "Latency",
        "Timeline",
        "Configuration",
    ];
    assert_eq!(headings(&html), parts);
    assert!(html.contains("simulated: drawn from"), "simulated latencies are called so");
    assert!(html.contains("Hyper1") && html.contains("baseline.errors == 0"));
    assert!(fs::read_dir(folder.path().join("svg")).unwrap().count() >= 4);
    assert_eq!(page(&[&first], &[]), html, "the same folder, the same bytes");

    let html = page(&[&experimented], &[]);
    assert_eq!(headings(&html), ["Result", "Success", "Comparison", "Configuration"]);
    assert!(html.contains("Difference to default") && html.contains("a band holds"));
    let verdict = html.find("class=\"answer\"").unwrap();
    assert!(verdict < html.find("<h2>Success").unwrap(), "the verdict comes first");

    let html = page(&[&first, &second], &[]);
    assert!(html.contains("one run each: no inference"), "nothing is inferred of one run");
    assert!(html.contains("compared with it"));
}

/// Makes a run one that was killed after 100 iterations.
fn cut_short(out: &str) {
    let events = Path::new(&out).join("events.csv");
    let text = fs::read_to_string(&events).unwrap();
    let rows: Vec<&str> = text.lines().take(101).collect();
    fs::write(&events, rows.join("\n") + "\n").unwrap();
    let manifest = Path::new(&out).join("manifest.json");
    let complete = fs::read_to_string(&manifest).unwrap();
    let running = complete
        .replace("\"complete\",\n  \"complete\": true", "\"running\",\n  \"complete\": false");
    assert_ne!(running, complete);
    fs::write(&manifest, running).unwrap();
}

/// A run in which every reward is zero.
fn worthless_run(out: &str) -> Command {
    let mut command = runner();
    command.args(["scenarios/baseline.yaml", "--quiet", "--out", out]);
    command.args(["--set", "expect=[]", "--set", "phases.baseline.iterations=600"]);
    command.args(["--set", "reward={ match: 0 }"]);
    command
}

/// A report says what was unusual: that nothing could be learned, and that a single run each proves
/// nothing.
#[test]
fn what_makes_a_result_worthless_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [worthless, lone] =
        ["worthless", "lone"].map(|name| folder.path().join(name).display().to_string());
    completed(worthless_run(&worthless));
    completed(experiment(["--out", &lone], &["--set", "matrix.seeds=[7]"]));
    let html = |results: &str| {
        let output = report(&[results, "-o", "-"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = "phase <code>baseline</code>: every reward was 0; nothing can be learned from that";
    assert!(html(&worthless).contains(said));
    let lone = html(&lone);
    assert!(
        lone.contains(
            "One run each: a difference in validation.success_rate[last 25%] may be luck."
        )
    );
    assert!(!lone.contains("95 % intervals"), "there are none");
}

#[test]
fn a_run_that_was_cut_short_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(&folder.path().join("a"), "1");
    cut_short(&out);
    let page = folder.path().join("page.html").display().to_string();
    let output = report(&[&out, "-o", &page]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains(
        "Not complete: the run was killed in phase <code>baseline</code> before iteration 100."
    ));
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().display().to_string();
    let output = report(&[&nothing, "-o", "page.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a results folder"));
    let out = run(&folder.path().join("a"), "1");
    let output = report(&[&out, "-o", &format!("{out}/manifest.json/page.html")]);
    assert_eq!(output.status.code(), Some(7));
    // Verdicts that cannot be read are not left out.
    fs::write(Path::new(&out).join("summary.json"), "{\"expectations\": [").unwrap();
    let output = report(&[&out, "-o", &format!("{nothing}/page.html")]);
    assert_ne!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("summary.json: "), "{output:?}");
}

/// A second of a load against a served loop.
fn short_load(out: &str) -> Command {
    let mut command = runner();
    command.args(["scenarios/load.yaml", "--quiet", "--out", out]);
    for change in [
        "phases.warm-up.duration=200ms",
        "phases.ramp.stages=[{ to: 200/s, over: 500ms }]",
        "phases.steady.rate=200/s",
        "phases.steady.duration=500ms",
        "expect=[steady.error_rate < 5%]",
    ] {
        command.args(["--set", change]);
    }
    command
}

/// The marks of the picture that the run draws are in the report, too.
#[test]
fn curves_are_read_against_chance_the_ceiling_and_exports() {
    let folder = tempfile::tempdir().unwrap();
    let (out, svg) = (folder.path().join("a"), folder.path().join("svg"));
    let ran = run(&out, "1");
    let page = folder.path().join("page.html").display().to_string();
    let output = report(&[&ran, "-o", &page, "--svg", &svg.display().to_string()]);
    assert!(output.status.success());
    let drawn = fs::read_to_string(svg.join("success.svg")).unwrap();
    for mark in ["ceiling 85", "chance 25", "a new model", ">baseline<", ">validation<"] {
        assert!(drawn.contains(mark), "{mark} in {drawn}");
    }
    let experimented = folder.path().join("e").display().to_string();
    let drifts = ["--set", "phases.baseline.drift={ at: 50%, rotate: 1 }"];
    completed(experiment(["--out", &experimented], &drifts));
    assert!(
        report(&[&experimented, "-o", &page, "--svg", &svg.display().to_string()]).status.success()
    );
    let drawn = fs::read_to_string(svg.join("success.svg")).unwrap();
    for mark in ["ceiling 85", "chance 25", ">drift<", "a new model"] {
        assert!(drawn.contains(mark), "{mark} in {drawn}");
    }
}

/// Arguments can be copied as they are, and are broken between words only.
#[test]
fn arguments_stand_whole_in_the_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&folder.path().join("a"), "1");
    let page = folder.path().join("page.html").display().to_string();
    assert!(report(&[&ran, "-o", &page]).status.success());
    let html = fs::read_to_string(page).unwrap();
    let (_, code) = html.split_once("<code class=\"whole\">").unwrap();
    let words: Vec<&str> = code.split("</code>").next().unwrap().split_whitespace().collect();
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.trim_start_matches("<span>").trim_end_matches("</span>"))
        .collect();
    assert!(words.starts_with(&["--cb_explore_adf", "--epsilon"]), "{words:?}");
}

#[test]
fn a_browser_shows_the_page_and_reads_its_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("target/sdk/installed").exists() {
        crate::tools::missing("playwright", "run tests/sdk/install");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let experimented = folder.path().join("e").display().to_string();
    completed(experiment(
        ["--out", &experimented],
        &[
            "--set",
            "gates=[{ metric: validation.success_rate, margin: 0.02 }]",
            "--set",
            "matrix.seeds=1..3",
        ],
    ));
    let ran = run(&folder.path().join("r"), "1");
    let [never, same, load] =
        ["never", "same", "load"].map(|name| folder.path().join(name).display().to_string());
    // No model is exported before the end: nothing is learned.
    let never_exported =
        ["--set", "loop.model_export_frequency=10h", "--set", "loop.reward_wait_time=10h"];
    completed(experiment(["--out", &never], &never_exported));
    // Two are the same; the others are left out.
    let alike = ["one", "'喫茶店, a name'", "faster", "robust"];
    let alike = alike.map(|name| format!("{name}: '--cb_explore_adf -q ::'")).join(", ");
    let policies = format!("matrix.policies={{ {alike} }}");
    completed(experiment(["--out", &same], &["--set", &policies]));
    completed(short_load(&load));
    // One iteration, which fails to please.
    let one = folder.path().join("one").display().to_string();
    completed({
        let mut command = runner();
        command.args(["scenarios/baseline.yaml", "--quiet", "--out", &one, "--seed", "4"]);
        command.args(["--set", "expect=[]", "--set", "phases.baseline.iterations=1"]);
        command.args(["--set", "phases.validation.iterations=1"]);
        command
    });
    // More lines than colours, and more names than there is room for.
    let many = folder.path().join("many").display().to_string();
    completed({
        let mut command = experiment(["--out", &many], &["--set", "matrix.seeds=1..2"]);
        let waits = "matrix.axes={ loop.reward_wait_time: [1s, 5s, 15s, 1m, 2m] }";
        command.args(["--set", "matrix.exclude=[{ policy: robust }]", "--set", waits]);
        command.args(["--set", "phases.baseline.iterations=200"]);
        command
    });
    // Three slots a page; success and chance at the foot of the picture; tables as worlds.
    let [slots, catalogue, flowers] = [
        ("slots", "phases.learn.iterations=600"),
        ("catalogue", "phases.learn.iterations=600"),
        ("classification", "phases.name-it.iterations=600"),
    ]
    .map(|(name, short)| {
        let out = folder.path().join(name).display().to_string();
        let mut command = runner();
        command.arg(format!("scenarios/{name}.yaml")).args(["--quiet", "--out", &out]);
        command.args(["--set", "expect=[]", "--set", short]);
        if name == "catalogue" {
            command.args(["--set", "gates=[]"]);
        }
        completed(command);
        out
    });
    let [lone, crowd, worthless, stopped] =
        ["lone", "crowd", "worthless", "stopped"].map(|name| folder.path().join(name));
    let [lone, crowd, worthless, stopped] =
        [lone, crowd, worthless, stopped].map(|path| path.display().to_string());
    completed(experiment(["--out", &lone], &["--set", "matrix.seeds=[7]"]));
    // Twenty policies with long names.
    let policy = |number: u32| {
        let rate = f64::from(number) / 10.0;
        format!(
            "'{number:02}-喫茶店 with a long name, learning at {rate}': '--cb_explore_adf -l {rate} -q ::'"
        )
    };
    let left_out = ["faster", "robust"].map(|name| format!("{name}: '--cb_explore_adf -q ::'"));
    let policies: Vec<String> = (1..=20).map(policy).chain(left_out).collect();
    let policies = format!("matrix.policies={{ {} }}", policies.join(", "));
    let short = ["matrix.seeds=1..2", "phases.baseline.iterations=200"];
    let short = short.iter().flat_map(|change| ["--set", change]);
    let short: Vec<&str> = short.chain(["--set", policies.as_str()]).collect();
    completed(experiment(["--out", &crowd], &short));
    completed(worthless_run(&worthless));
    cut_short(&run(stopped.as_ref(), "5"));
    let alone = [&experimented, &ran, &never, &same, &load, &one, &many, &slots, &catalogue];
    let alone = alone.into_iter().chain([&lone, &crowd, &worthless, &stopped]);
    let reports = alone.map(|one| vec![one]);
    let page = |(number, results): (usize, Vec<&String>)| {
        let name = Path::new(results[0]).file_name().unwrap().display();
        let page = folder.path().join(format!("{number}-{name}.html"));
        completed({
            let mut command = runner();
            command.arg("report").args(&results).arg("-o").arg(&page);
            command
        });
        page
    };
    let pages = reports.chain([vec![&flowers], vec![&ran, &slots]]).enumerate().map(page);
    let mut node = Command::new("node");
    node.current_dir(root.join("target/sdk")).arg(root.join("tests/sdk/report.mjs"));
    let output = node.args(pages).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}
