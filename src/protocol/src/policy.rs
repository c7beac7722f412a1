use serde::{Deserialize, Serialize};

/// `GET`/`PUT /configurations/policy`: a learning policy by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyContract {
    /// The name, at most 256 characters.
    pub name: String,
    /// The Vowpal Wabbit arguments, at most 1024 characters.
    pub arguments: String,
}

/// `POST /configurations/applyFromEvaluation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyFromEvaluation {
    /// The completed evaluation.
    pub evaluation_id: String,
    /// The name of one of its policies, in any case.
    pub policy_name: String,
}

impl ApplyFromEvaluation {
    /// The request for a policy of an evaluation.
    #[must_use]
    pub fn new(evaluation_id: &str, policy_name: &str) -> Self {
        Self { evaluation_id: evaluation_id.to_owned(), policy_name: policy_name.to_owned() }
    }
}
