use super::Group;
use metrics::{Metric, PhaseScope, Term};

/// The latencies that people ask for first, where they were measured: quantiles of each run, of
/// which the differences are paired by seed.
const LATENCIES: [&str; 4] = ["rank.p50", "rank.p99", LAG, "reward.p50"];

/// How late the runner itself was, which is a part of the latencies of Rank.
const LAG: &str = "lag.p99";

/// The metrics that people ask for first: of each phase that iterates, the success rate as
/// a whole and of its last quarter, the mean reward where it is something else, and latencies
/// where they were measured.
#[must_use]
pub fn default_terms(groups: &[Group]) -> Vec<Term> {
    let Some(first) = groups.iter().find(|group| !group.samples.is_empty()) else {
        return Vec::new();
    };
    let scopes = first.scopes();
    let measure_latencies = groups.iter().all(|group| group.measures_latency);
    let iterate = scopes.iter().filter(|scope| scope.iterations.is_some());
    let texts = iterate.flat_map(|scope| {
        let name = scope.name;
        let rewards = earns_other_than_success(groups, name).then(|| format!("{name}.mean_reward"));
        let latencies = LATENCIES.iter().filter(|_| measure_latencies);
        let latencies = latencies.map(move |latency| format!("{name}.{latency}"));
        [format!("{name}.success_rate"), format!("{name}.success_rate[last 25%]")]
            .into_iter()
            .chain(rewards)
            .chain(latencies.filter(|text| is_measured(first, text, &scopes)))
    });
    texts.filter_map(|text| Term::parse(&text, &scopes).ok()).collect()
}

/// Whether a run of the group has the metric: a service may have no call for it, and only where
/// iterations have due times there is a lag.
fn is_measured(group: &Group, text: &str, scopes: &[PhaseScope<'_>]) -> bool {
    let Ok(term) = Term::parse(text, scopes) else { return false };
    let mut measured = group.samples.iter().filter_map(|of| of.measure(&term).ok());
    measured.any(|value| value > 0.0 || !text.ends_with(LAG))
}

fn earns_other_than_success(groups: &[Group], phase: &str) -> bool {
    let samples = groups.iter().flat_map(|group| &group.samples);
    let mut tallies =
        samples.flat_map(|sample| sample.phases.iter()).filter(|of| of.name() == phase);
    tallies.any(|of| of.measure(Metric::MeanReward, None) != of.measure(Metric::SuccessRate, None))
}
