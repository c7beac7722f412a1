//! Bounds of the work and the memory that one request may cause.

use learner::{Event, LearningPolicy};
use policy::Policy;
use protocol::{ErrorCode, MOST_ACTIONS, ServiceError};

/// The bounds of a loop. A simulation runs requests of its own, without limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopLimits {
    /// The multiplications that a prediction may take ([`LearningPolicy::work`]).
    pub rank_work: u64,
    /// The bytes that the weights of a model may take ([`LearningPolicy::weight_bytes`]).
    pub model_bytes: u64,
    /// About how many bytes of memory the events may take that are in the log or open: the
    /// oldest leave the log. Open ones never leave; a service must refuse requests while they
    /// take more.
    pub event_bytes: u64,
    /// The actions of a request.
    pub actions: usize,
}

impl LoopLimits {
    /// No bounds.
    pub const NONE: Self = Self {
        rank_work: u64::MAX,
        model_bytes: u64::MAX,
        event_bytes: u64::MAX,
        actions: usize::MAX,
    };

    /// Those of the contract, whatever the work and the memory that a request takes.
    pub const CONTRACT: Self = Self { actions: MOST_ACTIONS, ..Self::NONE };

    /// The largest number of values of a request, counted with objects and with values that are
    /// no features: each takes some fifty bytes of memory for as long as its event is in the log.
    pub(crate) fn values(&self) -> usize {
        const MOST_VALUES: usize = 50_000;
        if self.actions > MOST_ACTIONS { usize::MAX } else { MOST_VALUES }
    }

    /// Whether requests have a bound.
    pub(crate) fn bound_work(&self) -> bool {
        self.rank_work < u64::MAX
    }

    /// Whether the memory of events has a bound.
    pub(crate) fn bound_events(&self) -> bool {
        self.event_bytes < u64::MAX
    }

    /// Whether an event may be predicted and learned under a policy.
    pub(crate) fn allow(&self, policy: &LearningPolicy, event: &Event) -> bool {
        !self.bound_work() || policy.work(event) <= self.rank_work
    }

    /// Refuses a Rank request that takes too much work.
    pub(crate) fn check_work(
        &self,
        policy: &LearningPolicy,
        event: &Event,
    ) -> Result<(), ServiceError> {
        if !self.bound_work() {
            return Ok(());
        }
        let (work, limit) = (policy.work(event), self.rank_work);
        let message = || {
            format!(
                "the request takes {work} multiplications under the learning policy, the limit is \
                 {limit}: use fewer features, actions or interactions, or start the service with \
                 a larger `--rank-work`"
            )
        };
        let error = || ServiceError::new(ErrorCode::InvalidRankRequest, message());
        (work <= limit).then_some(()).ok_or_else(error)
    }

    /// Refuses a policy whose model is too large, or that no request can use: with one feature
    /// in the context and two in the action, it takes too much work.
    pub(crate) fn check_policy(&self, policy: &Policy) -> Result<(), String> {
        // The others have bounds of their own.
        let Some(policy) = policy.vowpal_wabbit() else { return Ok(()) };
        let (bytes, limit) = (policy.weight_bytes(), self.model_bytes);
        if bytes > limit {
            return Err(format!(
                "the weights of the policy take {bytes} bytes, the limit is {limit}: use fewer \
                 `--bit_precision` or models, or start the service with a larger `--model-bytes`"
            ));
        }
        let (work, limit) = (policy.work(&smallest_event(policy)), self.rank_work);
        let message = || {
            format!(
                "the interactions of the policy take {work} multiplications for the smallest \
                 request, the limit is {limit}: use interactions of a lower order, or start the \
                 service with a larger `--rank-work`"
            )
        };
        (work <= limit).then_some(()).ok_or_else(message)
    }
}

/// One feature in the context, the constant and the id of an action.
fn smallest_event(policy: &LearningPolicy) -> Event {
    let example = |namespace: &str, keys: &[&str]| {
        let mut example = learner::ExampleBuilder::new(policy.hashing());
        example.open(namespace);
        keys.iter().for_each(|key| example.number(key, 1.0));
        example.close();
        example.finish().into()
    };
    Event {
        shared: example("FromUrl", &["a"]),
        actions: [example("i", &["constant", "id"])].into(),
        recurs: false,
        slots: None,
        listed: true,
        weight: 1.0,
    }
}
