//! Constants of the Personalizer contract: limits, defaults and names.
//!
//! Sources: the swagger documents of v1.0 and v1.1-preview.3, and `ApplicationConstants` of
//! microsoft/learning-loop.

use std::time::Duration;

/// The largest number of actions in a Rank request.
pub const MOST_ACTIONS: usize = 50;

/// The largest number of characters in the id of an event, an action or a slot.
pub const LONGEST_ID: usize = 256;

/// The largest number of characters in the name of a policy or an evaluation.
pub const LONGEST_NAME: usize = 256;

/// The largest number of characters in the arguments of a policy.
pub const LONGEST_ARGUMENTS: usize = 1024;

/// The largest number of policies that an evaluation request may name.
pub const MOST_EVALUATED_POLICIES: usize = 10;

/// The largest number of rewards of an event, or of a slot, that count; and of those in one
/// multi-slot reward request.
pub const MOST_REWARDS: usize = 1000;

/// The largest number of evaluations that are pending.
pub const MOST_PENDING_EVALUATIONS: usize = 16;

/// The largest number of evaluations that are listed.
pub const MOST_EVALUATIONS: usize = 1000;

/// The shortest reward wait time, export interval and optimization interval.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// The longest reward wait time and export interval.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(2 * DAY);

/// How far back a model looks that is trained again because the meaning of rewards changed
/// (`DefaultModelRetrainDays`).
pub const RETRAINING_HORIZON: Duration = Duration::from_secs(2 * DAY);

/// The interval of automatic optimization, unless the settings give one.
pub const OPTIMIZATION_INTERVAL: Duration = Duration::from_secs(28 * DAY);

/// The time from a change of the settings to the first automatic optimization, unless the
/// settings give its start.
pub const OPTIMIZATION_DELAY: Duration = Duration::from_secs(15 * DAY);

/// The number of automatic evaluations that are listed.
pub const MOST_AUTOMATIC_EVALUATIONS: usize = 24;

/// The learning policy of a new service.
pub const DEFAULT_POLICY: &str =
    "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::";

/// The learning policy of a new service for events with several slots.
pub const DEFAULT_SLOTS_POLICY: &str =
    "--ccb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::";

/// The name of the served policy in an evaluation.
pub const ONLINE_POLICY: &str = "online";

/// The name of the policy that always chooses the first action.
pub const BASELINE_POLICY: &str = "baseline1";

/// The name of the policy that chooses every action with the same probability.
pub const RANDOM_POLICY: &str = "baselineRand";

/// The header that carries the key of the service.
pub const KEY_HEADER: &str = "ocp-apim-subscription-key";

/// The versions in the paths of the contract, oldest first.
pub const VERSIONS: [&str; 4] = ["v1.0", "v1.1-preview.1", "v1.1-preview.2", "v1.1-preview.3"];

const DAY: u64 = 24 * 3600;
