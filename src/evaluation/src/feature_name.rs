//! Names of features, and events without one of them.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use protocol::{FeatureObject, FeatureValue, RankableAction};

/// A feature of contexts or of actions, by its keys: `context.user.age`, `action.price`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureName {
    /// Whose it is.
    pub of: FeatureOwner,
    /// Its key, behind those of the objects that it is in.
    pub path: Vec<String>,
}

/// What has features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeatureOwner {
    /// The context.
    Context,
    /// The actions.
    Action,
}

impl FeatureName {
    /// The names of all features of an event, each once.
    #[must_use]
    pub fn all(context: &[FeatureObject], actions: &[RankableAction]) -> Vec<Self> {
        let mut names = Vec::new();
        collect(FeatureOwner::Context, context, &mut names);
        for action in actions {
            collect(FeatureOwner::Action, &action.features, &mut names);
        }
        names.sort();
        names.dedup();
        names
    }

    /// Contexts and actions without the feature; what does not have it is shared.
    #[must_use]
    pub fn left_out(
        &self,
        context: &Arc<[FeatureObject]>,
        actions: &Arc<[RankableAction]>,
    ) -> (Arc<[FeatureObject]>, Arc<[RankableAction]>) {
        match self.of {
            FeatureOwner::Context => (self.without(context), actions.clone()),
            FeatureOwner::Action => {
                let action = |action: &RankableAction| RankableAction {
                    id: action.id.clone(),
                    features: self.without(&action.features),
                };
                (context.clone(), actions.iter().map(action).collect())
            }
        }
    }

    fn without(&self, objects: &Arc<[FeatureObject]>) -> Arc<[FeatureObject]> {
        objects.iter().map(|object| removed(object, &self.path)).collect()
    }
}

impl Display for FeatureName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.of {
            FeatureOwner::Context => "context",
            FeatureOwner::Action => "action",
        })?;
        self.path.iter().try_for_each(|key| write!(f, ".{key}"))
    }
}

fn removed(object: &FeatureObject, path: &[String]) -> FeatureObject {
    let Some((first, rest)) = path.split_first() else { return object.clone() };
    let kept = |(key, value): &(String, FeatureValue)| match value {
        _ if key != first => Some((key.clone(), value.clone())),
        FeatureValue::Object(inner) if !rest.is_empty() => {
            Some((key.clone(), FeatureValue::Object(removed(inner, rest))))
        }
        _ => None,
    };
    FeatureObject(object.0.iter().filter_map(kept).collect())
}

fn collect(of: FeatureOwner, objects: &[FeatureObject], names: &mut Vec<FeatureName>) {
    objects.iter().for_each(|object| collect_within(of, object, &mut Vec::new(), names));
}

fn collect_within(
    of: FeatureOwner,
    object: &FeatureObject,
    path: &mut Vec<String>,
    names: &mut Vec<FeatureName>,
) {
    for (key, value) in object.0.iter().filter(|(key, _)| policy::is_feature(key)) {
        path.push(key.clone());
        match value {
            FeatureValue::Object(inner) => collect_within(of, inner, path, names),
            _ => names.push(FeatureName { of, path: path.clone() }),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(json: &str) -> Arc<[FeatureObject]> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_event_without_a_feature_has_all_others() {
        let context = objects(r#"[{"a":1,"u":{"age":3,"city":"x"},"_text":"t"},{"a":2,"b":[1]}]"#);
        let actions: Arc<[_]> =
            [RankableAction { id: "one".into(), features: objects(r#"[{"p":5}]"#) }].into();
        let names = FeatureName::all(&context, &actions);
        let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
        let expected = ["context.a", "context.b", "context.u.age", "context.u.city", "action.p"];
        assert_eq!(shown, expected);
        for name in &names {
            let (less, fewer) = name.left_out(&context, &actions);
            let mut others = names.clone();
            others.retain(|other| other != name);
            assert_eq!(FeatureName::all(&less, &fewer), others, "{name}");
        }
    }
}
