use std::time::Duration;

use learner::{Event, Label, Learner, LearningPolicy};
use protocol::ModelProperties;
use timestamp::Timestamp;

/// The model in training, and the served copy of it.
#[derive(Debug)]
pub(crate) struct Trainer {
    learner: Learner,
    served: Option<Learner>,
    /// Whether an event was learned since the last export.
    learned: bool,
    schedule: Schedule,
    properties: ModelProperties,
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
    pub fn new(policy: &LearningPolicy, every: Duration, now: Timestamp) -> Self {
        Self {
            learner: Learner::new(policy),
            served: None,
            learned: false,
            schedule: Schedule::new(every, now),
            properties: UNTRAINED,
        }
    }

    /// The served model; `None` before the first export.
    pub fn served(&mut self) -> Option<&mut Learner> {
        self.served.as_mut()
    }

    /// When the served model was exported.
    pub fn served_since(&self) -> Option<Timestamp> {
        self.served.as_ref().map(|_| self.properties.last_modified_time)
    }

    /// When the model was first and last exported.
    pub fn properties(&self) -> ModelProperties {
        self.properties
    }

    /// The policy under which the model learns.
    pub fn policy(&self) -> &LearningPolicy {
        self.learner.policy()
    }

    /// Learns from one event.
    pub fn learn(&mut self, event: &Event, label: &Label) {
        self.learner.learn(event, label);
        self.learned = true;
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
        match &mut self.served {
            Some(served) => served.catch_up(&mut self.learner),
            None => self.served = Some(self.learner.fork()),
        }
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
    pub fn replace(&mut self, learner: Learner, now: Timestamp) {
        self.learner = learner;
        self.served = Some(self.learner.fork());
        self.learned = false;
        self.properties = ModelProperties { creation_time: now, last_modified_time: now };
    }

    /// Starts again with a blank model; none is served.
    pub fn blank(&mut self, policy: &LearningPolicy) {
        self.learner = Learner::new(policy);
        self.served = None;
        self.learned = false;
        self.properties = UNTRAINED;
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
