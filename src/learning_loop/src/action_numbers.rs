use foldhash::HashMap;

use protocol::RankableAction;

/// Single actions, which different lists share, numbered by the addresses of their ids and
/// features. What is known of them stands in lists by their numbers: of a catalogue as little as
/// possible is read for an event, since its actions lie all over the memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActionNumbers {
    numbers: HashMap<(usize, usize), u32>,
    /// They own what the addresses are of, so that no other allocation can get these.
    actions: Vec<RankableAction>,
}

impl ActionNumbers {
    /// How many actions have a number.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// The number of an action, if it has one.
    pub fn of(&self, action: &RankableAction) -> Option<usize> {
        self.numbers.get(&addresses(action)).map(|number| *number as usize)
    }

    /// Gives the next number to an action that has none.
    pub fn add(&mut self, action: &RankableAction) {
        let number = u32::try_from(self.actions.len()).expect("fewer than 2^32 actions");
        self.numbers.insert(addresses(action), number);
        self.actions.push(action.clone());
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.numbers.clear();
        self.actions.clear();
    }
}

fn addresses(action: &RankableAction) -> (usize, usize) {
    (action.id.as_ptr().addr(), action.features.as_ptr().addr())
}
