//! Features as vectors of numbers: which column stands for what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Number;

use protocol::{FeatureObject, FeatureValue};

/// The columns of the vectors of some feature objects.
///
/// Features come in a declared order. A number or a boolean is a column of its own; a text is
/// a column for each of its values, sorted, of which one is 1. A list of numbers is a column
/// for each of its places.
#[derive(Debug, Default)]
pub struct Encoding {
    columns: Vec<String>,
    index: HashMap<String, usize>,
    /// The first feature that is a text.
    text: Option<String>,
}

/// A feature without parts.
enum Leaf<'a> {
    Number(Number),
    Text(&'a str),
}

impl Encoding {
    /// The columns for `rows`, whose features come in the order of `declared`, then in the
    /// order of their first appearance.
    pub fn new<'a>(
        declared: &[String],
        rows: impl IntoIterator<Item = &'a [FeatureObject]>,
    ) -> Self {
        let mut order: Vec<String> = declared.to_vec();
        let mut seen: BTreeSet<String> = declared.iter().cloned().collect();
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut text = None;
        for row in rows {
            leaves(row, &mut |name, leaf| {
                if seen.insert(name.to_owned()) {
                    order.push(name.to_owned());
                }
                if matches!(leaf, Leaf::Text(_)) && text.is_none() {
                    text = Some(name.to_owned());
                }
                values.entry(name.to_owned()).or_default().insert(column(name, &leaf));
            });
        }
        let columns: Vec<String> =
            order.iter().filter_map(|name| values.remove(name)).flatten().collect();
        let index = columns.iter().cloned().zip(0..).collect();
        Self { columns, index, text }
    }

    /// What the columns stand for: `weather=sunny`, or `age`.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The vector of `features`, texts as columns of 0 and 1.
    pub fn one_hot(&self, features: &[FeatureObject]) -> Vec<Number> {
        let mut vector = vec![Number::from(0); self.columns.len()];
        leaves(features, &mut |name, leaf| {
            let Some(index) = self.index.get(&column(name, &leaf)) else { return };
            vector[*index] = match leaf {
                Leaf::Number(number) => number,
                Leaf::Text(_) => 1.into(),
            };
        });
        vector
    }

    /// The vector of `features`, which are numbers and booleans.
    ///
    /// # Errors
    /// When one is a text.
    pub fn numbers(&self, features: &[FeatureObject]) -> Result<Vec<Number>, String> {
        match &self.text {
            Some(name) => {
                Err(format!("`{name}` is a text, which `numbers` cannot encode: use `one_hot`"))
            }
            None => Ok(self.one_hot(features)),
        }
    }
}

/// The name of the column of a feature.
fn column(name: &str, leaf: &Leaf<'_>) -> String {
    match leaf {
        Leaf::Number(_) => name.to_owned(),
        Leaf::Text(text) => format!("{name}={text}"),
    }
}

/// Visits every feature without parts, by its path.
fn leaves<'a>(features: &'a [FeatureObject], visit: &mut dyn FnMut(&str, Leaf<'a>)) {
    for (name, value) in features.iter().flat_map(|object| &object.0) {
        leaf(name, value, visit);
    }
}

fn leaf<'a>(name: &str, value: &'a FeatureValue, visit: &mut dyn FnMut(&str, Leaf<'a>)) {
    match value {
        FeatureValue::Null => {}
        FeatureValue::Bool(value) => visit(name, Leaf::Number(u8::from(*value).into())),
        FeatureValue::Number(number) => visit(name, Leaf::Number(number.clone())),
        FeatureValue::Text(text) => visit(name, Leaf::Text(text)),
        FeatureValue::List(items) => {
            for (index, item) in items.iter().enumerate() {
                leaf(&format!("{name}[{index}]"), item, visit);
            }
        }
        FeatureValue::Object(object) => {
            for (inner, value) in &object.0 {
                leaf(&format!("{name}.{inner}"), value, visit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Vec<FeatureObject> {
        vec![serde_json::from_str(json).unwrap()]
    }

    #[test]
    fn columns_come_in_the_declared_order_and_values_sorted() {
        let rows = [
            row(r#"{"member":true,"weather":"sunny","age":30,"geo":{"lat":1.5}}"#),
            row(r#"{"member":false,"weather":"rainy","age":41,"taste":[0.1,0.2]}"#),
        ];
        let declared = ["weather".to_owned(), "age".to_owned()];
        let encoding = Encoding::new(&declared, rows.iter().map(Vec::as_slice));
        let columns =
            ["weather=rainy", "weather=sunny", "age", "member", "geo.lat", "taste[0]", "taste[1]"];
        assert_eq!(encoding.columns(), columns);
        let vector = |row: &[FeatureObject]| {
            let numbers = encoding.one_hot(row);
            numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(vector(&rows[0]), "0 1 30 1 1.5 0 0");
        assert_eq!(vector(&rows[1]), "1 0 41 0 0 0.1 0.2");
        assert!(encoding.numbers(&rows[0]).unwrap_err().contains("`weather` is a text"));
    }

    #[test]
    fn numbers_alone_need_no_columns_of_values() {
        let rows = [row(r#"{"b":2,"a":0.5}"#), row(r#"{"b":3}"#)];
        let encoding =
            Encoding::new(&["a".to_owned(), "b".to_owned()], rows.iter().map(Vec::as_slice));
        let vector = encoding.numbers(&rows[0]).unwrap();
        assert_eq!(vector, [Number::from_f64(0.5).unwrap(), 2.into()]);
        assert_eq!(encoding.numbers(&rows[1]).unwrap(), [Number::from(0), 3.into()]);
    }
}
