use std::cell::RefCell;
use std::time::Duration;

use super::{CallAddress, CallError, Delivery, Export, Foresight, RankAnswer, Target};
use clock::Clock;
use learning_loop::{LearningLoop, LoopLimits, LoopOptions, Retention};
use plan::{Delay, DelaySampler, EmbeddedPlan};
use protocol::{
    ApplyFromEvaluation, Evaluation, EvaluationContract, EventId, ModelProperties,
    MultiSlotRankRequest, MultiSlotRankResponse, PolicyContract, RankRequest, RewardRequest,
    ServiceConfiguration, ServiceError, SlotReward,
};
use record::FailureKind;
use seed::{Draws, Purpose, Seed, Source};
use timestamp::Timestamp;

/// A learning loop in this process, called as functions.
///
/// Its latencies are simulated: a call takes effect when it is made, and answers after a delay
/// that is drawn at the address of its iteration.
pub struct EmbeddedTarget<C> {
    learning_loop: RefCell<LearningLoop>,
    clock: C,
    rank_latency: Latency,
    reward_latency: Latency,
    exports: RefCell<Exports>,
}

/// The exports that the engine has not taken yet.
#[derive(Default)]
struct Exports {
    /// How many there were before the next.
    seen: u64,
    waiting: Vec<Export>,
}

/// The simulated latency of an operation.
struct Latency {
    delay: DelaySampler,
    source: Source,
}

impl Latency {
    fn of(&self, at: CallAddress) -> Duration {
        self.delay.sample(|| self.source.at(at.phase, at.iteration, Draws::normal))
    }
}

impl<C: Clock> EmbeddedTarget<C> {
    /// A new loop with the plan's settings.
    pub fn new(plan: &EmbeddedPlan, seed: Seed, clock: C) -> Self {
        Self::with(LoopOptions::default(), plan, seed, clock)
    }

    /// A new loop with the plan's settings, one of many: it has one thread, and keeps of its
    /// events what the run reads.
    pub fn one_of_many(plan: &EmbeddedPlan, seed: Seed, clock: C, retention: Retention) -> Self {
        let options = LoopOptions { threads: 1, retention, ..LoopOptions::default() };
        Self::with(options, plan, seed, clock)
    }

    fn with(options: LoopOptions, plan: &EmbeddedPlan, seed: Seed, clock: C) -> Self {
        let options = LoopOptions {
            configuration: plan.configuration.clone(),
            policy: plan.policy.clone(),
            programs: plan.programs.clone(),
            random_seed: seed.0,
            limits: LoopLimits::NONE,
            ..options
        };
        let latency = |delay: Delay, purpose| Latency {
            delay: delay.sampler(),
            source: Source::new(seed, purpose),
        };
        let learning_loop = LearningLoop::new(options, clock.timestamp(clock.now()));
        Self {
            learning_loop: RefCell::new(learning_loop),
            clock,
            rank_latency: latency(plan.rank_latency, Purpose::RankLatency),
            reward_latency: latency(plan.reward_latency, Purpose::RewardLatency),
            exports: RefCell::default(),
        }
    }

    /// Calls the loop now.
    fn call<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, CallError> {
        let now = self.clock.timestamp(self.clock.now());
        let mut learning_loop = self.learning_loop.borrow_mut();
        let answer = operation(&mut learning_loop, now);
        if let Some(failure) = learning_loop.policy_failure() {
            return Err(policy_failed(failure));
        }
        drop(learning_loop);
        self.note_exports();
        answer.map_err(CallError::from)
    }

    /// Notes what the loop exported in the last call.
    fn note_exports(&self) {
        let (all, last) = self.learning_loop.borrow().exports();
        let mut exports = self.exports.borrow_mut();
        if all > exports.seen {
            let at = last.since(self.clock.start());
            let models = all - exports.seen;
            exports.waiting.push(Export { at, models });
            exports.seen = all;
        }
    }

    /// Waits for the simulated latency of a call.
    async fn wait_latency(&self, delay: Duration) {
        if !delay.is_zero() {
            self.clock.sleep_until(self.clock.now() + delay).await;
        }
    }
}

impl<C: Clock> Target for EmbeddedTarget<C> {
    async fn rank(&self, at: CallAddress, request: &RankRequest) -> Result<RankAnswer, CallError> {
        let answer = self.call(|inner, now| inner.decide(request, now));
        self.wait_latency(self.rank_latency.of(at)).await;
        answer.map(RankAnswer::Decided)
    }

    fn foresight(&self) -> Option<Foresight> {
        let (events, until) = self.learning_loop.borrow_mut().foresight()?;
        Some(Foresight { events, until: until.since(self.clock.start()) })
    }

