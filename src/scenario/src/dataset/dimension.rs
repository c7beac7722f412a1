//! Context dimensions: what tells one visit from another.

use serde_json::Number;

use crate::document::Node;
use crate::model::is_feature_name;
use diagnostic::{Diagnostic, Place, Report};
use protocol::{FeatureObject, FeatureValue};

/// A context dimension.
#[derive(Debug)]
pub(crate) struct Dimension {
    /// Its name, with dots between nested namespaces.
    pub name: String,
    pub kind: DimensionKind,
}

/// What the values of a dimension are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DimensionKind {
    Text,
    Number,
    Boolean,
}

/// The dimensions that a scenario names; `None` if something is wrong with them.
pub(crate) fn dimensions(scenario: &Node, report: &mut Report) -> Option<Vec<Dimension>> {
    let before = report.errors();
    let items = scenario.get("context").map_or(&[][..], Node::items);
    let mut dimensions: Vec<Dimension> = Vec::new();
    for item in items {
        let (name, place) = name_of(item).filter(|(name, _)| is_feature_name(name))?;
        if ["preferred", "weight"].contains(&name) {
            let message = format!("`{name}` is the name of a column with a meaning of its own");
            report.push(Diagnostic::error(message).at(place));
        }
        if dimensions.iter().any(|dimension| clash(&dimension.name, name)) {
            let message = format!("the dimension `{name}` is there twice, or inside another");
            report.push(Diagnostic::error(message).at(place));
        }
        dimensions.push(Dimension { name: name.to_owned(), kind: kind_of(item) });
    }
    (!dimensions.is_empty() && report.errors() == before).then_some(dimensions)
}

fn name_of(item: &Node) -> Option<(&str, &Place)> {
    let node = item.get("name").unwrap_or(item);
    Some((node.text()?, &node.place))
}

fn kind_of(item: &Node) -> DimensionKind {
    match item.get("type").and_then(Node::text) {
        Some("number") => DimensionKind::Number,
        Some("boolean") => DimensionKind::Boolean,
        _ => DimensionKind::Text,
    }
}

/// A name cannot be both a feature and a namespace.
fn clash(one: &str, other: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
    };
    one == other || inside(one, other) || inside(other, one)
}

impl Dimension {
    /// The feature that a text in a data set stands for.
    pub fn feature(&self, text: &str) -> Result<FeatureValue, String> {
        let parsed = match self.kind {
            DimensionKind::Text => return Ok(FeatureValue::Text(text.to_owned())),
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
/// sends them.
pub(super) fn features(dimensions: &[Dimension], values: Vec<FeatureValue>) -> FeatureObject {
    let mut object = FeatureObject::default();
    for (dimension, value) in dimensions.iter().zip(values).rev() {
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
