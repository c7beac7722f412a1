//! Lines that are sent before the answers to those before them are read. The programs are of the
//! shell, so that they need nothing.
#![cfg(unix)]

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use policy_program::{Command, LearnedEvent, Program, RankedEvent};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// Answers `rank` by the number of lines so far and by what was learned, and does `odd` instead
/// for the event `odd`. Every line is written to `heard`.
const SCRIPT: &str = r#"
read -r line
echo '{"type":"hello","name":"counter"}'
lines=0
learned=0
while read -r line; do
  printf '%s\n' "$line" >> heard
  lines=$(((lines + ${#line}) % 998 + 1))
  case "$line" in
    *'"id":"odd"'*) ODD ;;
    '{"type":"rank"'*) printf '{"probabilities":[0.%03d,0.%03d]}\n' $lines $((1000 - lines)) ;;
    '{"type":"learn"'*) learned=$((learned + 1)); lines=$(((lines + learned) % 998 + 1)); echo '{"ok":true}' ;;
    *) exit 0 ;;
  esac
done
"#;

/// An event of some size, and what is learned of it.
struct Event {
    id: String,
    context: Arc<[FeatureObject]>,
    actions: Arc<[RankableAction]>,
    learned: Option<LearnedEvent>,
}

fn text(key: &str, value: String) -> Arc<[FeatureObject]> {
    Arc::new([FeatureObject(vec![(key.to_owned(), FeatureValue::Text(value))])])
}

fn event(id: String, size: usize, is_learned: bool) -> Event {
    let action = |id: &str| RankableAction { id: id.into(), features: text("kind", id.to_owned()) };
    let (context, actions) = (text("name", "x".repeat(size)), Arc::new(["a", "b"].map(action)));
    let learned = is_learned.then(|| LearnedEvent {
        id: id.clone(),
        context: Arc::clone(&context),
        actions: actions.clone(),
        chosen: 0,
        probability: 0.5,
        reward: 1.0,
    });
    Event { id, context, actions, learned }
}

/// Events of many sizes: lines of which many fit a pipe, few do, and none does.
fn events(count: usize) -> Vec<Event> {
    let sizes = [10, 300, 10, 3_000, 10, 20_000, 90_000];
    let size = |at: usize| if at.is_multiple_of(17) { sizes[at % 7] } else { 40 };
    (0..count).map(|at| event(format!("e-{at}"), size(at), at % 3 == 0)).collect()
}

fn start(folder: &Path, odd: &str) -> Program {
    start_with(folder, odd, Duration::from_secs(2))
}

fn start_with(folder: &Path, odd: &str, timeout: Duration) -> Program {
    let script = SCRIPT.replace("ODD", odd);
    let arguments = ["sh".to_owned(), "-c".to_owned(), script].to_vec();
    Program::start(&Command { arguments, timeout, folder: folder.into() }, 1)
}

fn seen(event: &Event) -> RankedEvent<'_> {
    RankedEvent { id: &event.id, context: &event.context, actions: &event.actions }
}

/// Asks for every event in its order. Of those that follow, the program is told as many as it
/// wants to know, and at most so many.
fn ask(
    program: &mut Program,
    events: &[Event],
    most_ahead: usize,
) -> Result<(Vec<Vec<f64>>, usize), String> {
    let (mut answers, mut ahead, mut most) = (Vec::new(), VecDeque::new(), 0);
    for (at, event) in events.iter().enumerate() {
        for other in &events[at + ahead.len()..] {
            let has_room = ahead.len() < most_ahead.min(program.foresight() + ahead.len());
            if !has_room || !program.foresee(seen(other), other.learned.as_ref()) {
                break;
            }
            ahead.push_back(&other.id);
        }
        most = most.max(ahead.len());
        ahead.pop_front();
        answers.push(program.rank(seen(event))?);
        if let Some(learned) = &event.learned {
            program.learn(std::slice::from_ref(learned))?;
        }
    }
    Ok((answers, most))
}

#[test]
fn a_program_hears_the_same_lines_and_gives_the_same_answers_at_any_window() {
    let events = events(400);
    let of = |most_ahead| {
        let folder = tempfile::tempdir().unwrap();
        let mut program = start(folder.path(), "exit 1");
        let (answers, most) = ask(&mut program, &events, most_ahead).unwrap();
        program.end().unwrap();
        (answers, fs::read(folder.path().join("heard")).unwrap(), most)
    };
    let (answers, heard, most) = of(0);
    assert_eq!(most, 0);
    for most_ahead in [1, 5, usize::MAX] {
        let ahead = of(most_ahead);
        assert!(ahead.0 == answers && ahead.1 == heard, "{most_ahead}");
        assert!(ahead.2 == most_ahead || ahead.2 > 30, "{most_ahead}: {}", ahead.2);
    }
}

