use std::collections::hash_map::Entry;

use foldhash::HashMap;
use uuid::Uuid;

use protocol::EventId;

/// The numbers of events, by their ids.
///
/// An event is known for as long as the log is kept, so ids fill the memory of a loop that
/// runs for long: the UUIDs, which most are, have a table of their own.
#[derive(Debug, Default)]
pub(super) struct EventNumbers {
    uuids: HashMap<Uuid, usize>,
    others: HashMap<EventId, usize>,
}

impl EventNumbers {
    /// Gives an event a number, unless it has one; whether it had none.
    pub fn insert(&mut self, event_id: &EventId, number: usize) -> bool {
        match event_id.uuid() {
            Some(uuid) => give(self.uuids.entry(uuid), number),
            None => give(self.others.entry(event_id.clone()), number),
        }
    }

    /// The number of an event.
    pub fn get(&self, event_id: &EventId) -> Option<usize> {
        match event_id.uuid() {
            Some(uuid) => self.uuids.get(&uuid).copied(),
            None => self.others.get(event_id).copied(),
        }
    }

    /// Forgets an event.
    pub fn remove(&mut self, event_id: &EventId) {
        match event_id.uuid() {
            Some(uuid) => self.uuids.remove(&uuid),
            None => self.others.remove(event_id),
        };
    }

    /// Forgets every event.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn give<K>(entry: Entry<'_, K, usize>, number: usize) -> bool {
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
            assert!(!numbers.insert(id, 100), "it keeps its number");
        }
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(numbers.get(id), Some(number));
            numbers.remove(id);
            assert_eq!(numbers.get(id), None);
        }
    }
}
