//! A line's own keys: the label, the ranking, the context.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::cache::TextCache;
use super::context::{Context, ContextReader};
use super::cursor::{Cursor, Kind, Read};
use super::keys::{Key, KeyOrder, LabelKey};
use super::outcomes::{Outcomes, index as index_of};
use super::{DropReason, Dropped, LoggedEvent};
use crate::features::{Event, Example, Hashing, Label};

/// The label as far as it has been read.
#[derive(Debug, Clone, Copy, Default)]
pub struct LabelKeys {
    cost: Option<f64>,
    probability: Option<f64>,
    index: Option<usize>,
    /// `_label_Action`, from one.
    number: Option<f64>,
}

/// Numbers of a list; most are short.
type Numbers = SmallVec<[f64; 8]>;

/// A line on its way to become an event.
struct Line<'a> {
    id: Option<Cow<'a, [u8]>>,
    time: Option<Cow<'a, [u8]>>,
    label: LabelKeys,
    /// `a`
    ranking: Numbers,
    /// `p`, in the order of `a`
    probabilities: Numbers,
    skipped: bool,
    drop_probability: f64,
    /// The event, and the label as it stood when the context closed.
    context: Option<(Context, LabelKeys)>,
    outcomes: Outcomes,
}

/// What is known of the lines before.
#[derive(Debug, Default)]
pub struct Known {
    keys: KeyOrder,
    texts: TextCache,
}

/// VW marks what has no label with this cost (`FLT_MAX`), and so may a log.
pub const NO_COST: f32 = f32::MAX;

/// Some writers put it before a line (UTF-8's byte order mark).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one line.
pub fn read<'a>(
    line: &'a [u8],
    hashing: Hashing,
    known: &mut Known,
) -> Result<LoggedEvent<'a>, Dropped> {
    let mark = if line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut cursor = Cursor::new(line);
    cursor.at = mark;
    let read = Line::new().read(&mut cursor, hashing, known);
    // After an escape that the line ends in, the cursor is beyond it.
    read.map_err(|reason| Dropped { reason, column: cursor.at.min(line.len()) + 1 })
}

impl<'a> Line<'a> {
    fn new() -> Self {
        Self {
            id: None,
            time: None,
            label: LabelKeys::default(),
            ranking: Numbers::new(),
            probabilities: Numbers::new(),
            skipped: false,
            drop_probability: 0.0,
            context: None,
            outcomes: Outcomes::default(),
        }
    }

    fn read(
        mut self,
        cursor: &mut Cursor<'a>,
        hashing: Hashing,
        known: &mut Known,
    ) -> Read<LoggedEvent<'a>> {
        if cursor.rest().first() != Some(&b'{') {
            return Err(DropReason::NotAnObject);
        }
        cursor.expect(b'{')?;
        let mut position = 0;
        while let Some(key) = known.keys.next(cursor, position)? {
            self.value(key, cursor, hashing, &mut known.texts)?;
            position += 1;
        }
        cursor.skip_white_space();
        if cursor.is_at_end() { self.finish() } else { Err(DropReason::Syntax) }
    }

    fn value(
        &mut self,
        key: Key,
        cursor: &mut Cursor<'a>,
        hashing: Hashing,
        cache: &mut TextCache,
    ) -> Read<()> {
        match key {
            Key::Context if self.context.is_some() => return Err(DropReason::Context),
            Key::Context => {
                cursor.expect(b':')?;
                let reader = ContextReader::new(cursor, hashing, cache, &mut self.label);
                self.context = Some((reader.read()?, self.label));
            }
            Key::Outcomes if self.has_slots() => self.outcomes = Outcomes::read(cursor)?,
            Key::Outcomes => return Err(DropReason::Slots),
            Key::Ranking => list(cursor, &mut self.ranking)?,
            Key::Probabilities => list(cursor, &mut self.probabilities)?,
            Key::Skipped => self.skipped = flag(cursor)?.unwrap_or(self.skipped),
            Key::DropProbability => self.drop_probability = number(cursor)?.unwrap_or(0.0),
            Key::Id => self.id = text(cursor)?,
            Key::Time => self.time = text(cursor)?,
            Key::OriginalCost => drop(number(cursor)?),
            Key::BaselineActions => numbers(cursor, drop)?,
            Key::Label(key) => self.label.read(key, cursor)?,
            Key::Unread => cursor.skip_unread()?,
            Key::UnreadEscaped => return Err(DropReason::Syntax),
        }
        Ok(())
    }

    fn has_slots(&self) -> bool {
        self.context.as_ref().is_some_and(|(context, _)| context.slots.is_some())
    }

    fn finish(self) -> Read<LoggedEvent<'a>> {
        if self.skipped {
            return Err(DropReason::NotActivated);
        }
        let (Context { shared, actions, slots, recurs }, label) =
            self.context.ok_or(DropReason::Context)?;
        if self.ranking.is_empty() && !self.outcomes.are_known() {
            return Err(DropReason::Ranking);
        }
        if !(0.0..1.0).contains(&self.drop_probability) {
            return Err(DropReason::DropProbability);
        }
        #[expect(clippy::cast_possible_truncation, reason = "VW keeps weights as f32")]
        let weight = 1.0 / (1.0 - self.drop_probability as f32);
        let listed = actions.is_some();
        let actions = actions.unwrap_or_else(|| unlisted(self.ranking.len()));
        let (slots, label, distribution) = match slots {
            None => {
                let ranking = self.ranking.iter().map(|number| number - 1.0);
                let distribution = by_action(ranking, &self.probabilities, actions.len());
                (None, label.of(actions.len(), listed)?, distribution)
            }
            Some(mut slots) => {
                let distribution = self.outcomes.first_distribution(actions.len());
                self.outcomes.hand_out(&mut slots)?;
                // One that names an action that is not there is no label, but an outcome.
                let label = slots[0].outcome.filter(|label| label.action < actions.len());
                (Some(slots.into()), label, distribution)
            }
        };
        let event = Event { shared, actions, listed, recurs, slots, weight };
        Ok(LoggedEvent { id: self.id, time: self.time, event, label, distribution })
    }
}

