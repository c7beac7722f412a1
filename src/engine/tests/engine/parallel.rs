//! Phases that begin at one moment.

use std::collections::BTreeMap;

use super::*;
use plan::{Iterate, Phase};
use record::PhaseRecord;

/// Web visitors on a schedule, and an app with two under way: alone, or beside each other.
fn branches(parallel: Option<usize>) -> Vec<Phase> {
    let mut web = iterate(200);
    web.arrival = Arrival::Open(plan::Schedule {
        poisson: true,
        ..plan::Schedule::constant(Rate(50.0), 100)
    });
    let mut app = iterate(100);
    app.arrival = Arrival::Closed { concurrency: 2, rate: Some(Rate(40.0)) };
    let branch = |(name, settings): (&str, Iterate)| Phase {
        parallel,
        ..Phase::new(name, Step::Iterate(settings))
    };
    [("web", web), ("app", app)].map(branch).into()
}

fn target() -> Scripted {
    let latency =
        Delay::LogNormal { median: Duration::from_millis(8), p99: Duration::from_millis(90) };
    Scripted { latency, ..Scripted::default() }
}

fn ended(tape: &Tape) -> BTreeMap<usize, PhaseRecord> {
    let ended = tape.0.iter().filter_map(|progress| match progress {
        Progress::PhaseEnded(ended) => Some((ended.phase, ended.clone())),
        _ => None,
    });
    ended.collect()
}

/// What a branch sends and gets depends on its name and its iterations, not on its neighbours.
#[test]
fn a_phase_makes_the_same_beside_others_as_alone() {
    let of = |parallel| {
        let (ending, tape) = unstopped(&plan(branches(parallel)), &target());
        assert_eq!(ending.unwrap(), Ending::Completed);
        tape
    };
    let (alone, beside) = (of(None), of(Some(0)));
    for phase in 0..2 {
        let made = |tape: &Tape| -> Vec<_> {
            let own = tape.iterations().into_iter().filter(|record| record.phase == phase);
            own.map(|record| (record.iteration, record.event_id.clone(), record.context.clone()))
                .collect()
        };
        assert_eq!(made(&alone), made(&beside));
        assert!(made(&beside).iter().map(|made| made.0).eq(0..made(&beside).len() as u64));
    }
    let (alone, beside) = (ended(&alone), ended(&beside));
    let took = |of: &PhaseRecord| of.ended.saturating_sub(of.started);
    assert_eq!(alone[&1].started, alone[&0].ended, "one after the other");
    assert_eq!(beside[&1].started, beside[&0].started, "at one moment");
    assert!(beside[&1].ended < beside[&0].ended, "each ends with its own last iteration");
    assert!(took(&beside[&1]).abs_diff(took(&alone[&1])) < Duration::from_millis(200));
    assert_eq!(beside[&0].asked_rate, alone[&0].asked_rate);
}

#[test]
fn parallel_phases_are_merged_by_virtual_time() {
    let mut phases = branches(Some(0));
    phases.push(Phase::new("after", Step::Iterate(iterate(3))));
    let plan = plan(phases);
    let (_, tape) = unstopped(&plan, &target());
    assert_eq!(tape.0, unstopped(&plan, &target()).1.0, "the same twice");
    let order: Vec<usize> = tape.iterations().iter().map(|record| record.phase).collect();
    let turns = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns > 50, "their iterations alternate: {turns}");
    let of = |phase| tape.iterations().into_iter().filter(move |record| record.phase == phase);
    let last = of(0).chain(of(1)).map(|record| record.rank_start).max().unwrap();
    assert!(of(2).all(|record| record.rank_start >= last), "the next phase waits for both");
}

/// The service is one: when it is given up in one phase, the others stop, too.
#[test]
fn a_service_that_is_given_up_ends_every_parallel_phase() {
    let mut phases = branches(Some(0));
    if let Step::Iterate(app) = &mut phases[1].step {
        app.error_budget = Some(0);
    }
    let target = Scripted { fails: |iteration| iteration == 10, ..target() };
    let (ending, tape) = unstopped(&plan(phases), &target);
    let error = ending.unwrap_err().to_string();
    assert!(error.starts_with("phase `app`"), "{error}");
    let made = |phase| tape.iterations().iter().filter(|record| record.phase == phase).count();
    assert!((1..150).contains(&made(0)) && made(1) < 20, "{} {}", made(0), made(1));
}
