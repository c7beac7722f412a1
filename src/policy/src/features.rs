//! Features of JSON as numbers with names.
//!
//! | value | features |
//! |---|---|
//! | number `n` of the key `k` | `k`, with the value `n` |
//! | text `t` of the key `k` | `k=t`, with the value 1 |
//! | `true`, `false` | `k`, with the value 1 or 0 |
//! | list | numbers by position, `k[0]`, `k[1]`; texts as `k=t` |
//! | object | its keys behind `k.` |
//! | `null`, and keys that begin with `_` | none |

use linear::{Feature, feature_key};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// The features of some objects.
pub(crate) fn features(objects: &[FeatureObject]) -> Vec<Feature> {
    let mut features = Vec::new();
    let mut path = String::new();
    objects.iter().for_each(|object| add_object(object, &mut path, &mut features));
    features
}

/// The features of an action: one that has none is known by its id.
pub(crate) fn action_features(action: &RankableAction) -> Vec<Feature> {
    let features = features(&action.features);
    if features.is_empty() { vec![(action_key(action), 1.0)] } else { features }
}

/// The key of the id of an action.
pub(crate) fn action_key(action: &RankableAction) -> u64 {
    feature_key(format!("id={}", action.id).as_bytes())
}

fn add_object(object: &FeatureObject, path: &mut String, features: &mut Vec<Feature>) {
    for (key, value) in object.0.iter().filter(|(key, _)| !key.starts_with('_')) {
        let length = path.len();
        path.push_str(key);
        add(value, path, features);
        path.truncate(length);
    }
}

fn add(value: &FeatureValue, path: &mut String, features: &mut Vec<Feature>) {
    match value {
        FeatureValue::Null => {}
        FeatureValue::Bool(value) => push(path, f64::from(u8::from(*value)), features),
        FeatureValue::Number(value) => push(path, value.as_f64().unwrap_or(0.0), features),
        FeatureValue::Text(value) => within(path, &format!("={value}"), |path| {
            push(path, 1.0, features);
        }),
        FeatureValue::List(values) => {
            for (index, value) in values.iter().enumerate() {
                let part = if matches!(value, FeatureValue::Text(_)) {
                    String::new()
                } else {
                    format!("[{index}]")
                };
                within(path, &part, |path| add(value, path, features));
            }
        }
        FeatureValue::Object(object) => {
            within(path, ".", |path| add_object(object, path, features));
        }
    }
}

fn within(path: &mut String, part: &str, then: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(part);
    then(path);
    path.truncate(length);
}

/// A value of zero is as no feature.
fn push(name: &str, value: f64, features: &mut Vec<Feature>) {
    if value != 0.0 {
        features.push((feature_key(name.as_bytes()), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_numbers_with_names() {
        let json = r#"[{"n":2.5,"t":"x","b":true,"f":false,"z":0,"_u":1,"o":{"p":[3,"q"]}},{"l":[0,4]},{"e":null}]"#;
        let objects: Vec<FeatureObject> = serde_json::from_str(json).unwrap();
        let named =
            [("n", 2.5), ("t=x", 1.0), ("b", 1.0), ("o.p[0]", 3.0), ("o.p=q", 1.0), ("l[1]", 4.0)];
        let expected: Vec<Feature> =
            named.iter().map(|(name, value)| (feature_key(name.as_bytes()), *value)).collect();
        assert_eq!(features(&objects), expected);
    }

    #[test]
    fn an_action_without_features_is_known_by_its_id() {
        let action = |id: &str, json: &str| RankableAction {
            id: id.into(),
            features: serde_json::from_str::<Vec<FeatureObject>>(json).unwrap().into(),
        };
        assert_ne!(action_features(&action("a", "[]")), action_features(&action("b", "[]")));
        let same = r#"[{"size":2}]"#;
        assert_eq!(action_features(&action("a", same)), action_features(&action("b", same)));
    }
}
