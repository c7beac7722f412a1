//! What can be wrong with the answer of a program.

use std::fmt;

/// An answer longer than this is refused.
pub(crate) const LONGEST_LINE: usize = 4 << 20;

/// The same for what a program has learned.
pub(crate) const LONGEST_STATE: usize = 64 << 20;

/// So many characters of an answer are shown.
const SHOWN: usize = 120;

/// Why there is no answer that can be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// The program cannot be started.
    Start(String),
    /// It ended, with this status.
    Ended(String),
    /// It closed its stdout, or its stdin, and goes on.
    Closed,
    /// It was told to end, and did not in time.
    GoesOn(std::time::Duration),
    /// The answer did not come in time.
    Late(std::time::Duration),
    /// Its stdin or stdout failed.
    Pipe(String),
    /// The line has more bytes than this.
    TooLong(usize),
    /// It was started again, and does not load what it saved.
    LoadsNothing,
    /// The line is not UTF-8.
    NotText,
    /// The line is not the answer: what was expected, and what was found.
    Unexpected {
        /// What the protocol says.
        expected: &'static str,
        /// The line.
        found: String,
    },
    /// The program says that it failed.
    Said(String),
    /// Other than one probability an action.
    Count {
        /// The number of probabilities.
        found: usize,
        /// The number of actions.
        expected: usize,
    },
    /// A probability out of range.
    Range {
        /// Which, from 1 on.
        place: usize,
        /// The probability.
        found: f64,
    },
    /// A probability that is no number.
    NoNumber(&'static str),
    /// The probabilities do not sum to one.
    Sum(f64),
    /// A line that was not asked for.
    Unasked(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(why) => write!(f, "it cannot be started: {why}"),
            Self::Ended(status) => write!(f, "the program ended ({status})"),
            Self::Closed => f.write_str("the program closed its stdin or stdout, and did not end"),
            Self::GoesOn(timeout) => {
                let within = Seconds(timeout.as_secs_f64());
                write!(f, "the program did not end within `timeout: {within}`")
            }
            Self::Late(timeout) => {
                write!(f, "no answer within `timeout: {}`", Seconds(timeout.as_secs_f64()))
            }
            Self::Pipe(why) => write!(f, "the pipe to the program failed: {why}"),
            Self::TooLong(longest) => write!(f, "the answer is longer than {longest} bytes"),
            Self::LoadsNothing => f.write_str(
                "the program does not say `\"saves\":true`, but there is a state that it saved",
            ),
            Self::NotText => f.write_str("the answer is not UTF-8"),
            Self::Unexpected { expected, found } => {
                write!(f, "expected `{expected}`, found `{}`", Shown(found))
            }
            Self::Said(message) => write!(f, "the program says: {}", Shown(message)),
            Self::Count { found, expected } => {
                write!(f, "expected {expected} probabilities, one for each action, found {found}")
            }
            Self::Range { place, found } => {
                write!(f, "probability {place} must be from 0 to 1, found {found}")
            }
            Self::NoNumber(found) => {
                write!(
                    f,
                    "probabilities must be numbers, found `{found}`, which JSON does not have"
                )
            }
            Self::Sum(sum) => {
                write!(f, "the probabilities must sum to 1, found {}", (sum * 1e6).round() / 1e6)
            }
            Self::Unasked(found) => {
                write!(f, "expected one line for each request, found one more: `{}`", Shown(found))
            }
        }
    }
}

/// A duration as in a scenario.
struct Seconds(f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1.0 {
            write!(f, "{}ms", (self.0 * 1e3).round())
        } else {
            write!(f, "{}s", self.0)
        }
    }
}

/// A text of bounded length, without control characters.
pub(crate) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
        let text: String = self.0.chars().take(SHOWN).map(printable).collect();
        let rest = if self.0.chars().nth(SHOWN).is_some() { "…" } else { "" };
        write!(f, "{text}{rest}")
    }
}
