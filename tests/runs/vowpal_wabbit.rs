//! Real Vowpal Wabbit reads what a run logs, and comes to the same numbers.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::completed;
use super::folder::json;

/// The driver of the Python wheel on one log; its average loss.
fn average_loss(log: &Path, arguments: &str) -> (f64, f64) {
    let mut command = Command::new("python3");
    command.args(["-m", "vowpalwabbit"]).args(arguments.split(' ')).args(["--dsjson", "-d"]);
    let output = command.arg(log).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    let after = |label: &str| {
        let line = text.lines().find(|line| line.starts_with(label));
        let line = line.unwrap_or_else(|| panic!("Vowpal Wabbit says no `{label}`:\n{text}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    (after("number of examples"), after("average loss"))
}

fn is_installed() -> bool {
    let import = Command::new("python3").args(["-c", "import vowpalwabbit"]).output();
    import.is_ok_and(|output| output.status.success())
}

#[test]
fn the_log_is_read_whole_and_the_progressive_loss_is_minus_our_estimate() {
    if !is_installed() {
        eprintln!("not compared with Vowpal Wabbit: python3 has no `vowpalwabbit` here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(&run, "scenarios/baseline.yaml", &["--quiet"]);
    let log = fs::read_to_string(run.join("log.dsjson")).unwrap();
    let evaluation = json(&run, "evaluation.json");
    let results = evaluation["policyResults"].as_array().unwrap();
    let evaluated = results[0]["totalSummary"]["ipsEstimatorDenominator"].as_f64().unwrap();
    let first = folder.path().join("evaluated.dsjson");
    let is_evaluated = |index: usize| f64::from(u32::try_from(index).unwrap()) < evaluated;
    let lines = log.split_inclusive('\n').enumerate().filter(|(index, _)| is_evaluated(*index));
    let lines: String = lines.map(|(_, line)| line).collect();
    fs::write(&first, lines).unwrap();
    let mut compared = 0;
    for result in results {
        let (Some(arguments), false) = (result["arguments"].as_str(), result["name"] == "online")
        else {
            continue;
        };
        let (examples, loss) = average_loss(&first, arguments);
        assert_eq!(examples, evaluated, "every line is an example");
        let estimate = result["totalSummary"]["averageReward"].as_f64().unwrap();
        assert!((loss + estimate).abs() < 1e-6, "{arguments}: {loss} against {estimate}");
        compared += 1;
    }
    assert!(compared >= 2, "only {compared} policies were compared");
    let (examples, _) = average_loss(&run.join("log.dsjson"), "--cb_explore_adf");
    assert_eq!(examples, f64::from(u32::try_from(log.lines().count()).unwrap()));
}
