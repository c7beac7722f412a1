//! What the loop served, derived once more from its joined lines alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use learner::{DsjsonReader, Learner, LearningPolicy, Prediction};
use learning_loop::{LearningLoop, LoopOptions};
use protocol::{
    EventId, FeatureObject, RankRequest, RankableAction, RewardRequest, ServiceConfiguration,
    WireDuration,
};
use seed::{PhaseKey, Purpose, Seed};
use timestamp::Timestamp;

const START: Timestamp = Timestamp::VIRTUAL_START;
const WAIT: Duration = Duration::from_secs(10);
const EXPORT: Duration = Duration::from_secs(15);

fn coffees() -> Arc<[RankableAction]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/coffee.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn contexts() -> Vec<Arc<[FeatureObject]>> {
    let mut contexts = Vec::new();
    for name in ["Alice", "Bob", "Cathy", "Dave"] {
        for hour in [7, 13, 20] {
            let json = format!(r#"[{{"user":{{"name":"{name}"}}}},{{"hour":{hour},"open":true}}]"#);
            contexts.push(serde_json::from_str(&json).unwrap());
        }
    }
    contexts
}

/// Visitors every 120 ms or so; some never answer, some answer too late, some answer
/// twice. The odd ones like iced mocha.
fn lines(policy: &LearningPolicy, events: u64) -> Vec<String> {
    let configuration = ServiceConfiguration {
        reward_wait_time: WireDuration(WAIT),
        model_export_frequency: WireDuration(EXPORT),
        ..ServiceConfiguration::default()
    };
    let options =
        LoopOptions { configuration, policy: policy.clone().into(), ..LoopOptions::default() };
    let mut learning_loop = LearningLoop::new(options, START);
    let (actions, contexts) = (coffees(), contexts());
    let mut calls: BTreeSet<(Timestamp, u64, bool)> = BTreeSet::new();
    let mut now = START;
    for event in 0..events {
        let mut draws = Seed(7).draws(PhaseKey::new("visits"), event, Purpose::Visitor);
        now = now + Duration::from_micros(draws.below(240_000));
        let visitor = usize::try_from(draws.below(12)).unwrap();
        calls.insert((now, event, false));
        let think = Duration::from_micros(draws.below(12_000_000));
        if visitor % 5 > 0 {
            calls.insert((now + think, event, true));
        }
        if visitor % 7 == 0 {
            calls.insert((now + think / 2, event, true));
        }
    }
    let mut chosen = vec![None; usize::try_from(events).unwrap()];
    for (at, event, is_reward) in calls {
        let place = usize::try_from(event).unwrap();
        let event_id = EventId::from(format!("event-{event}"));
        if is_reward {
            let likes = if place % 2 == 1 { "Iced mocha" } else { "Latte" };
            let value = f64::from(u8::from(chosen[place].as_deref() == Some(likes)));
            learning_loop.reward(&event_id, RewardRequest { value }, at).unwrap();
        } else {
            let request = RankRequest {
                context_features: contexts[place % contexts.len()].clone(),
                actions: actions.clone(),
                excluded_actions: Vec::new(),
                event_id: Some(event_id),
                defer_activation: false,
            };
            chosen[place] = Some(learning_loop.rank(&request, at).unwrap().reward_action_id);
        }
    }
    let lines = String::from_utf8(learning_loop.take_joined(true, now)).unwrap();
    lines.lines().map(str::to_owned).collect()
}

struct Line {
    text: String,
    time: Timestamp,
    /// When the model that chose was exported.
    model: Option<Timestamp>,
    /// From one, the chosen one first.
    order: Vec<usize>,
    /// In the same order.
    probabilities: Vec<f32>,
}

fn read(text: String) -> Line {
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let list = |key: &str| value[key].as_array().unwrap().clone();
    Line {
        time: value["Timestamp"].as_str().unwrap().parse().unwrap(),
        model: value["VWState"]["m"].as_str().unwrap().parse().ok(),
        order: list("a").iter().map(|a| usize::try_from(a.as_u64().unwrap()).unwrap()).collect(),
        probabilities: list("p").iter().map(|p| p.to_string().parse().unwrap()).collect(),
        text,
    }
}

/// The first export at or after a moment.
fn next_export(moment: Timestamp) -> Timestamp {
    let periods = moment.since(START).as_micros().div_ceil(EXPORT.as_micros());
    START + EXPORT * u32::try_from(periods).unwrap()
}

/// A model learned line by line serves the distribution in `line`, and the chosen action
/// changed places with the best.
fn assert_served(line: &Line, prediction: &Prediction) {
    let mut order: Vec<_> = prediction.ranking.iter().map(|action| action + 1).collect();
    let place = order.iter().position(|action| *action == line.order[0]).unwrap();
    order.swap(0, place);
    assert_eq!(line.order, order, "{}", line.text);
    let probabilities: Vec<_> = order.iter().map(|action| prediction.pmf[action - 1]).collect();
    assert_eq!(line.probabilities, probabilities, "{}", line.text);
}

fn check(arguments: &str) {
    let policy = LearningPolicy::parse(arguments).unwrap();
    let lines: Vec<_> = lines(&policy, 1500).into_iter().map(read).collect();
    assert_eq!(lines.len(), 1500);
    assert!(lines.is_sorted_by_key(|line| line.time));
    let (mut learner, mut prediction) = (Learner::new(&policy), Prediction::default());
    let mut reader = DsjsonReader::new(policy.hashing());
    let mut closed = 0;
    let mut model = None;
    for line in &lines {
        // What is closed by an export is what closed by then, and the model has its date.
        while next_export(lines[closed].time + WAIT) <= line.time {
            model = Some(next_export(lines[closed].time + WAIT));
            let logged = reader.read(lines[closed].text.as_bytes()).unwrap();
            learner.learn(&logged.event, &logged.label.expect("a label"));
            closed += 1;
        }
        assert_eq!(line.model, model, "{}", line.text);
        let event = reader.read(line.text.as_bytes()).unwrap().event;
        learner.predict(&event, &mut prediction);
        assert_served(line, &prediction);
    }
    assert!(closed > 1000);
}

#[test]
fn the_lines_say_what_was_learned_when_and_what_was_served() {
    check("--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::");
}

#[test]
fn so_they_do_under_other_policies() {
    check("--cb_explore_adf --epsilon 0.2 --cb_type dr -l 0.1 --power_t 0 --interactions uFj");
    check("--cb_explore_adf --softmax --lambda 5 --epsilon 0.2 --cb_type ips -b 10 -q uj");
}
