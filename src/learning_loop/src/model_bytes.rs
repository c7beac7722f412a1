use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A model as bytes: in JSON, as base64. Version 0.2 before its release wrote an array of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelBytes(pub(crate) Vec<u8>);

impl Serialize for ModelBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for ModelBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Numbers(Vec<u8>),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom),
            Form::Numbers(bytes) => Ok(Self(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_model_is_read_in_both_forms(bytes: Vec<u8>) {
            let model = ModelBytes(bytes);
            let text = serde_json::to_string(&model).unwrap();
            proptest::prop_assert_eq!(&serde_json::from_str::<ModelBytes>(&text).unwrap(), &model);
            let numbers = serde_json::to_string(&model.0).unwrap();
            proptest::prop_assert_eq!(&serde_json::from_str::<ModelBytes>(&numbers).unwrap(), &model);
        }
    }
}
