//! A load in shards is the load of the whole.

use std::num::NonZero;
use std::time::Duration;

use engine::Ending;
use plan::Plan;
use plan::{Arrival, Phase, Rate, Schedule, Stage, Step};
use record::{IterationRecord, Progress};
use shard::Shard;

use super::scripted::{Scripted, iterate, plan};
use super::{Tape, unstopped};

/// Two phases on a schedule, with a pause between them.
fn load() -> Plan {
    let schedule = Schedule {
        stages: vec![Stage { to: Rate(900.0), over: Duration::from_secs(1) }],
        poisson: true,
        ..Schedule::constant(Rate(300.0), 10_000)
    };
    let mut ramp = iterate(1_001);
    ramp.arrival = Arrival::Open(schedule);
    ramp.model_check_interval = 100;
    let mut steady = iterate(205);
    steady.arrival = Arrival::Open(Schedule::constant(Rate(700.0), 10_000));
    let wait = Step::Wait(Duration::from_millis(250));
    plan(vec![
        Phase::new("ramp", Step::Iterate(ramp)),
        Phase::new("wait", wait),
        Phase::new("steady", Step::Iterate(steady)),
    ])
}

fn shards(plan: &Plan, count: u64) -> Vec<Tape> {
    let shards = Shard::all(NonZero::new(count).unwrap());
    let tape = |shard| {
        let (ending, tape) = unstopped(&plan.part(shard).unwrap(), &Scripted::default());
        assert_eq!(ending.unwrap(), Ending::Completed);
        tape
    };
    shards.map(tape).collect()
}

fn in_order(tapes: &[Tape]) -> Vec<&IterationRecord> {
    let mut records: Vec<_> = tapes.iter().flat_map(Tape::iterations).collect();
    records.sort_by_key(|record| (record.phase, record.iteration));
    records
}

#[test]
fn every_iteration_is_made_once_as_in_the_whole() {
    let (_, whole) = unstopped(&load(), &Scripted::default());
    let whole = whole.iterations();
    for count in [1, 2, 3, 7] {
        let tapes = shards(&load(), count);
        let records = in_order(&tapes);
        assert_eq!(records.len(), whole.len(), "{count}");
        for (record, of_whole) in records.into_iter().zip(&whole) {
            let said = |record: &IterationRecord| {
                let due = (record.phase == 0).then_some(record.due);
                (record.phase, record.iteration, record.event_id.clone(), due, record.reward)
            };
            assert_eq!(said(record), said(of_whole), "{count}");
            assert_eq!(record.context, of_whole.context);
        }
    }
}

#[test]
fn what_comes_next_begins_at_one_moment_for_all() {
    let starts = |tape: &Tape| -> Vec<Duration> {
        let start = |progress: &Progress| match progress {
            Progress::PhaseStarted(started) => Some(started.at),
            _ => None,
        };
        tape.0.iter().filter_map(start).collect()
    };
    let of_one = starts(&shards(&load(), 1)[0]);
    assert_eq!(of_one[1] + Duration::from_millis(250), of_one[2]);
    for tape in shards(&load(), 5) {
        assert_eq!(starts(&tape), of_one);
    }
}

#[test]
fn the_first_shard_alone_asks_for_the_model_as_often_as_the_whole() {
    let checks = |tape: &Tape| -> Vec<u64> {
        let check = |progress: &Progress| match progress {
            Progress::ModelChecked(check) if check.phase == 0 => Some(check.iterations),
            _ => None,
        };
        tape.0.iter().filter_map(check).collect()
    };
    let tapes = shards(&load(), 4);
    assert_eq!(checks(&tapes[0]), (1..=10).map(|tenth| 100 * tenth).collect::<Vec<_>>());
    assert!(tapes[1..].iter().all(|tape| checks(tape).is_empty()));
}

#[test]
fn a_closed_arrival_is_shared_out() {
    let mut settings = iterate(90);
    settings.arrival = Arrival::Closed { concurrency: 7, rate: Some(Rate(90.0)) };
    settings.error_budget = Some(5);
    let shares = Shard::all(NonZero::new(3).unwrap()).map(|shard| {
        let share = settings.part(shard);
        let Arrival::Closed { concurrency, rate } = share.arrival else { panic!() };
        (concurrency, rate, share.error_budget)
    });
    let rate = Some(Rate(30.0));
    let expected = [(3, rate, Some(2)), (2, rate, Some(2)), (2, rate, Some(1))];
    assert_eq!(shares.collect::<Vec<_>>(), expected);
    let plan = plan(vec![Phase::new("closed", Step::Iterate(settings))]);
    assert_eq!(in_order(&shards(&plan, 3)).len(), 90);
    let too_fine = plan.part("1/8".parse().unwrap()).unwrap_err().render(false);
    assert!(too_fine.contains("7 iterations under way, too few for 8 shards"), "{too_fine}");
}

#[test]
fn operators_are_not_shared_out() {
    let plan =
        plan(vec![Phase::new("clear", Step::Reset), Phase::new("p", Step::Iterate(iterate(4)))]);
    let refused = plan.part("1/2".parse().unwrap()).unwrap_err().render(false);
    assert!(refused.contains("phase `clear` changes the service"), "{refused}");
}
