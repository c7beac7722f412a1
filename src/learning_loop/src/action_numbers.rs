use std::sync::Arc;

use foldhash::HashMap;

use protocol::RankableAction;

/// The number of actions that are known: a catalogue is kept whole.
const CAPACITY: usize = 1 << 18;

/// Single actions, which different lists share, numbered by the addresses of their ids and
/// features. What is known of them stands in lists by their numbers: of a catalogue as little as
/// possible is read for an event, since its actions lie all over the memory.
#[derive(Debug, Clone)]
pub(crate) struct ActionNumbers {
    numbers: HashMap<(usize, usize), u32>,
    /// They own what the addresses are of, so that no other allocation can get these.
    actions: Vec<RankableAction>,
    /// The last list that was asked for, and its numbers.
    last: (Arc<[RankableAction]>, Vec<u32>),
    /// How often everything was forgotten.
    epoch: u64,
    capacity: usize,
}

/// The numbers of the actions of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberedList<'a> {
    pub numbers: &'a [u32],
    /// How many actions have a number.
    pub known: usize,
    /// What was noted by number in an earlier epoch is of other actions.
    pub epoch: u64,
}

impl Default for ActionNumbers {
    fn default() -> Self {
        Self {
            numbers: HashMap::default(),
            actions: Vec::new(),
            last: Default::default(),
            epoch: 0,
            capacity: CAPACITY,
        }
    }
}

impl ActionNumbers {
    /// For requests over the wire: lists share no actions.
    pub fn of_wire() -> Self {
        Self { capacity: 0, ..Self::default() }
    }

    /// The number of an action, and whether it is new.
    pub fn number(&mut self, action: &RankableAction) -> (usize, bool) {
        let next = self.actions.len();
        let number = self
            .numbers
            .entry(addresses(action))
            .or_insert_with(|| u32::try_from(next).expect("fewer than 2^32 actions"));
        let number = *number as usize;
        if number == next {
            self.actions.push(action.clone());
        }
        (number, number == next)
    }

    /// The numbers of a list. A list that is asked for again costs nothing.
    pub fn of_list(&mut self, list: &Arc<[RankableAction]>) -> NumberedList<'_> {
        if !Arc::ptr_eq(&self.last.0, list) {
            if self.actions.len() > self.capacity {
                self.numbers.clear();
                self.actions.clear();
                self.epoch += 1;
            }
            let mut numbers = std::mem::take(&mut self.last.1);
            numbers.clear();
            let narrow = |number| u32::try_from(number).expect("it was as narrow");
            numbers.extend(list.iter().map(|action| narrow(self.number(action).0)));
            self.last = (list.clone(), numbers);
        }
        NumberedList { numbers: &self.last.1, known: self.actions.len(), epoch: self.epoch }
    }
}

fn addresses(action: &RankableAction) -> (usize, usize) {
    (action.id.as_ptr().addr(), action.features.as_ptr().addr())
}
