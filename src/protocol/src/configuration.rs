use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::WireDuration;
use timestamp::Timestamp;

/// `GET`/`PUT /configurations/service`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceConfiguration {
    /// How long after Rank a reward still counts.
    pub reward_wait_time: WireDuration,
    /// The reward of an event that got none in time, in `[-1, 1]`.
    pub default_reward: f64,
    /// How several rewards of one event become one.
    pub reward_aggregation: RewardAggregation,
    /// The share of events that explore, in `[0, 1]`.
    pub exploration_percentage: f64,
    /// How often a newly learned model is served.
    pub model_export_frequency: WireDuration,
    /// For how many days events are kept, -1 for ever.
    pub log_retention_days: i32,
    /// Whether the log is copied elsewhere. Kept and returned, without effect here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_mirror_enabled: Option<bool>,
    /// Where the log is copied. Kept and returned, without effect here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_mirror_sas_uri: Option<String>,
    /// When the configuration was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_configuration_edit_date: Option<Timestamp>,
    /// Whose choices are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_mode: Option<LearningMode>,
    /// Whether evaluations run and are applied by themselves. Kept and returned, without
    /// effect here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_auto_optimization_enabled: Option<bool>,
    /// How often they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_optimization_frequency: Option<WireDuration>,
    /// When they begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_optimization_start_date: Option<Timestamp>,
}

impl Default for ServiceConfiguration {
    /// What a new service has (learning-loop's `ApplicationConstants`). Optimizing by
    /// itself is off: a run should change nothing that its scenario does not ask for.
    fn default() -> Self {
        Self {
            reward_wait_time: WireDuration(Duration::from_secs(600)),
            default_reward: 0.0,
            reward_aggregation: RewardAggregation::Earliest,
            exploration_percentage: 0.2,
            model_export_frequency: WireDuration(Duration::from_secs(300)),
            log_retention_days: 90,
            log_mirror_enabled: None,
            log_mirror_sas_uri: None,
            last_configuration_edit_date: None,
            learning_mode: Some(LearningMode::Online),
            is_auto_optimization_enabled: Some(false),
            auto_optimization_frequency: None,
            auto_optimization_start_date: None,
        }
    }
}

/// How several rewards of one event become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RewardAggregation {
    /// The first to arrive.
    Earliest,
    /// Their sum; it may leave `[-1, 1]`.
    Sum,
    /// Their mean.
    Average,
    /// Their median.
    Median,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// Whose choices are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LearningMode {
    /// The learned policy's.
    Online,
    /// The baseline's; the learned policy is trained to imitate it.
    Apprentice,
    /// The baseline's, and nothing is learned.
    LoggingOnly,
}
