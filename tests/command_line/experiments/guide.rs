//! What the guides say is so.

use std::fs;

use super::runner;

/// The experiment of the guide is gated as it says, in a folder as its readers have it.
#[test]
fn the_experiment_of_the_guide_runs_and_passes_its_gate() {
    let guide = runner().args(["guide", "comparing"]).output().unwrap();
    let guide = String::from_utf8(guide.stdout).unwrap();
    let (_, scenario) = guide.split_once("```yaml\n").unwrap();
    let (scenario, _) = scenario.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("scenarios");
    let data = folder.path().join("data");
    fs::create_dir_all(&scenarios).unwrap();
    fs::create_dir_all(&data).unwrap();
    for name in ["users.json", "coffee.json"] {
        fs::copy(format!("data/{name}"), data.join(name)).unwrap();
    }
    fs::write(scenarios.join("checkout.yaml"), scenario).unwrap();
    let run = |arguments: &[&str]| {
        let output = runner().current_dir(folder.path()).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let compared = run(&["scenarios/checkout.yaml"]);
    assert!(compared.contains("candidate") && compared.contains("better"), "{compared}");
    assert!(compared.contains("✓  play.success_rate[last 25%] not worse by 0.0200"), "{compared}");
    let (_, command) = guide.split_once("```sh\nrunner compare ").unwrap();
    let words: Vec<&str> = command.lines().next().unwrap().split(' ').collect();
    let noise = run(&[&["compare"], &words[..]].concat());
    assert!(noise.contains("shows, without common seeds"), "{noise}");
}

/// Every submission of the guide on scaling can be printed, and every command of it is one.
#[test]
fn the_commands_of_the_guide_on_scaling_are_understood() {
    let guide = runner().args(["guide", "scaling"]).output().unwrap();
    let guide = String::from_utf8(guide.stdout).unwrap();
    let commands = guide.lines().filter_map(|line| line.strip_prefix("runner "));
    let mut submissions = 0;
    for command in commands {
        let words: Vec<&str> = command.split('#').next().unwrap().split_whitespace().collect();
        let words: Vec<&str> = words.into_iter().take_while(|word| *word != ">").collect();
        if words[0] == "submit" {
            let output = runner().args(&words).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(!output.stdout.is_empty());
            submissions += 1;
        } else {
            let output = runner().args(&words).arg("--help").output().unwrap();
            assert!(output.status.success(), "{command}");
        }
    }
    assert_eq!(submissions, 4);
}
