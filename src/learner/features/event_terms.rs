use foldhash::HashMap;

use super::terms::WholeIndices;
use super::{Event, Term, TermMaker};

/// The terms of the actions of one event, made when they are asked for.
///
/// Predicting and then learning the same event makes them once; those of events that recur
/// are kept.
#[derive(Debug, Clone)]
pub struct EventTerms {
    maker: TermMaker,
    /// The first is of an event that does not recur.
    kept: Vec<Kept>,
    places: HashMap<(usize, usize), usize>,
    current: usize,
    /// How many terms were made of events that recur.
    terms: usize,
    plain: Vec<Term>,
}

/// So many terms are kept.
const CAPACITY: usize = 1 << 18;

#[derive(Debug, Clone, Default)]
struct Kept {
    /// The event is held, so that no other can take its place in memory.
    event: Option<Event>,
    actions: Vec<ActionTerms>,
    /// Whether the terms of all actions are made.
    complete: bool,
}

#[derive(Debug, Clone, Default)]
struct ActionTerms {
    terms: Vec<Term>,
    made: bool,
}

impl AsRef<[Term]> for ActionTerms {
    fn as_ref(&self) -> &[Term] {
        &self.terms
    }
}

impl Kept {
    /// Becomes that of another event; its buffers are used again.
    fn turn_to(&mut self, event: &Event) {
        self.actions.iter_mut().for_each(|action| action.made = false);
        self.actions.resize_with(event.actions.len().max(self.actions.len()), ActionTerms::default);
        self.event = Some(event.clone());
        self.complete = false;
    }

    fn event(&self) -> &Event {
        self.event.as_ref().expect("an event was turned to")
    }
}

impl EventTerms {
    pub fn new(maker: TermMaker) -> Self {
        Self {
            maker,
            kept: vec![Kept::default()],
            places: HashMap::default(),
            current: 0,
            terms: 0,
            plain: Vec::new(),
        }
    }

    /// Turns to an event.
    pub fn turn_to(&mut self, event: &Event) {
        let current = &self.kept[self.current];
        if current.event.as_ref().is_some_and(|current| current.is(event)) {
            return;
        }
        self.current = if event.recurs { self.place_of(event) } else { 0 };
        if self.current == 0 {
            self.kept[0].turn_to(event);
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
        self.kept.push(Kept::default());
        self.kept[place].turn_to(event);
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
    pub fn interact_with_places(&mut self) {
        self.maker.interact_with_places();
        self.forget();
    }

    /// Whether a slot is read as empty.
    pub fn ignores(&self, letter: u8) -> bool {
        self.maker.ignored[usize::from(letter)]
    }

    /// The terms of one action without the interactions that wildcards stand for.
    pub fn unexpanded(&mut self, action: usize) -> &[Term] {
        let event = self.kept[self.current].event();
        self.maker.make_unexpanded(event, action, &mut self.plain);
        &self.plain
    }

    /// The whole indices of the same terms, in units of weights, and their values.
    pub fn whole_indices(&mut self, action: usize, whole: WholeIndices) -> Vec<(u64, f32)> {
        let event = self.kept[self.current].event();
        self.maker.whole_indices(event, action, whole)
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        self.kept[self.current].event.as_ref().map_or(0, |event| event.actions.len())
    }

    /// The terms of all actions.
    pub fn all(&mut self) -> &[impl AsRef<[Term]> + use<>] {
        let actions = self.len();
        if !self.kept[self.current].complete {
            for action in 0..actions {
                self.of(action);
            }
            self.kept[self.current].complete = true;
        }
        &self.kept[self.current].actions[..actions]
    }

    /// The terms of one action.
    pub fn of(&mut self, action: usize) -> &[Term] {
        let kept = &mut self.kept[self.current];
        let slot = &mut kept.actions[action];
        if !slot.made {
            let event = kept.event.as_ref().expect("an event was turned to");
            self.maker.make(event, action, &mut slot.terms);
            slot.made = true;
            self.terms += slot.terms.len();
        }
        &slot.terms
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::learner::features::{Interactions, Label, Places};
    use crate::learner::{ExampleBuilder, Hashing, Learner, LearningPolicy, Prediction};

    fn example(namespace: &str, value: &str) -> Arc<crate::learner::Example> {
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
        };
        (0..count).map(event).collect()
    }

    /// What a learner predicts of events that come again and again.
    fn predictions(recurs: bool) -> Vec<Prediction> {
        let policy = LearningPolicy::parse("--cb_explore_adf --cb_type dr -q ::").unwrap();
        let (events, mut learner) = (events(5, recurs), Learner::new(&policy));
        let predict = |turn: usize| {
            let event = &events[turn * 3 % 5];
            let mut prediction = Prediction::default();
            learner.predict(event, &mut prediction);
            let label = Label { action: turn % 3, cost: -1.0, probability: 0.5, weight: 1.0 };
            learner.learn(&events[turn % 5], &label);
            prediction
        };
        (0..40).map(predict).collect()
    }

    #[test]
    fn what_is_kept_is_what_would_be_made() {
        assert_eq!(predictions(true), predictions(false));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let (interactions, places) = (Interactions::new(Vec::new()), Places::new(18, 1));
        let none = || Box::new([false; 256]);
        let mut terms = EventTerms::new(TermMaker::new(interactions, none(), none(), true, places));
        // Three terms each: two features and the constant.
        for event in events(CAPACITY / 3 + 2, true) {
            terms.turn_to(&event);
            assert_eq!(terms.of(1).len(), 3);
        }
        assert_eq!(terms.kept.len(), 2);
    }
}
