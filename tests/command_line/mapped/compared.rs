//! Live services compared with each other, in a matrix over targets.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use comparison::{Finding, Group, compare, groups};
use metrics::Term;
use results::experiment::read_experiment;
use serde_json::{Value, json};
use statistics::Confidence;

use super::{Outcome, Policy, Trial};
use crate::faults::service::{Reply, Request, Service};

const DRINKS: [&str; 4] = ["Cappucino", "Cold brew", "Iced mocha", "Latte"];

/// What all services of a comparison are called by.
const SHARED: &str = "  setup: [{ post: /models }]\n  rank: { post: /decide, \
    body: { user: \"{{ context }}\", visit: \"{{ event_id }}\" }, take: { action: $.item } }\n  \
    reward: { post: /feedback, body: { visit: \"{{ event_id }}\", value: \"{{ reward }}\" } }";

/// How a service differs from the others.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    delay: Duration,
    /// One in so many decisions is random.
    explores: u64,
}

const GOOD: Kind = Kind { name: "good", delay: Duration::ZERO, explores: 10 };
const SLOW: Kind = Kind { name: "slow", delay: Duration::from_millis(5), ..GOOD };
const WORSE: Kind = Kind { name: "worse", explores: 2, ..GOOD };

/// What a service holds between its calls.
#[derive(Default)]
struct State {
    policy: Mutex<Policy>,
    decisions: Mutex<BTreeMap<String, (String, usize)>>,
    draws: AtomicU64,
}

impl State {
    /// Draws of the service's own, which no seed of a scenario repeats.
    fn draw(&self, below: u64) -> u64 {
        let mut x = self.draws.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % below
    }

    fn decide(&self, kind: Kind, request: &Request) -> &'static str {
        let context = request.body["user"].to_string();
        let best = self.policy.lock().unwrap().choose(&context, DRINKS.len());
        let is_random = self.draw(kind.explores) == 0;
        let any = usize::try_from(self.draw(DRINKS.len() as u64)).unwrap();
        let action = if is_random { any } else { best };
        let visit = request.body["visit"].to_string();
        self.decisions.lock().unwrap().insert(visit, (context, action));
        DRINKS[action]
    }

    fn learn(&self, request: &Request) {
        let decision = self.decisions.lock().unwrap().remove(&request.body["visit"].to_string());
        if let (Some((context, action)), Some(value)) = (decision, request.body["value"].as_f64()) {
            self.policy.lock().unwrap().learn(&context, action, value);
        }
    }
}

/// The names of the services, in the order in which their models were made anew.
type Made = Arc<Mutex<Vec<&'static str>>>;

/// A service that learns.
fn service(kind: Kind, made: &Made) -> Service {
    let (state, made) = (State::default(), Arc::clone(made));
    Service::start(move |request: &Request| match request.path.as_str() {
        "/models" => {
            made.lock().unwrap().push(kind.name);
            *state.policy.lock().unwrap() = Policy::default();
            Reply::Answer(201, "", String::new())
        }
        "/decide" => {
            std::thread::sleep(kind.delay);
            Reply::Answer(200, "", json!({ "item": state.decide(kind, request) }).to_string())
        }
        "/feedback" => {
            state.learn(request);
            Reply::Answer(204, "", String::new())
        }
        _ => Reply::Answer(404, "", String::new()),
    })
}

/// `matrix:` over these services, under so many seeds.
fn matrix(services: &[(&str, &Service)], seeds: usize, rest: &str) -> String {
    let target =
        |(name, service): &(&str, &Service)| format!("{name}: {{ url: {} }}", service.url());
    let targets: Vec<String> = services.iter().map(target).collect();
    format!(
        "matrix: {{ targets: {{ {} }}, seeds: 1..{seeds}, limit: 10000{rest} }}\n",
        targets.join(", ")
    )
}

fn phases(iterations: u64, concurrency: u64) -> String {
    format!(
        "phases:\n  - iterate: {{ name: learn, iterations: {iterations}, \
         concurrency: {concurrency} }}\n"
    )
}

fn comparison(outcome: &Outcome) -> Value {
    serde_json::from_slice(&fs::read(outcome.folder.join("comparison.json")).unwrap()).unwrap()
}

/// What was found of a candidate by a metric.
fn candidate<'a>(comparison: &'a Value, metric: &str, name: &str) -> &'a Value {
    let metrics = comparison["metrics"].as_array().unwrap();
    let found = metrics.iter().find(|found| found["metric"] == metric);
    let found = found.unwrap_or_else(|| panic!("there is no {metric} in {comparison}"));
    let candidates = found["candidates"].as_array().unwrap();
    candidates.iter().find(|candidate| candidate["name"] == name).unwrap()
}

