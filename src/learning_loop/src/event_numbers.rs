use std::collections::hash_map::Entry;

use foldhash::HashMap;
use uuid::Uuid;

use protocol::EventId;

/// The numbers of events by id.
///
/// Most ids are UUIDs, which have a table with keys of 16 bytes.
#[derive(Debug, Default)]
pub(crate) struct EventNumbers {
    uuids: HashMap<Uuid, usize>,
    others: HashMap<EventId, usize>,
}

impl EventNumbers {
    /// Numbers an event. Returns false if it already has a number.
    pub fn insert(&mut self, event_id: &EventId, number: usize) -> bool {
        match event_id.uuid() {
            Some(uuid) => insert(self.uuids.entry(uuid), number),
            None => insert(self.others.entry(event_id.clone()), number),
        }
    }

    /// The number of an event.
    pub fn get(&self, event_id: &EventId) -> Option<usize> {
        match event_id.uuid() {
            Some(uuid) => self.uuids.get(&uuid).copied(),
            None => self.others.get(event_id).copied(),
        }
    }

    /// Removes an event.
    pub fn remove(&mut self, event_id: &EventId) {
        match event_id.uuid() {
            Some(uuid) => self.uuids.remove(&uuid),
            None => self.others.remove(event_id),
        };
    }

    /// Removes every event.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn insert<K>(entry: Entry<'_, K, usize>, number: usize) -> bool {
    match entry {
        Entry::Occupied(_) => false,
        Entry::Vacant(vacant) => {
            vacant.insert(number);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_number_until_it_is_forgotten() {
        let ids = ["0123456789abcdef0123456789abcdef", "a", ""].map(EventId::from);
        let mut numbers = EventNumbers::default();
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(numbers.get(id), None);
            assert!(numbers.insert(id, number));
            assert!(!numbers.insert(id, 100), "it retention its number");
        }
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(numbers.get(id), Some(number));
            numbers.remove(id);
            assert_eq!(numbers.get(id), None);
        }
    }
}
