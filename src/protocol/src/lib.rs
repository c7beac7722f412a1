//! The Personalizer REST contract as values: one set of types for both ends.
//!
//! Field names on the wire are camelCase; they exist only here. Types accept what
//! official SDKs send and emit what the service emitted.
//!
//! Must not know: HTTP clients and servers.

mod configuration;
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
    LONGEST_ID, MOST_ACTIONS, RankEnvelope, RankRequest, RankResponse, RankableAction,
    RankedAction, RewardRequest,
};
