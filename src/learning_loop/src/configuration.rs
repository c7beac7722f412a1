use std::ops::RangeInclusive;
use std::time::Duration;

use super::{DEFAULT_POLICY, DEFAULT_SLOTS_POLICY};
use learner::LearningPolicy;
use protocol::{ErrorCode, PolicyContract, ServiceConfiguration, ServiceError};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);
const TWO_DAYS: Duration = Duration::from_secs(2 * 24 * 3600);

/// Refuses settings that are out of their range.
pub(super) fn check(configuration: &ServiceConfiguration) -> Result<(), ServiceError> {
    let times = SECOND..=TWO_DAYS;
    let wait = configuration.reward_wait_time;
    within(&wait.0, &times, || format!("`rewardWaitTime` must be from PT1S to P2D, found {wait}"))?;
    let every = configuration.model_export_frequency;
    within(&every.0, &times, || {
        format!("`modelExportFrequency` must be from PT1S to P2D, found {every}")
    })?;
    let reward = configuration.default_reward;
    within(&reward, &(-1.0..=1.0), || {
        format!("`defaultReward` must be from -1 to 1, found {reward}")
    })?;
    let share = configuration.exploration_percentage;
    within(&share, &(0.0..=1.0), || {
        format!("`explorationPercentage` must be from 0 to 1, found {share}")
    })?;
    if let Some(every) = configuration.auto_optimization_frequency {
        within(&every.0, &(SECOND..=Duration::MAX), || {
            format!("`autoOptimizationFrequency` must be at least PT1S, found {every}")
        })?;
    }
    check_retention(configuration)
}

/// Events are kept until a day after their windows have closed, or for ever, or, as version
/// 1.0 of the service had it, not at all.
fn check_retention(configuration: &ServiceConfiguration) -> Result<(), ServiceError> {
    let days = configuration.log_retention_days;
    within(&days, &(-1..=i32::MAX), || {
        format!("`logRetentionDays` must be a number of days or -1, found {days}")
    })?;
    let wait = configuration.reward_wait_time;
    let least = 1 + wait.0.as_micros().div_ceil(DAY.as_micros());
    if days <= 0 || u128::from(days.unsigned_abs()) >= least {
        return Ok(());
    }
    let message = format!(
        "`logRetentionDays` must be at least {least} while `rewardWaitTime` is {wait}, or -1 for \
         ever, found {days}"
    );
    Err(ServiceError::new(ErrorCode::InvalidLogRetentionDays, message))
}

fn within<T: PartialOrd>(
    value: &T,
    range: &RangeInclusive<T>,
    message: impl FnOnce() -> String,
) -> Result<(), ServiceError> {
    let error = || ServiceError::new(ErrorCode::InvalidServiceConfiguration, message());
    range.contains(value).then_some(()).ok_or_else(error)
}

/// Refuses a change of the learning mode together with what a reward is: nobody could
/// tell which of them changed the averages.
pub(super) fn check_change(
    old: &ServiceConfiguration,
    new: &ServiceConfiguration,
) -> Result<(), ServiceError> {
    if old.learning_mode == new.learning_mode || !rewards_differ(old, new) {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::InvalidLearningModeServiceConfiguration,
        "`learningMode` cannot change together with `defaultReward`, `rewardWaitTime` or \
         `rewardAggregation`",
    ))
}

/// Whether a model that was learned under `old` is of no use under `new`.
pub(super) fn needs_new_model(old: &ServiceConfiguration, new: &ServiceConfiguration) -> bool {
    rewards_differ(old, new) || differ(old.exploration_percentage, new.exploration_percentage)
}

fn rewards_differ(old: &ServiceConfiguration, new: &ServiceConfiguration) -> bool {
    old.reward_wait_time != new.reward_wait_time
        || differ(old.default_reward, new.default_reward)
        || old.reward_aggregation != new.reward_aggregation
}

fn differ(old: f64, new: f64) -> bool {
    old.total_cmp(&new).is_ne()
}

/// The policy with the share of exploration that the configuration asks for.
pub(super) fn effective(
    policy: &LearningPolicy,
    configuration: &ServiceConfiguration,
) -> LearningPolicy {
    #[expect(clippy::cast_possible_truncation, reason = "VW keeps probabilities as f32")]
    policy.with_epsilon(configuration.exploration_percentage as f32)
}

/// The policy of a contract, or why it cannot be used.
pub(super) fn parse(contract: &PolicyContract) -> Result<LearningPolicy, ServiceError> {
    check_lengths(contract)?;
    LearningPolicy::parse(&contract.arguments).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        ServiceError::new(ErrorCode::InvalidPolicyConfiguration, errors.join("; "))
    })
}

fn check_lengths(contract: &PolicyContract) -> Result<(), ServiceError> {
    let name = contract.name.chars().count();
    let arguments = contract.arguments.chars().count();
    let message = if !(1..=256).contains(&name) {
        format!("the name of a policy must have 1 to 256 characters, found {name}")
    } else if !(1..=1024).contains(&arguments) {
        format!("the arguments of a policy must have 1 to 1024 characters, found {arguments}")
    } else {
        return Ok(());
    };
    Err(ServiceError::new(ErrorCode::InvalidPolicyContract, message))
}

/// The policy of a new service; of one that fills slots, if it is to.
pub(super) fn default_policy(fills_slots: bool) -> LearningPolicy {
    let arguments = if fills_slots { DEFAULT_SLOTS_POLICY } else { DEFAULT_POLICY };
    LearningPolicy::parse(arguments).expect("the service's own arguments")
}

/// Refuses that a loop with slots optimizes itself, as the service does not.
pub(super) fn check_optimization(
    configuration: &ServiceConfiguration,
    policy: &LearningPolicy,
) -> Result<(), ServiceError> {
    let optimizes = configuration.is_auto_optimization_enabled == Some(true);
    if !(optimizes && policy.is_multi_slot()) {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::ProblemTypeIncompatibleWithAutoOptimization,
        "`isAutoOptimizationEnabled` must be false while the learning policy fills slots \
         (`--ccb_explore_adf`)",
    ))
}
