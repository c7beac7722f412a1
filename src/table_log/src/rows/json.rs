use std::io::{self, BufRead};

use foldhash::HashMap;
use protocol::{FeatureObject, FeatureValue};

use super::{BYTE_ORDER_MARK, Cell, Unreadable};

/// The rows of a file of JSON lines. Keys of objects are joined by dots.
pub(crate) struct JsonRows {
    input: Box<dyn BufRead + Send>,
    header: Vec<String>,
    columns: HashMap<String, usize>,
    values: Vec<FeatureValue>,
    /// A line that was read for its names, and is still to come.
    first: Option<Vec<u8>>,
    text: Vec<u8>,
    unreadable: Option<Unreadable>,
    line: u64,
}

impl JsonRows {
    pub fn open(input: Box<dyn BufRead + Send>, known: &[String]) -> io::Result<Self> {
        let mut rows = Self {
            input,
            header: Vec::new(),
            columns: HashMap::default(),
            values: Vec::new(),
            first: None,
            text: Vec::new(),
            unreadable: None,
            line: 0,
        };
        known.iter().for_each(|name| rows.add(name));
        let mut first = Vec::new();
        rows.input.read_until(b'\n', &mut first)?;
        if let Some(object) = object(&first) {
            names(&object).iter().for_each(|name| rows.add(name));
        }
        rows.first = Some(first);
        Ok(rows)
    }

    fn add(&mut self, name: &str) {
        if !self.columns.contains_key(name) {
            self.columns.insert(name.to_owned(), self.header.len());
            self.header.push(name.to_owned());
        }
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    pub fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.text.clear();
            self.line += 1;
            match self.first.take() {
                Some(first) => self.text = first,
                None => _ = self.input.read_until(b'\n', &mut self.text)?,
            }
            if self.text.is_empty() {
                return Ok(false);
            }
            if !self.text.trim_ascii().is_empty() {
                break;
            }
        }
        self.values.clear();
        self.values.resize(self.header.len(), FeatureValue::Null);
        let object = object(&self.text);
        self.unreadable = object.is_none().then_some(Unreadable::Row);
        let (columns, values) = (&self.columns, &mut self.values);
        each(object.unwrap_or_default(), &mut String::new(), &mut |name, value| {
            if let Some(column) = columns.get(name) {
                values[*column] = value;
            }
        });
        Ok(true)
    }

    /// Knows further names from the next line on.
    pub fn extend(&mut self, names: &[String]) {
        names.iter().for_each(|name| self.add(name));
    }

    pub fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable
    }

    /// The names of the current line.
    pub fn names(&self) -> Vec<String> {
        object(&self.text).map_or_else(Vec::new, |object| names(&object))
    }

    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn cell(&self, column: usize) -> Cell<'_> {
        self.values.get(column).map_or(Cell::Missing, Cell::of)
    }
}

fn object(line: &[u8]) -> Option<FeatureObject> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    serde_json::from_slice(line).ok()
}

fn names(object: &FeatureObject) -> Vec<String> {
    let mut names = Vec::new();
    each(object.clone(), &mut String::new(), &mut |name, _| names.push(name.to_owned()));
    names
}

fn each(object: FeatureObject, path: &mut String, with: &mut dyn FnMut(&str, FeatureValue)) {
    for (key, value) in object.0 {
        let length = path.len();
        path.push_str(&key);
        match value {
            FeatureValue::Object(inner) => {
                path.push('.');
                each(inner, path, with);
            }
            value => with(path, value),
        }
        path.truncate(length);
    }
}
