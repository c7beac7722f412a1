//! The engine against a scripted service in the virtual world.

mod capacity;
mod foresight;
mod open_arrival;
mod parallel;
#[cfg(unix)]
mod programs;
mod scripted;
mod sharded;

use std::time::Duration;

use clock::VirtualClock;
use engine::{self, Ending, Operator, RunError, StartPoint, Stop, Stopper};
use plan::Plan;
use plan::{Arrival, AwaitedChange, Delay, Pause, Phase, Rate, RewardDelivery, Step};
use record::{IterationOutcome, IterationRecord, ObserveError, Observer, Progress};

use self::scripted::{Scripted, iterate, plan};

/// Keeps everything that happened.
#[derive(Default)]
struct Tape(Vec<Progress>);

impl Observer for Tape {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.push(progress.clone());
        Ok(())
    }
}

impl Tape {
    fn iterations(&self) -> Vec<&IterationRecord> {
        let mut records = Vec::new();
        for progress in &self.0 {
            if let Progress::Iteration(record) = progress {
                records.push(record);
            }
        }
        records
    }
}

struct Nobody;

impl Operator for Nobody {
    fn confirm(&self, _prompt: &str) -> Result<(), String> {
        Err("nobody is there".to_owned())
    }

    fn tell(&self, _text: &str) {}

    fn warn(&self, _text: &str) {}
}

fn run(plan: &Plan, target: &Scripted, stop: Stop) -> (Result<Ending, RunError>, Tape) {
    let mut tape = Tape::default();
    let ending = VirtualClock::run(|clock| {
        let target = target.with_clock(clock.clone());
        let tape = &mut tape;
        async move {
            engine::run(plan, clock, &target, &Nobody, StartPoint::default(), stop, tape).await
        }
    });
    (ending, tape)
}

fn unstopped(plan: &Plan, target: &Scripted) -> (Result<Ending, RunError>, Tape) {
    run(plan, target, Stopper::new().1)
}

#[test]
fn requests_are_the_same_at_any_concurrency_rate_and_service() {
    let sent = |concurrency: usize, rate: Option<f64>, latency: Delay| {
        let target = Scripted { latency, ..Scripted::default() };
        let mut settings = iterate(500);
        settings.arrival = Arrival::Closed { concurrency, rate: rate.map(Rate) };
        let (ending, _) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
        assert_eq!(ending.unwrap(), Ending::Completed);
        let mut sent = target.requests();
        sent.sort();
        sent
    };
    let slow =
        Delay::LogNormal { median: Duration::from_millis(8), p99: Duration::from_millis(90) };
    let expected = sent(1, None, Delay::NONE);
    assert_eq!(expected.len(), 500);
    for (concurrency, rate) in [(8, None), (64, None), (64, Some(100.0))] {
        assert_eq!(sent(concurrency, rate, slow), expected, "{concurrency} {rate:?}");
    }
}

#[test]
fn rewards_are_lost_and_repeated_in_their_shares_and_recorded_as_such() {
    let run = |lost, repeated| {
        let target = Scripted::default();
        let mut settings = iterate(2_000);
        settings.delivery = RewardDelivery { lost, repeated };
        let (ending, tape) =
            unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
        assert_eq!(ending.unwrap(), Ending::Completed);
        let records = tape.iterations();
        assert!(records.iter().all(|record| record.reward.is_some()));
        let told: Vec<bool> = records.iter().map(|record| record.reward_start.is_some()).collect();
        (told, target.rewards())
    };
    let sent = |told: &[bool]| told.iter().filter(|told| **told).count();
    let (all, rewards) = run(0.0, 0.0);
    assert_eq!((sent(&all), rewards), (2_000, 2_000));
    let (told, rewards) = run(0.3, 0.2);
    // 1,400 of 2,000 with a standard deviation of 20, and 280 of them again, with one of 15.
    assert!((1_320..1_480).contains(&sent(&told)), "{}", sent(&told));
    assert!((220..340).contains(&(rewards - sent(&told))), "{rewards}");
    let (more, _) = run(0.5, 0.0);
    let is_kept = |(more, told): (&bool, &bool)| !more || *told;
    assert!(more.iter().zip(&told).all(is_kept), "what a smaller share loses, a larger one does");
    assert_eq!(run(1.0, 1.0).1, 0);
}

#[test]
fn records_come_in_index_order_however_the_answers_come() {
    let latency =
        Delay::LogNormal { median: Duration::from_millis(5), p99: Duration::from_secs(2) };
    let target = Scripted { latency, ..Scripted::default() };
    let mut settings = iterate(1000);
    settings.arrival = Arrival::Closed { concurrency: 32, rate: None };
    let (_, tape) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
    let order: Vec<_> = tape.iterations().iter().map(|record| record.iteration).collect();
    assert_eq!(order, (0..1000).collect::<Vec<_>>());
    let answered: Vec<_> = target.answered();
    assert_ne!(answered, order, "the answers must come out of order for this to say anything");
}

