//! A service that does as it is told, and plans to run against it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, VirtualClock};
use engine::Stopper;
use plan::Plan;
use plan::{
    Arrival, ClockKind, Delay, Iterate, Outputs, Phase, Population, Preference, RewardDelivery,
    RewardRule, Source, TargetPlan, Visitor,
};
use protocol::{
    Evaluation, EvaluationContract, EventId, FeatureObject, FeatureValue, ModelProperties,
    PolicyContract, RankRequest, RankResponse, RankableAction, RankedAction, ServiceConfiguration,
};
use record::FailureKind;
use seed::{Purpose, Seed};
use target::{CallAddress, CallError, Delivery, Foresight, RankAnswer, Target};
use timestamp::Timestamp;

/// A service that does as it is told.
pub struct Scripted {
    pub latency: Delay,
    pub fails: fn(u64) -> bool,
    /// The model is exported after every so many rewards.
    pub exports_every: Option<usize>,
    /// The model is exported at this moment.
    pub exports_at: Option<Duration>,
    /// The run is asked to stop when this iteration arrives.
    pub stop_at: Option<(u64, Stopper)>,
    /// So long at the end of every so long the service does not answer.
    pub stalls: Option<(Duration, Duration)>,
    /// One Rank after another is served, each for so long; the others queue.
    pub serves_for: Option<Duration>,
    /// It wants to know of so many coming events, of those before a multiple of this time.
    pub foresees: Option<(usize, Duration)>,
    pub seen: Rc<RefCell<Seen>>,
}

#[derive(Default)]
pub struct Seen {
    requests: Vec<String>,
    answered: Vec<u64>,
    /// The requests that were told, and before when they must come.
    foreseen: VecDeque<(String, Duration)>,
    /// How many were told at all.
    told: usize,
    at_once: usize,
    most_at_once: usize,
    rewards: usize,
    /// When the queue is empty.
    free_at: Duration,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            latency: Delay::NONE,
            fails: |_| false,
            exports_every: None,
            exports_at: None,
            stop_at: None,
            stalls: None,
            serves_for: None,
            foresees: None,
            seen: Rc::default(),
        }
    }
}

/// The service in a virtual world.
pub struct InVirtualTime<'a> {
    script: &'a Scripted,
    clock: VirtualClock,
}

impl Scripted {
    pub fn with_clock(&self, clock: VirtualClock) -> InVirtualTime<'_> {
        InVirtualTime { script: self, clock }
    }

    /// Every Rank request as JSON, in the order of arrival.
    pub fn requests(&self) -> Vec<String> {
        self.seen.borrow().requests.clone()
    }

    /// The iterations in the order in which Rank was answered.
    pub fn answered(&self) -> Vec<u64> {
        self.seen.borrow().answered.clone()
    }

    /// How many requests were told before they came.
    pub fn told(&self) -> usize {
        self.seen.borrow().told
    }

    /// How many rewards came.
    pub fn rewards(&self) -> usize {
        self.seen.borrow().rewards
    }

    pub fn most_at_once(&self) -> usize {
        self.seen.borrow().most_at_once
    }
}

impl InVirtualTime<'_> {
    fn arrive(&self, at: CallAddress, request: &RankRequest) {
        let mut seen = self.script.seen.borrow_mut();
        let request = serde_json::to_string(request).unwrap();
        if let Some((told, until)) = seen.foreseen.pop_front() {
            assert_eq!(request, told, "another event was told");
            assert!(self.clock.now() < until, "{:?} instead of {until:?}", self.clock.now());
        }
        seen.requests.push(request);
        seen.at_once += 1;
        seen.most_at_once = seen.most_at_once.max(seen.at_once);
        if let Some((iteration, stopper)) = &self.script.stop_at
            && *iteration == at.iteration
        {
            stopper.stop();
        }
    }

    /// Now, unless the service stalls.
    fn end_of_stall(&self) -> Duration {
        let now = self.clock.now();
        let Some((every, stall)) = self.script.stalls else { return now };
        let into = Duration::from_nanos((now.as_nanos() % every.as_nanos()).try_into().unwrap());
        let left = every.saturating_sub(into);
        if left > stall { now } else { now + left }
    }

    /// When a Rank that arrives now is served.
    fn end_of_queue(&self) -> Duration {
        let now = self.clock.now();
        let Some(service_time) = self.script.serves_for else { return now };
        let mut seen = self.script.seen.borrow_mut();
        seen.free_at = seen.free_at.max(now) + service_time;
        seen.free_at
    }

    fn exports(&self) -> usize {
        let rewards = self.script.seen.borrow().rewards;
        let by_rewards = self.script.exports_every.map_or(0, |every| rewards / every);
        by_rewards + usize::from(self.script.exports_at.is_some_and(|at| at <= self.clock.now()))
    }
}

impl InVirtualTime<'_> {
    /// The next multiple of the time until which it wants to know.
    fn until(&self) -> Option<Duration> {
        let (_, every) = self.script.foresees?;
        let times = self.clock.now().as_nanos() / every.as_nanos() + 1;
        Some(every * u32::try_from(times).unwrap())
    }

    fn rank_latency(&self, at: CallAddress) -> Duration {
        let draws = || Seed(9).draws(at.phase, at.iteration, Purpose::RankLatency);
        self.script.latency.sampler().sample(|| draws().normal())
    }
}

