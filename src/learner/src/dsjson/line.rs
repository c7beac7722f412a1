//! A line's own keys: the label, the ranking, the context.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::cache::TextCache;
use super::context::{Context, ContextReader};
use super::cursor::{Cursor, Kind, Read};
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

/// VW marks what has no label with this cost (`FLT_MAX`), and so may a log.
pub const NO_COST: f32 = f32::MAX;

/// Some writers put it before a line (UTF-8's byte order mark).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one line.
pub fn read<'a>(
    line: &'a [u8],
    hashing: Hashing,
    cache: &mut TextCache,
) -> Result<LoggedEvent<'a>, Dropped> {
    let mark = if line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut cursor = Cursor::new(line);
    cursor.at = mark;
    let read = Line::new().read(&mut cursor, hashing, cache);
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
        cache: &mut TextCache,
    ) -> Read<LoggedEvent<'a>> {
        if cursor.rest().first() != Some(&b'{') {
            return Err(DropReason::NotAnObject);
        }
        cursor.expect(b'{')?;
        let mut first = true;
        while let Some(key) = cursor.key(&mut first)? {
            self.value(&key, cursor, hashing, cache)?;
        }
        cursor.skip_white_space();
        if cursor.is_at_end() { self.finish() } else { Err(DropReason::Syntax) }
    }

    #[expect(clippy::ptr_arg, reason = "an owned key is one with escapes")]
    fn value(
        &mut self,
        key: &Cow<'_, [u8]>,
        cursor: &mut Cursor<'a>,
        hashing: Hashing,
        cache: &mut TextCache,
    ) -> Read<()> {
        match &**key {
            b"c" if self.context.is_some() => return Err(DropReason::Context),
            b"c" => {
                cursor.expect(b':')?;
                let reader = ContextReader::new(cursor, hashing, cache, &mut self.label);
                self.context = Some((reader.read()?, self.label));
            }
            b"_outcomes" if self.has_slots() => self.outcomes = Outcomes::read(cursor)?,
            b"_outcomes" => return Err(DropReason::Slots),
            b"a" => self.ranking = list(cursor)?,
            b"p" | b"_p" => self.probabilities = list(cursor)?,
            b"_skipLearn" => self.skipped = flag(cursor)?,
            b"pdrop" => self.drop_probability = number(cursor)?.unwrap_or(0.0),
            b"EventId" => self.id = text(cursor)?,
            b"Timestamp" => self.time = text(cursor)?,
            b"_original_label_cost" => drop(number(cursor)?),
            b"_ba" => numbers(cursor, drop)?,
            label if label.starts_with(b"_label") => self.label.read(label, cursor)?,
            _ => cursor.skip_unread(key)?,
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
    /// Reads the value of a key that begins with `_label`.
    pub fn read(&mut self, key: &[u8], cursor: &mut Cursor<'_>) -> Read<()> {
        match key {
            b"_label_cost" => self.cost = number(cursor)?,
            b"_label_probability" => self.probability = number(cursor)?,
            b"_labelIndex" => self.index = index(cursor)?,
            b"_label_Action" | b"_label_action" => self.number = number(cursor)?,
            _ => return Err(DropReason::LabelPlace),
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

fn number_or_null(cursor: &mut Cursor<'_>) -> Read<Option<f64>> {
    match cursor.kind()? {
        Kind::Number => cursor.number().map(Some),
        Kind::Null => cursor.literal(Kind::Null).map(|()| None),
        _ => Err(DropReason::Type),
    }
}

fn flag(cursor: &mut Cursor<'_>) -> Read<bool> {
    cursor.expect(b':')?;
    match cursor.kind()? {
        kind @ (Kind::True | Kind::False | Kind::Null) => {
            cursor.literal(kind).map(|()| kind == Kind::True)
        }
        _ => Err(DropReason::Type),
    }
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
fn list(cursor: &mut Cursor<'_>) -> Read<Numbers> {
    let mut all = Numbers::new();
    numbers(cursor, |number| all.push(number))?;
    Ok(all)
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
            reason = "what is no index finds no action"
        )]
        let index = (action >= 0.0 && action.fract() == 0.0).then_some(action as usize)?;
        let place = by_action.get_mut(index)?;
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
