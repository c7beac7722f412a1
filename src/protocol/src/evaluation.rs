use serde::{Deserialize, Serialize};

use super::{PolicyContract, WireDuration};
use timestamp::Timestamp;

/// `POST /evaluations`: what to evaluate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationContract {
    /// The name of the evaluation.
    pub name: String,
    /// From the first event of this moment on.
    pub start_time: Timestamp,
    /// Up to the events of this moment.
    pub end_time: Timestamp,
    /// Policies to compare, beside the online policy and the baselines.
    pub policies: Vec<PolicyContract>,
    /// Whether to search for better policies.
    #[serde(default)]
    pub enable_offline_experimentation: bool,
}

/// `GET /evaluations/{evaluationId}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// The id of the evaluation.
    pub id: String,
    /// Its name.
    pub name: String,
    /// From the first event of this moment on.
    pub start_time: Timestamp,
    /// Up to the events of this moment.
    pub end_time: Timestamp,
    /// The id of the job; the service made it equal to `id`.
    pub job_id: String,
    /// How far it is.
    pub status: EvaluationStatus,
    /// A row a policy.
    pub policy_results: Vec<PolicyResult>,
    /// Names of features of high, medium and low importance.
    pub feature_importance: Vec<Vec<String>>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_type: Option<EvaluationType>,
    /// The policy worth applying, `online` where none is convincingly better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimal_policy: Option<String>,
    /// When it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<Timestamp>,
}

/// How far an evaluation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvaluationStatus {
    /// Done.
    Completed,
    /// Under way.
    Pending,
    /// It failed.
    Failed,
    /// It has not begun.
    NotSubmitted,
    /// It took too long.
    Timeout,
    /// Done, and its best policy was applied by itself.
    OptimalPolicyApplied,
    /// Done, and the online policy was kept.
    OnlinePolicyRetained,
}

/// Who asked for an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvaluationType {
    /// A person.
    Manual,
    /// The service itself.
    Auto,
}

/// Where a policy of an evaluation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicySource {
    /// It is the one that was served.
    Online,
    /// It always takes the first action.
    Baseline,
    /// It takes every action with the same probability.
    Random,
    /// The request named it.
    Custom,
    /// The search found it.
    OfflineExperimentation,
}

/// What an evaluation says of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyResult {
    /// The name of the policy.
    pub name: String,
    /// Its arguments; the baselines have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_source: Option<PolicySource>,
    /// Sums over windows of 5 minutes, 1 hour, 6 hours and 1 day.
    #[serde(default)]
    pub summary: Vec<PolicyResultSummary>,
    /// Sums over the whole evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_summary: Option<PolicyResultSummary>,
    /// Sums over the events that the search for better policies has not seen. Not of the
    /// contract; `None` without a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_summary: Option<PolicyResultSummary>,
    /// Why the policy was not judged; then there are no sums. Not of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Sums over the events of one window. With w = π(a)/p(a), r the reward and x = w·r:
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyResultSummary {
    /// When the window begins; of the whole evaluation, when it ends.
    pub time_stamp: Timestamp,
    /// Σ x
    pub ips_estimator_numerator: f64,
    /// The number of events.
    pub ips_estimator_denominator: f64,
    /// Σ w
    pub snips_estimator_denominator: f64,
    /// How long the window is, zero for the whole evaluation.
    pub aggregate_time_window: WireDuration,
    /// The number of events with π(a) > 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_zero_probability: Option<f64>,
    /// Σ x²
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum_of_squares: Option<f64>,
    /// Half the width of the 95 % interval of the mean of x.
    pub confidence_interval: f64,
    /// The mean of x.
    pub average_reward: f64,
}
