use foldhash::HashMap;

use super::terms::WholeIndices;
use super::{Event, Term, TermMaker, Terms};

/// The terms of the actions of one event, made when they are asked for.
///
/// Predicting and then learning the same event makes them once; those of events that recur
/// are kept.
#[derive(Debug, Clone)]
pub struct EventTerms {
    maker: TermMaker,
    /// The first is of an event that does not recur.
    kept: Vec<CachedEvent>,
    places: HashMap<(usize, usize), usize>,
    current: usize,
    /// How much the current event counts, which another with the same examples may do differently.
    weight: f32,
    /// How many terms were made of events that recur.
    terms: usize,
    plain: Terms,
}

/// So many terms are kept.
const CAPACITY: usize = 1 << 18;

#[derive(Debug, Clone, Default)]
struct CachedEvent {
    /// The event is held, so that no other can take its place in memory.
    event: Option<Event>,
    actions: Vec<ActionTerms>,
    scores: Vec<Scores>,
}

/// The scores of an event by one model; none of another event.
#[derive(Debug, Clone)]
struct Scores {
    model: u32,
    version: u64,
    values: Vec<f32>,
}

#[derive(Debug, Clone, Default)]
struct ActionTerms {
    terms: Terms,
    made: bool,
}

impl AsRef<[Term]> for ActionTerms {
    fn as_ref(&self) -> &[Term] {
        self.terms.as_ref()
    }
}

impl CachedEvent {
    /// Becomes that of another event; its buffers are used again.
    fn reset_to(&mut self, event: &Event) {
        self.actions.iter_mut().for_each(|action| action.made = false);
        self.actions.resize_with(event.actions.len().max(self.actions.len()), ActionTerms::default);
        self.event = Some(event.clone());
        self.scores.iter_mut().for_each(|scores| scores.values.clear());
    }

    fn event(&self) -> &Event {
        self.event.as_ref().expect("an event was turned to")
    }
}

impl EventTerms {
    pub fn new(maker: TermMaker) -> Self {
        Self {
            maker,
            kept: vec![CachedEvent::default()],
            places: HashMap::default(),
            current: 0,
            weight: 1.0,
            terms: 0,
            plain: Terms::default(),
        }
    }

    /// Turns to an event.
    pub fn reset_to(&mut self, event: &Event) {
        self.weight = event.weight;
        let current = &self.kept[self.current];
        if current.event.as_ref().is_some_and(|current| current.is(event)) {
            return;
        }
        self.maker.see(event);
        let is_kept = event.recurs && !self.maker.depends_on_past();
        self.current = if is_kept { self.place_of(event) } else { 0 };
        if self.current == 0 {
            self.kept[0].reset_to(event);
        }
    }

    /// The place of an event that recurs.
    fn place_of(&mut self, event: &Event) -> usize {
        if let Some(place) = self.places.get(&event.address()) {
            return *place;
        }
        if self.terms > CAPACITY {
            self.forget();
        }
        let place = self.kept.len();
        self.kept.push(CachedEvent::default());
        self.kept[place].reset_to(event);
        self.places.insert(event.address(), place);
        place
    }

    fn forget(&mut self) {
        self.kept.truncate(1);
        self.kept[0].event = None;
        self.places.clear();
        (self.current, self.terms) = (0, 0);
    }

    /// From now on the number of the place to fill interacts with all else.
    pub fn interact_with_slot_index(&mut self) {
        self.maker.interact_with_slot_index();
        self.forget();
    }

    /// Whether a namespace is read as empty.
    pub fn ignores(&self, letter: u8) -> bool {
        self.maker.ignored[usize::from(letter)]
    }

    /// The terms of one action without the interactions that wildcards stand for.
    pub fn unexpanded(&mut self, action: usize) -> &Terms {
        let event = self.kept[self.current].event();
        self.maker.make_unexpanded(event, action, &mut self.plain);
        &self.plain
    }

    /// The terms of one action without the features of the context.
    pub fn own(&mut self, action: usize) -> &Terms {
        let event = self.kept[self.current].event();
        self.maker.make_own(event, action, &mut self.plain);
        &self.plain
    }

    /// The whole indices of the terms of [`Self::unexpanded`], in units of weights, and their values.
    pub fn whole_indices(&mut self, action: usize, whole: WholeIndices) -> Vec<(u64, f32)> {
        let event = self.kept[self.current].event();
        self.maker.whole_indices(event, action, whole)
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        self.kept[self.current].event.as_ref().map_or(0, |event| event.actions.len())
    }

    /// How much the event counts.
    pub fn weight(&self) -> f32 {
        self.weight
    }

    /// The terms of all actions.
    pub fn all(&mut self) -> &[impl AsRef<[Term]> + use<>] {
        let actions = self.len();
        for action in 0..actions {
            self.of(action);
        }
        &self.kept[self.current].actions[..actions]
    }

    /// The scores of the actions by a model in a version, if they are kept.
    pub fn scores(&self, model: u32, version: u64) -> Option<&[f32]> {
        let mut kept = self.kept[self.current].scores.iter();
        let kept = kept.find(|scores| scores.model == model && scores.version == version)?;
        Some(kept.values.as_slice()).filter(|values| !values.is_empty())
    }

