//! Events that a target is told of before they are ranked.

use super::*;
use plan::{Phase, Schedule};

fn log_normal(median: u64, p99: u64) -> Delay {
    Delay::LogNormal { median: Duration::from_millis(median), p99: Duration::from_millis(p99) }
}

/// The target itself checks that each event comes next that it was told of, and in time.
#[test]
fn an_event_that_was_told_is_ranked_next_and_in_time_and_changes_nothing() {
    let rates = [None, Some(Rate(20.0)), Some(Rate(400.0))];
    let closed = rates
        .into_iter()
        .flat_map(|rate| [1, 3, 8].map(|concurrency| Arrival::Closed { concurrency, rate }));
    let open = [(400.0, 4, true), (400.0, 8, false), (40.0, 1, true), (40.0, 3, false)];
    let open = open.map(|(rate, max_in_flight, poisson)| {
        Arrival::Open(Schedule { poisson, ..Schedule::constant(Rate(rate), max_in_flight) })
    });
    let delays = [Delay::NONE, Delay::Constant(Duration::from_millis(25)), log_normal(8, 90)];
    let mut told = 0;
    for arrival in closed.chain(open) {
        for (latency, think_time) in
            delays.into_iter().flat_map(|latency| delays.map(|think_time| (latency, think_time)))
        {
            let settings = plan::Iterate {
                arrival: arrival.clone(),
                think_time,
                delivery: RewardDelivery { lost: 0.2, repeated: 0.2 },
                ..iterate(300)
            };
            let plan = plan(vec![Phase::new("p", Step::Iterate(settings))]);
            let of = |foresees| {
                let fails = |iteration| iteration % 50 == 7;
                let target = Scripted { latency, fails, foresees, ..Scripted::default() };
                let (ending, tape) = unstopped(&plan, &target);
                assert_eq!(ending.unwrap(), Ending::Completed);
                (target.told(), target.requests(), tape.0)
            };
            let (_, requests, tape) = of(None);
            for most in [2, 64] {
                let ahead = of(Some((most, Duration::from_millis(700))));
                assert!(ahead.1 == requests && ahead.2 == tape, "{arrival:?} {latency:?}");
                told += ahead.0;
            }
        }
    }
    // Of 300 iterations in each of 234 runs.
    assert!(told > 40_000, "{told}");
}

/// Phases side by side rank in an order that depends on both.
#[test]
fn phases_beside_each_other_tell_nothing() {
    let branch = |name| Phase { parallel: Some(0), ..Phase::new(name, Step::Iterate(iterate(50))) };
    let target = Scripted { foresees: Some((8, Duration::from_secs(1))), ..Scripted::default() };
    let (ending, _) = unstopped(&plan(vec![branch("one"), branch("two")]), &target);
    assert_eq!((ending.unwrap(), target.told()), (Ending::Completed, 0));
}
