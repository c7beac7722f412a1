use std::time::Duration;

use serde::{Deserialize, Serialize};

use learner::{Event, Label};
use policy::{Model, Outcome, Policy, ProgramModel, Seen};
use protocol::ModelProperties;
use timestamp::Timestamp;

/// The model in training, and the served copy of it.
#[derive(Debug)]
pub(crate) struct Trainer {
    policy: Policy,
    model: Model,
    served: Option<Model>,
    /// Whether the served model is the latest fork of the one in training.
    is_fork: bool,
    /// Whether an event was learned since the last export.
    learned: bool,
    schedule: Schedule,
    properties: ModelProperties,
    /// The number of changes of the served model or its policy.
    version: u64,
    /// How many models have been served.
    exports: u64,
    /// The random seed of blank models whose policy pins none.
    random_seed: u64,
}

/// Ticks at an interval.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    next: Timestamp,
    every: Duration,
}

const UNTRAINED: ModelProperties =
    ModelProperties { creation_time: Timestamp::NEVER, last_modified_time: Timestamp::NEVER };

impl Trainer {
    /// A blank model, exported at an interval counted from `now`.
    pub fn new(policy: &Policy, random_seed: u64, every: Duration, now: Timestamp) -> Self {
        let mut model = Model::blank(policy, random_seed);
        Self {
            served: served_from_the_start(&mut model),
            policy: policy.clone(),
            model,
            random_seed,
            is_fork: true,
            learned: false,
            schedule: Schedule::new(every, now),
            properties: UNTRAINED,
            version: 0,
            exports: 0,
        }
    }

    /// The served model; `None` before the first export.
    pub fn served(&mut self) -> Option<&mut Model> {
        self.served.as_mut()
    }

    /// The policy, and the served model.
    pub fn policy_and_served(&mut self) -> (&Policy, Option<&mut Model>) {
        (&self.policy, self.served.as_mut())
    }

    /// A number that changes whenever the served model or its policy does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the next export is due, if something is learned until then.
    pub fn next_export(&self) -> Timestamp {
        self.schedule.next
    }

    /// When the served model was exported.
    pub fn served_since(&self) -> Option<Timestamp> {
        let exported = self.properties.last_modified_time;
        self.served.as_ref().map(|_| exported).filter(|exported| *exported != Timestamp::NEVER)
    }

    /// When the model was first and last exported.
    pub fn properties(&self) -> ModelProperties {
        self.properties
    }

    /// How many models have been exported; one of an evaluation that was applied counts.
    pub fn exports(&self) -> u64 {
        self.exports
    }

    /// The policy under which the model learns.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Learns from one event that is hashed for Vowpal Wabbit.
    pub fn learn(&mut self, event: &Event, label: &Label) {
        if let Some(learner) = self.model.vowpal_wabbit() {
            learner.learn(event, label);
        }
        self.learned = true;
    }

    /// Learns from one event as it came.
    pub fn learn_seen(&mut self, event: Seen<'_>, outcome: Outcome) {
        self.model.learn(event, outcome);
        self.learned = true;
    }

    /// The random seed of blank models whose policy pins none.
    pub fn random_seed(&self) -> u64 {
        self.random_seed
    }

    /// Why the policy can no longer decide.
    pub fn failure(&self) -> Option<String> {
        self.model.failure().or_else(|| self.served.as_ref()?.failure())
    }

    /// The program that learns, if it is one.
    pub fn program(&mut self) -> Option<&mut ProgramModel> {
        self.model.program()
    }

    /// Events that were learned are about to go; see [`ProgramModel::forget_events`].
    pub fn forget_events(&mut self) {
        if let Some(program) = self.model.program() {
            program.forget_events();
        }
    }

    /// Ends a policy that is a program; see [`ProgramModel::end`].
    pub fn end(&mut self) -> Result<String, String> {
        self.model.end()
    }

    /// Exports if a tick is due by `bound`, inclusive.
    pub fn pass(&mut self, bound: Timestamp) {
        if let Some(tick) = self.schedule.pass(bound) {
            self.export(tick);
        }
    }

