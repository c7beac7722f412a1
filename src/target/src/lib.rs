//! The service that a run calls: an embedded loop or one over HTTP.
//!
//! Must not know: the engine.

mod embedded;
mod http;

pub use embedded::EmbeddedTarget;
pub use http::HttpTarget;

use std::time::Duration;

use protocol::{
    Evaluation, EvaluationContract, EventId, ModelProperties, PolicyContract, RankRequest,
    RankResponse, ServiceConfiguration,
};
use record::FailureKind;
use seed::PhaseKey;

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// What kind of failure, for counting.
    pub kind: FailureKind,
    /// What happened, for a person; without secrets.
    pub message: String,
}

/// Which iteration a call belongs to: the address of a simulated latency.
#[derive(Debug, Clone, Copy)]
pub struct CallAddress {
    /// The phase.
    pub phase: PhaseKey,
    /// The index of the iteration in the phase.
    pub iteration: u64,
}

/// Models that a loop exported between two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// When the last of them was, since the start of the run.
    pub at: Duration,
    /// How many there were.
    pub models: u64,
}

/// A Rank/Reward service.
///
/// An implementor answers as the service does, must not retry unless the plan says so, and
/// must not measure latencies: the engine does.
pub trait Target {
    /// A first call, so that a service that cannot be used is found before a run starts.
    fn preflight(&self) -> impl Future<Output = Result<(), CallError>> {
        async { self.configuration().await.map(drop) }
    }

    /// `POST /rank`
    fn rank(
        &self,
        at: CallAddress,
        request: &RankRequest,
    ) -> impl Future<Output = Result<RankResponse, CallError>>;

    /// `POST /events/{eventId}/reward`
    fn reward(
        &self,
        at: CallAddress,
        event_id: &EventId,
        value: f64,
    ) -> impl Future<Output = Result<(), CallError>>;

    /// `POST /events/{eventId}/activate`
    fn activate(&self, event_id: &EventId) -> impl Future<Output = Result<(), CallError>>;

    /// `GET /model/properties`
    fn model_properties(&self) -> impl Future<Output = Result<ModelProperties, CallError>>;

    /// `DELETE /model`
    fn delete_model(&self) -> impl Future<Output = Result<(), CallError>>;

    /// `DELETE /logs`
    fn delete_logs(&self) -> impl Future<Output = Result<(), CallError>>;

    /// `GET /configurations/service`
    fn configuration(&self) -> impl Future<Output = Result<ServiceConfiguration, CallError>>;

    /// `PUT /configurations/service`
    fn set_configuration(
        &self,
        configuration: &ServiceConfiguration,
    ) -> impl Future<Output = Result<ServiceConfiguration, CallError>>;

    /// `GET /configurations/policy`
    fn policy(&self) -> impl Future<Output = Result<PolicyContract, CallError>>;

    /// `PUT /configurations/policy`
    fn set_policy(
        &self,
        policy: &PolicyContract,
    ) -> impl Future<Output = Result<PolicyContract, CallError>>;

    /// `DELETE /configurations/policy`
    fn delete_policy(&self) -> impl Future<Output = Result<PolicyContract, CallError>>;

    /// `POST /evaluations`
    fn create_evaluation(
        &self,
        contract: &EvaluationContract,
    ) -> impl Future<Output = Result<Evaluation, CallError>>;

    /// `GET /evaluations/{evaluationId}`
    fn evaluation(&self, id: &str) -> impl Future<Output = Result<Evaluation, CallError>>;

    /// `POST /configurations/applyFromEvaluation`
    fn apply_from_evaluation(
        &self,
        evaluation_id: &str,
        policy_name: &str,
    ) -> impl Future<Output = Result<(), CallError>>;

    /// Takes the events that the loop has joined since the last call of this, as DSJSON lines.
    /// With `everything`, events still waiting for rewards are closed as they stand. A target
    /// that does not give out its log returns nothing.
    fn take_joined(&self, everything: bool) -> Vec<u8>;

    /// Ends what the target started; nothing is called afterwards. Returns a note for a person.
    ///
    /// # Errors
    /// If something in it did not end as it should.
    fn close(&self) -> Result<Option<String>, CallError> {
        Ok(None)
    }

    /// Takes the exports of models since the last call of this, in their order; `None` if the
    /// target does not tell.
    fn take_exports(&self) -> Option<Vec<Export>> {
        None
    }

    /// Takes the notes on the calls since the last call of this, for a person.
    fn take_notes(&self) -> Vec<String> {
        Vec::new()
    }
}
