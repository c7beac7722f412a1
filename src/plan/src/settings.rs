//! Settings of the loop.

use std::time::Duration;

use serde::Serialize;

use protocol::{LearningMode, RewardAggregation, ServiceConfiguration, WireDuration};

/// Settings of the loop. A setting that is `None` is left unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Settings {
    /// How long after Rank a reward still counts: 1 s to 2 d.
    pub reward_wait_time: Option<Duration>,
    /// The reward of an event that got none in time.
    pub default_reward: Option<f64>,
    /// How several rewards of one event become one.
    pub reward_aggregation: Option<RewardAggregation>,
    /// The share of events that explore, in `[0, 1]`.
    pub exploration_percentage: Option<f64>,
    /// How often a newly learned model is served: 1 s to 2 d.
    pub model_export_frequency: Option<Duration>,
    /// For how many days events are kept, -1 for ever.
    pub log_retention_days: Option<i32>,
    /// Whose choices are served.
    pub learning_mode: Option<LearningMode>,
}

impl Settings {
    /// Changes `configuration` as asked.
    pub fn apply_to(&self, configuration: &mut ServiceConfiguration) {
        let set = |place: &mut WireDuration, time: Option<Duration>| {
            *place = time.map_or(*place, WireDuration);
        };
        set(&mut configuration.reward_wait_time, self.reward_wait_time);
        set(&mut configuration.model_export_frequency, self.model_export_frequency);
        replace(&mut configuration.default_reward, self.default_reward);
        replace(&mut configuration.reward_aggregation, self.reward_aggregation);
        replace(&mut configuration.exploration_percentage, self.exploration_percentage);
        replace(&mut configuration.log_retention_days, self.log_retention_days);
        configuration.learning_mode = self.learning_mode.or(configuration.learning_mode);
    }

    /// What of these settings does not hold in `configuration`, a sentence each.
    ///
    /// Numbers may differ by what a service that keeps them in 32 bits makes of them.
    #[must_use]
    pub fn differences(&self, configuration: &ServiceConfiguration) -> Vec<String> {
        let (asked, found) = (self, configuration);
        let time =
            |asked: Option<Duration>, found: WireDuration| (asked.map(written), written(found.0));
        let wait = time(asked.reward_wait_time, found.reward_wait_time);
        let export = time(asked.model_export_frequency, found.model_export_frequency);
        let mode = found.learning_mode.map_or("not told".to_owned(), |mode| format!("{mode:?}"));
        let settings = [
            difference("reward_wait_time", wait.0, &wait.1),
            difference("model_export_frequency", export.0, &export.1),
            number_difference("default_reward", asked.default_reward, found.default_reward),
            number_difference(
                "exploration_percentage",
                asked.exploration_percentage,
                found.exploration_percentage,
            ),
            difference(
                "reward_aggregation",
                asked.reward_aggregation.map(word),
                &word(found.reward_aggregation),
            ),
            difference(
                "log_retention_days",
                asked.log_retention_days.map(|days| days.to_string()),
                &found.log_retention_days.to_string(),
            ),
            difference("learning_mode", asked.learning_mode.map(|mode| format!("{mode:?}")), &mode),
        ];
        settings.into_iter().flatten().collect()
    }
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// A duration as a scenario writes it.
pub fn written(time: Duration) -> String {
    humantime::format_duration(time).to_string().replace(' ', "")
}

/// An aggregation as the scenario calls it.
fn word(aggregation: RewardAggregation) -> String {
    format!("{aggregation:?}").to_lowercase()
}

fn difference(name: &str, asked: Option<String>, found: &str) -> Option<String> {
    let asked = asked.filter(|asked| asked != found)?;
    Some(format!("`{name}` is {found}, not {asked}"))
}

fn number_difference(name: &str, asked: Option<f64>, found: f64) -> Option<String> {
    let asked = asked.filter(|asked| (asked - found).abs() > f64::from(f32::EPSILON))?;
    difference(name, Some(asked.to_string()), &found.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::LearningMode;

    fn some() -> Settings {
        Settings {
            reward_wait_time: Some(Duration::from_secs(300)),
            exploration_percentage: Some(0.3),
            reward_aggregation: Some(RewardAggregation::Sum),
            learning_mode: Some(LearningMode::Apprentice),
            ..Settings::default()
        }
    }

    #[test]
    fn what_is_applied_holds_and_the_rest_stays() {
        let mut configuration = ServiceConfiguration::default();
        some().apply_to(&mut configuration);
        assert_eq!(some().differences(&configuration), Vec::<String>::new());
        assert_eq!(
            configuration.model_export_frequency,
            ServiceConfiguration::default().model_export_frequency
        );
        let mut unchanged = ServiceConfiguration::default();
        Settings::default().apply_to(&mut unchanged);
        assert_eq!(unchanged, ServiceConfiguration::default());
    }

    #[test]
    fn what_does_not_hold_is_told() {
        let expected = [
            "`reward_wait_time` is 10m, not 5m",
            "`exploration_percentage` is 0.2, not 0.3",
            "`reward_aggregation` is earliest, not sum",
            "`learning_mode` is Online, not Apprentice",
        ];
        assert_eq!(some().differences(&ServiceConfiguration::default()), expected);
    }

    #[test]
    fn a_service_that_keeps_32_bits_is_forgiven() {
        let configuration = ServiceConfiguration {
            exploration_percentage: f64::from(0.3_f32),
            ..ServiceConfiguration::default()
        };
        let asked = Settings { exploration_percentage: Some(0.3), ..Settings::default() };
        assert!(asked.differences(&configuration).is_empty());
    }
}
