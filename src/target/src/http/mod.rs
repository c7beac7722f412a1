//! A service over HTTP.
//!
//! [`HttpTarget`] holds the operations; `caller` makes one call with its retries; below it are
//! two clients, `pool` (HTTP/1.1 without TLS, for high rates, over a `connection` each, which
//! writes a `request` and reads the `head` of an answer) and
//! `client` (reqwest, for everything else).

mod address;
mod answer;
mod caller;
mod client;
mod compression;
mod connection;
mod failed;
mod head;
mod pool;
mod preflight;
mod rendered;
mod request;

use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::answer::{Answer, excerpt};
pub(crate) use self::caller::{Caller, Outgoing, RetryPolicy};
use self::rendered::RenderedRequests;
pub(crate) use self::request::Headers;
use super::{CallAddress, CallError, Delivery, Exchange, RankAnswer, ShownCall, Target};
use clock::WallClock;
use plan::{HttpPlan, Operation};
use protocol::{
    ApplyFromEvaluation, Evaluation, EvaluationContract, EventId, ModelProperties,
    MultiSlotRankRequest, MultiSlotRankResponse, MultiSlotRewardRequest, PolicyContract,
    RankRequest, RewardRequest, ServiceConfiguration, SlotReward,
};
use record::FailureKind;
use seed::Seed;
use timestamp::Timestamp;

/// A service over HTTP.
pub struct HttpTarget {
    caller: Caller,
    rendered: RenderedRequests,
}

impl HttpTarget {
    /// A client of the service at the plan's address. Nothing is sent yet. Calls are to be
    /// made in a tokio runtime of one thread.
    ///
    /// # Errors
    /// When the address, a certificate or the proxy cannot be used.
    pub fn new(plan: &HttpPlan, seed: Seed, clock: WallClock) -> Result<Self, CallError> {
        Ok(Self { caller: Caller::new(plan, seed, clock)?, rendered: RenderedRequests::default() })
    }

    /// The same, which keeps its calls to be shown.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.caller.keep_trace();
        self
    }

    /// Takes the calls since the last call of this.
    pub fn take_trace(&self) -> Vec<Exchange> {
        self.caller.take_trace()
    }

    /// Rank and Reward as they would be sent.
    ///
    /// # Errors
    /// When the service has no such operation.
    pub fn preview(
        &self,
        request: &RankRequest,
        reward: f64,
    ) -> Result<Vec<(&'static str, ShownCall)>, CallError> {
        let event_id = request.event_id.clone().unwrap_or_else(|| EventId::from(""));
        let reward = RewardRequest { value: reward };
        Ok(self.shown([
            (Operation::Rank, self.path(Operation::Rank)?, json(request)),
            (Operation::Reward, self.path_of_event(Operation::Reward, &event_id)?, json(&reward)),
        ]))
    }

    /// The same for an event with slots.
    ///
    /// # Errors
    /// When the service has no such operation.
    pub fn preview_slots(
        &self,
        request: &MultiSlotRankRequest,
        rewards: Vec<SlotReward>,
    ) -> Result<Vec<(&'static str, ShownCall)>, CallError> {
        let event_id = request.event_id.clone().unwrap_or_else(|| EventId::from(""));
        let rewards = MultiSlotRewardRequest { reward: rewards };
        Ok(self.shown([
            (Operation::RankSlots, self.path(Operation::RankSlots)?, json(request)),
            (
                Operation::RewardSlots,
                self.path_of_event(Operation::RewardSlots, &event_id)?,
                json(&rewards),
            ),
        ]))
    }

    fn shown(&self, calls: [(Operation, String, Bytes); 2]) -> Vec<(&'static str, ShownCall)> {
        let shown = calls.into_iter().map(|(operation, path, body)| {
            let headers = self.caller.headers();
            let (method, statuses, reads_headers) = (Method::POST, &[][..], false);
            let outgoing = Outgoing { method, path: &path, headers, body, statuses, reads_headers };
            (operation.name(), self.caller.shown(&outgoing))
        });
        shown.collect()
    }

    fn path(&self, operation: Operation) -> Result<String, CallError> {
        self.existing(operation, self.caller.addresses().path(operation).map(str::to_owned))
    }

    fn path_of_event(&self, operation: Operation, event_id: &EventId) -> Result<String, CallError> {
        let path = self.caller.addresses().path_of_event(operation, event_id);
        self.existing(operation, path)
    }

    fn existing(&self, operation: Operation, path: Option<String>) -> Result<String, CallError> {
        path.ok_or_else(|| CallError {
            kind: FailureKind::Status(404),
            message: format!(
                "{}: the scenario sets `{}: none`",
                self.caller.addresses().origin(),
                operation.name()
            ),
        })
    }

    /// A call that changes nothing, retried as the plan says for such calls.
    async fn question<A: DeserializeOwned>(&self, path: &str) -> Result<A, CallError> {
        let policy = self.caller.question();
        let body = self.caller.call(policy, Method::GET, path, Bytes::new()).await?;
        self.caller.decode(&body)
    }

    /// A call that changes something and answers with a body; never retried.
    async fn change<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<A, CallError> {
        let answer = self.caller.call(RetryPolicy::ONCE, method, path, json(body)).await?;
        self.caller.decode(&answer)
    }

    async fn delete(&self, operation: Operation) -> Result<(), CallError> {
        let path = self.path(operation)?;
        let answer = self.caller.call(RetryPolicy::ONCE, Method::DELETE, &path, Bytes::new());
        answer.await.map(drop)
    }
}

