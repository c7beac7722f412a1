use super::Group;
use metrics::{Metric, Term};

/// The metrics that people ask for first: of each phase that iterates, the success rate as
/// a whole and of its last quarter, and the mean reward where it is something else.
#[must_use]
pub fn default_terms(groups: &[Group]) -> Vec<Term> {
    let Some(first) = groups.iter().find(|group| !group.samples.is_empty()) else {
        return Vec::new();
    };
    let scopes = first.scopes();
    let iterate = scopes.iter().filter(|scope| scope.iterations.is_some());
    let texts = iterate.flat_map(|scope| {
        let name = scope.name;
        let rewards = earns_other_than_success(groups, name).then(|| format!("{name}.mean_reward"));
        [format!("{name}.success_rate"), format!("{name}.success_rate[last 25%]")]
            .into_iter()
            .chain(rewards)
    });
    texts.filter_map(|text| Term::parse(&text, &scopes).ok()).collect()
}

fn earns_other_than_success(groups: &[Group], phase: &str) -> bool {
    let samples = groups.iter().flat_map(|group| &group.samples);
    let mut tallies =
        samples.flat_map(|sample| sample.phases.iter()).filter(|of| of.name() == phase);
    tallies.any(|of| of.measure(Metric::MeanReward, None) != of.measure(Metric::SuccessRate, None))
}
