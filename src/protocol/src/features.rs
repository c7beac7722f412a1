use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

/// A feature value as it came: order kept, repeated keys kept, integers kept.
///
/// A map that sorts or drops keys would change what the learner sees.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureValue {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Any JSON number.
    Number(Number),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<FeatureValue>),
    /// An object.
    Object(FeatureObject),
}

/// An object of features: key and value pairs in the order in which they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureObject(pub Vec<(String, FeatureValue)>);

impl FeatureObject {
    /// About how many bytes of memory it takes, with itself.
    pub fn bytes(&self) -> usize {
        let entries =
            self.0.iter().map(|(key, value)| size_of::<String>() + key.len() + value.bytes());
        size_of::<Self>() + entries.sum::<usize>()
    }
}

impl FeatureValue {
    fn bytes(&self) -> usize {
        let beyond = match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::Text(text) => text.len(),
            Self::List(values) => values.iter().map(Self::bytes).sum(),
            Self::Object(object) => object.bytes() - size_of::<FeatureObject>(),
        };
        size_of::<Self>() + beyond
    }
}

impl Serialize for FeatureValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => values.serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for FeatureObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FeatureValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for FeatureObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = FeatureValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a feature value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(FeatureValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(FeatureValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(FeatureValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(FeatureValue::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        let number = Number::from_f64(value);
        number.map(FeatureValue::Number).ok_or_else(|| E::custom("a feature must be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(FeatureValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(FeatureValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(FeatureValue::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ObjectVisitor.visit_map(map).map(FeatureValue::Object)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = FeatureObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of features")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        // Events are in memory for long, and many of their objects have one feature.
        let mut entries = Vec::with_capacity(1);
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(FeatureObject(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::FeatureObject;

    #[test]
    fn order_repetition_and_integers_survive() {
        let text = r#"{"z":1,"a":[1.5,null,true],"z":{"deep":"x"}}"#;
        let object: FeatureObject = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&object).unwrap(), text);
    }
}
