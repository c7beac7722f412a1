use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;
use uuid::fmt::Simple;

/// The numbers of events, by their ids.
///
/// An event is known for as long as the log is kept, so ids fill the memory of a loop that
/// runs for long. Most are UUIDs in the simple form, and kept in 16 bytes.
#[derive(Debug, Default)]
pub(super) struct EventNumbers {
    uuids: HashMap<[u8; 16], usize>,
    others: HashMap<Arc<str>, usize>,
}

impl EventNumbers {
    /// Gives an event a number, unless it has one; whether it had none.
    pub fn insert(&mut self, event_id: &Arc<str>, number: usize) -> bool {
        match simple_uuid(event_id) {
            Some(uuid) => give(self.uuids.entry(uuid), number),
            None => give(self.others.entry(event_id.clone()), number),
        }
    }

    /// The number of an event.
    pub fn get(&self, event_id: &str) -> Option<usize> {
        match simple_uuid(event_id) {
            Some(uuid) => self.uuids.get(&uuid).copied(),
            None => self.others.get(event_id).copied(),
        }
    }

    /// Forgets an event.
    pub fn remove(&mut self, event_id: &str) {
        match simple_uuid(event_id) {
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

/// The bytes of an id of 32 lower-case hexadecimal digits, which they give again.
fn simple_uuid(event_id: &str) -> Option<[u8; 16]> {
    let digits: &[u8; Simple::LENGTH] = event_id.as_bytes().try_into().ok()?;
    let (mut bytes, mut all) = ([0; 16], 0);
    // No branch for each digit: digits are random, and half of the guesses would be wrong.
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        *byte = high << 4 | low & 0xf;
        all |= high | low;
    }
    (all & NO_DIGIT == 0).then_some(bytes)
}

const NO_DIGIT: u8 = 0x80;

/// What a character is worth as a digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_in_anything_are_different_events() {
        let uuid = "0123456789abcdef0123456789abcdef";
        let ids = [uuid, &uuid.to_uppercase(), "g123456789abcdef0123456789abcdef", &uuid[1..], ""];
        let mut numbers = EventNumbers::default();
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(numbers.get(id), None);
            assert!(numbers.insert(&(*id).into(), number));
            assert!(!numbers.insert(&(*id).into(), 100), "it keeps its number");
        }
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(numbers.get(id), Some(number));
            numbers.remove(id);
            assert_eq!(numbers.get(id), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_simple_uuid_is_known_by_its_bytes(bytes: [u8; 16]) {
            let text = uuid::Uuid::from_bytes(bytes).simple().to_string();
            proptest::prop_assert_eq!(simple_uuid(&text), Some(bytes));
        }
    }
}
