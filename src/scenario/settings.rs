//! Settings of the loop.

use std::time::Duration;

use super::document::Node;
use super::model::{as_integer, duration};
use super::plan::Settings;
use crate::diagnostic::{Diagnostic, Report};
use crate::protocol::{LearningMode, RewardAggregation, ServiceConfiguration, WireDuration};

const SECOND: Duration = Duration::from_secs(1);
const TWO_DAYS: Duration = Duration::from_secs(2 * 24 * 3600);

/// The settings of a new service (personalizer-api.md §2.6).
pub(super) fn service_defaults() -> ServiceConfiguration {
    ServiceConfiguration {
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

/// The settings that stand in a map; those that do not are `None`.
pub(super) fn settings(map: &Node, report: &mut Report) -> Settings {
    Settings {
        reward_wait_time: time(map, "reward_wait_time", report),
        default_reward: number(map, "default_reward"),
        reward_aggregation: map.get("reward_aggregation").and_then(aggregation),
        exploration_percentage: number(map, "exploration_percentage"),
        model_export_frequency: time(map, "model_export_frequency", report),
        log_retention_days: map
            .get("log_retention_days")
            .and_then(as_integer)
            .and_then(|days| i32::try_from(days).ok()),
        learning_mode: map.get("learning_mode").and_then(learning_mode),
    }
}

fn number(map: &Node, key: &str) -> Option<f64> {
    map.get(key).and_then(Node::number)
}

/// A duration that the service accepts in its configuration.
fn time(map: &Node, key: &str, report: &mut Report) -> Option<Duration> {
    let node = map.get(key)?;
    let time = duration(node.text()?)?;
    if !(SECOND..=TWO_DAYS).contains(&time) {
        let message = format!("`{key}` must be from `1s` to `2d`, found `{}`", node.place.text());
        report.push(Diagnostic::error(message).at(&node.place));
    }
    Some(time)
}

/// The words of the file are the words of the wire.
fn aggregation(node: &Node) -> Option<RewardAggregation> {
    serde_json::from_value(node.text()?.into()).ok()
}

fn learning_mode(node: &Node) -> Option<LearningMode> {
    serde_json::from_value(node.text()?.into()).ok()
}

/// Says when one change asks for what the service refuses to change together.
pub(super) fn check_together(map: &Node, change: &Settings, report: &mut Report) {
    let rewards = [
        ("reward_wait_time", change.reward_wait_time.is_some()),
        ("default_reward", change.default_reward.is_some()),
        ("reward_aggregation", change.reward_aggregation.is_some()),
    ];
    let other = rewards.into_iter().find(|(_, changes)| *changes);
    let (Some(mode), Some((other, _))) = (map.entry("learning_mode"), other) else {
        return;
    };
    let message = format!("the service refuses to change `learning_mode` and `{other}` together");
    report.push(Diagnostic::error(message).at(&mode.place).help("use two `configure` phases"));
}
