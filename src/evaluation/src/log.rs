use learner::Label;

use crate::view::{View, Viewed};

/// Choices that were made, and what came of them, in the order in which they are
/// learned.
///
/// An implementor returns the same event for the same index, shares the examples of
/// equal contexts and actions where it can, and is asked from several threads at once.
pub trait Log: Sync {
    /// The number of choices.
    fn len(&self) -> usize;

    /// One choice, in the form of a view.
    fn event(&self, index: usize, view: &View) -> Viewed;

    /// What came of it: the action taken, its cost, and the probability with which it
    /// was taken.
    fn label(&self, index: usize) -> Label;

    /// The reward of the label, with all its digits.
    fn reward(&self, index: usize) -> f64 {
        -f64::from(self.label(index).cost)
    }

    /// How much it counts.
    fn weight(&self, _index: usize) -> f32 {
        1.0
    }

    /// Whether there are no choices.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
