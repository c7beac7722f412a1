use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rank::null_as_default;
use super::{EventId, FeatureObject, RankableAction};

/// `POST /multislot/rank`, the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MultiSlotRankRequest {
    /// The context features. Absent and null are empty, here and below.
    #[serde(default, deserialize_with = "null_as_default")]
    pub context_features: Arc<[FeatureObject]>,
    /// The actions to choose from.
    pub actions: Arc<[RankableAction]>,
    /// The slots; no two get the same action.
    pub slots: Vec<SlotRequest>,
    /// The id of the event; the service makes one where it is missing or null.
    #[serde(default)]
    pub event_id: Option<EventId>,
    /// Whether the event counts only once it is activated.
    #[serde(default, deserialize_with = "null_as_default")]
    pub defer_activation: bool,
}

/// A slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotRequest {
    /// The id of the slot, unique in its request.
    pub id: String,
    /// The features of the slot.
    #[serde(default, deserialize_with = "null_as_default")]
    pub features: Vec<FeatureObject>,
    /// Ids of actions that must not be chosen for it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub excluded_actions: Vec<String>,
    /// The id of the action that would be shown without the service.
    pub baseline_action: String,
}

/// `POST /multislot/rank`, the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MultiSlotRankResponse {
    /// The slots, in the order of the request.
    pub slots: Vec<SlotResponse>,
    /// The id of the event, for the rewards.
    pub event_id: EventId,
}

/// The choice for a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotResponse {
    /// The id of the slot.
    pub id: String,
    /// The id of its action.
    pub reward_action_id: Arc<str>,
}

/// `POST /multislot/events/{eventId}/reward`. Slots may be rewarded in several calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultiSlotRewardRequest {
    /// The rewards.
    pub reward: Vec<SlotReward>,
}

/// The reward of a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotReward {
    /// The id of the slot.
    pub slot_id: String,
    /// The reward.
    pub value: f64,
}
