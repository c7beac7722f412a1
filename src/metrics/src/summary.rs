use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::expectation::{PhaseScope, Tags};
use super::tally::{PhaseSummary, PhaseTally};
use protocol::{Evaluation, PolicyContract, PolicyResult, PolicyResultSummary, PolicySource};
use record::Progress;

/// The results of a run, in numbers; it observes the run, and can be read at any
/// time.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    tallies: Vec<PhaseTally>,
    /// The tags of each phase.
    tags: Vec<Tags>,
    current: usize,
    evaluations: Vec<(usize, Arc<Evaluation>)>,
    applied: Vec<(usize, PolicyContract)>,
    notices: Vec<String>,
    /// The percentiles of latencies that are asked for.
    percentiles: Vec<f64>,
}

impl Summary {
    /// The summary of a run of these phases, in which nothing has happened yet.
    #[must_use]
    pub fn new<'a>(phases: impl IntoIterator<Item = PhaseScope<'a>>) -> Self {
        let begin = |phase: PhaseScope<'_>| (PhaseTally::new(phase), phase.tags.clone());
        let (tallies, tags) = phases.into_iter().map(begin).unzip();
        let (evaluations, applied, notices) = (Vec::new(), Vec::new(), Vec::new());
        let percentiles = Vec::new();
        Self { tallies, tags, current: 0, evaluations, applied, notices, percentiles }
    }

    /// The same, with these percentiles of latencies.
    #[must_use]
    pub fn with_percentiles(self, percentiles: &[f64]) -> Self {
        Self { percentiles: percentiles.to_vec(), ..self }
    }

    /// The percentiles of latencies that are asked for.
    #[must_use]
    pub fn percentiles(&self) -> &[f64] {
        &self.percentiles
    }

    /// Takes in what happened.
    pub fn observe(&mut self, progress: &Progress) {
        match progress {
            Progress::PhaseStarted(started) => {
                self.current = started.phase;
                self.tally(started.phase, |tally| tally.start(started.at));
            }
            Progress::Iteration(record) => self.tally(record.phase, |tally| tally.add(record)),
            Progress::PhaseEnded(ended) => {
                self.tally(ended.phase, |tally| tally.end(ended));
                self.note_missed_rate(ended.phase);
                let tally = self.tallies.get(ended.phase);
                let notes = tally.map(|tally| [tally.log_note(), tally.reward_note()]);
                self.notices.extend(notes.into_iter().flatten().flatten());
            }
            Progress::Evaluated(evaluation) => {
                self.evaluations.push((self.current, Arc::clone(evaluation)));
            }
            Progress::PolicyApplied(policy) => self.applied.push((self.current, policy.clone())),
            Progress::Notice(notice) => self.notices.push(notice.clone()),
            Progress::ModelChecked(_)
            | Progress::ModelExported(_)
            | Progress::Joined(_)
            | Progress::MayBeSent { .. }
            | Progress::Awaited { .. }
            | Progress::Checkpoint
            | Progress::Configured(_)
            | Progress::Reset => {}
        }
    }

    /// Notes that the latencies of a part of a phase are not valid, and why.
    pub fn note_saturation(&mut self, phase: &str, reason: String) {
        if let Some(tally) = self.tallies.iter_mut().find(|tally| tally.name() == phase) {
            tally.part_saturation = Some(reason);
        }
    }

    fn note_missed_rate(&mut self, phase: usize) {
        let tally = self.tallies.get(phase);
        let missed = tally.and_then(|tally| Some((tally.name(), tally.missed_rate()?)));
        if let Some((name, (asked, reached))) = missed {
            self.notices.push(format!(
                "phase `{name}` reached {reached:.1} iterations/s of the {asked:.1} asked for"
            ));
        }
    }

    fn tally(&mut self, phase: usize, change: impl FnOnce(&mut PhaseTally)) {
        if let Some(tally) = self.tallies.get_mut(phase) {
            change(tally);
        }
    }

    /// The phase of this name, if the run has it.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&PhaseTally> {
        self.tallies.iter().find(|tally| tally.name() == name)
    }

    /// The phases, in the order of the plan.
    #[must_use]
    pub fn phases(&self) -> &[PhaseTally] {
        &self.tallies
    }

    /// Keeps latencies in little memory, until some are added: it is then copied quickly, and asked
    /// for percentiles.
    pub fn compact(&mut self) {
        self.tallies.iter_mut().for_each(PhaseTally::compact);
    }

    /// The tags of each phase, in that order.
    pub(super) fn tags(&self) -> &[Tags] {
        &self.tags
    }

    /// The evaluations, each with the index of its phase.
    #[must_use]
    pub fn evaluations(&self) -> &[(usize, Arc<Evaluation>)] {
        &self.evaluations
    }

    /// The policies that were applied, each with the index of the phase that did.
    #[must_use]
    pub fn applied(&self) -> &[(usize, PolicyContract)] {
        &self.applied
    }

    /// What a person should know, in the order in which it was said.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The numbers, as they stand in `summary.json`.
    #[must_use]
    pub fn report(&self) -> SummaryReport {
        let name = |phase: usize| self.tallies[phase].name().to_owned();
        let evaluations = self.evaluations.iter();
        let applied = self.applied.iter();
        SummaryReport {
            phases: self
                .tallies
                .iter()
                .zip(&self.tags)
                .map(|(tally, tags)| PhaseSummary {
                    tags: tags.clone(),
                    ..tally.summary_with(&self.percentiles)
                })
                .collect(),
            evaluations: evaluations
                .map(|(phase, evaluation)| EvaluationSummary::new(name(*phase), evaluation))
                .collect(),
            applied: applied
                .map(|(phase, policy)| AppliedPolicy {
                    phase: name(*phase),
                    name: policy.name.clone(),
                    arguments: policy.arguments.clone(),
                })
                .collect(),
            notices: self.notices.clone(),
        }
    }
}

