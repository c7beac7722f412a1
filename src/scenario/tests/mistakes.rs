//! Scenario files as a user meets them: the shipped ones load, every mistake is shown at
//! its place.
//!
//! `UPDATE_GOLDEN=1 cargo test --test scenario` writes the expected reports anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diagnostic::Report;
use plan::Plan;
use plan::{Arrival, ClockKind, Preference, Rate, Secret, Step, TargetPlan, Visitor};
use scenario::{LoadOptions, Scenario, load, read};

const FIXTURES: &str = "tests/fixtures";

/// The environment of these tests.
fn environment(name: &str) -> Option<String> {
    match name {
        "PERSONALIZER_KEY" => Some("not-to-be-seen".to_owned()),
        "MANY" => Some("250".to_owned()),
        "WORD" => Some("oops".to_owned()),
        "PASSWORD_URL" => Some("http://me:secret/x@host".to_owned()),
        _ => None,
    }
}

fn open_with(path: &Path, overrides: &[&str]) -> Result<(Plan, Report), Report> {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect();
    load(path, &LoadOptions { overrides, ..LoadOptions::default() }, &environment)
}

fn open(path: &Path) -> Result<(Plan, Report), Report> {
    open_with(path, &[])
}

/// The plan of a scenario that must be valid.
fn plan(path: &str, overrides: &[&str]) -> Plan {
    match open_with(Path::new(path), overrides) {
        Ok((plan, warnings)) => {
            assert!(warnings.is_empty(), "{}", warnings.render(false));
            plan
        }
        Err(report) => panic!("{}", report.render(false)),
    }
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

/// Compares with a golden file, or writes it.
fn matches_golden(found: &str, golden: &Path) -> Result<(), String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden, found).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    if found == expected { Ok(()) } else { Err(format!("--- {}\n{found}", golden.display())) }
}

