//! A plan, and what happens in a run of it, made by hand.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use metrics::Verdict;
use plan::Plan;
use plan::{
    Arrival, ClockKind, Delay, HttpPlan, Iterate, Outputs, Phase, Population, RewardDelivery,
    RewardRule, Secret, Source, Step, TargetPlan,
};
use protocol::{
    Evaluation, EvaluationStatus, PolicyContract, PolicyResult, PolicyResultSummary, PolicySource,
    WireDuration,
};
use record::{
    FailureKind, IterationOutcome, IterationRecord, Loss, ModelCheck, Observer, PhaseRecord,
    PhaseStarted, Progress,
};
use results::{self, Destination, Origin, Results, Status};
use seed::Seed;
use timestamp::Timestamp;

pub const SECRET: &str = "0123456789abcdef-canary";
pub const BATCH: u64 = 10;

/// Two phases of iterations with a wait between them.
pub fn plan(iterations: [u64; 2]) -> Plan {
    let key = Some(Secret::new(SECRET));
    let target = HttpPlan { key, ..scenario::usual_service("http://localhost:5000") };
    Plan {
        name: "news".to_owned(),
        description: Some("a test".to_owned()),
        seed: Seed(42),
        source: Source {
            path: "scenarios/news.yaml".to_owned(),
            text: "name: news\ntarget: { key: ${KEY} }".to_owned(),
            overrides: vec![format!("target.key={SECRET}"), "seed=42".to_owned()],
        },
        digest: "d".repeat(64),
        population: Population {
            dimensions: vec!["name".to_owned(), "weather".to_owned()],
            rows: Vec::new(),
        },
        actions: Arc::from([]),
        log: None,
        catalogue: None,
        excluded_actions: Vec::new(),
        defer_activation: false,
        reward: RewardRule { matched: 1.0, ..RewardRule::default() },
        target: TargetPlan::Http(target.into()),
        clock: ClockKind::Virtual,
        curve_batch: BATCH,
        outputs: Outputs::default(),
        phases: vec![
            Phase::new("=baseline", iterate(iterations[0])),
            Phase::new("rest", Step::Wait(Duration::from_secs(5))),
            Phase::new("validation", iterate(iterations[1])),
        ],
        shard: None,
        expectations: Vec::new(),
    }
}

fn iterate(iterations: u64) -> Step {
    Step::Iterate(Iterate {
        iterations,
        arrival: Arrival::Closed { concurrency: 1, rate: None },
        error_budget: None,
        model_check_interval: 100,
        think_time: Delay::Constant(Duration::ZERO),
        delivery: RewardDelivery::default(),
        users: None,
        slots: None,
        drift: None,
    })
}

/// An iteration; every 7th succeeds, every 13th fails, and its context needs quotes.
pub fn iteration(phase: usize, iteration: u64) -> IterationRecord {
    let rank_start =
        Duration::from_secs(1000 * phase as u64) + Duration::from_millis(21 * iteration);
    let rank_latency = Duration::from_micros(5_000 + 37 * (iteration % 100));
    let is_success = iteration.is_multiple_of(7);
    let fails = iteration % 13 == 12;
    let unless_failed = |value: f64| if fails { None } else { Some(value) };
    IterationRecord {
        phase,
        iteration,
        event_id: format!("{phase}-{iteration}").into(),
        context: Arc::from(["=Alice, \"the\nfirst\"".to_owned(), format!("-{}", iteration % 3)]),
        preferred: "latte".into(),
        chosen: unless_failed(0.0).map(|_| if is_success { "latte" } else { "+mocha" }.into()),
        probability: if fails { None } else { Some(if is_success { 0.85 } else { 0.05 }) },
        reward: unless_failed(if is_success { 1.0 } else { -0.1 }),
        loss: unless_failed(if is_success { 0.0 } else { 1.1 }).map(|regret| Loss {
            regret,
            exploration: iteration.is_multiple_of(5).then_some(-0.5),
        }),
        outcome: if fails {
            IterationOutcome::RankFailed(FailureKind::Status(503))
        } else {
            IterationOutcome::Completed
        },
        due: rank_start,
        rank_start,
        rank_latency: Some(rank_latency),
        reward_start: unless_failed(0.0).map(|_| rank_start + rank_latency),
        reward_latency: unless_failed(0.0).map(|_| Duration::from_micros(3_000 + iteration % 50)),
        again: iteration % 97 == 5,
        logged: None,
        slots: None,
    }
}

