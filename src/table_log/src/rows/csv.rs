use std::io::{self, BufRead};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::{Cell, Unreadable};
use crate::quotes::QuotedText;
use crate::refused::RefusedText;
use crate::separator::{SEPARATORS, separator};

/// The rows of a CSV file.
pub(crate) struct CsvRows {
    reader: Reader<QuotedText>,
    header: Vec<String>,
    record: StringRecord,
    unreadable: Option<Unreadable>,
    line: u64,
}

impl CsvRows {
    pub fn open(mut text: Box<dyn BufRead + Send>) -> io::Result<Self> {
        let delimiter = separator(text.fill_buf()?);
        let text = QuotedText::new(text, delimiter);
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
        let header: Vec<String> =
            reader.headers().map_err(failed)?.iter().map(|name| name.trim().to_owned()).collect();
        // A line of blanks is no header.
        let is_blank = header.iter().all(String::is_empty);
        let header = if is_blank { Vec::new() } else { header };
        let record = StringRecord::new();
        Ok(Self { reader, header, record, unreadable: None, line: 1 })
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    pub fn advance(&mut self) -> io::Result<bool> {
        self.line = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(more) => {
                self.line = self.first_line();
                let is_whole = self.record.len() == self.header.len();
                let has_nul = self.record.as_slice().contains('\0');
                self.unreadable = match (is_whole, has_nul) {
                    (false, _) => Some(Unreadable::Fields),
                    (true, true) => Some(Unreadable::Nul),
                    (true, false) => None,
                };
                Ok(more)
            }
            Err(error) if matches!(error.kind(), ErrorKind::Utf8 { .. }) => {
                self.unreadable = Some(Unreadable::NotUtf8);
                Ok(true)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The first line of the record. The reader takes blank lines before it for a part of it.
    fn first_line(&self) -> u64 {
        let from = self.record.position().map_or(self.line, csv::Position::line);
        let behind = self.reader.position().line();
        if behind <= from + 1 {
            return from;
        }
        let breaks: usize = self.record.iter().map(|field| field.matches('\n').count()).sum();
        from.max(behind - 1 - breaks as u64)
    }

    pub fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable
    }

    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn cell(&self, column: usize) -> Cell<'_> {
        match self.record.get(column) {
            None | Some("") => Cell::Missing,
            Some(text) => Cell::Text(text),
        }
    }

    /// Fields that need quotes are taken to have some.
    pub fn byte(&self, column: usize) -> usize {
        let quotes = |field: &str| {
            let inner = field.matches('"').count();
            let is_special = |byte| SEPARATORS.contains(&byte) || b"\n\r".contains(&byte);
            let needed = inner > 0 || field.bytes().any(is_special);
            inner + 2 * usize::from(needed)
        };
        let before = self.record.iter().take(column);
        1 + before.map(|field| field.len() + quotes(field) + 1).sum::<usize>()
    }
}

/// What the text itself failed of, in place of what the reader makes of it.
fn failed(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        ErrorKind::Utf8 { .. } => {
            RefusedText::error("its first line is not UTF-8", "save the file in UTF-8")
        }
        _ => io::ErrorKind::InvalidData.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_file() {
        let text = b"\xef\xbb\xbfa;b\n1;2\n\n\"x\ny\";3\n4\n\xff;5\n6;7\n8\0;9\n";
        let mut rows = CsvRows::open(Box::new(&text[..])).unwrap();
        assert_eq!(rows.header(), ["a", "b"]);
        let mut seen = Vec::new();
        while rows.advance().unwrap() {
            seen.push((rows.line(), rows.unreadable(), rows.byte(1)));
        }
        let places: Vec<_> =
            seen.iter().map(|(line, unreadable, _)| (*line, *unreadable)).collect();
        let expected = [
            (2, None),
            (4, None),
            (6, Some(Unreadable::Fields)),
            (7, Some(Unreadable::NotUtf8)),
            (8, None),
            (9, Some(Unreadable::Nul)),
        ];
        assert_eq!(places, expected);
        assert_eq!((seen[0].2, seen[1].2), (3, 7));
    }
}
