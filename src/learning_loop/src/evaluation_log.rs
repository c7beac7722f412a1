use std::sync::{Arc, Mutex};

use super::features::FeatureCache;
use super::joined::Joined;
use evaluation::{Log, PolicyTrace};
use learner::{Event, Hashing, Label, Prediction};
use policy::{Model, Policy};
use protocol::Digits;
use timestamp::Timestamp;

/// The events that an evaluation replays.
#[derive(Debug)]
pub(crate) struct EvaluationLog {
    events: Vec<Arc<Joined>>,
    /// The hashed events, for each hashing that was requested.
    hashed: Mutex<Vec<(Hashing, Arc<[Event]>)>>,
}

impl EvaluationLog {
    pub fn new(events: Vec<Arc<Joined>>) -> Self {
        Self { events, hashed: Mutex::default() }
    }

    /// When an event was ranked.
    pub fn time(&self, index: usize) -> Timestamp {
        self.events[index].interaction.time
    }

    /// The served policy.
    pub fn online(&self) -> PolicyTrace {
        self.trace(|joined| joined.label().probability)
    }

    /// The policy that always takes the baseline: the first action, or that of the slot.
    pub fn first_action(&self) -> PolicyTrace {
        self.trace(|joined| if joined.interaction.imitates_baseline() { 1.0 } else { 0.0 })
    }

    /// The policy that takes every action with the same probability.
    pub fn any_action(&self) -> PolicyTrace {
        #[expect(clippy::cast_precision_loss, reason = "there are at most fifty")]
        self.trace(|joined| 1.0 / joined.interaction.choice.ranking.len() as f32)
    }

    /// What policies would have done, had they learned from the log.
    pub fn traces<'a>(
        &self,
        policies: impl Iterator<Item = &'a Policy> + Clone,
        threads: usize,
    ) -> Vec<PolicyTrace> {
        let hashed = policies.clone().filter_map(|policy| policy.vowpal_wabbit().cloned());
        let hashed: Vec<_> = hashed.collect();
        let mut hashed = evaluation::validate(self, &hashed, threads).into_iter();
        let trace = |policy: &Policy| {
            let hashed = policy.vowpal_wabbit().and_then(|_| hashed.next());
            hashed.unwrap_or_else(|| self.replayed(policy))
        };
        policies.map(trace).collect()
    }

    /// What a policy would have done that sees events as they came; the trace ends where its
    /// model fails.
    fn replayed(&self, policy: &Policy) -> PolicyTrace {
        let mut model = Model::blank(policy, 0);
        let mut prediction = Prediction::default();
        let mut probabilities = Vec::with_capacity(self.events.len());
        for joined in &self.events {
            let digits = &mut Digits::default();
            let (event, outcome) = (joined.interaction.seen(digits), joined.outcome());
            if model.predict(event, &mut prediction).is_err() {
                break;
            }
            probabilities.push(prediction.pmf[outcome.action]);
            model.learn(event, outcome);
        }
        PolicyTrace { probabilities }
    }

    fn trace(&self, probability: impl Fn(&Joined) -> f32) -> PolicyTrace {
        PolicyTrace {
            probabilities: self.events.iter().map(|joined| probability(joined)).collect(),
        }
    }

    fn hash(&self, hashing: Hashing) -> Arc<[Event]> {
        let mut cache = FeatureCache::default();
        let mut hash = |joined: &Arc<Joined>| {
            let interaction = &joined.interaction;
            cache.event_of(hashing, interaction, &joined.slot_labels()).into_owned()
        };
        self.events.iter().map(&mut hash).collect()
    }
}

impl Log for EvaluationLog {
    fn len(&self) -> usize {
        self.events.len()
    }

    fn event(&self, index: usize, hashing: Hashing) -> Event {
        let mut hashed = self.hashed.lock().expect("hashing does not fail");
        if let Some((_, events)) = hashed.iter().find(|(known, _)| *known == hashing) {
            return events[index].clone();
        }
        let events = self.hash(hashing);
        let event = events[index].clone();
        hashed.push((hashing, events));
        event
    }

    fn label(&self, index: usize) -> Label {
        self.events[index].label()
    }
}
