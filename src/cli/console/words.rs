use super::format::{count, name, whole};
use metrics::PolicySummary;
use plan::{Arrival, AwaitedChange, Iterate, Pause, Phase, Schedule, Stage, Step};
use protocol::{Evaluation, ServiceConfiguration};

/// The iterations that a phase is to make.
pub fn iterations(phase: &Phase) -> u64 {
    if let Step::Iterate(iterate) = &phase.step { iterate.iterations } else { 0 }
}

/// What a phase is about to do.
pub fn intention(step: &Step) -> String {
    match step {
        Step::Iterate(iterate) => iterating(iterate),
        Step::Wait(duration) => format!("waiting {}", whole(*duration)),
        Step::Pause(Pause::Prompt(_)) => "waiting for the operator".to_owned(),
        Step::Pause(Pause::Until { change, timeout, .. }) => {
            format!("waiting for a new {}, {} at most", noun(*change), whole(*timeout))
        }
        Step::Evaluate(_) => "evaluating policies offline".to_owned(),
        Step::ApplyPolicy(policy) => format!("applying {}", name(&policy.name)),
        Step::Configure(_) => "changing settings".to_owned(),
        Step::Reset => "clearing the loop's data".to_owned(),
    }
}

fn iterating(iterate: &Iterate) -> String {
    let iterations = count(iterate.iterations);
    match &iterate.arrival {
        Arrival::Closed { concurrency, rate } => {
            let rate = rate.map_or_else(String::new, |rate| format!(" at {}/s", rate.0));
            format!("{iterations} iterations{rate}, concurrency {concurrency}")
        }
        Arrival::Open(schedule) => {
            format!("{iterations} iterations, open arrival {}", scheduled(schedule))
        }
    }
}

/// `at 200/s`, `from 0/s to 200/s over 30s, to 400/s over 1m, Poisson`
fn scheduled(schedule: &Schedule) -> String {
    let start = schedule.start_rate();
    let stage = |stage: &Stage| format!("to {}/s over {}", stage.to.0, whole(stage.over));
    let stages: Vec<_> = schedule.stages.iter().map(stage).collect();
    let poisson = if schedule.poisson { ", Poisson" } else { "" };
    if stages.is_empty() {
        format!("at {start}/s{poisson}")
    } else {
        format!("from {start}/s {}{poisson}", stages.join(", "))
    }
}

fn noun(change: AwaitedChange) -> &'static str {
    match change {
        AwaitedChange::Policy => "policy",
        AwaitedChange::Model => "model",
    }
}

/// The result of an evaluation.
pub fn evaluated(evaluation: &Evaluation) -> String {
    let policies = evaluation.policy_results.iter().map(PolicySummary::from);
    let estimates =
        policies.filter_map(|policy| Some((policy.estimate()?.average_reward, policy.name)));
    // The first of equals, as the one that is applied.
    let best = estimates.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let compared = format!("{} policies compared", evaluation.policy_results.len());
    best.map_or(compared.clone(), |(mean, best)| {
        format!("{compared}, the best estimate is {}: {mean:.3}", name(&best))
    })
}

/// Settings that were changed and read back.
pub fn configured(configuration: &ServiceConfiguration) -> String {
    format!(
        "verified: reward wait time {}, model export every {}, exploration {} %",
        whole(configuration.reward_wait_time.0),
        whole(configuration.model_export_frequency.0),
        configuration.exploration_percentage * 100.0,
    )
}
