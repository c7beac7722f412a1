use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{EventId, FeatureObject};

/// `POST /rank`, the request.
///
/// Parts that many requests share are behind an `Arc`: a run sends the same actions ten
/// thousand times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RankRequest {
    /// The context features. Absent and null are empty, here and below.
    #[serde(default, deserialize_with = "null_as_default")]
    pub context_features: Arc<[FeatureObject]>,
    /// The actions to choose from.
    pub actions: Arc<[RankableAction]>,
    /// Ids of actions that must not be chosen.
    #[serde(default, deserialize_with = "null_as_default")]
    pub excluded_actions: Vec<String>,
    /// The id of the event; the service makes one where it is missing or null.
    #[serde(default)]
    pub event_id: Option<EventId>,
    /// Whether the event counts only once it is activated.
    #[serde(default, deserialize_with = "null_as_default")]
    pub defer_activation: bool,
}

/// A Rank request whose actions are not parsed: a service that caches actions compares
/// their text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RankEnvelope<'a> {
    /// The text of the actions.
    #[serde(borrow)]
    pub actions: &'a RawValue,
    #[serde(default, deserialize_with = "null_as_default")]
    context_features: Arc<[FeatureObject]>,
    #[serde(default, deserialize_with = "null_as_default")]
    excluded_actions: Vec<String>,
    #[serde(default)]
    event_id: Option<EventId>,
    #[serde(default, deserialize_with = "null_as_default")]
    defer_activation: bool,
}

impl RankEnvelope<'_> {
    /// The request with its parsed actions.
    #[must_use]
    pub fn with(self, actions: Arc<[RankableAction]>) -> RankRequest {
        RankRequest {
            actions,
            context_features: self.context_features,
            excluded_actions: self.excluded_actions,
            event_id: self.event_id,
            defer_activation: self.defer_activation,
        }
    }
}

/// A Rank request of which parts are JSON already, and which is written as [`RankRequest`] is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RankRequestParts<'a> {
    /// The context features.
    pub context_features: Rc<RawValue>,
    /// The actions.
    pub actions: Rc<RawValue>,
    /// See [`RankRequest`].
    pub excluded_actions: &'a [String],
    /// See [`RankRequest`].
    pub event_id: Option<&'a EventId>,
    /// See [`RankRequest`].
    pub defer_activation: bool,
}

/// An action with its features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankableAction {
    /// The id of the action, unique in its request.
    pub id: Arc<str>,
    /// The features of the action.
    pub features: Arc<[FeatureObject]>,
}

/// `POST /rank`, the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RankResponse {
    /// The actions, the chosen one first (excluded ones keep their places).
    pub ranking: Vec<RankedAction>,
    /// The id of the event, for the reward.
    pub event_id: EventId,
    /// The chosen action.
    #[serde(deserialize_with = "shared_text")]
    pub reward_action_id: Arc<str>,
}

/// An action with the probability with which it was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedAction {
    /// The id of the action.
    #[serde(deserialize_with = "shared_text")]
    pub id: Arc<str>,
    /// The probability of choosing it, in `[0, 1]`.
    pub probability: f32,
}

/// `POST /events/{eventId}/reward`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RewardRequest {
    /// The reward.
    pub value: f64,
}

pub(super) fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A text, without the two copies that `Arc<str>` makes by itself: a client reads five of them a
/// call.
fn shared_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = Arc<str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Arc<str>, E> {
            Ok(text.into())
        }
    }

    deserializer.deserialize_str(Text)
}

#[cfg(test)]
mod tests {
    use super::RankRequest;

    #[test]
    fn what_may_be_left_out_may_be_null_and_more_may_be_said() {
        let actions = r#""actions":[{"id":"a","features":[{"b":1}],"color":"red"}]"#;
        let short: RankRequest = serde_json::from_str(&format!("{{{actions}}}")).unwrap();
        let nulls = r#""contextFeatures":null,"excludedActions":null,"eventId":null"#;
        let long = format!(r#"{{{actions},{nulls},"deferActivation":null,"more":[1]}}"#);
        assert_eq!(serde_json::from_str::<RankRequest>(&long).unwrap(), short);
        assert!(short.context_features.is_empty() && !short.defer_activation);
    }
}
