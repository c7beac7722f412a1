//! Benchmarks: `cargo bench`. Figures are for comparing on one machine, in one run.

use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;

use clock::VirtualClock;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::{self, Operator, Stopper};
use evaluation::run::{
    BatchObserver, Candidate, EvaluationRun, Origin, PolicyEvaluator, Row, RunSettings,
};
use learner::{DsjsonReader, Event, Label, Learner, LearningPolicy, Prediction};
use learning_loop::Retention;
use metrics::{NO_TAGS, PhaseScope, Summary};
use plan::{Plan, TargetPlan};
use record::{ObserveError, Observer, Progress};
use scenario::{self, LoadOptions};
use target::EmbeddedTarget;

const DEFAULT: &str = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::";
const POLICIES: [(&str, &str); 2] = [("default", ""), ("cubic", " --cubic :::")];

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn log() -> Vec<u8> {
    fs::read(project().join("src/learner/tests/fixtures/coffee.dsjson")).unwrap()
}

fn policy(more: &str) -> LearningPolicy {
    LearningPolicy::parse(&format!("{DEFAULT}{more}")).unwrap()
}

fn events(policy: &LearningPolicy) -> Vec<(Event, Label)> {
    let mut reader = DsjsonReader::new(policy.hashing());
    let log = log();
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| reader.read(line).map(|e| (e.event, e.label.unwrap())).unwrap()).collect()
}

fn learner(criterion: &mut Criterion) {
    for (name, more) in POLICIES {
        let policy = policy(more);
        let events = events(&policy);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(events.len() as u64));
        let mut trained = Learner::new(&policy);
        events.iter().for_each(|(event, label)| trained.learn(event, label));
        let mut prediction = Prediction::default();
        for (name, recurs) in [("predict", false), ("predict what recurs", true)] {
            let events = events.iter().map(|(event, _)| Event { recurs, ..event.clone() });
            let events: Vec<_> = events.collect();
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    for event in &events {
                        trained.predict(event, &mut prediction);
                        black_box(&prediction);
                    }
                });
            });
        }
        group.bench_function("learn", |bencher| {
            bencher.iter(|| events.iter().for_each(|(event, label)| trained.learn(event, label)));
        });
        group.bench_function("predict and learn", |bencher| {
            bencher.iter(|| {
                for (event, label) in &events {
                    trained.predict(event, &mut prediction);
                    trained.learn(event, label);
                }
            });
        });
        group.finish();
    }
}

fn dsjson(criterion: &mut Criterion) {
    let log = log();
    let mut group = criterion.benchmark_group("dsjson");
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("read", |bencher| {
        let mut reader = DsjsonReader::new(policy("").hashing());
        bencher.iter(|| {
            for line in log.split(|byte| *byte == b'\n') {
                let _ = black_box(reader.read(line));
            }
        });
    });
    group.finish();
}

struct Nobody;

impl BatchObserver for Nobody {
    fn batch(&mut self, _rows: &[Row], _evaluators: &[PolicyEvaluator]) -> io::Result<()> {
        Ok(())
    }
}

fn evaluate(criterion: &mut Criterion) {
    let log = log().repeat(50);
    let mut group = criterion.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(80 * 50)).sample_size(20);
    for (name, more) in POLICIES {
        let candidate = Candidate {
            name: name.to_owned(),
            policy: policy(more).into(),
            origin: Origin::Given,
            model: None,
        };
        group.bench_function(name, |bencher| {
            let settings = RunSettings { threads: 1, ..RunSettings::default() };
            let run = || EvaluationRun::new(vec![candidate.clone()], settings.clone());
            let read = |mut run: EvaluationRun| {
                run.read("log", log.as_slice(), &mut Nobody).unwrap();
                run
            };
            bencher.iter_batched(run, read, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Retention the figures of a run, and its records no longer than they come.
struct Recorder(Summary);

impl Observer for Recorder {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.observe(progress);
        Ok(())
    }
}

struct NobodyAsked;

impl Operator for NobodyAsked {
    fn confirm(&self, _prompt: &str) -> Result<(), String> {
        Ok(())
    }

    fn tell(&self, _text: &str) {}

    fn warn(&self, _text: &str) {}
}

/// The only phase of a scenario in this folder.
fn plan(name: &str) -> Plan {
    let path = project().join("tests/benches").join(name);
    let options = LoadOptions { allow_paths: true, ..LoadOptions::default() };
    scenario::load(&path, &options, &|_| None).map_err(|mistakes| mistakes.render(false)).unwrap().0
}

/// Draw, rank, log, join, train, record: an iteration of the virtual world.
fn iteration(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("virtual world");
    for (name, file) in
        [("iterations", "iterations.yaml"), ("1000 candidates of 100000", "candidates.yaml")]
    {
        let plan = plan(file);
        let TargetPlan::Embedded(embedded) = &plan.target else { panic!("an embedded loop") };
        let iterations = plan.phases[0].scope().iterations.unwrap();
        group.throughput(Throughput::Elements(iterations)).sample_size(20);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut recorder = Recorder(Summary::new([PhaseScope {
                    name: "baseline",
                    iterations: Some(iterations),
                    slots: 0,
                    tags: &NO_TAGS,
                }]));
                let ran = VirtualClock::run(|clock| async {
                    let target = EmbeddedTarget::one_of_many(
                        embedded,
                        plan.seed,
                        clock.clone(),
                        Retention::Log,
                    );
                    let (_stopper, stop) = Stopper::new();
                    engine::run(
                        &plan,
                        clock,
                        &target,
                        &NobodyAsked,
                        engine::StartPoint::default(),
                        stop,
                        &mut recorder,
                    )
                    .await
                });
                assert!(ran.is_ok());
                recorder.0
            });
        });
    }
    group.finish();
}

criterion_group!(benches, learner, dsjson, evaluate, iteration);
criterion_main!(benches);
