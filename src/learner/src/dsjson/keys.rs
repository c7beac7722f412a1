//! The keys of a line, by what they mean.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::cursor::{Cursor, Read};

/// What a key of a line, or of a label within the context, stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `c`
    Context,
    /// `_outcomes`
    Outcomes,
    /// `a`
    Ranking,
    /// `p` and `_p`
    Probabilities,
    /// `_skipLearn`
    Skipped,
    /// `pdrop`
    DropProbability,
    /// `EventId`
    Id,
    /// `Timestamp`
    Time,
    /// `_original_label_cost`
    OriginalCost,
    /// `_ba`
    BaselineActions,
    /// A key that begins with `_label`.
    Label(LabelKey),
    /// A key that means nothing.
    Unread,
    /// The same, written with escapes.
    UnreadEscaped,
}

/// What a key of the label stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKey {
    /// `_label_cost`
    Cost,
    /// `_label_probability`
    Probability,
    /// `_labelIndex`
    Index,
    /// `_label_Action` and `_label_action`
    Number,
    /// One that VW does not know.
    Unknown,
}

impl Key {
    #[expect(clippy::ptr_arg, reason = "an owned key is one with escapes")]
    fn of(key: &Cow<'_, [u8]>) -> Self {
        match &**key {
            b"c" => Self::Context,
            b"_outcomes" => Self::Outcomes,
            b"a" => Self::Ranking,
            b"p" | b"_p" => Self::Probabilities,
            b"_skipLearn" => Self::Skipped,
            b"pdrop" => Self::DropProbability,
            b"EventId" => Self::Id,
            b"Timestamp" => Self::Time,
            b"_original_label_cost" => Self::OriginalCost,
            b"_ba" => Self::BaselineActions,
            label if label.starts_with(b"_label") => Self::Label(LabelKey::of(label)),
            _ if matches!(key, Cow::Owned(_)) => Self::UnreadEscaped,
            _ => Self::Unread,
        }
    }
}

impl LabelKey {
    /// Of a key that begins with `_label`.
    pub fn of(key: &[u8]) -> Self {
        match key {
            b"_label_cost" => Self::Cost,
            b"_label_probability" => Self::Probability,
            b"_labelIndex" => Self::Index,
            b"_label_Action" | b"_label_action" => Self::Number,
            _ => Self::Unknown,
        }
    }
}

/// The keys of the lines before, by their position: most lines of a log have the same keys in
/// the same order, so that each is recognized by one comparison.
#[derive(Debug, Default)]
pub struct KeyOrder(Vec<KnownKey>);

/// A key, and the text that it is read from, up to its colon.
#[derive(Debug)]
struct KnownKey {
    text: SmallVec<[u8; 24]>,
    key: Key,
}

/// So many keys of a line are known.
const KEYS: usize = 64;

/// Texts of keys that are longer are not kept.
const LONGEST: usize = 64;

impl KeyOrder {
    /// The next key of a line, of which so many were read before; none at its end. The colon is
    /// still to come.
    #[inline]
    pub fn next(&mut self, cursor: &mut Cursor<'_>, position: usize) -> Read<Option<Key>> {
        if let Some(known) = self.0.get(position)
            && cursor.take_text(&known.text)
        {
            return Ok(Some(known.key));
        }
        self.other(cursor, position)
    }

    #[inline(never)]
    fn other(&mut self, cursor: &mut Cursor<'_>, position: usize) -> Read<Option<Key>> {
        let start = cursor.at;
        let Some(text) = cursor.key(&mut (position == 0))? else { return Ok(None) };
        let key = Key::of(&text);
        if matches!(text, Cow::Borrowed(_)) {
            self.keep(position, cursor.since(start), key);
        }
        Ok(Some(key))
    }

    fn keep(&mut self, position: usize, text: &[u8], key: Key) {
        if text.len() > LONGEST || position >= KEYS.min(self.0.len() + 1) {
            return;
        }
        let known = KnownKey { text: text.into(), key };
        match self.0.get_mut(position) {
            Some(other) => *other = known,
            None => self.0.push(known),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{DsjsonReader, Hashing};

    /// What a reader says of a line, but for whether it has seen the context before.
    fn said(reader: &mut DsjsonReader, line: &str) -> String {
        let read = reader.read(line.as_bytes()).map(|mut logged| {
            logged.event.recurs = false;
            logged
        });
        format!("{read:?}")
    }

    /// A property of a line: keys that mean something and others, as writers spell them.
    fn property() -> impl Strategy<Value = String> {
        let context = r#"{"F":{"x":1},"_multi":[{"i":{"a":1}},{"i":{"b":1}}]}"#;
        let properties = [
            ("a", "[1,2]"),
            ("a", "[2, 1]"),
            (r"\u0061", "[1,2]"),
            ("c", context),
            ("c", r#"{"_label_cost":-1,"_multi":[{}]}"#),
            ("p", "[0.25,0.75]"),
            ("p", "[25e-2, 0.75,]"),
            ("_label_cost", "-0.5"),
            ("_label_cost", "null"),
            ("_label_cos", "1"),
            ("_label_probability", "0.8500000238418579"),
            ("_labelIndex", "1"),
            ("_label_Action", "2"),
            ("_skipLearn", "false"),
            ("EventId", r#""an id with \"quotes\" in it""#),
            ("Timestamp", r#""2026-01-01T00:00:00.0000000Z""#),
            ("Version", "1"),
            ("Versio", "1"),
            (r"V\u0065rsion", "1"),
            ("", "{\"}\":[1,{}]}"),
        ];
        let key = prop::sample::select(properties.to_vec());
        let colon = prop::sample::select(vec![":", ":", ":", ": ", " :"]);
        (key, colon).prop_map(|((key, value), colon)| format!("\"{key}\"{colon}{value}"))
    }

    fn line() -> impl Strategy<Value = String> {
        let comma = prop::sample::select(vec![",", ",", ",", " ,", ", "]);
        let properties = prop::collection::vec((comma, property()), 0..9);
        properties.prop_map(|properties| {
            let texts: Vec<_> = properties
                .into_iter()
                .flat_map(|(comma, property)| [comma.to_owned(), property])
                .collect();
            format!("{{{}}}", texts.concat().trim_start_matches([',', ' ']))
        })
    }

    proptest! {
        #[test]
        fn lines_before_do_not_change_what_a_line_says(
            lines in prop::collection::vec(line(), 1..5),
            order in prop::collection::vec(0_usize..5, 1..12),
        ) {
            let mut reader = DsjsonReader::new(Hashing::default());
            for line in order.iter().filter_map(|number| lines.get(*number)) {
                let alone = said(&mut DsjsonReader::new(Hashing::default()), line);
                prop_assert_eq!(said(&mut reader, line), alone, "{}", line);
            }
        }
    }
}