#[test]
fn a_slower_service_and_one_that_learns_worse_are_told_with_intervals() {
    let made = Made::default();
    let [good, slow, worse] = [GOOD, SLOW, WORSE].map(|kind| service(kind, &made));
    let services = [("good", &good), ("slow", &slow), ("worse", &worse)];
    let rest = matrix(&services, 6, "")
        + &phases(200, 4)
        + "gates:\n  - { metric: learn.rank.p50, margin: 2ms }\n  \
           - { metric: learn.success_rate, margin: 0.05 }\n";
    let outcome = Trial::new(SHARED, &rest).run();
    outcome.says(3, &["3 of target × 6 seeds, 18 cells", "learn.rank.p50", "learn.success_rate"]);

    let comparison = comparison(&outcome);
    let slower = candidate(&comparison, "learn.rank.p50", "slow");
    assert_eq!(slower["finding"], "worse", "{slower}");
    let lower = slower["interval"][0].as_f64().unwrap();
    assert!(lower > 2_000.0, "5 ms more, in microseconds: {slower}");
    let learns = candidate(&comparison, "learn.success_rate", "worse");
    assert_eq!((&learns["finding"], &learns["pairs"]), (&json!("worse"), &json!(6)), "{learns}");
    assert!(learns["interval"][1].as_f64().unwrap() < 0.0, "{learns}");
    let gates = comparison["gates"].as_array().unwrap();
    let failed: Vec<_> = gates.iter().filter(|gate| gate["outcome"] == "fail").collect();
    let failed: Vec<_> = failed.iter().map(|gate| &gate["candidate"]).collect();
    assert_eq!(failed, ["slow", "worse"]);

    let backwards = ["worse", "slow", "good"];
    let order: Vec<_> = made.lock().unwrap().chunks(3).map(<[_]>::to_vec).collect();
    let forwards = [GOOD.name, SLOW.name, WORSE.name];
    assert_eq!(order, [forwards, backwards].repeat(3), "every second seed is backwards");
}

#[test]
fn all_services_meet_the_same_visitors() {
    let made = Made::default();
    let [old, new] = [GOOD, GOOD].map(|kind| service(kind, &made));
    let rest = matrix(&[("old", &old), ("new", &new)], 2, "") + &phases(20, 1);
    Trial::new(SHARED, &rest).run().says(0, &[]);
    let visitors = |service: &Service| -> Vec<String> {
        let mut visits: Vec<_> =
            service.seen_at("/decide").into_iter().map(|seen| seen.text).collect();
        visits.sort();
        visits
    };
    assert_eq!(visitors(&old).len(), 40);
    assert_eq!(visitors(&old), visitors(&new));
}

#[test]
fn runs_that_failed_are_made_again_and_no_others() {
    let (made, broken) = (Made::default(), Arc::new(AtomicU64::new(3)));
    let good = service(GOOD, &made);
    let (counted, left) = (Arc::clone(&made), Arc::clone(&broken));
    let breaks = Service::start(move |request: &Request| match request.path.as_str() {
        "/models" => {
            counted.lock().unwrap().push("breaks");
            let fails =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            Reply::Answer(if fails.is_ok() { 500 } else { 201 }, "", String::new())
        }
        "/decide" => Reply::Answer(200, "", json!({ "item": "Latte" }).to_string()),
        _ => Reply::Answer(204, "", String::new()),
    });
    let rest = matrix(&[("good", &good), ("breaks", &breaks)], 5, "") + &phases(10, 1);
    let trial = Trial::new(SHARED, &rest);
    let out = trial.folder.path().join("out").display().to_string();
    let first = trial.command(&["run", "--out", &out]);
    let stderr = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("3 of 10 cells failed") && stderr.contains("500"), "{stderr}");
    made.lock().unwrap().clear();
    let second = trial.command(&["run", "--resume", &out]);
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    assert_eq!(*made.lock().unwrap(), ["breaks"; 3]);
}

#[test]
fn a_command_between_runs_knows_which_is_next() {
    let made = Made::default();
    let [old, new] = [GOOD, GOOD].map(|kind| service(kind, &made));
    let note = tempfile::tempdir().unwrap();
    let note = note.path().join("note");
    let command = format!(
        ", order: sequential, between: {{ command: [sh, -c, \
         'echo $RUNNER_CELL $RUNNER_SEED >> \"$0\"', {}] }}",
        note.display()
    );
    fs::create_dir_all(note.parent().unwrap()).unwrap();
    let rest = matrix(&[("old", &old), ("new", &new)], 2, &command) + &phases(5, 1);
    Trial::new(SHARED, &rest).run().says(0, &[]);
    assert_eq!(fs::read_to_string(&note).unwrap(), "old 1\nold 2\nnew 1\nnew 2\n");
    fs::remove_dir_all(note.parent().unwrap()).unwrap();
    let failing = matrix(
        &[("old", &old), ("new", &new)],
        2,
        ", between: { command: [sh, -c, 'exit 7', s3cret] }",
    );
    let outcome = Trial::new(SHARED, &(failing + &phases(5, 1))).run();
    outcome.says(5, &["4 of 4 cells failed", "`sh` ended with exit status: 7"]);
    assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
}

