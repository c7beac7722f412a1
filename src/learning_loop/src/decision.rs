//! Rank calls: from a request to the choice to show and the interaction to log.

use std::sync::Arc;

use smallvec::SmallVec;

use super::action_numbers::ActionNumbers;
use super::features::FeatureCache;
use super::interaction::{Activation, Choice, FilledSlot, Interaction};
use super::limits::LoopLimits;
use super::{ids, rank_rules, sampling};
use learner::{LearningPolicy, Prediction, sample};
use policy::{Model, Policy, Seen};
use protocol::{
    Digits, ErrorCode, EventId, FeatureObject, LearningMode, RankRequest, RankableAction,
    ServiceError,
};
use timestamp::Timestamp;

/// What was decided for a request. Actions are positions in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The id of the event.
    pub event_id: EventId,
    /// The chosen action.
    pub chosen: usize,
    /// The actions with their probabilities: excluded ones keep their positions, with probability
    /// zero; the others fill the remaining positions in the order of the ranking.
    pub ranking: Vec<(usize, f32)>,
}

/// Everything that a decision depends on, borrowed from a loop or from a ranker.
pub(crate) struct Decider<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) mode: LearningMode,
    pub(crate) optimizes: bool,
    pub(crate) limits: LoopLimits,
    pub(crate) policy: &'a Policy,
    /// The served model; `None` before the first export.
    pub(crate) served: Option<&'a mut Model>,
    /// When the served model was exported.
    pub(crate) served_since: Option<Timestamp>,
    pub(crate) actions: &'a mut ActionNumbers,
    pub(crate) checker: &'a mut rank_rules::Checker,
    pub(crate) features: &'a mut FeatureCache,
    pub(crate) prediction: &'a mut Prediction,
}

/// The parts of a request that are logged.
pub(crate) struct Logged<'a> {
    pub(crate) event_id: EventId,
    pub(crate) context: &'a Arc<[FeatureObject]>,
    pub(crate) actions: Arc<[RankableAction]>,
    pub(crate) is_deferred: bool,
    pub(crate) choice: Arc<Choice>,
    pub(crate) slots: Vec<FilledSlot>,
}

impl Decider<'_> {
    /// `POST /rank`. An event without an id gets one made of `number` and `now`.
    pub(crate) fn rank(
        &mut self,
        request: &RankRequest,
        number: u64,
        now: Timestamp,
    ) -> Result<(Decision, Interaction), ServiceError> {
        self.checker.check(request, &self.limits, self.actions)?;
        let event_id = self.event_id(request.event_id.as_ref(), number, now);
        let actions = rank_rules::rankable(request);
        let drawn = Arc::new(self.choose(request, &actions, &event_id)?);
        let (shown, choice) = match self.mode {
            LearningMode::Online => (drawn.clone(), drawn),
            LearningMode::Apprentice => (Arc::new(drawn.baseline()), drawn),
            LearningMode::LoggingOnly => {
                let baseline = Arc::new(drawn.baseline());
                (baseline.clone(), baseline)
            }
        };
        let decision = rank_rules::decision(request, &event_id, &shown);
        let logged = Logged {
            event_id,
            context: &request.context_features,
            actions,
            is_deferred: request.defer_activation,
            choice,
            slots: Vec::new(),
        };
        Ok((decision, self.interaction(logged, now)))
    }

    /// Tells the served model of a request that is certain to be ranked after those that it was
    /// told of before, and before anything is learned. Returns whether it was told.
    pub(crate) fn foresee(&mut self, request: &RankRequest) -> bool {
        let (Some(model), Some(event_id)) = (&mut self.served, &request.event_id) else {
            return false;
        };
        let digits = &mut Digits::default();
        let actions = &rank_rules::rankable(request);
        let context = &request.context_features;
        let event = Seen { id: event_id.text(digits), context, actions };
        let checked = self.checker.check(request, &self.limits, self.actions);
        checked.is_ok() && model.foresee(event, None)
    }

    pub(crate) fn event_id(&self, given: Option<&EventId>, number: u64, now: Timestamp) -> EventId {
        match given {
            Some(event_id) => event_id.clone(),
            None => ids::event_id(self.app_id, number, now).into(),
        }
    }

    pub(crate) fn interaction(&self, logged: Logged<'_>, now: Timestamp) -> Interaction {
        let Logged { event_id, context, actions, is_deferred, choice, slots } = logged;
        Interaction {
            event_id,
            time: now,
            context: context.clone(),
            actions,
            choice,
            model: self.served_since,
            mode: self.mode,
            activation: if is_deferred { Activation::Deferred } else { Activation::Immediate },
            rewards: SmallVec::new(),
            slots,
        }
    }

    /// Draws an action from the distribution of the served model.
    fn choose(
        &mut self,
        request: &RankRequest,
        actions: &Arc<[RankableAction]>,
        event_id: &EventId,
    ) -> Result<Choice, ServiceError> {
        let digits = &mut Digits::default();
        let id = event_id.text(digits);
        let mut choice = match self.policy {
            Policy::VowpalWabbit(policy) => self.predict(policy, request, actions)?,
            Policy::Linear(_) | Policy::Program(_) => {
                self.predict_seen(Seen { id, context: &request.context_features, actions })?
            }
        };
        let seed = sampling::seed(id, self.app_id);
        let drawn = sample(&choice.pmf, &choice.ranking, seed);
        choice.ranking.swap(0, drawn);
        Ok(choice)
    }

    /// The distribution of the served model, uniform before the first export. The work is
    /// bounded before there is a model too, since the event will be learned.
    fn predict(
        &mut self,
        policy: &LearningPolicy,
        request: &RankRequest,
        actions: &Arc<[RankableAction]>,
    ) -> Result<Choice, ServiceError> {
        if self.served.is_none() && !self.limits.bound_work() {
            return Ok(Choice::uniform(actions.len()));
        }
        let (hashing, context) = (policy.hashing(), &request.context_features);
        let event = self.features.event(hashing, context, actions, self.actions);
        self.limits.check_work(policy, event)?;
        let model = self.served.as_mut().and_then(|model| model.vowpal_wabbit());
        let Some(model) = model else { return Ok(Choice::uniform(actions.len())) };
        model.predict(event, self.prediction);
        Ok(Choice::from(&*self.prediction))
    }

    /// The same of a model that sees events as they come.
    fn predict_seen(&mut self, event: Seen<'_>) -> Result<Choice, ServiceError> {
        let Some(model) = &mut self.served else {
            return Ok(Choice::uniform(event.actions.len()));
        };
        let failed = |why| ServiceError::new(ErrorCode::InternalServerError, why);
        model.predict(event, self.prediction).map_err(failed)?;
        Ok(Choice::from(&*self.prediction))
    }
}
