//! Open arrival keeps its schedule whatever the service does, and hides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::Ending;
use metrics::{Metric, NO_TAGS, Operation, PhaseScope, Statistic, Summary, judge};
use plan::{Arrival, Delay, Phase, Rate, Schedule, Step};
use record::IterationOutcome;

use super::scripted::{Scripted, iterate, plan};
use super::{Tape, unstopped};

/// What an open arrival at 500/s for 20 s makes of a service that stalls one second in
/// every five.
fn stalled(max_in_flight: usize) -> Tape {
    let (every, stall) = (Duration::from_secs(5), Duration::from_secs(1));
    let target = Scripted { stalls: Some((every, stall)), ..Scripted::default() };
    let mut settings = iterate(10_000);
    settings.arrival = Arrival::Open(Schedule::constant(Rate(500.0), max_in_flight));
    let (ending, tape) =
        unstopped(&plan(vec![Phase::new("load", Step::Iterate(settings))]), &target);
    assert_eq!(ending.unwrap(), Ending::Completed);
    tape
}

fn summary(tape: &Tape) -> Summary {
    let mut summary = Summary::new([PhaseScope {
        name: "load",
        iterations: Some(10_000),
        slots: 0,
        tags: &NO_TAGS,
    }]);
    tape.0.iter().for_each(|progress| summary.observe(progress));
    summary
}

/// A tenth of the iterations fall due in the stall for half of it or longer: their law
/// is known exactly. A closed loop would say p90 0 ms.
#[test]
fn latency_counts_from_when_an_iteration_was_due() {
    let summary = summary(&stalled(10_000));
    let load = summary.phase("load").unwrap();
    let ms = |statistic| {
        load.measure(Metric::Latency(Operation::Rank, statistic), None).unwrap() / 1000.0
    };
    for (quantile, expected) in [(0.5, 0.0), (0.9, 500.0), (0.95, 750.0), (0.99, 950.0)] {
        let observed = ms(Statistic::Quantile(quantile));
        assert!((observed - expected).abs() <= 3.0, "p{quantile}: {observed}");
    }
    assert_eq!(ms(Statistic::Max), 1000.0);
    assert!((ms(Statistic::Mean) - 100.0).abs() < 0.5, "{}", ms(Statistic::Mean));
    assert_eq!((load.dropped(), load.saturation()), (0, None));
}

#[test]
fn a_stall_moves_no_arrival() {
    let tape = stalled(10_000);
    let mut per_second = BTreeMap::<u64, u64>::new();
    for record in tape.iterations() {
        *per_second.entry(record.rank_start.as_secs()).or_default() += 1;
    }
    assert_eq!(per_second, (0..20).map(|second| (second, 500)).collect());
}

#[test]
fn what_cannot_start_is_dropped_and_counted() {
    let tape = stalled(100);
    let dropped: Vec<_> =
        tape.iterations().into_iter().filter(|r| r.outcome == IterationOutcome::Dropped).collect();
    assert_eq!(dropped.len(), 4 * 400, "100 of 500 get through each stall");
    assert!(dropped.iter().all(|record| record.rank_latency.is_none() && record.reward.is_none()));
    let summary = summary(&tape);
    let load = summary.phase("load").unwrap();
    assert_eq!(load.measure(Metric::Dropped, None), Some(1600.0));
    assert_eq!(load.measure(Metric::Errors, None), Some(0.0));
    assert_eq!(load.iterations(), 10_000, "a dropped iteration is one");
    let verdicts = judge(&[], &summary);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].text, "load.dropped == 0");
}

#[test]
fn requests_are_those_of_a_closed_arrival() {
    let sent = |arrival: Arrival| {
        let latency = Delay::Constant(Duration::from_millis(30));
        let target = Scripted { latency, ..Scripted::default() };
        let mut settings = iterate(300);
        settings.arrival = arrival;
        let (ending, _) = unstopped(&plan(vec![Phase::new("p", Step::Iterate(settings))]), &target);
        assert_eq!(ending.unwrap(), Ending::Completed);
        let mut sent = target.requests();
        sent.sort();
        sent
    };
    let poisson = Schedule { poisson: true, ..Schedule::constant(Rate(100.0), 1000) };
    assert_eq!(sent(Arrival::Open(poisson)), sent(Arrival::Closed { concurrency: 1, rate: None }));
}
