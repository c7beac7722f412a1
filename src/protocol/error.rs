use serde::{Deserialize, Serialize};

/// The code of a failed operation, as it stands in the error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The Rank request breaks a rule.
    InvalidRankRequest,
    /// The reward is not a number.
    InvalidRewardRequest,
    /// A setting is out of its range.
    InvalidServiceConfiguration,
    /// The arguments of the policy cannot be used.
    InvalidPolicyConfiguration,
    /// The evaluation cannot be made.
    InvalidEvaluationContract,
    /// No such evaluation.
    EvaluationNotFound,
    /// The evaluation has no such policy.
    LearningSettingsNotFound,
}

/// A refusal of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct ServiceError {
    /// What kind of refusal.
    pub code: ErrorCode,
    /// Why, for a person.
    pub message: String,
}

/// The body of every failed operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What the body holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// The code.
    pub code: String,
    /// Why, for a person.
    pub message: String,
}
