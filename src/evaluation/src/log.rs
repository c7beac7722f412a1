use learner::{Event, Hashing, Label};

/// Choices that were made, and what came of them, in the order in which they are
/// learned.
///
/// An implementor returns the same event for the same index, shares the examples of
/// equal contexts and actions where it can, and is asked from several threads at once.
pub trait Log: Sync {
    /// The number of choices.
    fn len(&self) -> usize;

    /// One choice, hashed in one way.
    fn event(&self, index: usize, hashing: Hashing) -> Event;

    /// What came of it: the action taken, its cost, and the probability with which it
    /// was taken.
    fn label(&self, index: usize) -> Label;

    /// How much it counts.
    fn weight(&self, _index: usize) -> f32 {
        1.0
    }

    /// Whether there are no choices.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
