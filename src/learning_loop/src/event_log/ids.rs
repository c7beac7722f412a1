use hashbrown::HashTable;
use std::hash::BuildHasher;

use protocol::EventId;

/// Where events are by their ids: five bytes an event, since the ids themselves are with the
/// events.
#[derive(Debug, Default)]
pub(super) struct IdTable {
    /// Sequence numbers.
    numbers: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl IdTable {
    /// Whether there is an event with this id; `id_of` knows the ids of all numbers.
    pub fn contains<'a>(&self, id: &EventId, id_of: impl Fn(u32) -> &'a EventId) -> bool {
        let is_it = |number: &u32| id_of(*number) == id;
        self.numbers.find(self.hasher.hash_one(id), is_it).is_some()
    }

    /// Adds the number of an event whose id is new.
    pub fn insert<'a>(&mut self, number: u32, id_of: impl Fn(u32) -> &'a EventId) {
        let hash = |number: &u32| self.hasher.hash_one(id_of(*number));
        self.numbers.insert_unique(hash(&number), number, hash);
    }

    /// Removes the number of an event.
    pub fn remove(&mut self, number: u32, id: &EventId) {
        let found = self.numbers.find_entry(self.hasher.hash_one(id), |other| *other == number);
        if let Ok(found) = found {
            found.remove();
        }
    }
}
