//! The service that a run calls: an embedded loop or one over HTTP.
//!
//! Must not know: the engine.

mod embedded;
mod exchange;
mod http;
mod mapped;

pub use embedded::EmbeddedTarget;
pub use exchange::{Exchange, ShownCall};
pub use http::HttpTarget;
pub use mapped::MappedTarget;

use std::time::Duration;

use learning_loop::Decision;
use protocol::{
    Evaluation, EvaluationContract, EventId, ModelProperties, MultiSlotRankRequest,
    MultiSlotRankResponse, PolicyContract, RankRequest, RankResponse, ServiceConfiguration,
    SlotReward,
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

/// The answer to Rank.
#[derive(Debug, Clone, PartialEq)]
pub enum RankAnswer {
    /// As the contract has it. The engine validates it against the request.
    Contract(RankResponse),
    /// What the loop in this process decided. The engine validates its probabilities.
    Decided(Decision),
    /// What a service with calls of its own gave. It is valid.
    Taken {
        /// The index of the chosen action in the request.
        action: usize,
        /// The probability with which it was chosen, if the service gives it.
        probability: Option<f32>,
        /// The most probable action, if the service gives probabilities.
        favourite: Option<usize>,
        /// The probability of each action, in the order of the request, if those of all are
        /// given.
        probabilities: Option<Vec<f64>>,
    },
}

/// What became of a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The service took it.
    Sent,
    /// The service is not told of such a reward.
    NotSent,
}

/// What a target wants to know of coming events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foresight {
    /// So many events.
    pub events: usize,
    /// Those that are certain to be ranked before this time, since the start of the run.
    pub until: Duration,
}

/// The error of an operation that the service does not have.
fn absent<A>(operation: &str) -> impl Future<Output = Result<A, CallError>> + use<A> {
    let message = format!("the service has no operation `{operation}`");
    std::future::ready(Err(CallError { kind: FailureKind::Status(404), message }))
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
    ) -> impl Future<Output = Result<RankAnswer, CallError>>;

    /// What the target wants to know of coming events, if anything.
    fn foresight(&self) -> Option<Foresight> {
        None
    }

    /// Tells of an event that is certain to be ranked after those that were told before, and as
    /// [`Self::foresight`] wants it. This changes no answer. Returns whether the target took it:
    /// if not, no later event can be told before it is ranked.
    fn foresee(&self, _request: &RankRequest) -> bool {
        false
    }

    /// The calls of an iteration whose reward is sent so often take no longer together.
    fn longest_calls(&self, _at: CallAddress, _deliveries: u32) -> Duration {
        Duration::MAX
    }

    /// `POST /events/{eventId}/reward`
    fn reward(
        &self,
        at: CallAddress,
        event_id: &EventId,
        value: f64,
    ) -> impl Future<Output = Result<Delivery, CallError>>;

    /// Forgets an event, of which nothing more is sent.
    fn forget(&self, _event_id: &EventId) {}

    /// `POST /multislot/rank`
    fn rank_slots(
        &self,
        _at: CallAddress,
        _request: &MultiSlotRankRequest,
    ) -> impl Future<Output = Result<MultiSlotRankResponse, CallError>> {
        absent("multislot/rank")
    }

    /// `POST /multislot/events/{eventId}/reward`
    fn reward_slots(
        &self,
        _at: CallAddress,
        _event_id: &EventId,
        _rewards: &[SlotReward],
    ) -> impl Future<Output = Result<Delivery, CallError>> {
        absent("multislot/reward")
    }

    /// `GET /model/properties`
    fn model_properties(&self) -> impl Future<Output = Result<ModelProperties, CallError>>;

    /// Clears the model and the log: the service is as new.
    fn reset(&self) -> impl Future<Output = Result<(), CallError>> {
        async {
            self.delete_logs().await?;
            self.delete_model().await
        }
    }

    /// `POST /events/{eventId}/activate`
    fn activate(&self, _event_id: &EventId) -> impl Future<Output = Result<(), CallError>> {
        absent("activate")
    }

    /// `DELETE /model`
    fn delete_model(&self) -> impl Future<Output = Result<(), CallError>> {
        absent("model")
    }

    /// `DELETE /logs`
    fn delete_logs(&self) -> impl Future<Output = Result<(), CallError>> {
        absent("logs")
    }

    /// `GET /configurations/service`
    fn configuration(&self) -> impl Future<Output = Result<ServiceConfiguration, CallError>> {
        absent("configuration")
    }

    /// `PUT /configurations/service`
    fn set_configuration(
        &self,
        _configuration: &ServiceConfiguration,
    ) -> impl Future<Output = Result<ServiceConfiguration, CallError>> {
        absent("configuration")
    }

    /// `GET /configurations/policy`
    fn policy(&self) -> impl Future<Output = Result<PolicyContract, CallError>> {
        absent("policy")
    }

    /// `PUT /configurations/policy`
    fn set_policy(
        &self,
        _policy: &PolicyContract,
    ) -> impl Future<Output = Result<PolicyContract, CallError>> {
        absent("policy")
    }

    /// `DELETE /configurations/policy`
    fn delete_policy(&self) -> impl Future<Output = Result<PolicyContract, CallError>> {
        absent("policy")
    }

    /// `POST /evaluations`
    fn create_evaluation(
        &self,
        _contract: &EvaluationContract,
    ) -> impl Future<Output = Result<Evaluation, CallError>> {
        absent("evaluations")
    }

    /// `GET /evaluations/{evaluationId}`
    fn evaluation(&self, _id: &str) -> impl Future<Output = Result<Evaluation, CallError>> {
        absent("evaluations")
    }

    /// `POST /configurations/applyFromEvaluation`
    fn apply_from_evaluation(
        &self,
        _evaluation_id: &str,
        _policy_name: &str,
    ) -> impl Future<Output = Result<(), CallError>> {
        absent("apply_from_evaluation")
    }

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
