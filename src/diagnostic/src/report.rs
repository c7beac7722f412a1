use std::collections::HashSet;
use std::sync::Arc;

use super::{Diagnostic, Severity, Source};

/// Everything that is wrong with some texts.
#[derive(Debug, Clone, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// A report without mistakes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds the mistakes of another report.
    pub fn append(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
    }

    /// Whether anything in it is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity() == severity).count()
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The mistakes, in the order in which they are rendered.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Puts the mistakes of each text in the order of the text, each once. Texts stay in the
    /// order in which they first appear; what has no place stands last.
    pub fn sort(&mut self) {
        let mut seen = HashSet::new();
        self.diagnostics.retain(|diagnostic| {
            let place = diagnostic.place();
            let place = place.map(|place| (Arc::as_ptr(&place.source), place.span.clone()));
            seen.insert((diagnostic.message().to_owned(), place))
        });
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for place in self.diagnostics.iter().filter_map(Diagnostic::place) {
            if !sources.iter().any(|source| Arc::ptr_eq(source, &place.source)) {
                sources.push(Arc::clone(&place.source));
            }
        }
        self.diagnostics.sort_by_key(|diagnostic| {
            diagnostic.place().map_or((usize::MAX, 0), |place| {
                let source = sources.iter().position(|source| Arc::ptr_eq(source, &place.source));
                (source.unwrap_or(usize::MAX), place.span.start)
            })
        });
    }
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(diagnostics: T) -> Self {
        Self { diagnostics: diagnostics.into_iter().collect() }
    }
}

impl From<Diagnostic> for Report {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic] }
    }
}
