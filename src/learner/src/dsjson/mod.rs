//! DSJSON, the log format of the decision service: one logged choice a line.
//!
//! Lines are read as VW reads them (`json_parser.h`): keys may repeat and all of them
//! count, but for a label that is null; the label belongs to the context only if it stands
//! before the context ends; values of keys that VW does not know are skipped without a look at
//! their grammar; and a line that VW would drop is [`Dropped`], with the reason and the column.
//! Lines on which VW stops or learns infinite weights are dropped too: a label that names no
//! action, one without a positive probability, and one inside an action; slots before the
//! actions, more slots than actions, and outcomes that are not of slots.

mod cache;
mod context;
mod cursor;
mod dropped;
mod keys;
mod line;
mod number;
mod outcomes;

pub use dropped::{DropReason, Dropped};

use std::borrow::Cow;

use super::features::{Event, Hashing, Label};
use line::Known;

/// A reader of lines that hashes features in one way.
///
/// Actions and contexts that repeat are hashed once, and an event of which both repeat
/// [recurs](Event::recurs); what is remembered of them is bounded.
#[derive(Debug)]
pub struct DsjsonReader {
    hashing: Hashing,
    known: Known,
}

/// A logged choice.
#[derive(Debug, Clone)]
pub struct LoggedEvent<'a> {
    /// `EventId`, as it stands in the log.
    pub id: Option<Cow<'a, [u8]>>,
    /// `Timestamp`, as it stands in the log.
    pub time: Option<Cow<'a, [u8]>>,
    /// The context and the actions.
    pub event: Event,
    /// What came of it, or of its first slot; none if the line does not say, or says it
    /// after the context.
    pub label: Option<Label>,
    /// The distribution that the choice, or that of the first slot, was drawn from: `p`, by
    /// action. None if the line does not say, or says what is no distribution.
    pub distribution: Option<Vec<f32>>,
}

impl DsjsonReader {
    /// A reader for policies that hash in this way.
    #[must_use]
    pub fn new(hashing: Hashing) -> Self {
        Self { hashing, known: Known::default() }
    }

    /// Reads one line; white space at its end does not matter.
    ///
    /// # Errors
    /// If VW would drop the line.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Result<LoggedEvent<'a>, Dropped> {
        line::read(line, self.hashing, &mut self.known)
    }
}
