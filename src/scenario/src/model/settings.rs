//! Settings of the loop.

use std::time::Duration;

use super::datasets::REWARD;
use super::notation::DURATION;
use super::policy::policy;
use crate::format::{Form, Placed, flatten_with, integer, number, object, optional, or, word};
use ::policy::Policy;
use diagnostic::Diagnostic;
use plan::Settings;
use protocol::{LearningMode, RewardAggregation, ServiceConfiguration};

keyed! {
    /// Settings of the loop.
    reads Settings {
        /// How long after Rank a reward still counts: 1s to 2d.
        reward_wait_time: Option<Duration> = optional(service_time()),
        /// The reward of an event that got none in time.
        default_reward: Option<f64> = optional(REWARD),
        /// How several rewards of one event become one.
        reward_aggregation: Option<RewardAggregation> = optional(word(&[
            ("earliest", RewardAggregation::Earliest, "The first reward to arrive."),
            ("sum", RewardAggregation::Sum, "Their sum."),
            ("average", RewardAggregation::Average, "Their mean."),
            ("median", RewardAggregation::Median, "Their median."),
            ("min", RewardAggregation::Min, "The smallest."),
            ("max", RewardAggregation::Max, "The largest."),
        ])),
        /// The share of events that explore: 0.2 is 20 %. A loop starts with the `--epsilon` of
        /// its learning policy, if it is not said, and with 0.2 where the policy has none.
        exploration_percentage: Option<f64> = optional(number(0.0, 1.0)),
        /// How often a newly learned model is served: 1s to 2d.
        model_export_frequency: Option<Duration> = optional(service_time()),
        /// For how many days events are kept, -1 for ever.
        log_retention_days: Option<i32> = optional(days()),
        /// Whose choices are served.
        learning_mode: Option<LearningMode> = optional(word(&[
            ("Online", LearningMode::Online, "The learned policy's choices are served."),
            (
                "Apprentice",
                LearningMode::Apprentice,
                "The baseline's choices are served, the policy learns to imitate them.",
            ),
            (
                "LoggingOnly",
                LearningMode::LoggingOnly,
                "The baseline's choices are served, nothing is learned.",
            ),
        ])),
    }
}

keyed! {
    /// The settings the embedded loop starts with.
    pub(crate) struct LoopFile {
        /// Settings.
        settings: Settings = flatten_with(&[
            ("reward_wait_time", "\"10m\""),
            ("default_reward", "0"),
            ("reward_aggregation", "\"earliest\""),
            ("model_export_frequency", "\"5m\""),
            ("log_retention_days", "90"),
            ("learning_mode", "\"Online\""),
        ]),
        /// The learning policy: Vowpal Wabbit arguments, a linear policy, or a program.
        learning_policy: Placed<Policy> = or(
            policy().at(),
            "\"--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::\"",
        ),
    }
}

impl LoopFile {
    /// What a loop starts with. Exploration that is not said is that of the policy.
    pub fn start(&self) -> (ServiceConfiguration, Policy) {
        let mut configuration = ServiceConfiguration::default();
        if let Some(epsilon) = self.learning_policy.epsilon() {
            configuration.exploration_percentage = decimal(epsilon);
        }
        self.settings.apply_to(&mut configuration);
        (configuration, self.learning_policy.value.clone())
    }
}

/// A number of 32 bits as its shortest decimal in 64 bits: 0.05, not 0.05000000074505806.
fn decimal(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// A loop whose settings and policy agree; a warning, if one overrides the other.
pub(crate) fn learning_loop() -> impl Form<Value = LoopFile> {
    object().and_then(|file: LoopFile, spot, reading| {
        let epsilon = file.learning_policy.epsilon().map(decimal);
        let share = file.settings.exploration_percentage;
        if let (Some(epsilon), Some(share)) = (epsilon, share)
            && file.learning_policy.is_written
            && epsilon.total_cmp(&share).is_ne()
        {
            let message = format!(
                "`--epsilon {epsilon}` of the learning policy has no effect: \
                 `exploration_percentage` is {share}"
            );
            let warning = Diagnostic::warning(message).at(spot.key("exploration_percentage"));
            reading.report.push(warning.help(
                "leave `exploration_percentage` out for the policy's own, or make them equal",
            ));
        }
        Some(file)
    })
}

fn days() -> impl Form<Value = i32> {
    integer(-1, i32::MAX.into()).map(|days| i32::try_from(days).unwrap_or(i32::MAX))
}

/// A duration that the service accepts in its configuration.
fn service_time() -> impl Form<Value = Duration> {
    const SECOND: Duration = Duration::from_secs(1);
    const TWO_DAYS: Duration = Duration::from_secs(2 * 24 * 3600);
    DURATION.and_then(|time, spot, reading| {
        if (SECOND..=TWO_DAYS).contains(&time) {
            return Some(time);
        }
        let (key, place) = (spot.owner.name, &spot.node.place);
        let message = format!("`{key}` must be from `1s` to `2d`, found `{}`", place.text());
        reading.report.push(Diagnostic::error(message).at(place));
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::by_default;

    #[test]
    fn a_loop_without_settings_starts_as_a_new_service() {
        let mut configuration = ServiceConfiguration {
            exploration_percentage: 1.0,
            log_retention_days: 1,
            ..ServiceConfiguration::default()
        };
        let start = by_default::<LoopFile>();
        start.settings.apply_to(&mut configuration);
        configuration.exploration_percentage = start.start().0.exploration_percentage;
        assert_eq!(configuration, ServiceConfiguration::default());
        assert_eq!(start.start().0, ServiceConfiguration::default());
    }
}
