use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A text in which mistakes can be pointed at.
#[derive(Debug)]
pub struct Source {
    path: String,
    text: String,
    hidden: Mutex<Vec<Range<usize>>>,
}

/// A stretch of a text, in bytes.
#[derive(Debug, Clone)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// The bytes of the text that are meant. Empty where something is missing.
    pub span: Range<usize>,
}

impl Source {
    /// A text, and the name under which the user knows it.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into(), hidden: Mutex::default() })
    }

    /// The name under which the user knows the text.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Keeps a secret that stands in the text out of everything that is rendered.
    pub fn hide(&self, span: Range<usize>) {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }

    /// The lines that `spans` touch, without the last line break, secrets starred out.
    pub(super) fn excerpt(&self, spans: &[Range<usize>]) -> Excerpt {
        let start = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let end = spans.iter().map(|span| span.end).max().unwrap_or(0);
        let from = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = end.max(start + 1).min(self.text.len());
        let to = floor(&self.text, last.saturating_sub(1));
        let to = self.text[to..].find('\n').map_or(self.text.len(), |at| to + at);
        let to = to.max(from);
        let has_return = to > end && self.text[from..to].ends_with('\r');
        let to = if has_return { to - 1 } else { to };
        Excerpt { text: self.starred(from..to), offset: from, line: self.line_of(from) }
    }

    /// The line, counted from 1, of a byte.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    fn starred(&self, range: Range<usize>) -> String {
        let hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = self.text.as_bytes()[range.clone()].to_vec();
        for span in hidden.iter() {
            let overlap = span.start.max(range.start)..span.end.min(range.end);
            for at in overlap {
                bytes[at - range.start] = b'*';
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The last character boundary at or before `offset`.
pub(super) fn floor(text: &str, offset: usize) -> usize {
    (0..=offset).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Some lines of a text.
pub(super) struct Excerpt {
    /// The lines.
    pub text: String,
    /// Where they begin in the text, in bytes.
    pub offset: usize,
    /// The number of the first, counted from 1.
    pub line: usize,
}

impl Place {
    /// A stretch of `source`, cut down to what the text has.
    #[must_use]
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let end = floor(&source.text, span.end.min(source.text.len()));
        let start = floor(&source.text, span.start.min(end));
        Self { source: Arc::clone(source), span: start..end }
    }

    /// The text at this place.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.source.text[self.span.clone()]
    }

    /// The place of some bytes of the value that is written here. The whole place, where the
    /// value is written otherwise than it reads: with escapes, over several lines, with
    /// references.
    #[must_use]
    pub fn within_text(&self, value: &str, span: Range<usize>) -> Self {
        let written = self.text();
        let is_quoted = written.len() == value.len() + 2 && written[1..].starts_with(value);
        let start = match (written == value, is_quoted) {
            (true, _) => self.span.start,
            (_, true) => self.span.start + 1,
            _ => return self.clone(),
        };
        Self::new(&self.source, start + span.start..start + span.end)
    }

    /// The text at this place, secrets starred out.
    #[must_use]
    pub fn shown(&self) -> String {
        self.source.starred(self.span.clone())
    }

    /// The line and the column in characters, both counted from 1.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source.text[..self.span.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (self.source.line_of(self.span.start), before[line_start..].chars().count() + 1)
    }
}
