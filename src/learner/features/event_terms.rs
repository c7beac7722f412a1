use super::terms::WholeIndices;
use super::{Event, Term, TermMaker};

/// The terms of the actions of one event, made when they are asked for.
///
/// Predicting and then learning the same event makes them once.
#[derive(Debug, Clone)]
pub struct EventTerms {
    maker: TermMaker,
    /// The event is held, so that no other can take its place in memory.
    event: Option<Event>,
    actions: Vec<ActionTerms>,
    plain: Vec<Term>,
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

impl EventTerms {
    pub fn new(maker: TermMaker) -> Self {
        Self { maker, event: None, actions: Vec::new(), plain: Vec::new() }
    }

    /// Turns to an event.
    pub fn turn_to(&mut self, event: &Event) {
        if self.event.as_ref().is_some_and(|current| current.is(event)) {
            return;
        }
        self.actions.iter_mut().for_each(|action| action.made = false);
        self.actions.resize_with(event.actions.len().max(self.actions.len()), ActionTerms::default);
        self.event = Some(event.clone());
    }

    /// The terms of one action without the interactions that wildcards stand for.
    pub fn unexpanded(&mut self, action: usize) -> &[Term] {
        let event = self.event.as_ref().expect("an event was turned to");
        self.maker.make_unexpanded(event, action, &mut self.plain);
        &self.plain
    }

    /// The whole indices of the same terms, in units of weights, and their values.
    pub fn whole_indices(&mut self, action: usize, whole: WholeIndices) -> Vec<(u64, f32)> {
        let event = self.event.as_ref().expect("an event was turned to");
        self.maker.whole_indices(event, action, whole)
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        self.event.as_ref().map_or(0, |event| event.actions.len())
    }

    /// The terms of all actions.
    pub fn all(&mut self) -> &[impl AsRef<[Term]> + use<>] {
        let actions = self.len();
        for action in 0..actions {
            self.of(action);
        }
        &self.actions[..actions]
    }

    /// The terms of one action.
    pub fn of(&mut self, action: usize) -> &[Term] {
        let slot = &mut self.actions[action];
        if !slot.made {
            let event = self.event.as_ref().expect("an event was turned to");
            self.maker.make(event, action, &mut slot.terms);
            slot.made = true;
        }
        &slot.terms
    }
}
