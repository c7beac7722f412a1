//! Phases with a tag in common, taken together.

use std::collections::BTreeMap;

use super::history::Sums;
use super::latency::Latencies;
use super::metric::Operation;
use super::summary::Summary;
use super::tally::PhaseTally;

/// The phases that have a tag, together.
#[derive(Debug, Clone)]
pub struct Tagged<'a> {
    /// The name of the tag.
    pub tag: &'a str,
    /// Its value.
    pub value: &'a str,
    phases: Vec<&'a PhaseTally>,
}

impl Summary {
    /// The phases that made iterations, by each value of each tag, in the order of the alphabet.
    #[must_use]
    pub fn by_tag(&self) -> Vec<Tagged<'_>> {
        let mut groups: BTreeMap<(&str, &str), Vec<&PhaseTally>> = BTreeMap::new();
        for (phase, tags) in self.phases().iter().zip(self.tags()) {
            for (tag, value) in tags.iter().filter(|_| phase.iterations() > 0) {
                groups.entry((tag, value)).or_default().push(phase);
            }
        }
        let group = |((tag, value), phases)| Tagged { tag, value, phases };
        groups.into_iter().map(group).collect()
    }
}

impl Tagged<'_> {
    /// The names of the phases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.phases.iter().map(|phase| phase.name())
    }

    /// How many iterations they made.
    #[must_use]
    pub fn iterations(&self) -> u64 {
        self.sums().iterations
    }

    /// The share of iterations with an action in which it was the preferred one.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        self.sums().success_rate()
    }

    /// The mean of the rewards.
    #[must_use]
    pub fn mean_reward(&self) -> Option<f64> {
        self.sums().mean_reward()
    }

    /// In how many iterations a call failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.sums().errors
    }

    /// How long the calls of an operation took, failed ones included.
    #[must_use]
    pub fn latencies(&self, operation: Operation) -> Latencies {
        let mut all = Latencies::default();
        let of_phases = self.phases.iter().filter_map(|phase| phase.latencies(operation));
        of_phases.for_each(|of_phase| all.add(of_phase));
        all
    }

    fn sums(&self) -> Sums {
        let mut all = Sums::default();
        self.phases.iter().for_each(|phase| all.add_sums(&phase.totals));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::expectation::{NO_TAGS, PhaseScope, Tags};
    use crate::sample::iteration;
    use record::Progress;

    /// What has a tag in common is what one phase with all of its iterations would be.
    #[test]
    fn phases_of_a_tag_are_as_one_phase() {
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect()
        };
        let (eu_web, eu_app) =
            (tags(&[("region", "eu"), ("device", "web")]), tags(&[("region", "eu")]));
        let scope = |name, tags| PhaseScope { name, iterations: Some(10), slots: 0, tags };
        let scopes = [scope("a", &eu_web), scope("b", &eu_app), scope("c", &NO_TAGS)];
        let mut apart = Summary::new(scopes);
        let mut together = Summary::new([scope("all", &eu_app)]);
        for index in 0..20_u32 {
            let phase = usize::try_from(index % 2).unwrap();
            let mut record = iteration(phase, index.into(), index % 3 == 0);
            record.rank_latency = Some(Duration::from_millis(index.into()));
            record.reward = Some(f64::from(index % 3));
            apart.observe(&Progress::Iteration(record.clone()));
            record.phase = 0;
            together.observe(&Progress::Iteration(record));
        }
        let (groups, one) = (apart.by_tag(), together.by_tag());
        let names: Vec<_> = groups.iter().map(|group| (group.tag, group.value)).collect();
        assert_eq!(names, [("device", "web"), ("region", "eu")]);
        assert_eq!(groups[0].iterations(), 10);
        let (both, one) = (&groups[1], &one[0]);
        assert_eq!(both.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((both.iterations(), both.errors()), (one.iterations(), one.errors()));
        assert_eq!(both.success_rate(), one.success_rate());
        assert_eq!(both.mean_reward(), one.mean_reward());
        let latencies = |of: &Tagged<'_>| of.latencies(Operation::Rank).summary();
        assert_eq!(latencies(both), latencies(one));
    }
}