    /// The score of one action, if it is kept.
    pub fn score(&self, action: usize, model: u32, version: u64) -> Option<f32> {
        self.scores(model, version)?.get(action).copied()
    }

    /// Keeps the scores of the actions until there is another version, or another event that
    /// does not recur.
    pub fn keep_scores(&mut self, model: u32, version: u64, values: impl Iterator<Item = f32>) {
        let kept = &mut self.kept[self.current].scores;
        let place = kept.iter().position(|scores| scores.model == model).unwrap_or_else(|| {
            kept.push(Scores { model, version, values: Vec::new() });
            kept.len() - 1
        });
        let scores = &mut kept[place];
        scores.version = version;
        scores.values.clear();
        scores.values.extend(values);
    }

    /// The terms of one action.
    pub fn of(&mut self, action: usize) -> &Terms {
        let kept = &mut self.kept[self.current];
        let terms = &mut kept.actions[action];
        if !terms.made {
            let event = kept.event.as_ref().expect("an event was turned to");
            self.maker.make(event, action, &mut terms.terms);
            terms.made = true;
            self.terms += terms.terms.terms.len();
        }
        &terms.terms
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::features::{Interactions, Label, WeightIndexing};
    use crate::{ExampleBuilder, Hashing, Learner, LearningPolicy, Prediction};

    fn example(namespace: &str, value: &str) -> Arc<crate::Example> {
        let mut example = ExampleBuilder::new(Hashing::default());
        example.open(namespace);
        example.text("key", value);
        example.close();
        Arc::new(example.finish())
    }

    fn events(count: usize, recurs: bool) -> Vec<Event> {
        let actions: Arc<[_]> = ["a", "b", "c"].map(|id| example("i", id)).into();
        let context = |number: usize| example("F", &number.to_string());
        let event = |number| Event {
            shared: context(number),
            actions: actions.clone(),
            recurs,
            slots: None,
            listed: true,
            weight: 1.0,
        };
        (0..count).map(event).collect()
    }

    /// What a learner, and one that catches up with it now and then, predict of events that
    /// come again and again, where something is learned in every so many turns.
    fn predictions(policy: &str, recurs: bool, learns_in: usize) -> Vec<[Prediction; 2]> {
        let policy = LearningPolicy::parse(policy).unwrap();
        let (events, mut learner) = (events(5, recurs), Learner::new(&policy));
        let mut behind = learner.fork();
        let predict = |turn: usize| {
            let event = &events[turn * 3 % 5];
            let mut predicted = [Prediction::default(), Prediction::default()];
            learner.predict(event, &mut predicted[0]);
            behind.predict(event, &mut predicted[1]);
            if turn.is_multiple_of(learns_in) {
                let label = Label { action: turn % 3, cost: -1.0, probability: 0.5 };
                learner.learn(&events[turn % 5], &label);
            }
            if turn.is_multiple_of(20) {
                behind.catch_up(&mut learner);
            }
            predicted
        };
        (0..100).map(predict).collect()
    }

    #[test]
    fn what_is_kept_is_what_would_be_made() {
        for policy in ["--cb_explore_adf --cb_type dr -q ::", "--cb_explore_adf --bag 3 --coin"] {
            for learns_in in [1, 7, 30] {
                let kept = predictions(policy, true, learns_in);
                assert_eq!(kept, predictions(policy, false, learns_in), "{policy}");
                assert_ne!(kept[0], kept[99], "something was learned");
            }
        }
    }

    #[test]
    fn scores_are_kept_as_long_as_version_and_event_stay() {
        let interactions = Interactions::new(Vec::new());
        let none = || Box::new([false; 256]);
        let maker = TermMaker::new(
            interactions,
            none(),
            none(),
            true,
            WeightIndexing::new(18, 1),
            None,
            None,
        );
        let mut terms = EventTerms::new(maker);
        let mut ask = |event: &Event, version| {
            terms.reset_to(event);
            let kept = terms.score(0, 0, version);
            terms.keep_scores(0, version, [0.5].into_iter());
            assert_eq!(terms.scores(1, version), None, "of another model");
            assert_eq!(terms.score(1, 0, version), None, "of another action");
            kept
        };
        for recurs in [false, true] {
            let (events, first) = (events(2, recurs), if recurs { 10 } else { 0 });
            assert_eq!(
                [1, 1, 2].map(|turn| ask(&events[0], first + turn)),
                [None, Some(0.5), None]
            );
            assert_eq!([2, 2].map(|turn| ask(&events[1], first + turn)), [None, Some(0.5)]);
            assert_eq!(
                ask(&events[0], first + 2),
                recurs.then_some(0.5),
                "only what recurs is kept"
            );
        }
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let (interactions, places) = (Interactions::new(Vec::new()), WeightIndexing::new(18, 1));
        let none = || Box::new([false; 256]);
        let mut terms =
            EventTerms::new(TermMaker::new(interactions, none(), none(), true, places, None, None));
        // Three terms each: two features and the constant.
        for event in events(CAPACITY / 3 + 2, true) {
            terms.reset_to(&event);
            assert_eq!(terms.of(1).terms.len(), 3);
        }
        assert_eq!(terms.kept.len(), 2);
    }
}
