use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;

/// Why a text is not read as a table, and what to do about it. It is the cause of an [`io::Error`].
#[derive(Debug)]
pub struct RefusedText {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl RefusedText {
    pub(crate) fn error(what: impl Into<String>, remedy: &'static str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self { what: what.into(), remedy })
    }

    /// The cause of an error, if the error is of this kind.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl Display for RefusedText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

impl Error for RefusedText {}
