use serde::{Deserialize, Serialize};

use timestamp::Timestamp;

/// `GET /model/properties`. A model that was never trained has year 1 in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelProperties {
    /// When the model was first exported.
    pub creation_time: Timestamp,
    /// When the model was last exported.
    pub last_modified_time: Timestamp,
}

/// `GET /logs/properties`: `{}` while nothing is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogsProperties {
    /// The time that the log covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
}

/// From the first to the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateRange {
    /// The first event.
    pub from: Timestamp,
    /// The last event.
    pub to: Timestamp,
}