    fn foresee(&self, request: &RankRequest) -> bool {
        self.learning_loop.borrow_mut().foresee(request)
    }

    fn longest_calls(&self, at: CallAddress, deliveries: u32) -> Duration {
        let rewards = self.reward_latency.of(at).saturating_mul(deliveries);
        self.rank_latency.of(at).saturating_add(rewards)
    }

    async fn reward(
        &self,
        at: CallAddress,
        event_id: &EventId,
        value: f64,
    ) -> Result<Delivery, CallError> {
        let answer = self.call(|inner, now| inner.reward(event_id, RewardRequest { value }, now));
        self.wait_latency(self.reward_latency.of(at)).await;
        answer.map(|()| Delivery::Sent)
    }

    async fn rank_slots(
        &self,
        at: CallAddress,
        request: &MultiSlotRankRequest,
    ) -> Result<MultiSlotRankResponse, CallError> {
        let answer = self.call(|inner, now| inner.rank_slots(request, now));
        self.wait_latency(self.rank_latency.of(at)).await;
        answer
    }

    async fn reward_slots(
        &self,
        at: CallAddress,
        event_id: &EventId,
        rewards: &[SlotReward],
    ) -> Result<Delivery, CallError> {
        let answer = self.call(|inner, now| inner.reward_slots(event_id, rewards, now));
        self.wait_latency(self.reward_latency.of(at)).await;
        answer.map(|()| Delivery::Sent)
    }

    async fn activate(&self, event_id: &EventId) -> Result<(), CallError> {
        self.call(|inner, now| inner.activate(event_id, now))
    }

    async fn model_properties(&self) -> Result<ModelProperties, CallError> {
        self.call(|inner, now| Ok(inner.model_properties(now)))
    }

    async fn delete_model(&self) -> Result<(), CallError> {
        self.call(|inner, now| {
            inner.delete_model(now);
            Ok(())
        })
    }

    async fn delete_logs(&self) -> Result<(), CallError> {
        self.call(|inner, now| {
            inner.delete_logs(now);
            Ok(())
        })
    }

    async fn configuration(&self) -> Result<ServiceConfiguration, CallError> {
        self.call(|inner, now| Ok(inner.configuration(now)))
    }

    async fn set_configuration(
        &self,
        configuration: &ServiceConfiguration,
    ) -> Result<ServiceConfiguration, CallError> {
        self.call(|inner, now| inner.set_configuration(configuration.clone(), now))
    }

    async fn policy(&self) -> Result<PolicyContract, CallError> {
        self.call(|inner, now| Ok(inner.policy(now)))
    }

    async fn set_policy(&self, policy: &PolicyContract) -> Result<PolicyContract, CallError> {
        self.call(|inner, now| inner.set_policy(policy.clone(), now))
    }

    async fn delete_policy(&self) -> Result<PolicyContract, CallError> {
        self.call(|inner, now| Ok(inner.delete_policy(now)))
    }

    async fn create_evaluation(
        &self,
        contract: &EvaluationContract,
    ) -> Result<Evaluation, CallError> {
        self.call(|inner, now| inner.create_evaluation(contract, now))
    }

    async fn evaluation(&self, id: &str) -> Result<Evaluation, CallError> {
        self.call(|inner, now| inner.evaluation(id, now))
    }

    async fn apply_from_evaluation(
        &self,
        evaluation_id: &str,
        policy_name: &str,
    ) -> Result<(), CallError> {
        let request = ApplyFromEvaluation::new(evaluation_id, policy_name);
        self.call(|inner, now| inner.apply_from_evaluation(&request, now))
    }

    fn take_joined(&self, everything: bool) -> Vec<u8> {
        let now = self.clock.timestamp(self.clock.now());
        let joined = self.learning_loop.borrow_mut().take_joined(everything, now);
        self.note_exports();
        joined
    }

    fn close(&self) -> Result<Option<String>, CallError> {
        let said = self.learning_loop.borrow_mut().end_policy().map_err(policy_failed)?;
        let said = said.trim_end();
        Ok((!said.is_empty()).then(|| format!("the learning policy wrote to stderr:\n{said}")))
    }

    fn take_exports(&self) -> Option<Vec<Export>> {
        Some(std::mem::take(&mut self.exports.borrow_mut().waiting))
    }
}

fn policy_failed(message: String) -> CallError {
    CallError { kind: FailureKind::Policy, message }
}

impl From<ServiceError> for CallError {
    fn from(error: ServiceError) -> Self {
        Self { kind: FailureKind::Status(error.code.status()), message: error.to_string() }
    }
}
