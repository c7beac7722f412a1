use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Simple;

/// The id of an event: a text.
///
/// Most are UUIDs in the simple form, 32 lower-case hexadecimal digits, and take 16
/// bytes: a long-running loop stores millions of them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventId(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Uuid(Uuid),
    /// Never a UUID in the simple form, so that equal ids have equal representations.
    Text(Arc<str>),
}

/// A buffer for the digits of a UUID.
pub type Digits = [u8; Simple::LENGTH];

impl EventId {
    /// The text; a UUID is written into `digits`.
    pub fn text<'a>(&'a self, digits: &'a mut Digits) -> &'a str {
        match &self.0 {
            Repr::Uuid(uuid) => uuid.simple().encode_lower(digits),
            Repr::Text(text) => text,
        }
    }

    /// The UUID, if it is one in the simple form.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        match &self.0 {
            Repr::Uuid(uuid) => Some(*uuid),
            Repr::Text(_) => None,
        }
    }
}

impl From<Uuid> for EventId {
    fn from(uuid: Uuid) -> Self {
        Self(Repr::Uuid(uuid))
    }
}

impl From<&str> for EventId {
    fn from(text: &str) -> Self {
        Self(simple_uuid(text).map_or_else(|| Repr::Text(text.into()), Repr::Uuid))
    }
}

impl From<String> for EventId {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text(&mut Digits::default()))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(&mut Digits::default()), f)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text(&mut Digits::default()))
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = EventId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<EventId, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The UUID whose simple form a text is.
fn simple_uuid(text: &str) -> Option<Uuid> {
    let digits: &Digits = text.as_bytes().try_into().ok()?;
    let (mut bytes, mut all) = ([0; 16], 0);
    // No branch for each digit: digits are random, and half of the guesses would be wrong.
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        *byte = high << 4 | low & 0xf;
        all |= high | low;
    }
    (all & NO_DIGIT == 0).then(|| Uuid::from_bytes(bytes))
}

const NO_DIGIT: u8 = 0x80;

/// The value of each character as a hexadecimal digit.
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
    fn ids_that_differ_in_anything_differ() {
        let uuid = "0123456789abcdef0123456789abcdef";
        let texts =
            [uuid, &uuid.to_uppercase(), "g123456789abcdef0123456789abcdef", &uuid[1..], "", "a"];
        let ids = texts.map(EventId::from);
        for (id, text) in ids.iter().zip(texts) {
            assert_eq!(id.to_string(), text);
            assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{text}");
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(&serde_json::from_str::<EventId>(&json).unwrap(), id);
        }
        assert!(ids[0].uuid().is_some() && ids[1..].iter().all(|id| id.uuid().is_none()));
    }

    proptest::proptest! {
        #[test]
        fn a_simple_uuid_is_kept_as_its_bytes(bytes: [u8; 16]) {
            let uuid = Uuid::from_bytes(bytes);
            let id = EventId::from(uuid.simple().to_string());
            proptest::prop_assert_eq!(&id, &EventId::from(uuid));
            proptest::prop_assert_eq!(id.uuid(), Some(uuid));
        }
    }
}
