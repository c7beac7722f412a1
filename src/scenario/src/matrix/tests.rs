use std::path::PathBuf;

use super::{Cell, Experiment};
use crate::{LoadOptions, Scenario, read};
use plan::TargetPlan;
use seed::Seed;

/// Reads the tutorial with a matrix.
fn with(matrix: &str, overrides: &[&str]) -> Result<Experiment, String> {
    let baseline = project().join("scenarios/baseline.yaml");
    of(&std::fs::read_to_string(baseline).unwrap(), matrix, overrides)
}

fn project() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Reads a scenario of the project's data with a matrix.
fn of(scenario: &str, matrix: &str, overrides: &[&str]) -> Result<Experiment, String> {
    let scenario = scenario.replace("../data", &project().join("data").display().to_string());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.yaml");
    std::fs::write(&path, format!("{scenario}\nmatrix:\n{matrix}")).unwrap();
    let options = LoadOptions {
        allow_paths: true,
        overrides: overrides.iter().map(ToString::to_string).collect(),
        seed: None,
    };
    match read(&path, &options, &|_| None) {
        Ok((Scenario::Experiment(experiment), _)) => Ok(*experiment),
        Ok((Scenario::Run(_), _)) => panic!("the matrix is not seen"),
        Err(mistakes) => Err(mistakes.render(false)),
    }
}

const POLICIES: &str = "  policies:
    pairs: \"--cb_explore_adf -q ::\"
    triples: \"--cb_explore_adf --cubic :::\"
";

#[test]
fn the_policies_of_one_seed_are_run_one_after_the_other() {
    let experiment = with(&format!("{POLICIES}  seeds: 1..3\n"), &[]).unwrap();
    let cell = |variant, seed| Cell { variant, seed: Seed(seed) };
    assert_eq!(experiment.axes, ["policy"]);
    assert_eq!(
        experiment.cells,
        [cell(0, 1), cell(1, 1), cell(0, 2), cell(1, 2), cell(0, 3), cell(1, 3)]
    );
    assert_eq!(experiment.variants[1].labels, ["triples"]);
    let plan = experiment.plan(cell(1, 3));
    assert_eq!(plan.seed, Seed(3));
    assert_eq!(plan.target.start().unwrap().1.arguments(), "--cb_explore_adf --cubic :::");
}

#[test]
fn a_cell_is_known_by_its_content_and_not_by_its_place() {
    let few = with(&format!("{POLICIES}  seeds: [7]\n"), &[]).unwrap();
    let more = with(&format!("{POLICIES}  seeds: 1..9\n"), &[]).unwrap();
    let cell = Cell { variant: 1, seed: Seed(7) };
    assert_eq!(few.key(cell), more.key(cell));
    assert_ne!(few.key(cell), few.key(Cell { variant: 0, ..cell }));
    assert_ne!(few.key(cell), few.key(Cell { seed: Seed(8), ..cell }));
    let other = ["phases.baseline.iterations=9_999"];
    let changed = with(&format!("{POLICIES}  seeds: [7]\n"), &other).unwrap();
    assert_ne!(few.key(cell), changed.key(cell));
}

#[test]
fn any_value_is_an_axis_and_cells_are_left_out_and_added() {
    let matrix = "  seeds: [1, 2]
  axes: { loop.exploration_percentage: [0.1, 0.2], phases.baseline.iterations: [100, 1_000] }
  exclude: [{ loop.exploration_percentage: 0.1, seed: 2 }]
  include: [{ loop.exploration_percentage: 0.3, phases.baseline.iterations: 100, seed: 5 }]
";
    let experiment = with(matrix, &[]).unwrap();
    let cells: Vec<String> = experiment
        .cells
        .iter()
        .map(|cell| format!("{} {}", experiment.variants[cell.variant].name(), cell.seed))
        .collect();
    let expected = [
        "0.1 · 100 1",
        "0.1 · 1_000 1",
        "0.2 · 100 1",
        "0.2 · 1_000 1",
        "0.2 · 100 2",
        "0.2 · 1_000 2",
        "0.3 · 100 5",
    ];
    assert_eq!(cells, expected);
}