/// The numbers of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryReport {
    /// The phases, in the order of the plan.
    pub phases: Vec<PhaseSummary>,
    /// The evaluations, in the order in which they were made.
    pub evaluations: Vec<EvaluationSummary>,
    /// The policies that were applied, in that order.
    pub applied: Vec<AppliedPolicy>,
    /// What a person should know, in the order in which it was said.
    pub notices: Vec<String>,
}

/// A policy that became the online one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppliedPolicy {
    /// The phase that applied it.
    pub phase: String,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: String,
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationSummary {
    /// The phase that asked for it.
    pub phase: String,
    /// Its name.
    pub name: String,
    /// What the service calls optimal.
    pub optimal_policy: Option<String>,
    /// The policies, the highest estimate first.
    pub policies: Vec<PolicySummary>,
    /// The features of high, medium and low importance to the online policy, if any are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature_importance: Vec<Vec<String>>,
}

/// What an evaluation says of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub source: Option<PolicySource>,
    /// Its arguments; the baselines have none.
    pub arguments: Option<String>,
    /// What it would have earned on all events.
    #[serde(flatten)]
    pub total: Option<Estimate>,
    /// What it would have earned on the events that the search has not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<Estimate>,
}

/// An estimate of a policy's mean reward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number of events.
    pub events: f64,
    /// The mean.
    pub average_reward: f64,
    /// Half the width of its 95 % interval.
    pub confidence_interval: f64,
}

impl PolicySummary {
    /// The estimate to show and to compare: the held-out one where there was a search.
    pub fn estimate(&self) -> Option<Estimate> {
        self.held_out.or(self.total)
    }
}

impl From<&PolicyResult> for PolicySummary {
    fn from(result: &PolicyResult) -> Self {
        let estimate = |sums: &PolicyResultSummary| Estimate {
            events: sums.ips_estimator_denominator,
            average_reward: sums.average_reward,
            confidence_interval: sums.confidence_interval,
        };
        Self {
            name: result.name.clone(),
            source: result.policy_source,
            arguments: result.arguments.clone(),
            total: result.total_summary.as_ref().map(estimate),
            held_out: result.held_out_summary.as_ref().map(estimate),
        }
    }
}

impl EvaluationSummary {
    fn new(phase: String, evaluation: &Evaluation) -> Self {
        let mut policies: Vec<PolicySummary> =
            evaluation.policy_results.iter().map(PolicySummary::from).collect();
        let estimate = |policy: &PolicySummary| {
            policy.estimate().map_or(f64::NEG_INFINITY, |estimate| estimate.average_reward)
        };
        policies.sort_by(|left, right| estimate(right).total_cmp(&estimate(left)));
        let (name, optimal_policy) = (evaluation.name.clone(), evaluation.optimal_policy.clone());
        let is_told = evaluation.feature_importance.iter().any(|list| !list.is_empty());
        let lists = evaluation.feature_importance.clone();
        let feature_importance = if is_told { lists } else { Vec::new() };
        Self { phase, name, optimal_policy, policies, feature_importance }
    }
}

#[cfg(test)]
mod tests {
    use record::IterationRecord;

    use super::*;
    use crate::NO_TAGS;
    use crate::sample::{iteration, phase_ended, phase_started};

    /// What is said of a phase with these rewards, in which nothing else is unusual.
    fn notices(rewards: impl IntoIterator<Item = Option<f64>>) -> Vec<String> {
        let phase = PhaseScope { name: "play", iterations: Some(200), slots: 0, tags: &NO_TAGS };
        let mut summary = Summary::new([phase]);
        summary.observe(&phase_started(0));
        for (number, reward) in (0..).zip(rewards) {
            let record = iteration(0, number, true);
            summary.observe(&Progress::Iteration(IterationRecord { reward, ..record }));
        }
        summary.observe(&phase_ended(0));
        summary.notices
    }

    #[test]
    fn rewards_that_are_all_the_same_are_noticed() {
        let of = |reward: &str| {
            vec![format!(
                "phase `play`: every reward was {reward}; nothing can be learned from that"
            )]
        };
        assert_eq!(notices([Some(0.0); 200]), of("0"));
        assert_eq!(notices([Some(0.25); 200]), of("0.25"));
        let one_differs = (0..200).map(|number| Some(f64::from(u8::from(number == 150))));
        assert!(notices(one_differs).is_empty());
        assert!(notices([Some(0.0); 50]).is_empty(), "too few to say");
        assert!(notices([None; 200]).is_empty(), "without rewards nothing is to be learned");
    }
}
