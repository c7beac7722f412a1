//! The rows of a table, whatever it is written in.

mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;

use std::io::{self, BufRead};

use diagnostic::Format;
use protocol::FeatureValue;

#[cfg(feature = "parquet")]
pub use self::parquet::ParquetFile;
use crate::refused::RefusedText;

/// What rows are read from.
pub enum Input {
    /// A text: CSV, or JSON lines.
    Text(Box<dyn BufRead + Send>),
    /// A Parquet file.
    #[cfg(feature = "parquet")]
    Parquet(ParquetFile),
}

/// Reads rows, one after the other.
pub(crate) enum Rows {
    Csv(Box<csv::CsvRows>),
    Json(json::JsonRows),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::ParquetRows>),
}

/// The names of the columns of a table, and the cells of its rows as texts, empty where there is
/// nothing. Rows that cannot be read are left out.
///
/// # Errors
/// When the table cannot be read.
pub fn texts(input: Input) -> io::Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut rows = Rows::open(input, &[])?;
    let header = rows.header().to_vec();
    let mut all = Vec::new();
    while rows.advance()? {
        if rows.unreadable().is_none() {
            let cells = (0..header.len()).map(|at| rows.cell(at).text().unwrap_or_default());
            all.push(cells.collect());
        }
    }
    Ok((header, all))
}

/// A value of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    /// Empty, null, or not there.
    Missing,
    /// A text, which may be a number.
    Text(&'a str),
    /// A value of JSON.
    Value(&'a FeatureValue),
}

/// Why the current row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Fields,
    Row,
    NotUtf8,
    Nul,
}

impl Rows {
    /// Opens a table. The names of JSON are those of `known` and of its first object.
    #[cfg_attr(
        not(feature = "parquet"),
        expect(clippy::infallible_destructuring_match, reason = "with Parquet there are two")
    )]
    pub fn open(input: Input, known: &[String]) -> io::Result<Self> {
        let mut text = match input {
            Input::Text(text) => text,
            #[cfg(feature = "parquet")]
            Input::Parquet(file) => {
                return Ok(Self::Parquet(Box::new(parquet::ParquetRows::new(file))));
            }
        };
        if is_json(&mut *text)? {
            json::JsonRows::open(text, known).map(Self::Json)
        } else {
            csv::CsvRows::open(text).map(|rows| Self::Csv(Box::new(rows)))
        }
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        match self {
            Self::Csv(rows) => rows.header(),
            Self::Json(rows) => rows.header(),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.header(),
        }
    }

    /// Goes to the next row; false at the end.
    pub fn advance(&mut self) -> io::Result<bool> {
        match self {
            Self::Csv(rows) => rows.advance(),
            Self::Json(rows) => rows.advance(),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.advance(),
        }
    }

    /// Why the row cannot be read, if so.
    pub fn unreadable(&self) -> Option<Unreadable> {
        match self {
            Self::Csv(rows) => rows.unreadable(),
            Self::Json(rows) => rows.unreadable(),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.unreadable(),
        }
    }

    /// The line of the row, from one; of a Parquet file, its number.
    pub fn line(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.line(),
            Self::Json(rows) => rows.line(),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.row(),
        }
    }

    /// A value of the row.
    pub fn cell(&self, column: usize) -> Cell<'_> {
        match self {
            Self::Csv(rows) => rows.cell(column),
            Self::Json(rows) => rows.cell(column),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.cell(column),
        }
    }

    /// The byte of the line at which a value stands, from one.
    pub fn byte(&self, column: usize) -> usize {
        match self {
            Self::Csv(rows) => rows.byte(column),
            Self::Json(_) => 1,
            #[cfg(feature = "parquet")]
            Self::Parquet(_) => 1,
        }
    }
}

impl<'a> Cell<'a> {
    /// The value of a field of JSON.
    fn of(value: &'a FeatureValue) -> Self {
        match value {
            FeatureValue::Null => Self::Missing,
            FeatureValue::Text(text) => Self::Text(text),
            value => Self::Value(value),
        }
    }

    /// The value as a text, if there is one.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.to_owned()),
            Self::Value(value) => {
                Some(serde_json::to_string(value).expect("a value of JSON is JSON"))
            }
        }
    }

    /// The value as a number; `true` is one, and `false` is zero.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(1.0),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(0.0),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Value(FeatureValue::Number(number)) => number.as_f64(),
            Self::Value(FeatureValue::Bool(value)) => Some(f64::from(u8::from(*value))),
            Self::Missing | Self::Value(_) => None,
        }
    }

    /// The value as a feature. A text is a number if it looks like one and `is_text` is false.
    pub fn feature(self, is_text: bool) -> Option<FeatureValue> {
        match self {
            Self::Missing => None,
            Self::Text(text) if is_text => Some(FeatureValue::Text(text.to_owned())),
            Self::Text(text) => Some(
                number(text)
                    .map_or_else(|| FeatureValue::Text(text.to_owned()), FeatureValue::Number),
            ),
            Self::Value(FeatureValue::Number(number)) if is_text => {
                Some(FeatureValue::Text(number.to_string()))
            }
            Self::Value(value) => Some(value.clone()),
        }
    }
}

fn number(text: &str) -> Option<serde_json::Number> {
    let text = text.trim();
    // Most words are told by their first letter.
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    serde_json::Number::from_f64(text.parse().ok()?)
}

/// Some writers put it before a text (UTF-8's byte order mark).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn is_json(text: &mut dyn BufRead) -> io::Result<bool> {
    let beginning = text.fill_buf()?;
    if let Some(Format { name, remedy }) = Format::of(beginning) {
        return Err(RefusedText::error(format!("it is {name}"), remedy));
    }
    let beginning = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning);
    match beginning.trim_ascii_start().first() {
        Some(b'[') => {
            Err(RefusedText::error("it is a JSON array", "write one object a line: `jq -c '.[]'`"))
        }
        first => Ok(first == Some(&b'{')),
    }
}