impl Target for InVirtualTime<'_> {
    fn foresight(&self) -> Option<Foresight> {
        let (most, _) = self.script.foresees?;
        let room = most - self.script.seen.borrow().foreseen.len();
        let events = if room > most / 2 { room } else { 0 };
        Some(Foresight { events, until: self.until()? })
    }

    fn foresee(&self, request: &RankRequest) -> bool {
        let mut seen = self.script.seen.borrow_mut();
        // Each eleventh is too large, once.
        seen.told += 1;
        let takes = !seen.told.is_multiple_of(11);
        if takes && let Some(until) = self.until() {
            seen.foreseen.push_back((serde_json::to_string(request).unwrap(), until));
        }
        takes
    }

    fn longest_calls(&self, at: CallAddress, _deliveries: u32) -> Duration {
        self.rank_latency(at)
    }

    async fn rank(&self, at: CallAddress, request: &RankRequest) -> Result<RankAnswer, CallError> {
        self.arrive(at, request);
        let draws = || Seed(9).draws(at.phase, at.iteration, Purpose::RankLatency);
        self.clock.sleep_until(self.clock.now() + self.rank_latency(at)).await;
        self.clock.sleep_until(self.end_of_stall()).await;
        self.clock.sleep_until(self.end_of_queue()).await;
        let mut seen = self.script.seen.borrow_mut();
        seen.at_once -= 1;
        seen.answered.push(at.iteration);
        if (self.script.fails)(at.iteration) {
            return Err(CallError {
                kind: FailureKind::Transport,
                message: "scripted failure".into(),
            });
        }
        let index = usize::try_from(draws().below(request.actions.len() as u64)).unwrap();
        let chosen = request.actions[index].id.clone();
        Ok(RankAnswer::Contract(RankResponse {
            ranking: request
                .actions
                .iter()
                .map(|action| RankedAction { id: action.id.clone(), probability: 0.25 })
                .collect(),
            event_id: request.event_id.clone().unwrap(),
            reward_action_id: chosen,
        }))
    }

    async fn reward(
        &self,
        _at: CallAddress,
        _event_id: &EventId,
        _value: f64,
    ) -> Result<Delivery, CallError> {
        self.script.seen.borrow_mut().rewards += 1;
        Ok(Delivery::Sent)
    }

    async fn activate(&self, _event_id: &EventId) -> Result<(), CallError> {
        Ok(())
    }

    async fn model_properties(&self) -> Result<ModelProperties, CallError> {
        let exported = Timestamp::VIRTUAL_START + Duration::from_secs(self.exports() as u64);
        Ok(ModelProperties { creation_time: Timestamp::NEVER, last_modified_time: exported })
    }

    async fn delete_model(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn delete_logs(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn configuration(&self) -> Result<ServiceConfiguration, CallError> {
        Ok(ServiceConfiguration::default())
    }

    async fn set_configuration(
        &self,
        configuration: &ServiceConfiguration,
    ) -> Result<ServiceConfiguration, CallError> {
        Ok(configuration.clone())
    }

    async fn policy(&self) -> Result<PolicyContract, CallError> {
        Ok(PolicyContract { name: "scripted".into(), arguments: "--cb_explore_adf".into() })
    }

    async fn set_policy(&self, policy: &PolicyContract) -> Result<PolicyContract, CallError> {
        Ok(policy.clone())
    }

    async fn delete_policy(&self) -> Result<PolicyContract, CallError> {
        self.policy().await
    }

    async fn create_evaluation(
        &self,
        _contract: &EvaluationContract,
    ) -> Result<Evaluation, CallError> {
        Err(CallError { kind: FailureKind::Status(400), message: "not scripted".into() })
    }

    async fn evaluation(&self, _id: &str) -> Result<Evaluation, CallError> {
        Err(CallError { kind: FailureKind::Status(404), message: "not scripted".into() })
    }

    async fn apply_from_evaluation(
        &self,
        _evaluation: &str,
        _policy: &str,
    ) -> Result<(), CallError> {
        Err(CallError { kind: FailureKind::Status(404), message: "not scripted".into() })
    }

    fn take_joined(&self, _everything: bool) -> Vec<u8> {
        Vec::new()
    }
}

/// So many iterations, one at a time, as fast as answers come.
pub fn iterate(iterations: u64) -> Iterate {
    Iterate {
        iterations,
        arrival: Arrival::Closed { concurrency: 1, rate: None },
        error_budget: None,
        model_check_interval: iterations,
        think_time: Delay::NONE,
        delivery: RewardDelivery::default(),
        users: None,
        slots: None,
        drift: None,
    }
}

/// A plan with three visitors, four actions and these phases.
pub fn plan(phases: Vec<Phase>) -> Plan {
    let text = |key: &str, value: &str| {
        FeatureObject(vec![(key.into(), FeatureValue::Text(value.into()))])
    };
    let visitor = |(name, preferred): (&str, usize)| Visitor {
        context: Arc::new([name.to_owned()]),
        features: Arc::new([text("name", name)]),
        preference: Preference::Action(preferred),
        actions: None,
        weight: 1.0,
        offered: None,
        logged: None,
    };
    let action =
        |id: &str| RankableAction { id: id.into(), features: Arc::new([text("kind", id)]) };
    Plan {
        name: "scripted".into(),
        description: None,
        seed: Seed(42),
        source: Source { path: "scripted.yaml".into(), text: String::new(), overrides: Vec::new() },
        digest: "0".repeat(64),
        population: Population {
            dimensions: vec!["name".into()],
            rows: [("Ann", 0), ("Ben", 1), ("Cem", 3)].map(visitor).into(),
        },
        actions: ["a", "b", "c", "d"].map(action).into(),
        log: None,
        catalogue: None,
        excluded_actions: Vec::new(),
        defer_activation: false,
        reward: RewardRule { matched: 1.0, ..RewardRule::default() },
        target: TargetPlan::Http(scenario::usual_service("http://localhost").into()),
        clock: ClockKind::Virtual,
        curve_batch: 10,
        outputs: Outputs::default(),
        phases,
        shard: None,
        expectations: Vec::new(),
    }
}
