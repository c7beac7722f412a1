//! The Personalizer REST contract as values: one set of types for both ends.
//!
//! Field names on the wire are camelCase; they exist only here. Types accept
//! everything that the official SDKs send, and serialize as the service did.
//!
//! Must not know: HTTP clients and servers.

mod configuration;
mod contract;
mod duration;
mod error;
mod evaluation;
mod event_id;
mod features;
mod model;
mod multislot;
mod policy;
mod rank;

pub use configuration::{LearningMode, RewardAggregation, ServiceConfiguration};
pub use contract::{
    BASELINE_POLICY, DEFAULT_POLICY, DEFAULT_SLOTS_POLICY, KEY_HEADER, LONGEST_ARGUMENTS,
    LONGEST_ID, LONGEST_INTERVAL, LONGEST_NAME, MOST_ACTIONS, MOST_AUTOMATIC_EVALUATIONS,
    MOST_EVALUATED_POLICIES, MOST_EVALUATIONS, MOST_PENDING_EVALUATIONS, MOST_REWARDS,
    ONLINE_POLICY, OPTIMIZATION_DELAY, OPTIMIZATION_INTERVAL, RANDOM_POLICY, RETRAINING_HORIZON,
    SHORTEST_INTERVAL, VERSIONS,
};
pub use duration::{WireDuration, parse_wire_duration};
pub use error::{ErrorBody, ErrorCode, ErrorDetail, InnerError, ServiceError};
pub use evaluation::{
    Evaluation, EvaluationContract, EvaluationStatus, EvaluationType, PolicyResult,
    PolicyResultSummary, PolicySource,
};
pub use event_id::{Digits, EventId};
pub use features::{FeatureObject, FeatureValue};
pub use model::{DateRange, LogsProperties, ModelProperties};
pub use multislot::{
    MultiSlotRankRequest, MultiSlotRankResponse, MultiSlotRewardRequest, SlotRequest, SlotResponse,
    SlotReward,
};
pub use policy::{ApplyFromEvaluation, PolicyContract};
pub use rank::{
    RankEnvelope, RankRequest, RankRequestParts, RankResponse, RankableAction, RankedAction,
    RewardRequest,
};
