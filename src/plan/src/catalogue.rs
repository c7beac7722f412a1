//! Which actions each event offers: how many, which are available when, and what their features
//! are then. Times are iterations of the run, all phases together.

use serde::Serialize;

use protocol::RankableAction;

/// Which of the actions of a plan each event offers.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Catalogue {
    /// The least and the most actions that an event offers, drawn from those that are available;
    /// all that are, if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<(usize, usize)>,
    /// From which iteration on each action is available, and from which on no longer, by its
    /// index. Empty, if all are at any time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<(u64, u64)>,
    /// The states of each action by its index, in the order in which they begin; the first begins
    /// with the run. Empty, if each has one, that of the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<Vec<ActionState>>,
}

/// What an action is from some iteration on.
#[derive(Debug, Clone, Serialize)]
pub struct ActionState {
    /// The first iteration.
    pub from: u64,
    /// The action with its features.
    pub action: RankableAction,
    /// Its traits by their numbers, in a world of visitors who like traits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<usize>,
}

impl Catalogue {
    /// Whether each action has one state, whose features are those of the plan.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.states.iter().all(|states| states.len() == 1)
    }

    /// The state of an action at an iteration of the run; none, if it is always that of the plan.
    #[inline]
    #[must_use]
    pub fn state(&self, action: usize, at: u64) -> Option<&ActionState> {
        let states = self.states.get(action)?;
        let begun = states.partition_point(|state| state.from <= at);
        states.get(begun.saturating_sub(1))
    }
}
