use super::LearningLoop;
use super::action_numbers::ActionNumbers;
use super::decision::Decider;
use super::features::FeatureCache;
use super::interaction::Interaction;
use super::limits::LoopLimits;
use super::log_entry::{LogEntry, Operation};
use super::rank_rules::Checker;
use learner::Prediction;
use policy::{Model, Policy};
use protocol::{
    LearningMode, MultiSlotRankRequest, MultiSlotRankResponse, RankRequest, RankResponse,
    ServiceError,
};
use timestamp::Timestamp;

/// Everything in a loop that a Rank call reads: it decides without the loop, which logs the entry
/// afterwards. Several rankers decide at the same time. They and the loop share what was learned;
/// what deciding changes, such as scratch space, each has of its own.
#[derive(Debug, Clone)]
pub struct Ranker {
    app_id: String,
    mode: LearningMode,
    optimizes: bool,
    limits: LoopLimits,
    policy: Policy,
    served: Option<Model>,
    served_since: Option<Timestamp>,
    actions: ActionNumbers,
    checker: Checker,
    features: FeatureCache,
    prediction: Prediction,
}

impl LearningLoop {
    /// The ranker of the loop as it is now.
    pub fn ranker(&mut self) -> Ranker {
        Ranker {
            app_id: self.app_id.clone(),
            mode: self.mode(),
            optimizes: self.optimizes(),
            limits: self.limits,
            policy: self.trainer.policy().clone(),
            served_since: self.trainer.served_since(),
            served: self.trainer.served().cloned(),
            actions: ActionNumbers::of_wire(),
            checker: Checker::default(),
            features: FeatureCache::of_wire(),
            prediction: Prediction::default(),
        }
    }

    /// A number that changes whenever [`Self::ranker`] gives another ranker.
    pub fn ranker_version(&self) -> u64 {
        self.trainer.version() + self.settings_version
    }
}

impl Ranker {
    /// `POST /rank`, without logging. An event without an id gets one made of `number` and
    /// `now`.
    ///
    /// # Errors
    /// As [`LearningLoop::rank`].
    pub fn rank(
        &mut self,
        request: &RankRequest,
        number: u64,
        now: Timestamp,
    ) -> Result<(RankResponse, LogEntry), ServiceError> {
        let (decision, interaction) = self.decider().rank(request, number, now)?;
        Ok((decision.answer(request), ranked(interaction, now)))
    }

    /// `POST /multislot/rank`, without logging.
    ///
    /// # Errors
    /// As [`LearningLoop::rank_slots`].
    pub fn rank_slots(
        &mut self,
        request: &MultiSlotRankRequest,
        number: u64,
        now: Timestamp,
    ) -> Result<(MultiSlotRankResponse, LogEntry), ServiceError> {
        let (answer, interaction) = self.decider().rank_slots(request, number, now)?;
        Ok((answer, ranked(interaction, now)))
    }

    /// Whether it asks a program, which takes its time.
    pub fn asks_program(&self) -> bool {
        self.policy.is_program()
    }

    /// Whether it asks a program that has failed.
    pub fn has_no_program(&self) -> bool {
        self.asks_program() && self.served.as_ref().is_some_and(|model| model.failure().is_some())
    }

    /// Forgets what it has cached of requests.
    pub fn forget(&mut self) {
        self.actions = ActionNumbers::of_wire();
        self.checker = Checker::default();
        self.features.clear();
    }

    fn decider(&mut self) -> Decider<'_> {
        Decider {
            app_id: &self.app_id,
            mode: self.mode,
            optimizes: self.optimizes,
            limits: self.limits,
            policy: &self.policy,
            served: self.served.as_mut(),
            served_since: self.served_since,
            actions: &mut self.actions,
            checker: &mut self.checker,
            features: &mut self.features,
            prediction: &mut self.prediction,
        }
    }
}

fn ranked(interaction: Interaction, now: Timestamp) -> LogEntry {
    LogEntry::new(now, Operation::Ranked(Box::new(interaction)))
}
