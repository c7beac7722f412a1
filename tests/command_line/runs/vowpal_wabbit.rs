//! Real Vowpal Wabbit reads what a run logs, and comes to the same numbers.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use learner::LearningPolicy;
use learning_loop::{LearningLoop, LoopOptions};
use protocol::{EvaluationContract, MultiSlotRankRequest, PolicyContract, SlotReward};
use timestamp::Timestamp;

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
        crate::tools::missing("Vowpal Wabbit", "run `pip install vowpalwabbit==9.11.9`");
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

/// Five hundred visitors of a page with as many slots as they please, who like what is new
/// at the top.
fn slots() -> LearningLoop {
    let policy = "--ccb_explore_adf --epsilon 0.2 -q ::";
    let policy = LearningPolicy::parse(policy).unwrap().into();
    let options = LoopOptions { policy, ..LoopOptions::default() };
    let mut learning_loop = LearningLoop::new(options, Timestamp::VIRTUAL_START);
    for number in 0..500_u32 {
        let now = Timestamp::VIRTUAL_START + Duration::from_secs(u64::from(number) * 30);
        let day = ["weekday", "weekend"][number as usize % 2];
        let slots = serde_json::json!([
            {"id": "top", "features": [{"size": "large"}], "baselineAction": "a"},
            {"id": "side", "baselineAction": "b", "excludedActions": ["a"]},
            {"id": "foot", "features": [{"size": "small"}, {"j": {"kind": "new"}}], "baselineAction": "c"},
        ]);
        let slots = &slots.as_array().unwrap()[..=number as usize % 3];
        let action =
            |id: &str, kind: &str| serde_json::json!({"id": id, "features": [{"kind": kind}]});
        let actions =
            [action("a", "old"), action("b", "new"), action("c", "old"), action("d", "odd")];
        let request = serde_json::json!({
            "contextFeatures": [{"day": day}], "actions": actions, "slots": slots, "eventId": number.to_string(),
        });
        let request: MultiSlotRankRequest = serde_json::from_value(request).unwrap();
        let ranked = learning_loop.rank_slots(&request, now).unwrap();
        let liked = |id: &str| f64::from(u8::from(id == "b" || (id == "d") == (day == "weekend")));
        let reward = |slot: &protocol::SlotResponse| SlotReward {
            slot_id: slot.id.clone(),
            value: liked(&slot.reward_action_id),
        };
        let rewards: Vec<_> = ranked.slots.iter().map(reward).collect();
        learning_loop.reward_slots(&ranked.event_id, &rewards, now).unwrap();
    }
    learning_loop
}

#[test]
fn lines_with_slots_are_read_whole_and_come_to_the_same_loss() {
    if !is_installed() {
        crate::tools::missing("Vowpal Wabbit", "run `pip install vowpalwabbit==9.11.9`");
        return;
    }
    let mut learning_loop = slots();
    let end = Timestamp::VIRTUAL_START + Duration::from_secs(100_000);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.dsjson");
    fs::write(&log, learning_loop.take_joined(true, end)).unwrap();
    let policies = [
        "--ccb_explore_adf --epsilon 0.2 -q ::",
        "--ccb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::",
        "--ccb_explore_adf --softmax --lambda 3 --cb_type dr -q ::",
        "--ccb_explore_adf --bag 3 --cb_type ips -q Fi",
    ];
    let policy = |arguments: &&str| PolicyContract {
        name: (*arguments).to_owned(),
        arguments: (*arguments).to_owned(),
    };
    let contract = EvaluationContract {
        name: "slots".to_owned(),
        start_time: Timestamp::VIRTUAL_START,
        end_time: end,
        policies: policies.iter().map(policy).collect(),
        enable_offline_experimentation: false,
    };
    let results = learning_loop.create_evaluation(&contract, end).unwrap().policy_results;
    for arguments in policies {
        let (examples, loss) = average_loss(&log, arguments);
        assert_eq!(examples, 500.0, "every line is an example");
        let result = results.iter().find(|result| result.name == arguments).unwrap();
        let estimate = result.total_summary.as_ref().unwrap().average_reward;
        assert!((loss + estimate).abs() < 1e-6, "{arguments}: {loss} against {estimate}");
    }
}
