//! The learner: a policy's parts put together.

mod build;
mod parts;
mod slots;
mod work;

use std::sync::Arc;

use crate::cost::{CostModel, Scored};
use crate::explore::{ActionFilter, Exploration, Stage};
use crate::features::{Event, EventTerms, Label};
use crate::policy::LearningPolicy;
use crate::prediction::Prediction;
use crate::slots::Slots;

/// A model under a learning policy.
///
/// Clones share what was learned, which is most of its memory, until one of them learns.
#[derive(Debug, Clone)]
pub struct Learner {
    policy: LearningPolicy,
    event: EventTerms,
    costs: Arc<CostModel>,
    exploration: Exploration,
    slots: Slots,
    ranked: Vec<Scored>,
    /// `--large_action_space`
    filter: Option<ActionFilter>,
}

impl Learner {
    /// A blank model, with the random seed 0 where the policy pins none, as VW has it.
    #[must_use]
    pub fn new(policy: &LearningPolicy) -> Self {
        Self::seeded(policy, 0)
    }

    /// A blank model, whose random stream is that of `--random_seed SEED` unless the arguments
    /// of the policy pin another.
    #[must_use]
    pub fn seeded(policy: &LearningPolicy, seed: u64) -> Self {
        let settings = &policy.settings;
        let mut seed = settings.random_seed.unwrap_or(seed);
        let filter = build::action_filter(settings, &mut seed);
        let models = build::models(settings);
        let regression = build::regression(settings, models);
        Self {
            policy: policy.clone(),
            event: EventTerms::new(build::term_maker(settings, models)),
            costs: Arc::new(CostModel::new(
                settings.cost_type,
                settings.clip_p,
                regression,
                models as usize,
            )),
            exploration: build::exploration(settings, models, seed),
            slots: Slots::new(settings.slots, settings.hashing, seed),
            ranked: Vec::new(),
            filter,
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &LearningPolicy {
        &self.policy
    }

    /// Predicts into `prediction`, whose buffers are used again; of an event with slots,
    /// the choice for the first.
    pub fn predict(&mut self, event: &Event, prediction: &mut Prediction) {
        if self.slots.concern(event) {
            return self.predict_first_slot(event, prediction);
        }
        self.predict_one(event, prediction);
    }

    /// Learns from one labelled event; from one with slots, what came of each of them.
    pub fn learn(&mut self, event: &Event, label: &Label) {
        if event.slots.is_some() {
            self.learn_slots(event);
            return;
        }
        if self.slots.concern(event) {
            return self.learn_slot(event, label);
        }
        self.learn_one(event, label);
        self.costs_to_learn().regression.finish_event(event.weight);
    }

    /// Learns from one labelled event, and predicts it as VW does while it learns: what it
    /// prints. With l1 or l2 and several models that is not what [`Self::predict`] predicts
    /// before; of an event with slots, the choice for the first.
    pub fn learn_predicting(&mut self, event: &Event, label: &Label, prediction: &mut Prediction) {
        let strategy_shows = self.exploration.shows_learning() && self.filter.is_none();
        let shows_learning = strategy_shows || self.policy.numbers_actions();
        if self.slots.concern(event) || !shows_learning {
            self.predict(event, prediction);
            return self.learn(event, label);
        }
        self.learn_one_predicting(event, label, prediction);
        self.costs_to_learn().regression.finish_event(event.weight);
    }

    /// Predicts one choice.
    fn predict_one(&mut self, event: &Event, prediction: &mut Prediction) {
        self.event.reset_to(event);
        let (exploration, mut stage) = self.stage();
        exploration.predict(&mut stage, prediction);
    }

    /// Learns from one choice.
    fn learn_one(&mut self, event: &Event, label: &Label) {
        self.event.reset_to(event);
        let (exploration, mut stage) = self.stage();
        exploration.learn(&mut stage, label);
    }

    /// Learns from one choice, and predicts it meanwhile.
    fn learn_one_predicting(&mut self, event: &Event, label: &Label, prediction: &mut Prediction) {
        self.event.reset_to(event);
        let (exploration, mut stage) = self.stage();
        exploration.learn_predicting(&mut stage, label, prediction);
    }

    /// The strategy, and what it works with.
    fn stage(&mut self) -> (&mut Exploration, Stage<'_>) {
        let Self { event, costs, exploration, ranked, filter, .. } = self;
        (exploration, Stage { costs, event, ranked, filter: filter.as_mut(), gamma: 1.0 })
    }

    /// A copy that can [catch up](Self::catch_up) with this learner.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self {
            policy: self.policy.clone(),
            event: self.event.clone(),
            costs: Arc::new(self.costs_to_learn().fork()),
            exploration: self.exploration.clone(),
            slots: self.slots.clone(),
            ranked: Vec::new(),
            filter: self.filter.clone(),
        }
    }

    /// Becomes as `ahead` is, at the cost of what it has learned since. This learner must
    /// be its latest fork. If clones of it share what was learned, it is copied as a whole.
    pub fn catch_up(&mut self, ahead: &mut Self) {
        let ahead_costs = ahead.costs_to_learn();
        match Arc::get_mut(&mut self.costs) {
            Some(costs) => costs.catch_up(ahead_costs),
            None => self.costs = Arc::new(ahead_costs.fork()),
        }
        self.exploration.clone_from(&ahead.exploration);
        self.sync_slots(&ahead.slots);
    }

    /// Becomes a fork of `ahead`, as by [`Self::catch_up`] though it was none: what was seen of
    /// slots stays seen.
    pub fn replace_by_fork(&mut self, ahead: &mut Self) {
        let multi_slot_seen = self.slots.multi_slot_seen;
        *self = ahead.fork();
        if multi_slot_seen {
            self.see_multi_slot();
        }
    }

    /// What learning changes.
    pub(crate) fn parts(&self) -> (&CostModel, &Exploration, &Slots) {
        (&self.costs, &self.exploration, &self.slots)
    }

    /// The same learner with other experience.
    pub(crate) fn with_parts(self, costs: CostModel, exploration: Exploration) -> Self {
        Self { costs: Arc::new(costs), exploration, ..self }
    }

    /// What was learned, to change it.
    fn costs_to_learn(&mut self) -> &mut CostModel {
        Arc::make_mut(&mut self.costs)
    }

    /// The number of terms of all actions of an event.
    #[cfg(test)]
    fn terms(&mut self, event: &Event) -> usize {
        self.event.reset_to(event);
        (0..self.event.len()).map(|action| self.event.of(action).as_ref().len()).sum()
    }

    /// Puts the score of each action into `scores`; lower is better. Slots do not count.
    pub fn scores(&mut self, event: &Event, scores: &mut Vec<f32>) {
        self.event.reset_to(event);
        scores.clear();
        for action in 0..self.event.len() {
            scores.push(self.costs.regression.score(self.event.of(action), 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service clones the served model for every thread.
    #[test]
    fn clones_share_the_weights_until_one_learns() {
        let policy = LearningPolicy::parse("--cb_explore_adf").unwrap();
        let mut learner = Learner::new(&policy);
        let mut clone = learner.clone();
        assert!(Arc::ptr_eq(&learner.costs, &clone.costs));
        learner.stop_learning();
        assert!(!Arc::ptr_eq(&learner.costs, &clone.costs));
        clone.catch_up(&mut learner);
        assert!(!Arc::ptr_eq(&learner.costs, &clone.costs), "who learns has its own");
    }
}