impl LabelKeys {
    /// Reads the value of a key. As in VW, null leaves what the key said before.
    pub fn read(&mut self, key: LabelKey, cursor: &mut Cursor<'_>) -> Read<()> {
        match key {
            LabelKey::Cost => self.cost = number(cursor)?.or(self.cost),
            LabelKey::Probability => self.probability = number(cursor)?.or(self.probability),
            LabelKey::Index => self.index = index(cursor)?.or(self.index),
            LabelKey::Number => self.number = number(cursor)?.or(self.number),
            LabelKey::Unknown => return Err(DropReason::LabelPlace),
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "VW keeps labels as f32")]
    fn of(self, actions: usize, listed: bool) -> Read<Option<Label>> {
        if !listed && self.index.is_some() {
            return Err(DropReason::LabelIndex);
        }
        let number = self.number.map(|number| index_of(number - 1.0));
        let action = if listed { self.index } else { number };
        if action.is_some_and(|action| action >= actions) {
            return Err(DropReason::LabelIndex);
        }
        let cost = self.cost.map(|cost| cost as f32);
        let Some(cost) = cost.filter(|cost| *cost != NO_COST) else { return Ok(None) };
        let action = action.ok_or(DropReason::LabelIndex)?;
        let probability = self.probability.map_or(-1.0, |probability| probability as f32);
        if !cost.is_finite() {
            return Err(DropReason::Cost);
        }
        if !(probability > 0.0 && probability.is_finite()) {
            return Err(DropReason::Probability);
        }
        Ok(Some(Label { action, cost, probability }))
    }
}

/// Actions of which nothing is said.
fn unlisted(actions: usize) -> Arc<[Arc<Example>]> {
    vec![Arc::default(); actions].into()
}

/// A whole number, or none for null.
fn index(cursor: &mut Cursor<'_>) -> Read<Option<usize>> {
    cursor.expect(b':')?;
    match cursor.kind()? {
        Kind::Number => cursor.unsigned().map(Some),
        Kind::Null => cursor.literal(Kind::Null).map(|()| None),
        _ => Err(DropReason::Type),
    }
}

/// A number, or none for null.
pub fn number(cursor: &mut Cursor<'_>) -> Read<Option<f64>> {
    cursor.expect(b':')?;
    number_or_null(cursor)
}

#[inline]
fn number_or_null(cursor: &mut Cursor<'_>) -> Read<Option<f64>> {
    if let Some(number) = cursor.short_number() {
        return Ok(Some(number));
    }
    match cursor.kind()? {
        Kind::Number => cursor.number().map(Some),
        Kind::Null => cursor.literal(Kind::Null).map(|()| None),
        _ => Err(DropReason::Type),
    }
}

/// True or false, or none for null.
fn flag(cursor: &mut Cursor<'_>) -> Read<Option<bool>> {
    cursor.expect(b':')?;
    let kind = cursor.kind()?;
    let flag = match kind {
        Kind::True => Some(true),
        Kind::False => Some(false),
        Kind::Null => None,
        _ => return Err(DropReason::Type),
    };
    cursor.literal(kind).map(|()| flag)
}

/// A string, or none for null.
fn text<'a>(cursor: &mut Cursor<'a>) -> Read<Option<Cow<'a, [u8]>>> {
    cursor.expect(b':')?;
    match cursor.kind()? {
        Kind::Text => cursor.string().map(Some),
        Kind::Null => cursor.literal(Kind::Null).map(|()| None),
        _ => Err(DropReason::Type),
    }
}

/// The numbers of an array, or one alone.
fn list(cursor: &mut Cursor<'_>, all: &mut Numbers) -> Read<()> {
    all.clear();
    numbers(cursor, |number| all.push(number))
}

/// Probabilities by action, which stand in the order of `ranking`, actions from zero; zero for
/// actions that are not ranked. None unless they are a distribution over the ranked actions.
pub fn by_action(
    ranking: impl ExactSizeIterator<Item = f64>,
    probabilities: &[f64],
    actions: usize,
) -> Option<Vec<f32>> {
    /// Probabilities are written with few digits by some.
    const ROUNDING: f64 = 0.01;
    let sum: f64 = probabilities.iter().sum();
    if ranking.len() != probabilities.len() || (sum - 1.0).abs() > ROUNDING {
        return None;
    }
    let mut by_action = vec![0.0; actions];
    for (action, probability) in ranking.zip(probabilities) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is no index differs"
        )]
        let index = Some(action as u32).filter(|index| f64::from(*index) == action)?;
        let place = by_action.get_mut(index as usize)?;
        if *place > 0.0 || !(0.0..=1.0 + ROUNDING).contains(probability) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "VW keeps probabilities as f32")]
        let rounded = *probability as f32;
        *place = rounded;
    }
    Some(by_action)
}

/// Hands over a number alone, or the numbers of an array; null counts as none
/// (`ArrayToVectorState`).
pub fn numbers(cursor: &mut Cursor<'_>, mut with: impl FnMut(f64)) -> Read<()> {
    cursor.expect(b':')?;
    if cursor.kind()? != Kind::Array {
        number_or_null(cursor)?.into_iter().for_each(with);
        return Ok(());
    }
    cursor.expect(b'[')?;
    let mut first = true;
    while cursor.next_element(&mut first)? {
        number_or_null(cursor)?.into_iter().for_each(&mut with);
    }
    Ok(())
}