/// Personalizer keeps what it learned, so that a matrix must say what is done about it.
#[test]
fn what_a_service_learned_before_is_cleared_or_said_to_stay() {
    let service = Service::start(|_: &Request| Reply::Right);
    let rest = |between: &str| {
        let between = format!("seeds: [1, 2]{between}");
        format!("matrix: {{ {between} }}\nphases:\n  - iterate: {{ name: load, iterations: 3 }}\n")
    };
    let target = format!("  url: {}\n  preset: personalizer", service.url());
    let refused = Trial::new(&target, &rest("")).check(&[]);
    refused.says(2, &["what the service learned in the run before it", "`between: reset`"]);
    assert_eq!(service.ranks(), 0);
    Trial::new(&target, &rest(", between: none")).run().says(0, &[]);
    let cleared = |service: &Service| {
        let seen = service.seen();
        seen.iter().filter(|seen| seen.method == "DELETE" && seen.path.ends_with("/model")).count()
    };
    assert_eq!((service.ranks(), cleared(&service)), (6, 0));
    Trial::new(&target, &rest(", between: reset")).run().says(0, &[]);
    assert_eq!((service.ranks(), cleared(&service)), (12, 2));
}

#[test]
fn what_a_matrix_over_targets_cannot_be_is_said() {
    let two = "matrix:\n  targets: { old: { url: \"http://127.0.0.1:1\" }, new: { url: \"http://127.0.0.1:1\" } }\n";
    let rest = format!("{two}{}", phases(5, 1));
    let mistaken = |rest: &str, texts: &[&str]| {
        Trial::new(SHARED, rest).check(&[]).says(2, texts);
    };
    Trial::new(SHARED, &rest).check(&[]).says(0, &["2 of target × 1 seed, 2 cells"]);
    let order = format!("{two}  order: abab\n{}", phases(5, 1));
    mistaken(&order, &["abab", "abba"]);
    let secret = rest.replace("new: {", "new: { headers: { X-Api-Key: hunter2 },");
    let outcome = Trial::new(SHARED, &secret).check(&[]);
    outcome.says(2, &["a header that looks like a secret stands in the scenario"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    let axis = rest.replace("targets: {", "axes: { target: [embedded] }\n  targets: {");
    mistaken(&axis, &["`target` cannot be an axis", "use `matrix.targets`"]);
    let worlds =
        "matrix: { seeds: 1..3, order: abba, between: reset }\n".to_owned() + &phases(5, 1);
    let virtual_worlds = Trial::new("  embedded: {}", &worlds).check(&[]);
    virtual_worlds.says(2, &["`order` is for live targets", "`between` is for live targets"]);
    let trial = Trial::new(SHARED, &rest);
    for (argument, value) in [("--shard", "1/2"), ("--threads", "2")] {
        let output = trial.command(&["run", argument, value]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("follow each other in one process"), "{stderr}");
    }
}

/// How often a service is compared with itself: a few times, or a hundred (`just study`).
fn repetitions() -> usize {
    if std::env::var_os("RUNNER_STUDY").is_some() { 100 } else { 10 }
}

/// The pairs of each comparison.
const SEEDS: usize = 5;

/// The shares of comparisons of a service with itself that call it different, by the metric.
fn false_findings(folder: &Path) -> BTreeMap<&'static str, f64> {
    let policies = groups(&read_experiment(folder).unwrap());
    let chunk = |group: &Group, index: usize| {
        let samples = group.samples[index * SEEDS..(index + 1) * SEEDS].to_vec();
        Group { samples, ..group.clone() }
    };
    let [base, other] = &policies[..] else { panic!("two groups") };
    let metrics = ["learn.success_rate", "learn.rank.p50", "learn.rank.p99", "learn.reward.p50"];
    let shares = metrics.map(|metric| {
        let term = Term::parse(metric, &base.scopes()).unwrap();
        let is_different = |index: &usize| {
            let (base, other) = (chunk(base, *index), chunk(other, *index));
            let finding = compare(&term, &base, &[&other], Confidence::P95).candidates[0].finding;
            matches!(finding, Finding::Better | Finding::Worse)
        };
        #[expect(clippy::cast_precision_loss, reason = "a hundred")]
        let share = (0..repetitions()).filter(is_different).count() as f64 / repetitions() as f64;
        (metric, share)
    });
    shares.into()
}

#[test]
fn a_service_seldom_differs_from_itself() {
    let made = Made::default();
    let service = service(GOOD, &made);
    let seeds = repetitions() * SEEDS;
    let rest = matrix(&[("a", &service), ("b", &service)], seeds, "") + &phases(60, 2);
    let outcome = Trial::new(SHARED, &rest).run();
    outcome.says(0, &[]);
    let shares = false_findings(&outcome.folder);
    println!("called different, of {} comparisons with itself: {shares:?}", repetitions());
    // Of ten comparisons, five false findings are as likely as 0.006 %.
    let most = if repetitions() == 100 { 0.08 } else { 0.4 };
    assert!(shares.values().all(|share| *share <= most), "{shares:?}");
}