#[test]
fn the_rate_is_held_and_the_concurrency_is_not_exceeded() {
    let latency = Delay::Constant(Duration::from_millis(30));
    let target = Scripted { latency, ..Scripted::default() };
    let mut settings = iterate(201);
    settings.arrival = Arrival::Closed { concurrency: 4, rate: Some(Rate(40.0)) };
    let (_, tape) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
    let records = tape.iterations();
    let last = records.last().unwrap();
    assert_eq!(last.due, Duration::from_secs(5), "200 periods of 25 ms");
    assert_eq!(last.rank_latency, Some(Duration::from_millis(30)));
    assert!(target.most_at_once() <= 4, "{}", target.most_at_once());
}

#[test]
fn the_model_is_checked_at_every_interval() {
    let mut settings = iterate(100);
    settings.model_check_interval = 10;
    let target = Scripted { exports_every: Some(25), ..Scripted::default() };
    let (_, tape) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
    let check = |progress: &Progress| match progress {
        Progress::ModelChecked(check) => Some((check.iterations, check.changed)),
        _ => None,
    };
    let checks: Vec<_> = tape.0.iter().filter_map(check).collect();
    let counts: Vec<_> = checks.iter().map(|(iterations, _)| *iterations).collect();
    assert_eq!(counts, (1..=10).map(|n| n * 10).collect::<Vec<_>>());
    assert_eq!(checks.iter().filter(|(_, changed)| *changed).count(), 4);
}

#[test]
fn a_stop_finishes_what_is_under_way_and_begins_nothing_new() {
    let (stopper, stop) = Stopper::new();
    let latency = Delay::Constant(Duration::from_millis(10));
    let target = Scripted { latency, stop_at: Some((100, stopper)), ..Scripted::default() };
    let mut settings = iterate(1000);
    settings.arrival = Arrival::Closed { concurrency: 8, rate: None };
    let phases = vec![
        Phase::new("p", Step::Iterate(settings.clone())),
        Phase::new("q", Step::Iterate(settings)),
    ];
    let (ending, tape) = run(&plan(phases), &target, stop);
    assert_eq!(ending.unwrap(), Ending::Stopped);
    let records = tape.iterations();
    assert!((100..=116).contains(&records.len()), "{}", records.len());
    assert!(records.iter().all(|record| record.reward_latency.is_some()));
    assert_eq!(target.requests().len(), records.len(), "every Rank sent has its record");
}

#[test]
fn a_service_that_never_answers_ends_the_run_early() {
    let target = Scripted { fails: |_| true, ..Scripted::default() };
    let (ending, tape) =
        unstopped(&plan(vec![Phase::new("p", Step::Iterate(iterate(1000)))]), &target);
    let error = ending.unwrap_err().to_string();
    assert!(error.contains("phase `p`") && error.contains("scripted failure"), "{error}");
    assert!(tape.iterations().len() < 100);
    assert!(tape.iterations().iter().all(|r| matches!(r.outcome, IterationOutcome::RankFailed(_))));
}

#[test]
fn a_failed_rank_is_recorded_and_moves_no_other_draw() {
    let settings = iterate(200);
    let whole = Scripted::default();
    let (_, all) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings.clone()))]), &whole);
    let target = Scripted { fails: |iteration| iteration % 7 == 3, ..Scripted::default() };
    let (_, tape) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
    for (record, expected) in tape.iterations().iter().zip(all.iterations()) {
        assert_eq!(record.event_id, expected.event_id);
        assert_eq!(record.context, expected.context);
        let failed = record.iteration % 7 == 3;
        assert_eq!(matches!(record.outcome, IterationOutcome::RankFailed(_)), failed);
        assert_eq!(record.reward.is_none(), failed);
    }
}

#[test]
fn a_pause_ends_when_the_model_changes_and_gives_up_in_time() {
    let pause = |timeout| Pause::Until {
        change: AwaitedChange::Model,
        reminder: None,
        poll: Duration::from_secs(5),
        timeout: Duration::from_secs(timeout),
    };
    let ended = |timeout| {
        let target = Scripted { exports_at: Some(Duration::from_secs(62)), ..Scripted::default() };
        let (ending, tape) =
            unstopped(&plan(vec![Phase::new("p", Step::Pause(pause(timeout)))]), &target);
        let at = |progress: &Progress| match progress {
            Progress::PhaseEnded(ended) => Some(ended.ended),
            _ => None,
        };
        ending.map(|_| tape.0.iter().find_map(at).unwrap())
    };
    assert_eq!(ended(100).unwrap(), Duration::from_secs(65));
    assert!(ended(60).unwrap_err().to_string().contains("did not change"));
}