/// Everything that happens in a run of [`plan`].
pub fn story(iterations: [u64; 2]) -> Vec<Progress> {
    let mut story = phase_story(0, iterations[0]);
    story.push(Progress::PhaseStarted(PhaseStarted { phase: 1, at: Duration::from_secs(900) }));
    story.push(Progress::Evaluated(Arc::new(evaluation("first"))));
    story.push(Progress::Evaluated(Arc::new(evaluation("second"))));
    story.push(Progress::PolicyApplied(PolicyContract {
        name: "Hyper1".to_owned(),
        arguments: "--cb_explore_adf --epsilon 0.2".to_owned(),
    }));
    story.push(ended(1, 0));
    story.extend(phase_story(2, iterations[1]));
    story
}

fn phase_story(phase: usize, iterations: u64) -> Vec<Progress> {
    let at = Duration::from_secs(1000 * phase as u64);
    let mut story = vec![Progress::PhaseStarted(PhaseStarted { phase, at })];
    for index in 0..iterations {
        story.push(Progress::Iteration(iteration(phase, index)));
        story.push(Progress::Joined(format!("{{\"EventId\":\"{phase}-{index}\"}}\n").into_bytes()));
        if (index + 1).is_multiple_of(50) {
            story.push(Progress::Checkpoint);
        }
    }
    story.push(Progress::ModelChecked(ModelCheck {
        phase,
        iterations,
        at,
        last_modified: Timestamp::VIRTUAL_START,
        changed: true,
    }));
    story.push(ended(phase, iterations));
    story
}

fn ended(phase: usize, iterations: u64) -> Progress {
    let started = Duration::from_secs(1000 * phase as u64);
    let ended = started + Duration::from_secs(900);
    let (asked_rate, model_exports) = (Some(50.0), Some(3));
    Progress::PhaseEnded(PhaseRecord {
        phase,
        started,
        ended,
        iterations,
        asked_rate,
        model_exports,
    })
}

fn evaluation(name: &str) -> Evaluation {
    let total_summary = PolicyResultSummary {
        time_stamp: Timestamp::VIRTUAL_START,
        ips_estimator_numerator: 30.0,
        ips_estimator_denominator: 40.0,
        snips_estimator_denominator: 41.0,
        aggregate_time_window: WireDuration::default(),
        non_zero_probability: None,
        sum_of_squares: None,
        confidence_interval: 0.125,
        average_reward: 0.75,
    };
    let held_out = PolicyResultSummary {
        ips_estimator_denominator: 8.0,
        average_reward: 0.5,
        ..total_summary.clone()
    };
    Evaluation {
        id: name.to_owned(),
        name: name.to_owned(),
        start_time: Timestamp::VIRTUAL_START,
        end_time: Timestamp::VIRTUAL_START,
        job_id: name.to_owned(),
        status: EvaluationStatus::Completed,
        policy_results: vec![PolicyResult {
            name: "Hyper1".to_owned(),
            arguments: Some("--cb_explore_adf".to_owned()),
            policy_source: Some(PolicySource::OfflineExperimentation),
            summary: Vec::new(),
            total_summary: Some(total_summary),
            held_out_summary: Some(held_out),
            failure: None,
        }],
        feature_importance: Vec::new(),
        evaluation_type: None,
        optimal_policy: Some("Hyper1".to_owned()),
        creation_time: None,
    }
}

/// A run that began at this second of the machine's calendar.
pub fn origin(second: i64) -> Origin {
    Origin {
        clock_start: Timestamp::VIRTUAL_START,
        started: Timestamp::from_unix_micros(second * 1_000_000),
        host: Some(format!("host-{second}")),
    }
}

pub fn create(folder: &Path, iterations: [u64; 2]) -> Results {
    create_of(&plan(iterations), folder)
}

pub fn create_of(plan: &Plan, folder: &Path) -> Results {
    Results::create(plan, &Destination::At(folder.to_owned()), &origin(1)).unwrap()
}

/// Lets a run take in a story.
pub fn tell(results: &mut Results, story: &[Progress]) {
    for progress in story {
        results.observe(progress).unwrap();
    }
}

pub fn seal(results: Results, status: Status, verdicts: &[Verdict]) {
    let ended = Timestamp::from_unix_micros(9_000_000);
    results.seal(&results::Closing { status, ended, verdicts }).unwrap();
}
