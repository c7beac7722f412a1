use std::ops::Range;
use std::sync::Arc;

use super::{Place, Source};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing can be done with the text.
    Error,
    /// The text can be used, but may not mean what its author thinks.
    Warning,
}

/// One mistake: what is wrong, where, and what to do about it.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// In a box, because functions return it as their error.
    pub(super) parts: Box<Parts>,
}

#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub severity: Severity,
    pub message: String,
    pub place: Option<Place>,
    pub label: Option<String>,
    pub context: Vec<(Place, String)>,
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Self {
        let (context, place, label, help) = (Vec::new(), None, None, None);
        Self { parts: Box::new(Parts { severity, message, place, label, context, help }) }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.parts.place = Some(place.clone());
        self
    }

    /// Points at some bytes of a text.
    #[must_use]
    pub fn within(self, source: &Arc<Source>, span: Range<usize>) -> Self {
        self.at(&Place::new(source, span))
    }

    /// Writes a few words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.parts.label = Some(label.into());
        self
    }

    /// Shows another place of the same text, and says what it has to do with it.
    #[must_use]
    pub fn context(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.parts.context.push((place.clone(), label.into()));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.parts.help = Some(help.into());
        self
    }

    /// Says what to do about it, where that is known.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.parts.severity
    }

    /// What is wrong, in a sentence without its place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.parts.message
    }

    /// Where it is wrong.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.parts.place.as_ref()
    }
}