fn json<B: Serialize>(body: &B) -> Bytes {
    serde_json::to_vec(body).expect("requests have string keys only").into()
}

impl Target for HttpTarget {
    async fn preflight(&self) -> Result<(), CallError> {
        let exists = |operation| self.caller.addresses().path(operation).is_some();
        let (asked, question) = if exists(Operation::Configuration) {
            (Operation::Configuration, self.configuration().await.map(drop))
        } else if exists(Operation::ModelProperties) {
            (Operation::ModelProperties, self.model_properties().await.map(drop))
        } else {
            return self.caller.reach().await;
        };
        question.map_err(|error| preflight::with_advice(error, Some(asked), &self.caller))
    }

    async fn rank(&self, at: CallAddress, request: &RankRequest) -> Result<RankAnswer, CallError> {
        let Some(path) = self.caller.addresses().path(Operation::Rank) else {
            return self.path(Operation::Rank).map(|_| unreachable!("Rank has a path"));
        };
        let policy = self.caller.rank(at);
        let body = json(&self.rendered.rank(request));
        let body = self.caller.call(policy, Method::POST, path, body).await?;
        self.caller.decode(&body).map(RankAnswer::Contract)
    }

    async fn reward(
        &self,
        at: CallAddress,
        event_id: &EventId,
        value: f64,
    ) -> Result<Delivery, CallError> {
        let path = self.path_of_event(Operation::Reward, event_id)?;
        let body = json(&RewardRequest { value });
        self.caller.call(self.caller.reward(at), Method::POST, &path, body).await?;
        Ok(Delivery::Sent)
    }

    async fn rank_slots(
        &self,
        at: CallAddress,
        request: &MultiSlotRankRequest,
    ) -> Result<MultiSlotRankResponse, CallError> {
        let path = self.path(Operation::RankSlots)?;
        let policy = self.caller.rank(at);
        let body = self.caller.call(policy, Method::POST, &path, json(request)).await?;
        self.caller.decode(&body)
    }

    async fn reward_slots(
        &self,
        at: CallAddress,
        event_id: &EventId,
        rewards: &[SlotReward],
    ) -> Result<Delivery, CallError> {
        let path = self.path_of_event(Operation::RewardSlots, event_id)?;
        let body = json(&MultiSlotRewardRequest { reward: rewards.to_vec() });
        self.caller.call(self.caller.reward(at), Method::POST, &path, body).await?;
        Ok(Delivery::Sent)
    }

    async fn activate(&self, event_id: &EventId) -> Result<(), CallError> {
        let path = self.path_of_event(Operation::Activate, event_id)?;
        self.caller.call(RetryPolicy::ONCE, Method::POST, &path, Bytes::new()).await.map(drop)
    }

    /// A service without this operation counts as one whose model never changes.
    async fn model_properties(&self) -> Result<ModelProperties, CallError> {
        match self.caller.addresses().path(Operation::ModelProperties) {
            Some(path) => self.question(path).await,
            None => Ok(ModelProperties {
                creation_time: Timestamp::NEVER,
                last_modified_time: Timestamp::NEVER,
            }),
        }
    }

    async fn delete_model(&self) -> Result<(), CallError> {
        self.delete(Operation::Model).await
    }

    async fn delete_logs(&self) -> Result<(), CallError> {
        self.delete(Operation::Logs).await
    }

    async fn configuration(&self) -> Result<ServiceConfiguration, CallError> {
        self.question(&self.path(Operation::Configuration)?).await
    }

    async fn set_configuration(
        &self,
        configuration: &ServiceConfiguration,
    ) -> Result<ServiceConfiguration, CallError> {
        self.change(Method::PUT, &self.path(Operation::Configuration)?, configuration).await
    }

    async fn policy(&self) -> Result<PolicyContract, CallError> {
        self.question(&self.path(Operation::Policy)?).await
    }

    async fn set_policy(&self, policy: &PolicyContract) -> Result<PolicyContract, CallError> {
        self.change(Method::PUT, &self.path(Operation::Policy)?, policy).await
    }

    async fn delete_policy(&self) -> Result<PolicyContract, CallError> {
        let path = self.path(Operation::Policy)?;
        let body = self.caller.call(RetryPolicy::ONCE, Method::DELETE, &path, Bytes::new()).await?;
        self.caller.decode(&body)
    }

    async fn create_evaluation(
        &self,
        contract: &EvaluationContract,
    ) -> Result<Evaluation, CallError> {
        self.change(Method::POST, &self.path(Operation::Evaluations)?, contract).await
    }

    async fn evaluation(&self, id: &str) -> Result<Evaluation, CallError> {
        let path = self.caller.addresses().path_below(Operation::Evaluations, id);
        self.question(&self.existing(Operation::Evaluations, path)?).await
    }

    async fn apply_from_evaluation(
        &self,
        evaluation_id: &str,
        policy_name: &str,
    ) -> Result<(), CallError> {
        let body = ApplyFromEvaluation::new(evaluation_id, policy_name);
        let path = self.path(Operation::ApplyFromEvaluation)?;
        self.caller.call(RetryPolicy::ONCE, Method::POST, &path, json(&body)).await.map(drop)
    }

    /// A service keeps its log to itself.
    fn take_joined(&self, _everything: bool) -> Vec<u8> {
        Vec::new()
    }

    fn take_notes(&self) -> Vec<String> {
        self.caller.take_notes()
    }
}
