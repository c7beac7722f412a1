//! Context dimensions: what tells one visit from another.

use serde_json::Number;

use crate::model::ContextDimension;
pub(crate) use crate::model::DimensionKind;
use protocol::{FeatureObject, FeatureValue};

/// A context dimension.
#[derive(Debug)]
pub(crate) struct Dimension {
    /// Its name, with dots between nested namespaces.
    pub name: String,
    pub kind: DimensionKind,
}

/// The dimensions that a scenario names.
pub(crate) fn dimensions(context: &[ContextDimension]) -> Vec<Dimension> {
    let dimension =
        |of: &ContextDimension| Dimension { name: of.name.value.clone(), kind: of.kind };
    context.iter().map(dimension).collect()
}

impl Dimension {
    /// The feature that a text in a data set stands for: none, of an empty one that is no text.
    pub fn feature(&self, text: &str) -> Result<FeatureValue, String> {
        let parsed = match self.kind {
            DimensionKind::Text => return Ok(FeatureValue::Text(text.to_owned())),
            _ if text.is_empty() => return Ok(FeatureValue::Null),
            DimensionKind::Number => {
                serde_json::from_str::<Number>(text).ok().map(FeatureValue::Number)
            }
            DimensionKind::Boolean => text.parse().ok().map(FeatureValue::Bool),
        };
        let kind = if self.kind == DimensionKind::Number { "number" } else { "boolean" };
        parsed.ok_or_else(|| format!("`{}` must be a {kind}, found `{text}`", self.name))
    }
}

/// The features of a row in one object, the innermost dimension first, as the tutorial
/// sends them. What is missing is none.
pub(super) fn features(dimensions: &[Dimension], values: Vec<FeatureValue>) -> FeatureObject {
    let mut object = FeatureObject::default();
    let known = dimensions.iter().zip(values).filter(|(_, value)| *value != FeatureValue::Null);
    for (dimension, value) in known.rev() {
        insert(&mut object, &dimension.name, value);
    }
    object
}

fn insert(object: &mut FeatureObject, name: &str, value: FeatureValue) {
    let Some((outer, inner)) = name.split_once('.') else {
        return object.0.push((name.to_owned(), value));
    };
    let at = object.0.iter().position(|(key, _)| key == outer).unwrap_or_else(|| {
        object.0.push((outer.to_owned(), FeatureValue::Object(FeatureObject::default())));
        object.0.len() - 1
    });
    if let FeatureValue::Object(nested) = &mut object.0[at].1 {
        insert(nested, inner, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_sent_innermost_first_and_nested_by_dots() {
        let names = ["name", "geo.lat", "geo.lon", "age"];
        let dimension =
            |name: &&str| Dimension { name: (*name).to_owned(), kind: DimensionKind::Text };
        let dimensions: Vec<Dimension> = names.iter().map(dimension).collect();
        let values = names.map(|name| FeatureValue::Text(name.to_uppercase())).to_vec();
        let text = serde_json::to_string(&features(&dimensions, values)).unwrap();
        assert_eq!(text, r#"{"age":"AGE","geo":{"lon":"GEO.LON","lat":"GEO.LAT"},"name":"NAME"}"#);
    }
}
