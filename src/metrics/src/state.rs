//! The serialized form of a phase: every input of every metric, so that sums and
//! histograms of many runs add up without loss.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::column::Column;
use super::history::{History, Sums};
use super::latency::{Latencies, LatencyState};
use super::metric::Operation;
use super::off_policy::OffPolicy;
use super::pace::Pace;
use super::packed::Packed;
use super::punctuality::Punctuality;
use super::tally::{PhaseTally, SlotTally};

/// A [`PhaseTally`] in serialized form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseState {
    name: String,
    planned: Option<u64>,
    started: Option<Duration>,
    until: Duration,
    is_over: bool,
    calls: u64,
    #[serde(default)]
    pace: Pace,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model_exports: Option<u64>,
    violations: u64,
    #[serde(default, skip_serializing_if = "super::tally::is_zero")]
    rejected: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    off_policy: Option<OffPolicy>,
    errors: BTreeMap<String, u64>,
    /// What happened in each iteration, a byte each.
    flags: Packed,
    /// The reward of each iteration.
    rewards: Packed,
    /// The regret of each iteration.
    regrets: Packed,
    /// What exploration cost in each iteration.
    explorations: Packed,
    /// The slots of the iterations, if they have slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<SlotState>,
    latencies: BTreeMap<Operation, LatencyState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    punctuality: Option<[LatencyState; 2]>,
}

/// A slot of every iteration, in serialized form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SlotState {
    flags: Packed,
    rewards: Packed,
    regrets: Packed,
}

impl SlotState {
    /// None, if it was reduced.
    fn of(slot: &SlotTally) -> Option<Self> {
        let History { flags, rewards, regrets, .. } = &slot.history;
        let numbers = |column: &Column<f64>| Some(Packed::of_numbers(&column.to_vec()?));
        Some(Self {
            flags: Packed(flags.to_vec()?),
            rewards: numbers(rewards)?,
            regrets: numbers(regrets)?,
        })
    }

    fn history(self) -> History {
        History {
            explorations: self.flags.0.iter().map(|_| 0.0).collect(),
            flags: self.flags.0.into_iter().collect(),
            rewards: self.rewards.numbers().collect(),
            regrets: self.regrets.numbers().collect(),
        }
    }
}

impl PhaseState {
    /// The name of the phase.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first iteration in which two phases are not the same; nothing, if they are, or
    /// differ in their sums alone.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<u64> {
        let bytes = [(&self.flags, &other.flags, 1), (&self.rewards, &other.rewards, 8)];
        let first = bytes.map(|(left, right, size)| {
            let (left, right) = (left.0.chunks(size), right.0.chunks(size));
            let same = left.clone().zip(right.clone()).take_while(|(left, right)| left == right);
            let same = same.count();
            (same < left.len().max(right.len())).then_some(same as u64)
        });
        first.into_iter().flatten().min()
    }
}

/// A serialized phase is inconsistent.
#[derive(Debug, thiserror::Error)]
#[error("phase `{phase}`: {message}")]
pub struct PhaseStateError {
    phase: String,
    message: &'static str,
}

impl PhaseTally {
    /// The tally in serialized form; `None`, if it was reduced.
    #[must_use]
    pub fn state(&self) -> Option<PhaseState> {
        let latencies = self.latencies.iter();
        let History { flags, rewards, regrets, explorations } = &self.history;
        let numbers = |column: &Column<f64>| Some(Packed::of_numbers(&column.to_vec()?));
        Some(PhaseState {
            name: self.name.clone(),
            planned: self.planned,
            started: self.started,
            until: self.until,
            is_over: self.is_over,
            calls: self.calls,
            pace: self.pace.clone(),
            asked_rate: self.asked_rate,
            model_exports: self.model_exports,
            violations: self.violations,
            rejected: self.rejected,
            off_policy: self.off_policy,
            errors: self.errors.clone(),
            flags: Packed(flags.to_vec()?),
            rewards: numbers(rewards)?,
            regrets: numbers(regrets)?,
            explorations: numbers(explorations)?,
            slots: self.slots.iter().map(SlotState::of).collect::<Option<_>>()?,
            latencies: latencies.map(|(operation, of)| (*operation, of.state())).collect(),
            punctuality: self.punctuality.as_ref().map(|p| [p.lag().state(), p.service().state()]),
        })
    }

