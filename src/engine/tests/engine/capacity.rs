//! The capacity of a queue whose law is known: M/D/1.

use std::time::Duration;

use metrics::{Expectation, Holds, NO_TAGS, PhaseScope, Summary, judge};
use plan::{Arrival, Phase, Rate, Schedule, Step};
use seed::Seed;
use statistics::{Confidence, Limit, LimitRange, LimitSearch};

use super::scripted::{Scripted, iterate, plan};
use super::unstopped;

const SERVICE_TIME: f64 = 0.005;
const LONGEST: f64 = 0.05;

/// The share of the calls of an M/D/1 queue that are answered within `time`: the law of the
/// waiting time is Erlang's (Gross and Harris, "Fundamentals of Queueing Theory", 5.1.3).
fn answered_within(time: f64, rate: f64) -> f64 {
    let waiting = time - SERVICE_TIME;
    let (mut sum, mut served, mut factorial) = (0.0, 0.0, 1.0);
    while served * SERVICE_TIME <= waiting {
        let x = rate * (served * SERVICE_TIME - waiting);
        sum += libm::pow(x, served) / factorial * libm::exp(-x);
        served += 1.0;
        factorial *= served;
    }
    (1.0 - rate * SERVICE_TIME) * sum
}

/// The rate at which 99 in 100 calls are answered in time.
fn known_limit() -> f64 {
    let (mut low, mut high) = (1.0, 0.999 / SERVICE_TIME);
    for _ in 0..60 {
        let rate = f64::midpoint(low, high);
        *(if answered_within(LONGEST, rate) >= 0.99 { &mut low } else { &mut high }) = rate;
    }
    low
}

/// Whether the 99th percentile holds at a rate, in the world of a seed.
fn holds(rate: f64, seed: u64) -> bool {
    const ITERATIONS: u64 = 20_000;
    let target =
        Scripted { serves_for: Some(Duration::from_secs_f64(SERVICE_TIME)), ..Scripted::default() };
    let mut settings = iterate(ITERATIONS);
    let schedule = Schedule::constant(Rate(rate), 10_000);
    settings.arrival = Arrival::Open(Schedule { poisson: true, ..schedule });
    let mut plan = plan(vec![Phase::new("load", Step::Iterate(settings))]);
    plan.seed = Seed(seed);
    let (_, tape) = unstopped(&plan, &target);
    let phases =
        [PhaseScope { name: "load", iterations: Some(ITERATIONS), slots: 0, tags: &NO_TAGS }];
    let mut summary = Summary::new(phases);
    tape.0.iter().for_each(|progress| summary.observe(progress));
    let expectation = Expectation::parse("load.rank.p99 < 50ms", &phases).unwrap();
    judge(&[expectation], &summary).iter().all(|verdict| verdict.holds == Holds::Held)
}

#[test]
fn the_limit_of_an_m_d_1_queue_is_found_within_five_per_cent() {
    let range = LimitRange { from: 50.0, to: f64::INFINITY, resolution: 0.02 };
    let mut limits: Vec<Limit> = Vec::new();
    for seed in 0..5 {
        let near = (!limits.is_empty()).then(|| range.estimate(&limits, Confidence::P95).0);
        let mut search = LimitSearch::new(range, near);
        while let Some(rate) = search.next() {
            search.note(rate, holds(rate, seed));
        }
        limits.push(search.found().unwrap());
    }
    let known = known_limit();
    let (found, interval) = range.estimate(&limits, Confidence::P95);
    assert!((found / known - 1.0).abs() < 0.05, "found {found}, known {known}");
    let interval = interval.unwrap();
    assert!(interval.holds(known), "{interval:?} without {known}");
    assert!(interval.upper / interval.lower < 1.1, "{interval:?}");
}
