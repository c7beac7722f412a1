use std::ops::RangeInclusive;
use std::time::Duration;

use super::limits::LoopLimits;
use learner::LearningPolicy;
use policy::Policy;
use protocol::{
    DEFAULT_POLICY, DEFAULT_SLOTS_POLICY, ErrorCode, LONGEST_ARGUMENTS, LONGEST_INTERVAL,
    LONGEST_NAME, PolicyContract, SHORTEST_INTERVAL, ServiceConfiguration, ServiceError,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Refuses settings out of range.
pub(crate) fn check(configuration: &ServiceConfiguration) -> Result<(), ServiceError> {
    let times = SHORTEST_INTERVAL..=LONGEST_INTERVAL;
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
        within(&every.0, &(SHORTEST_INTERVAL..=Duration::MAX), || {
            format!("`autoOptimizationFrequency` must be at least PT1S, found {every}")
        })?;
    }
    check_retention(configuration)
}

/// Events are kept until at least a day after their windows have closed, or without limit
/// (-1), or not at all (0, as version 1.0 of the service allowed).
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
         no limit, found {days}"
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

/// Refuses a change of the learning mode together with the meaning of rewards: the averages
/// before and after could not be compared.
pub(crate) fn check_change(
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

/// Whether a model that was trained under `old` must be trained again under `new`.
pub(crate) fn needs_new_model(old: &ServiceConfiguration, new: &ServiceConfiguration) -> bool {
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

/// The policy with the exploration percentage of the configuration.
pub(crate) fn effective(policy: &Policy, configuration: &ServiceConfiguration) -> Policy {
    #[expect(clippy::cast_possible_truncation, reason = "VW retention probabilities as f32")]
    policy.with_epsilon(configuration.exploration_percentage as f32)
}

/// Parses the policy of a contract, which may be one of some programs.
pub(crate) fn parse(
    contract: &PolicyContract,
    programs: &[Policy],
    limits: &LoopLimits,
) -> Result<Policy, ServiceError> {
    check_lengths(contract)?;
    let invalid = |message| ServiceError::new(ErrorCode::InvalidPolicyConfiguration, message);
    let policy = Policy::parse_among(&contract.arguments, programs).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        invalid(errors.join("; "))
    })?;
    limits.check_policy(&policy).map_err(invalid)?;
    Ok(policy)
}

fn check_lengths(contract: &PolicyContract) -> Result<(), ServiceError> {
    let name = contract.name.chars().count();
    let arguments = contract.arguments.chars().count();
    let message = if !(1..=LONGEST_NAME).contains(&name) {
        format!("the name of a policy must have 1 to {LONGEST_NAME} characters, found {name}")
    } else if !(1..=LONGEST_ARGUMENTS).contains(&arguments) {
        format!(
            "the arguments of a policy must have 1 to {LONGEST_ARGUMENTS} characters, found \
             {arguments}"
        )
    } else {
        return Ok(());
    };
    Err(ServiceError::new(ErrorCode::InvalidPolicyContract, message))
}

/// The policy of a new service, for slots or not.
pub(crate) fn default_policy(fills_slots: bool) -> Policy {
    default_arguments(fills_slots).into()
}

/// The same, as arguments of Vowpal Wabbit.
pub(crate) fn default_arguments(fills_slots: bool) -> LearningPolicy {
    let arguments = if fills_slots { DEFAULT_SLOTS_POLICY } else { DEFAULT_POLICY };
    LearningPolicy::parse(arguments).expect("the service's own arguments")
}

/// Refuses automatic optimization of a policy for slots, as the service does.
pub(crate) fn check_optimization(
    configuration: &ServiceConfiguration,
    policy: &Policy,
) -> Result<(), ServiceError> {
    let optimizes = configuration.is_auto_optimization_enabled == Some(true);
    if !(optimizes && policy.is_multi_slot()) {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::ProblemTypeIncompatibleWithAutoOptimization,
        "`isAutoOptimizationEnabled` must be false while the learning policy is for slots \
         (`--ccb_explore_adf`)",
    ))
}