    /// The tally of a serialized phase.
    ///
    /// # Errors
    /// When the parts are inconsistent.
    pub fn restore(state: PhaseState) -> Result<Self, PhaseStateError> {
        let name = state.name.clone();
        let refuse = |message| PhaseStateError { phase: name.clone(), message };
        let history = History {
            flags: state.flags.0.into_iter().collect(),
            rewards: state.rewards.numbers().collect(),
            regrets: state.regrets.numbers().collect(),
            explorations: state.explorations.numbers().collect(),
        };
        let slots: Vec<History> = state.slots.into_iter().map(SlotState::history).collect();
        let is_consistent = |of: &History| {
            let columns = [&of.rewards, &of.regrets, &of.explorations];
            columns.iter().all(|column| column.len() == of.flags.len())
                && of.flags.len() == history.flags.len()
        };
        if !slots.iter().chain([&history]).all(is_consistent) {
            return Err(refuse("the number columns and the flag column differ in length"));
        }
        let latencies = |of: &LatencyState| {
            Latencies::restore(of).ok_or_else(|| refuse("a histogram cannot be read"))
        };
        let kept = state.latencies.iter();
        let punctuality = state
            .punctuality
            .as_ref()
            .map(|[lag, service]| Ok(Punctuality::restore(latencies(lag)?, latencies(service)?)));
        Ok(Self {
            totals: totals(&history),
            latencies: kept
                .map(|(operation, of)| Ok((*operation, latencies(of)?)))
                .collect::<Result<_, PhaseStateError>>()?,
            punctuality: punctuality.transpose()?,
            part_saturation: None,
            history,
            slots: slots.into_iter().map(SlotTally::restore).collect(),
            name: state.name,
            planned: state.planned,
            violations: state.violations,
            rejected: state.rejected,
            off_policy: state.off_policy,
            errors: state.errors,
            calls: state.calls,
            pace: state.pace,
            asked_rate: state.asked_rate,
            model_exports: state.model_exports,
            started: state.started,
            until: state.until,
            is_over: state.is_over,
        })
    }
}

fn totals(history: &History) -> Sums {
    history.over(0..history.len())
}

#[cfg(test)]
mod tests {
    use super::super::expectation::{NO_TAGS, PhaseScope};
    use super::super::metric::{Metric, REGISTRY};
    use super::super::sample;
    use super::*;
    use record::Loss;

    #[test]
    fn a_tally_comes_back_as_it_was() {
        let mut tally = PhaseTally::new(PhaseScope {
            name: "baseline",
            iterations: Some(300),
            slots: 0,
            tags: &NO_TAGS,
        });
        tally.start(Duration::from_millis(7));
        (0..300)
            .for_each(|iteration| tally.add(&sample::iteration(0, iteration, iteration % 3 == 0)));
        let state = |tally: &PhaseTally| serde_json::to_string(&tally.state().unwrap()).unwrap();
        assert!(!state(&tally).contains("slots"));
        tally.add(&sample::with_slots(sample::iteration(0, 300, true), &[true, false]));
        let text = state(&tally);
        let kept: PhaseState = serde_json::from_str(&text).unwrap();
        assert_eq!(PhaseTally::restore(kept).unwrap(), tally);
    }

    /// Every metric, of the whole phase and of windows: to the last bit, or not at all.
    #[test]
    fn a_reduced_tally_knows_the_same_or_says_that_it_does_not() {
        let mut tally = PhaseTally::new(PhaseScope {
            name: "baseline",
            iterations: Some(300),
            slots: 0,
            tags: &NO_TAGS,
        });
        for iteration in 0..300_u32 {
            let mut record = sample::iteration(0, iteration.into(), iteration % 3 == 0);
            let regret = f64::from(iteration % 40) / 7.0;
            record.loss = Some(Loss { regret, exploration: Some(regret - 1.0) });
            record.rank_latency = Some(Duration::from_micros(u64::from(iteration * iteration)));
            record.rank_start += Duration::from_micros(u64::from(iteration % 5));
            tally.add(&record);
        }
        let reduced = tally.clone().reduced();
        assert!(reduced.state().is_none());
        assert_eq!(reduced.summary(), tally.summary());
        assert_eq!(reduced.iterations_to(0.3), tally.iterations_to(0.3));
        for definition in &REGISTRY {
            let metric = definition.metric;
            for window in [None, Some(0..300), Some(7..8), Some(100..250)] {
                let expected = tally.measure(metric, window.clone());
                let known = window.is_none() || reduced.has_windows_of(metric);
                let found = reduced.measure(metric, window);
                assert_eq!(found, expected.filter(|_| known), "{}", definition.name);
            }
        }
        let left_out = [Metric::Regret, Metric::ExplorationCost, Metric::MeanReward];
        assert_eq!(left_out.map(|metric| reduced.has_windows_of(metric)), [false, false, true]);
    }

    #[test]
    fn phases_part_where_their_iterations_do() {
        let state = |odd: Option<u64>| {
            let mut tally = PhaseTally::new(PhaseScope {
                name: "baseline",
                iterations: None,
                slots: 0,
                tags: &NO_TAGS,
            });
            (0..9).for_each(|at| tally.add(&sample::iteration(0, at, Some(at) != odd)));
            tally.state().unwrap()
        };
        assert_eq!(state(None).first_difference(&state(None)), None);
        assert_eq!(state(None).first_difference(&state(Some(6))), Some(6));
        let (shorter, mut longer) = (state(None), state(None));
        longer.flags.0.push(0);
        assert_eq!(shorter.first_difference(&longer), Some(9));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let mut tally = PhaseTally::new(PhaseScope {
            name: "baseline",
            iterations: None,
            slots: 0,
            tags: &NO_TAGS,
        });
        tally.add(&sample::iteration(0, 0, true));
        let kept = PhaseState { flags: Packed(vec![0; 2]), ..tally.state().unwrap() };
        assert!(PhaseTally::restore(kept).is_err());
    }
}
