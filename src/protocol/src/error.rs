use serde::{Deserialize, Serialize};

/// The code of a failed operation, as it stands in the error body.
///
/// Codes and statuses are those of the service's back end (`src/Common/Error` of
/// microsoft/learning-loop).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// The body is not what the operation takes.
    BadRequest,
    /// The Rank request breaks a rule.
    InvalidRankRequest,
    /// The reward is not a number.
    InvalidRewardRequest,
    /// The event cannot be activated.
    InvalidEventIdToActivate,
    /// A setting is out of its range.
    InvalidServiceConfiguration,
    /// The learning mode changes together with a setting of the reward.
    InvalidLearningModeServiceConfiguration,
    /// The log would be kept for less than its events need.
    InvalidLogRetentionDays,
    /// The arguments of the policy cannot be used.
    InvalidPolicyConfiguration,
    /// The policy has no name, or a text in it is too long.
    InvalidPolicyContract,
    /// The evaluation cannot be made.
    InvalidEvaluationContract,
    /// Two policies of an evaluation have one name.
    DuplicateCustomPolicyNames,
    /// An evaluation names more policies than the service compares.
    MaximumEvaluationCustomPoliciesExceeded,
    /// The signature of the model is not that of the service's key.
    InvalidModelImportSignature,
    /// The model cannot be read.
    InvalidModelImportFormat,
    /// The body is too large.
    PayloadSizeExceeded,
    /// The key is missing or wrong.
    InvalidApiAccess,
    /// The loop fills no slots.
    InvalidMultiSlotApiAccess,
    /// A loop that fills slots does not optimize itself.
    ProblemTypeIncompatibleWithAutoOptimization,
    /// No such operation.
    ResourceNotFound,
    /// No such evaluation.
    EvaluationNotFound,
    /// The evaluation has no such policy.
    LearningSettingsNotFound,
    /// Something in the service broke.
    InternalServerError,
}

impl ErrorCode {
    /// The HTTP status that the service answers with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidApiAccess | Self::ProblemTypeIncompatibleWithAutoOptimization => 403,
            Self::ResourceNotFound | Self::EvaluationNotFound | Self::LearningSettingsNotFound => {
                404
            }
            Self::InternalServerError => 500,
            _ => 400,
        }
    }
}

impl std::fmt::Display for ErrorCode {
    /// The code as it stands in the error body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// A refusal of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// What kind of refusal.
    pub code: ErrorCode,
    /// Why, for a person.
    pub message: String,
}

impl ServiceError {
    /// A refusal with its reason.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<&ServiceError> for ErrorBody {
    fn from(error: &ServiceError) -> Self {
        let (code, message) = (error.code.to_string(), error.message.clone());
        Self {
            error: ErrorDetail { code, message, target: None, details: None, inner_error: None },
        }
    }
}

/// The body of every failed operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What the body holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetail {
    /// The code; a gateway writes a status here.
    pub code: String,
    /// Why, for a person.
    pub message: String,
    /// What the error is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Errors that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<ErrorDetail>>,
    /// What the error is in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_error: Option<InnerError>,
}

/// An error in particular, perhaps with a more particular one inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InnerError {
    /// The more particular code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// One more. The contract spells the nested one without a capital letter.
    #[serde(default, rename = "innererror", skip_serializing_if = "Option::is_none")]
    pub inner_error: Option<Box<InnerError>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_spellings_of_the_inner_error_are_kept() {
        let text = r#"{"error":{"code":"a","message":"b","innerError":{"code":"c","innererror":{"code":"d"}}}}"#;
        let body: ErrorBody = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&body).unwrap(), text);
    }

    #[test]
    fn a_refusal_becomes_the_smallest_body() {
        let error = ServiceError::new(ErrorCode::EvaluationNotFound, "no such evaluation");
        let body = serde_json::to_string(&ErrorBody::from(&error)).unwrap();
        let expected = r#"{"error":{"code":"EvaluationNotFound","message":"no such evaluation"}}"#;
        assert_eq!(body, expected);
        assert_eq!(error.code.status(), 404);
    }
}
