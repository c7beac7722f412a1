use std::sync::Arc;

/// How features become indices. Events hashed in one way serve every policy that
/// hashes in that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hashing {}

/// The features of the context or of one action.
#[derive(Debug, Clone)]
pub struct Example {}

/// Makes an [`Example`] of features that come in the order of a JSON text.
#[derive(Debug)]
pub struct ExampleBuilder {}

/// A choice: the context and the actions.
#[derive(Debug, Clone)]
pub struct Event {
    /// The context.
    pub shared: Arc<Example>,
    /// The actions, in their order.
    pub actions: Arc<[Arc<Example>]>,
}

/// What came of a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The index of the action that was taken.
    pub action: usize,
    /// What it cost: minus the reward.
    pub cost: f32,
    /// The probability with which it was taken, in (0, 1].
    pub probability: f32,
}

impl ExampleBuilder {
    /// An empty example, in the default namespace.
    #[must_use]
    pub fn new(_hashing: Hashing) -> Self {
        todo!()
    }

    /// Opens the namespace `name` within the current one.
    pub fn open(&mut self, _name: &str) {
        todo!()
    }

    /// Closes the namespace opened last.
    pub fn close(&mut self) {
        todo!()
    }

    /// A string feature of the current namespace.
    pub fn text(&mut self, _key: &str, _value: &str) {
        todo!()
    }

    /// A numeric feature of the current namespace.
    pub fn number(&mut self, _key: &str, _value: f64) {
        todo!()
    }

    /// A boolean feature of the current namespace.
    pub fn flag(&mut self, _key: &str, _value: bool) {
        todo!()
    }

    /// A number in an array: the feature at `position` of the current namespace.
    pub fn element(&mut self, _position: u64, _value: f64) {
        todo!()
    }

    /// The example.
    #[must_use]
    pub fn finish(self) -> Example {
        todo!()
    }
}