#[test]
fn a_mistake_of_many_cells_is_said_once_and_all_are_said() {
    let matrix = "  policies: { a: --cb_explore_adf --tau 1, b: --cats 4 }
  seeds: 1..50
  axes: { loop.reward_wait_time: [5, 10s], nowhere.at: [1] }
";
    let mistakes = with(matrix, &[]).unwrap_err();
    for once in ["--tau", "--cats", "`5s`", "nowhere"] {
        assert!(mistakes.contains(once), "{once}: {mistakes}");
    }
    assert_eq!(mistakes.matches("error:").count(), 4, "{mistakes}");
}

#[test]
fn a_matrix_that_is_too_large_is_refused_before_it_is_laid_out() {
    let matrix = format!("{POLICIES}  seeds: 1..1000000\n");
    let mistakes = with(&matrix, &[]).unwrap_err();
    assert!(mistakes.contains("2000000 cells (2 of `policy` × 1000000 seeds)"), "{mistakes}");
    assert!(with(&format!("{POLICIES}  seeds: 1..10\n  limit: 19\n"), &[]).is_err());
    assert!(with(&format!("{POLICIES}  seeds: 1..10\n  limit: 20\n"), &[]).is_ok());
}

#[test]
fn an_embedded_loop_is_a_virtual_world() {
    let mistakes = with("  seeds: 1..3\n", &["clock=wall"]).unwrap_err();
    assert!(mistakes.contains("the virtual clock"), "{mistakes}");
    assert!(with("  seeds: 1..3\n", &["target=served"]).is_ok());
    let mistakes = with("  seeds: 1..3\n", &["phases.3={ pause: { prompt: look } }"]).unwrap_err();
    assert!(mistakes.contains("waits for the operator"), "{mistakes}");
}

const TARGETS: &str = "  targets:
    old: { url: \"http://127.0.0.1:1\" }
    new: { timeout: 1s }
";

const SERVICE: &str = "version: 1
name: live
datasets: { users: ../data/users.json, actions: ../data/coffee.json }
context: [name, weather, timeofday]
target: { url: \"http://127.0.0.1:2\", api: v1.1-preview.3 }
phases: [reset, { iterate: { name: learn, iterations: 10 } }]
";

/// The tutorial's visitors at a service.
fn live(matrix: &str) -> Result<Experiment, String> {
    of(SERVICE, matrix, &[])
}

#[test]
fn a_target_takes_what_it_does_not_say_from_the_scenario() {
    let experiment = live(&format!("{TARGETS}  seeds: 1..4\n")).unwrap();
    assert_eq!(experiment.axes, ["target"]);
    let service = |variant: usize| match &experiment.variants[variant].plan.target {
        TargetPlan::Http(service) => service.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(service(0).url, "http://127.0.0.1:1");
    assert!([0, 1].iter().all(|variant| service(*variant).api == "v1.1-preview.3"));
    assert_eq!(service(1).url, "http://127.0.0.1:2");
    assert_eq!(service(1).timeouts.whole, std::time::Duration::from_secs(1));
}

#[test]
fn two_names_of_one_live_target_are_two_measurements() {
    let targets = "  targets: { a: {}, b: {} }\n  seeds: 1..4\n";
    let experiment = live(targets).unwrap();
    let cell = |variant| Cell { variant, seed: Seed(1) };
    assert_ne!(experiment.key(cell(0)), experiment.key(cell(1)));
    assert_eq!(experiment.execution_order(), [0, 1, 3, 2, 4, 5, 7, 6]);
    let again = live("  targets: { b: {} }\n  seeds: [1]\n").unwrap();
    assert_eq!(experiment.key(cell(1)), again.key(cell(0)), "it can be resumed");
}

#[test]
fn what_the_matrix_does_not_have_is_named() {
    let matrix = format!(
        "{POLICIES}  seeds: 1..3\n  exclude: [{{ polici: pairs }}, {{ policy: tripels }}]\n"
    );
    let mistakes = with(&matrix, &[]).unwrap_err();
    assert!(mistakes.contains("did you mean `policy`?"), "{mistakes}");
    assert!(mistakes.contains("did you mean `triples`?"), "{mistakes}");
}