    /// Serves the model in training, if it has learned since the last export.
    pub fn export(&mut self, at: Timestamp) {
        if !std::mem::take(&mut self.learned) {
            return;
        }
        self.version += 1;
        match &mut self.served {
            Some(served) if self.is_fork => served.catch_up(&mut self.model),
            Some(served) => served.replace_by_fork(&mut self.model),
            None => self.served = Some(self.model.fork()),
        }
        self.is_fork = true;
        self.exports += 1;
        self.properties.last_modified_time = at;
        if self.properties.creation_time == Timestamp::NEVER {
            self.properties.creation_time = at;
        }
    }

    /// Changes the interval; it counts from `now`.
    pub fn reschedule(&mut self, every: Duration, now: Timestamp) {
        self.schedule = Schedule::new(every, now);
    }

    /// Replaces both models.
    pub fn replace(&mut self, policy: Policy, model: Model, now: Timestamp) {
        self.version += 1;
        (self.policy, self.model) = (policy, model);
        self.served = Some(self.model.fork());
        self.is_fork = true;
        self.learned = false;
        self.exports += 1;
        self.properties = ModelProperties { creation_time: now, last_modified_time: now };
    }

    /// Starts again with a blank model; none is served.
    pub fn blank(&mut self, policy: &Policy) {
        self.version += 1;
        self.policy = policy.clone();
        self.model = Model::blank(policy, self.random_seed);
        self.served = served_from_the_start(&mut self.model);
        self.is_fork = true;
        self.learned = false;
        self.properties = UNTRAINED;
    }
}

/// A program decides from its first event on: nothing is known of what it knows.
fn served_from_the_start(model: &mut Model) -> Option<Model> {
    matches!(model, Model::Program(_)).then(|| model.fork())
}

/// Everything in a trainer but its models.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TrainerState {
    learned: bool,
    next: Timestamp,
    every_us: u64,
    properties: ModelProperties,
}

impl Trainer {
    /// The model in training and the served one, in the format of [`Model::store`]. Those of a
    /// program are one.
    pub(crate) fn save_models(&mut self) -> (Vec<u8>, Option<Vec<u8>>) {
        let is_program = self.model.program().is_some();
        let served = self.served.as_mut().filter(|_| !is_program).map(Model::store);
        (self.model.store(), served)
    }

    /// Everything but the models.
    pub(crate) fn state(&self) -> TrainerState {
        let Schedule { next, every } = self.schedule;
        let every_us = u64::try_from(every.as_micros()).unwrap_or(u64::MAX);
        TrainerState { learned: self.learned, next, every_us, properties: self.properties }
    }

    /// A trainer that was saved.
    pub(crate) fn restore(mut model: Model, served: Option<Model>, state: &TrainerState) -> Self {
        let every = Duration::from_micros(state.every_us);
        Self {
            policy: model.policy(),
            served: served.or_else(|| served_from_the_start(&mut model)),
            model,
            is_fork: false,
            learned: state.learned,
            schedule: Schedule { next: state.next, every },
            properties: state.properties,
            version: 0,
            exports: 0,
            // Only the state of a service is saved, whose policies have the seed 0.
            random_seed: 0,
        }
    }
}

impl Schedule {
    fn new(every: Duration, now: Timestamp) -> Self {
        Self { next: now + every, every }
    }

    /// The next tick, if it is due by `bound`; skips all others up to `bound`.
    fn pass(&mut self, bound: Timestamp) -> Option<Timestamp> {
        let tick = self.next;
        if bound < tick {
            return None;
        }
        let every = self.every.as_micros().max(1);
        let passed = bound.since(tick).as_micros() / every + 1;
        let micros = u64::try_from(passed * every).unwrap_or(u64::MAX);
        self.next = tick + Duration::from_micros(micros);
        Some(tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::VIRTUAL_START + Duration::from_secs(seconds)
    }

    #[test]
    fn ticks_are_multiples_however_late_one_looks() {
        let mut schedule = Schedule::new(Duration::from_secs(15), at(0));
        assert_eq!(schedule.pass(at(14)), None);
        assert_eq!(schedule.pass(at(15)), Some(at(15)));
        assert_eq!(schedule.pass(at(15)), None);
        assert_eq!(schedule.pass(at(61)), Some(at(30)));
        assert_eq!(schedule.next, at(75));
    }
}
