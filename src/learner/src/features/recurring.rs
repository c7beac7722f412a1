use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::{Event, Example};

/// Events whose examples were seen before in a log: what a learner makes of them is worth
/// keeping.
#[derive(Debug)]
pub struct RecurringEvents {
    /// By their hash; another with the same place takes it.
    known: Vec<Option<Event>>,
}

/// So many events are known; a power of two.
const CAPACITY: usize = 1 << 10;

impl Default for RecurringEvents {
    fn default() -> Self {
        Self { known: vec![None; CAPACITY] }
    }
}

impl RecurringEvents {
    /// Gives an event with a context that is known, and the same list of actions, the known
    /// examples.
    pub fn recognize(&mut self, event: &mut Event) {
        if event.slots.is_some() {
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the low bits find a place")]
        let place = event.shared.hash() as usize & (CAPACITY - 1);
        let known = self.known[place].as_ref().filter(|known| {
            Arc::ptr_eq(&known.actions, &event.actions) && *known.shared == *event.shared
        });
        match known {
            Some(known) => {
                event.shared = known.shared.clone();
                event.recurs = true;
            }
            None => self.known[place] = Some(event.clone()),
        }
    }
}

impl Example {
    fn hash(&self) -> u64 {
        let mut hasher = FixedState::default().build_hasher();
        for namespace in &self.namespaces {
            hasher.write_u8(namespace.letter);
            for feature in &namespace.features {
                hasher.write_u64(feature.index);
                hasher.write_u32(feature.value.to_bits());
            }
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DsjsonReader, Hashing};

    fn event(reader: &mut DsjsonReader, hour: u64, actions: &str) -> Event {
        let line = format!(
            r#"{{"a":[1],"c":{{"F":{{"hour":{hour},"day":"Monday"}},"_multi":[{actions}]}}}}"#
        );
        reader.read(line.as_bytes()).unwrap().event
    }

    #[test]
    fn an_event_recurs_with_the_same_context_and_the_same_list_of_actions() {
        let mut reader = DsjsonReader::new(Hashing::default());
        let mut recurring = RecurringEvents::default();
        let mut recurs = |hour: u64, actions: &str| {
            let mut event = event(&mut reader, hour, actions);
            recurring.recognize(&mut event);
            event.recurs
        };
        let (one, two) = (r#"{"i":{"a":1}}"#, r#"{"i":{"a":1}},{"i":{"b":1}}"#);
        assert_eq!(
            [(7, one), (8, one), (7, one)].map(|(hour, of)| recurs(hour, of)),
            [false, false, true]
        );
        assert_eq!(
            [(7, two), (7, two), (9, two)].map(|(hour, of)| recurs(hour, of)),
            [false, true, false]
        );
    }

    #[test]
    fn contexts_of_one_place_are_told_apart() {
        let mut reader = DsjsonReader::new(Hashing::default());
        let mut recurring = RecurringEvents::default();
        for hour in 1..4 * CAPACITY as u64 {
            let mut event = event(&mut reader, hour, r#"{"i":{"a":1}}"#);
            let shared = event.shared.clone();
            recurring.recognize(&mut event);
            assert!(!event.recurs && *event.shared == *shared, "{hour}");
        }
    }
}
