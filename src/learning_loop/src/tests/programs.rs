//! The loop under a policy that is a program. The program is of the shell; its answers depend on
//! every byte that it learned, and on where one `learn` ends and the next begins.

use super::*;
use policy::{Command, Policy};

/// `rank` answers by a number, into which each `learn` is mixed; the event `die` ends it.
const SCRIPT: &str = r#"
n=0
read -r line
echo '{"type":"hello","name":"mixer"SAVES}'
while read -r line; do
  case "$line" in
    *'"id":"die"'*) exit 3 ;;
    '{"type":"rank"'*)
      case $((n % 3)) in
        0) echo '{"probabilities":[0.8,0.1,0.1]}' ;;
        1) echo '{"probabilities":[0.1,0.8,0.1]}' ;;
        2) echo '{"probabilities":[0.1,0.1,0.8]}' ;;
      esac ;;
    '{"type":"learn"'*)
      sum=$(printf '%s' "$line" | cksum)
      n=$(((n * 31 + ${sum%% *}) % 100003))
      echo '{"ok":true}' ;;
    '{"type":"save"'*) echo "{\"state\":\"$n\"}" ;;
    '{"type":"load"'*)
      n=${line#*'"state":"'}
      n=${n%%'"'*}
      echo '{"ok":true}' ;;
    *) exit 0 ;;
  esac
done
"#;

fn mixer(saves: bool) -> Policy {
    let script = SCRIPT.replace("SAVES", if saves { r#","saves":true"# } else { "" });
    let arguments = ["sh".to_owned(), "-c".to_owned(), script].to_vec();
    Command { arguments, timeout: Duration::from_secs(10), folder: ".".into() }.into()
}

fn options(saves: bool) -> LoopOptions {
    LoopOptions {
        configuration: configuration(),
        policy: mixer(saves),
        programs: vec![mixer(saves)],
        retention: Retention::Archive,
        ..LoopOptions::default()
    }
}

/// Some visitors, who like Mocha alone.
fn visit(learning_loop: &mut LearningLoop, name: &str, visitors: usize, seconds: f64) {
    for number in 0..visitors {
        let event_id = format!("{name}-{number}");
        let chosen = rank(learning_loop, &event_id, seconds).reward_action_id;
        reward(learning_loop, &event_id, f64::from(u8::from(*chosen == *"Mocha")), seconds);
    }
}

/// Batches of 5, 4 and 3 events, of which the last was not told yet, and 2 open events.
fn visited(saves: bool) -> LearningLoop {
    let mut learning_loop = LearningLoop::new(options(saves), at(0.0));
    for (name, visitors, seconds) in [("a", 5, 1.0), ("b", 4, 16.0), ("c", 3, 31.0)] {
        visit(&mut learning_loop, name, visitors, seconds);
    }
    visit(&mut learning_loop, "d", 2, 42.0);
    learning_loop
}

/// What is decided later, which depends on everything that was learned before.
fn later(learning_loop: &mut LearningLoop) -> Vec<RankResponse> {
    let times = [("one", 43.0), ("two", 46.0), ("three", 61.0), ("four", 77.0)];
    times.map(|(event_id, seconds)| rank(learning_loop, event_id, seconds)).into()
}

#[test]
fn a_program_is_restored_from_what_it_saved_or_from_the_log() {
    for saves in [true, false] {
        let mut original = visited(saves);
        let segment = original.take_segment(usize::MAX, usize::MAX);
        let saved = snapshot(&mut original);
        let mut restored = LearningLoop::restore(&*saved, &options(saves)).unwrap();
        restored.restore_events(SegmentEvents::read(&segment.lines).unwrap(), 0);
        assert!(restored.program_failure().is_some(), "it runs before it knows anything");
        let restarted = restored.restart_policy().unwrap().unwrap();
        let learned = if saves { 0 } else { 9 };
        assert_eq!(restarted, Restarted { loaded: saves, learned, missing: 0 });
        assert_eq!(later(&mut restored), later(&mut original), "saves: {saves}");
    }
}

#[test]
fn a_program_that_dies_is_started_again_as_it_was() {
    for saves in [true, false] {
        let mut original = visited(saves);
        let mut killed = visited(saves);
        // What it saves here is told it again, and what it learned since.
        snapshot(&mut killed);
        for learning_loop in [&mut original, &mut killed] {
            visit(learning_loop, "e", 3, 46.0);
            rank(learning_loop, "after", 62.0);
        }
        let error = killed.rank(&request("die"), at(62.0)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InternalServerError);
        assert!(error.message.contains("exit status: 3"), "{error}");
        assert!(killed.rank(&request("next"), at(62.0)).is_err());
        let restarted = killed.restart_policy().unwrap().unwrap();
        let learned = if saves { 8 } else { 17 };
        assert_eq!(restarted, Restarted { loaded: saves, learned, missing: 0 });
        visit(&mut original, "f", 3, 63.0);
        visit(&mut killed, "f", 3, 63.0);
        assert_eq!(later(&mut killed), later(&mut original), "saves: {saves}");
    }
}

#[test]
fn what_was_learned_of_an_erased_log_stays_with_a_program_that_saves() {
    for saves in [true, false] {
        let mut learning_loop = visited(saves);
        learning_loop.delete_logs(at(43.0));
        visit(&mut learning_loop, "e", 2, 44.0);
        let before = rank(&mut learning_loop, "before", 62.0);
        let restarted = learning_loop.restart_policy().unwrap().unwrap();
        assert_eq!(restarted, Restarted { loaded: saves, learned: 2, missing: 0 });
        let after = rank(&mut learning_loop, "after", 62.0);
        if saves {
            assert_eq!(probabilities(&before), probabilities(&after));
        }
    }
}

#[test]
fn events_that_have_left_the_log_are_counted() {
    let mut learning_loop =
        LearningLoop::new(LoopOptions { log_events: 6, ..options(false) }, at(0.0));
    visit(&mut learning_loop, "a", 5, 1.0);
    visit(&mut learning_loop, "b", 4, 16.0);
    rank(&mut learning_loop, "after", 31.0);
    let restarted = learning_loop.restart_policy().unwrap().unwrap();
    assert_eq!(restarted, Restarted { loaded: false, learned: 6, missing: 3 });
}

#[test]
fn requests_start_the_programs_of_the_options_and_no_others() {
    let mut learning_loop = taught();
    learning_loop.programs = vec![mixer(true)];
    let set = |learning_loop: &mut LearningLoop, arguments: &str| {
        let contract = PolicyContract { name: "n".to_owned(), arguments: arguments.to_owned() };
        learning_loop.set_policy(contract, at(12.0))
    };
    let other = set(&mut learning_loop, r#"{"command":["sh"],"timeout":"5000ms"}"#).unwrap_err();
    assert_eq!(other.code, ErrorCode::InvalidPolicyConfiguration);
    set(&mut learning_loop, mixer(true).arguments()).unwrap();
    assert_eq!(learning_loop.policy_failure(), None);
    rank(&mut learning_loop, "after", 13.0);
    // A state starts none either.
    let saved = snapshot(&mut learning_loop);
    let error = LearningLoop::restore(&*saved, &LoopOptions::default()).unwrap_err();
    assert_eq!(error, RestoreError::Program(mixer(true).arguments().to_owned()));
}