/// What is wrong with an answer is told of its line, however many were sent after it.
#[test]
fn a_program_that_misbehaves_is_named_by_its_line_among_many_that_were_sent() {
    let cases = [
        ("exit 3", "the program ended (exit status: 3)"),
        ("kill -9 $$", "the program ended (signal: 9 (SIGKILL))"),
        ("exec >&-; sleep 9", "the program closed its stdin or stdout, and did not end"),
        ("exec <&-; sleep 9", "the program closed its stdin or stdout, and did not end"),
        ("sleep 9", "no answer within `timeout: 2s`"),
        ("echo hello", r#"expected `{"probabilities":[…]}`, found `hello`"#),
        (r#"echo '{"probabilities":[0.5,0.4]}'"#, "the probabilities must sum to 1, found 0.9"),
        (
            r#"echo '{"probabilities":[1]}'"#,
            "expected 2 probabilities, one for each action, found 1",
        ),
        (r#"echo '{"probabilities":[NaN,1]}'"#, "found `NaN`, which JSON does not have"),
        (r#"echo '{"error":"no model"}'"#, "the program says: no model"),
        (r"printf '\377\n'", "the answer is not UTF-8"),
        ("head -c 5000000 /dev/zero | tr '\\0' x; echo", "the answer is longer than 4194304 bytes"),
    ];
    let mut events: Vec<_> = (0..100).map(|at| event(format!("e-{at}"), 40, false)).collect();
    events[60] = event("odd".to_owned(), 40, false);
    for (odd, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut program = start(folder.path(), odd);
        let error = ask(&mut program, &events, usize::MAX).unwrap_err();
        // Line 1 answers `hello`.
        let line = "line 62, the answer to `rank` of event `odd`: ";
        assert!(error.contains(line) && error.contains(message), "{odd}: {error}");
        assert_eq!(program.rank(seen(&events[0])).unwrap_err(), error, "it is remembered");
    }
}

/// Nobody waits for the answer of a program that hears nothing more.
#[test]
fn a_program_that_closes_a_pipe_is_named_long_before_its_timeout() {
    let events = ["before", "odd", "after"].map(|id| event(id.to_owned(), 40, false));
    for odd in ["exec <&-; sleep 999", "exec >&-; sleep 999"] {
        let folder = tempfile::tempdir().unwrap();
        let mut program = start_with(folder.path(), odd, Duration::from_secs(999));
        let error = ask(&mut program, &events, 0).unwrap_err();
        let (line, message) = ("line 3, the answer to `rank` of event `odd`: ", "closed its stdin");
        assert!(error.contains(line) && error.contains(message), "{odd}: {error}");
    }
}

/// What a program has read, it may answer after it has closed its stdin.
#[test]
fn the_last_answer_counts_though_it_follows_the_end_of_stdin() {
    let events = ["before", "odd"].map(|id| event(id.to_owned(), 40, false));
    let folder = tempfile::tempdir().unwrap();
    let odd = r#"exec <&-; echo '{"probabilities":[0.25,0.75]}'"#;
    let mut program = start_with(folder.path(), odd, Duration::from_secs(999));
    let (answers, _) = ask(&mut program, &events, 0).unwrap();
    assert_eq!(answers[1], [0.25, 0.75]);
}

/// A program that reads nothing while it writes is not waited for in vain.
#[test]
fn answers_that_fill_a_pipe_hold_up_no_lines() {
    let folder = tempfile::tempdir().unwrap();
    let answer = r#"printf '{"probabilities":[0.5,0.5]%200000s}\n' ''"#;
    let script = SCRIPT.replace(
        "'{\"type\":\"rank\"'*) printf",
        &format!("'{{\"type\":\"rank\"'*) {answer} ;; no) printf"),
    );
    let arguments = ["sh".to_owned(), "-c".to_owned(), script].to_vec();
    let command =
        Command { arguments, timeout: Duration::from_secs(9), folder: folder.path().into() };
    let mut program = Program::start(&command, 1);
    let events: Vec<_> = (0..60).map(|at| event(format!("e-{at}"), 2_000, false)).collect();
    let (answers, most) = ask(&mut program, &events, usize::MAX).unwrap();
    assert!(answers.iter().all(|answer| *answer == [0.5, 0.5]) && most > 5, "{most}");
    program.end().unwrap();
}

/// A run that is stopped asks for less than was foreseen.
#[test]
fn a_program_ends_though_lines_are_left_that_were_sent_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = start(folder.path(), "exit 1");
    let events: Vec<_> = (0..60).map(|at| event(format!("e-{at}"), 40, false)).collect();
    ask(&mut program, &events[..30], 0).unwrap();
    assert!(events[30..].iter().all(|event| program.foresee(seen(event), None)));
    program.rank(seen(&events[30])).unwrap();
    program.end().unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("heard")).unwrap().lines().count(), 61);
}

#[test]
fn a_program_that_does_not_end_is_said_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let odd = r#"echo '{"probabilities":[0.5,0.5]}'; sleep 999"#;
    let mut program = start_with(folder.path(), odd, Duration::from_secs(1));
    ask(&mut program, &[event("odd".to_owned(), 40, false)], 0).unwrap();
    let error = program.end().unwrap_err();
    let message = "the answer to `end`: the program did not end within `timeout: 1s`";
    assert!(error.contains(message), "{error}");
}