#[test]
fn every_mistake_is_shown_at_its_place_and_at_once() {
    let mut wrong = Vec::new();
    for path in files(&format!("{FIXTURES}/mistakes"), "yaml") {
        let report = open(&path).expect_err(&path.display().to_string());
        let found = report.render(false);
        wrong.extend(matches_golden(&found, &path.with_extension("txt")).err());
        assert!(
            !found.contains("abc123")
                && !found.contains("me:secret")
                && !found.contains("secret/x"),
            "{found}"
        );
    }
    assert!(wrong.is_empty(), "not as in the golden files:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_valid_loads_and_what_is_shipped_without_a_warning() {
    for folder in [&format!("{FIXTURES}/valid"), "../../scenarios"] {
        for path in files(folder, "yaml") {
            let (_, warnings) = read(&path, &LoadOptions::default(), &environment)
                .unwrap_or_else(|report| panic!("{}", report.render(false)));
            let is_shipped = folder == "../../scenarios";
            assert!(warnings.is_empty() || !is_shipped, "{}", warnings.render(false));
        }
    }
}

/// Each stands for a kind of scenario that is valid and does not do what it seems to say.
#[test]
fn what_is_implausible_loads_with_warnings() {
    let mut wrong = Vec::new();
    for path in files(&format!("{FIXTURES}/warnings"), "yaml") {
        let (_, warnings) = open(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
        let found = warnings.render(false);
        wrong.extend(matches_golden(&found, &path.with_extension("txt")).err());
    }
    assert!(wrong.is_empty(), "not as in the golden files:\n{}", wrong.join("\n"));
}

#[test]
fn exploration_that_is_not_said_is_that_of_the_policy() {
    let share = |overrides: &[&str]| {
        let plan = plan(&format!("{FIXTURES}/valid/ramp-to-zero.yaml"), overrides);
        plan.target.start().unwrap().0.exploration_percentage
    };
    assert_eq!(share(&[]), 0.2);
    assert_eq!(share(&["loop.learning_policy=--cb_explore_adf --epsilon 0.05 -q ::"]), 0.05);
    assert_eq!(share(&["loop.learning_policy=--cb_explore_adf --softmax"]), 0.2);
    let both =
        ["loop.learning_policy=--cb_explore_adf --epsilon 0.3", "loop.exploration_percentage=0.3"];
    assert_eq!(share(&both), 0.3);
}

#[test]
fn parallel_phases_are_found_by_their_names_as_others_are() {
    let path = format!("{FIXTURES}/valid/parallel.yaml");
    let whole = plan(&path, &[]);
    let names: Vec<&str> = whole.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["wait", "web", "app", "kiosk", "after"]);
    assert_eq!([0, 1, 4].map(|first| whole.together(first)), [0..1, 1..4, 4..5]);
    for (set, phase, iterations) in [
        ("phases.kiosk.iterations=57", 3, 57),
        ("phases.web.duration=11s", 1, 110),
        ("phases.1.parallel.1.iterate.iterations=108", 2, 108),
        ("phases.after.iterations=19", 4, 19),
    ] {
        let plan = plan(&path, &[set]);
        assert_eq!(plan.phases[phase].scope().iterations, Some(iterations), "{set}");
        assert_ne!(plan.digest, whole.digest, "{set}");
    }
}

#[test]
fn the_arguments_of_a_policy_need_no_quotes_on_the_command_line() {
    let path = format!("{FIXTURES}/valid/ramp-to-zero.yaml");
    for arguments in ["--cb_explore_adf -q ::", "--cb_explore_adf --cubic :::", "--cb_explore_adf"]
    {
        let plan = plan(&path, &[&format!("loop.learning_policy={arguments}")]);
        assert_eq!(plan.target.start().unwrap().1.arguments(), arguments);
        let quoted = self::plan(&path, &[&format!("loop.learning_policy=\"{arguments}\"")]);
        assert_eq!(quoted.digest, plan.digest);
    }
    let report = open_with(Path::new(&path), &["loop.learning_policy=--cb_explore_adf --cats 3"]);
    let text = report.unwrap_err().render(false);
    assert!(text.contains("--set:1:39"), "{text}");
}

#[test]
fn tables_are_read_whatever_separates_their_fields() {
    let path = format!("{FIXTURES}/valid/ramp-to-zero.yaml");
    let population = |file: &str| {
        let plan = plan(&path, &[&format!("datasets.users=../data/{file}"), "expect=[]"]);
        plan.population.rows.iter().map(|row| row.context.join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(population("semicolon.csv"), ["Ann sun", "Ann rain"]);
    assert_eq!(population("tabs.csv"), ["Ann sun", "Ann rain"]);
}

#[test]
fn the_nearest_scenario_is_named() {
    let text = open(Path::new("../../scenarios/baselin.yaml")).unwrap_err().render(false);
    assert!(text.contains("did you mean `../../scenarios/baseline.yaml`?"), "{text}");
    for path in ["../../scenario/baseline.yaml", "../../scenario/of/mine/baseline.yaml"] {
        let text = open(Path::new(path)).unwrap_err().render(false);
        let help = "there is no folder `../../scenario`: did you mean `../../scenarios`?";
        assert!(text.contains(help), "{text}");
    }
    // What has such a name is no folder, or nothing has.
    for path in ["../../README.md/baseline.yaml", "../../elsewhere/baseline.yaml"] {
        let text = open(Path::new(path)).unwrap_err().render(false);
        assert!(text.contains("there is no folder `") && !text.contains("did you mean"), "{text}");
    }
}

#[test]
fn a_matrix_is_read_as_an_experiment_and_refused_where_one_run_is_asked_for() {
    let path = Path::new("../../scenarios/policies.yaml");
    let (scenario, _) = read(path, &LoadOptions::default(), &environment).unwrap();
    assert!(matches!(scenario, Scenario::Experiment(_)));
    let report = open(path).unwrap_err().render(false);
    assert!(report.contains("has a `matrix`"), "{report}");
}

#[test]
fn what_is_odd_loads_with_a_warning() {
    let path = format!("{FIXTURES}/valid/service.yaml");
    let overrides = ["phases.0={evaluate: {apply: best}}"];
    let (_, warnings) = open_with(Path::new(&path), &overrides).unwrap();
    assert_eq!((warnings.errors(), warnings.warnings()), (0, 1));
    assert!(warnings.render(false).starts_with("warning: `best` can only be the online policy"));
}

#[test]
fn shipped_scenarios_name_their_schema() {
    for path in files("../../scenarios", "yaml") {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next();
        assert_eq!(first, Some("# yaml-language-server: $schema=scenario.schema.json"));
    }
}

#[test]
fn the_tutorial_is_36_visits_and_4_coffees_sent_as_the_tutorial_sends_them() {
    let plan = plan("../../scenarios/baseline.yaml", &[]);
    assert_eq!((plan.population.rows.len(), plan.actions.len()), (36, 4));
    let visit = &plan.population.rows[0];
    assert_eq!(&*visit.context, ["Alice", "Sunny", "Morning"]);
    assert_eq!(plan.actions.iter().position(|action| &*action.id == "Cold brew"), preferred(visit));
    let sent = serde_json::to_string(&visit.features).unwrap();
    assert_eq!(sent, r#"[{"timeofday":"Morning","weather":"Sunny","name":"Alice"}]"#);
    let names: Vec<&str> = plan.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["reset", "baseline", "wait", "evaluate", "configure", "validation"]);
}

#[test]
fn json_and_csv_are_the_same_population_and_the_same_plan() {
    let json = plan("../../scenarios/baseline.yaml", &[]);
    let csv = plan("../../scenarios/baseline.yaml", &["datasets.users=../data/users.csv"]);
    assert_eq!(json.digest, csv.digest);
    for (one, other) in json.population.rows.iter().zip(&csv.population.rows) {
        assert_eq!((&one.context, &one.features), (&other.context, &other.features));
        assert_eq!(preferred(one), preferred(other));
    }
}

#[test]
fn the_digest_changes_with_what_is_sent_and_with_nothing_else() {
    let digest = |overrides: &[&str]| plan("../../scenarios/baseline.yaml", overrides).digest;
    let usual = digest(&[]);
    assert_eq!(usual.len(), 64);
    for same in [
        "seed=42",
        "description=other",
        "expect=[]",
        "success_curve.batch=20",
        "loop.reward_wait_time=PT15S",
        "phases.baseline.iterations=10000",
    ] {
        assert_eq!(digest(&[same]), usual, "{same}");
    }
    for other in [
        "seed=43",
        "phases.baseline.iterations=9_999",
        "reward.noise=0.1",
        "loop.reward_wait_time=16s",
        "phases.validation.name=again",
        "expect=[]",
        "datasets.actions=../data/news/articles.json",
    ] {
        let changed = open_with(Path::new("../../scenarios/baseline.yaml"), &[other, "expect=[]"]);
        let changed = changed.map(|(plan, _)| plan.digest).unwrap_or_default();
        assert_eq!(changed == usual, other == "expect=[]", "{other}");
    }
}

#[test]
fn a_key_is_in_no_output() {
    let path = format!("{FIXTURES}/valid/service.yaml");
    let keyed = plan(&path, &[]);
    let TargetPlan::Http(service) = &keyed.target else { panic!("not a service") };
    assert_eq!(service.key.as_ref().map(Secret::reveal), Some("not-to-be-seen"));
    assert_eq!((service.url.as_str(), keyed.clock), ("https://example.com", ClockKind::Wall));
    assert!(!format!("{keyed:?}").contains("not-to-be-seen"));
    let other = |name: &str| environment(name).map(|key| key + "-at-all");
    let (other, _) = load(Path::new(&path), &LoadOptions::default(), &other).unwrap();
    assert_eq!(keyed.digest, other.digest);
}

#[test]
fn a_served_loop_starts_as_the_scenario_says_and_lives_in_real_time() {
    let load = "../../scenarios/load.yaml";
    let served = plan(load, &[]);
    let TargetPlan::Served(start) = &served.target else { panic!("not served") };
    assert_eq!(start.configuration.reward_wait_time.to_string(), "PT5S");
    assert_eq!(served.clock, ClockKind::Wall);
    let report = open_with(Path::new(load), &["clock=virtual"]).map(drop).unwrap_err();
    assert!(report.render(false).contains("the virtual clock"), "{}", report.render(false));
    // Others can reach it, so an operator may change its policy.
    let phases = "phases=[{ pause: { until: policy_changes } }]";
    assert!(open_with(Path::new(load), &[phases, "expect=[]"]).is_ok());
}

#[test]
fn everything_there_is_arrives_in_the_plan() {
    let plan = plan(&format!("{FIXTURES}/valid/everything.yaml"), &[]);
    let found = serde_json::to_string_pretty(&plan).unwrap() + "\n";
    let golden = Path::new(FIXTURES).join("everything.json");
    assert_eq!(matches_golden(&found, &golden), Ok(()));
    assert_eq!(plan.description.unwrap(), "Every key there is, for 250 visitors at $5");
}

#[test]
fn the_command_line_changes_values_by_their_path() {
    let changed = plan(
        "../../scenarios/baseline.yaml",
        &[
            "phases.1.iterate.rate=50/s",
            "phases.validation.iterations=100",
            "reward.noise=0.25",
            "phases.wait=10s",
            "model_check=10",
        ],
    );
    let iterates: Vec<_> = changed
        .phases
        .iter()
        .filter_map(|phase| match &phase.step {
            Step::Iterate(iterate) => Some(iterate),
            _ => None,
        })
        .collect();
    let rate = Some(Rate(50.0));
    assert_eq!(iterates[0].arrival, Arrival::Closed { concurrency: 8, rate });
    assert_eq!((iterates[1].iterations, iterates[1].model_check_interval), (100, 10));
    assert!((changed.reward.noise - 0.25).abs() < f64::EPSILON);
    assert!(matches!(changed.phases[2].step, Step::Wait(time) if time == Duration::from_secs(10)));
}

#[test]
fn phases_without_a_name_are_called_by_their_kind_and_number() {
    let path = format!("{FIXTURES}/valid/everything.yaml");
    let names =
        |plan: &Plan| plan.phases.iter().map(|phase| phase.name.clone()).collect::<Vec<_>>();
    let usual = plan(&path, &["phases.evaluate-2={discover: true}"]);
    let expected = "reset first second open ramp closed wait nap pause wait-for-model evaluate evaluate-2 again \
                    apply_policy apply_policy-2 slow configure reset-2";
    assert_eq!(names(&usual).join(" "), expected);
    assert!(matches!(&usual.phases[11].step, Step::Evaluate(evaluate) if evaluate.discover));
}

#[test]
fn mistakes_on_the_command_line_are_shown_there() {
    let overrides = [
        "phases.basline.iterations=1",
        "phases.9=reset",
        "seed",
        "name.x=1",
        "loop.exploration=0.1",
        "reward.noise=[1",
        "phases.baseline.rate=fast",
        "target.key=abc123",
    ];
    let report = open_with(Path::new("../../scenarios/baseline.yaml"), &overrides).unwrap_err();
    let (found, golden) = (report.render(false), Path::new(FIXTURES).join("overrides.txt"));
    assert_eq!(matches_golden(&found, &golden), Ok(()));
    assert!(!found.contains("abc123"), "{found}");
}

#[test]
fn the_seed_of_the_command_line_wins() {
    let options = LoadOptions { seed: Some(7), ..LoadOptions::default() };
    let (plan, _) =
        load(Path::new("../../scenarios/baseline.yaml"), &options, &environment).unwrap();
    assert_eq!((plan.seed.0, plan.source.overrides), (7, vec!["seed=7".to_owned()]));
}

fn preferred(visitor: &Visitor) -> Option<usize> {
    match visitor.preference {
        Preference::Action(action) => Some(action),
        Preference::Rewards(_) | Preference::Liking(_) => None,
    }
}

/// A folder with a scenario in a folder of its own.
struct Project(tempfile::TempDir);

impl Project {
    fn new(users: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scenarios")).unwrap();
        let drinks = fs::read(format!("{FIXTURES}/data/drinks.json")).unwrap();
        fs::write(folder.path().join("drinks.json"), drinks).unwrap();
        let text = fs::read_to_string(format!("{FIXTURES}/valid/minimal.yaml")).unwrap();
        let text = text.replace("../data/users.json", users).replace("../data/", "../");
        fs::write(folder.path().join("scenarios/s.yaml"), text).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The first message of what is wrong.
    fn mistake(&self) -> String {
        let report = open(&self.path("scenarios/s.yaml")).unwrap_err();
        report.diagnostics()[0].message().to_owned()
    }
}

#[test]
fn a_file_of_100_megabytes_is_refused_unread() {
    let project = Project::new("../large.json");
    let large = |name: &str| {
        fs::File::create(project.path(name)).unwrap().set_len(100_000_000).unwrap();
    };
    large("large.json");
    assert!(project.mistake().ends_with("is too large: at most 64 MiB are read"));
    large("scenarios/s.yaml");
    assert!(project.mistake().ends_with("is too large: at most 1 MiB are read"));
}

#[test]
fn an_alias_that_multiplies_is_refused_before_it_does() {
    let project = Project::new("../users.json");
    let text = format!("x: &x [{}]\ny: [{}]\n", "1, ".repeat(50_000), "*x, ".repeat(2_000));
    fs::write(project.path("scenarios/s.yaml"), text).unwrap();
    assert_eq!(project.mistake(), "more than 20000 values");
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_project() {
    let outside = tempfile::tempdir().unwrap();
    fs::copy(format!("{FIXTURES}/data/users.json"), outside.path().join("users.json")).unwrap();
    let project = Project::new("../link.json");
    let link = project.path("link.json");
    std::os::unix::fs::symlink(outside.path().join("users.json"), link).unwrap();
    assert!(project.mistake().ends_with("lies outside the project of the scenario"));
    let allowed = LoadOptions { allow_paths: true, ..LoadOptions::default() };
    assert!(load(&project.path("scenarios/s.yaml"), &allowed, &environment).is_ok());
}

#[cfg(unix)]
#[test]
fn devices_and_folders_are_no_files() {
    assert!(Project::new("..").mistake().ends_with("is not a regular file"));
    let report = open(Path::new("/dev/zero")).unwrap_err();
    assert!(report.diagnostics()[0].message().ends_with("is not a regular file"));
}

/// A data set of megabytes is read with its places in a moment.
#[test]
fn a_large_dataset_has_its_mistakes_shown() {
    let project = Project::new("../users.json");
    let record =
        |i: usize| format!(r#"{{"context":{{"who":"{i}","weather":"sun"}},"preferred":"tea"}}"#);
    let records: Vec<String> = (0..20_000).map(record).collect();
    let text = format!("[{},{}]", records.join(","), record(1).replace("tea", "coffee"));
    fs::write(project.path("users.json"), &text).unwrap();
    let report = open(&project.path("scenarios/s.yaml")).unwrap_err();
    let rendered = report.render(false);
    assert!(rendered.contains("no action is called `coffee`"), "{rendered}");
    let column = text.find("\"coffee\"").unwrap() + 1;
    assert!(rendered.contains(&format!("users.json:1:{column}")), "{rendered}");
}

/// What follows from a mistake is not a mistake of its own: the expectations speak of the phase.
#[test]
fn one_misread_value_is_one_mistake() {
    let baseline = Path::new("../../scenarios/baseline.yaml");
    for change in
        ["phases.baseline.rate=20 rps", "phases.baseline={ name: baseline, iteratons: 9 }"]
    {
        let report = open_with(baseline, &[change]).unwrap_err();
        assert_eq!(report.errors(), 1, "{}", report.render(false));
    }
}
