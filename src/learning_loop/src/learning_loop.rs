//! [`LearningLoop`], its state, and the operations on events.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::dsjson::LineWriter;
use super::event_log::{EventLog, Retention};
use super::features::FeatureCache;
use super::interaction::{Activation, Choice, FilledSlot, Interaction};
use super::joined::{Joined, LARGEST_REWARD};
use super::joiner::Joiner;
use super::limits::LoopLimits;
use super::log_entry::{LogEntry, Operation};
use super::trainer::Trainer;
use super::{configuration, ids, rank_rules, sampling};
use learner::{LearningPolicy, Prediction, sample};
use protocol::{
    DateRange, Digits, ErrorCode, Evaluation, EventId, LearningMode, LogsProperties, RankRequest,
    RankResponse, RankableAction, RewardRequest, ServiceConfiguration, ServiceError,
};
use timestamp::Timestamp;

/// The initial state of a loop.
#[derive(Debug, Clone)]
pub struct LoopOptions {
    /// The settings.
    pub configuration: ServiceConfiguration,
    /// The learning policy. The exploration percentage of the configuration replaces its
    /// `--epsilon`.
    pub policy: LearningPolicy,
    /// The id of the loop. Together with the id of an event, it seeds the draw of the action.
    pub app_id: String,
    /// The number of threads of an evaluation. It changes no result.
    pub threads: usize,
    /// What is kept of joined events.
    pub retention: Retention,
    /// The bounds of requests.
    pub limits: LoopLimits,
}

impl Default for LoopOptions {
    fn default() -> Self {
        Self {
            configuration: ServiceConfiguration::default(),
            policy: configuration::default_policy(false),
            app_id: "runner".to_owned(),
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            retention: Retention::default(),
            limits: LoopLimits::NONE,
        }
    }
}

/// The operations of the service as methods.
///
/// Time never goes back: a `now` before that of an earlier call is taken as that one.
#[derive(Debug)]
pub struct LearningLoop {
    pub(crate) app_id: String,
    pub(crate) configuration: ServiceConfiguration,
    /// The name of the policy under which the trainer learns.
    pub(crate) policy_name: String,
    pub(crate) joiner: Joiner,
    pub(crate) log: EventLog,
    pub(crate) lines: LineWriter,
    pub(crate) trainer: Trainer,
    pub(crate) checker: rank_rules::Checker,
    pub(crate) features: FeatureCache,
    pub(crate) prediction: Prediction,
    pub(crate) evaluations: Vec<Evaluation>,
    /// The number of evaluations ever created: their ids are not used again.
    pub(crate) evaluations_made: u64,
    pub(crate) threads: usize,
    pub(crate) limits: LoopLimits,
    /// Entries that were not taken, if entries are collected.
    pub(crate) entries: Option<Vec<LogEntry>>,
    pub(crate) ranked: u64,
    pub(crate) rewarded: u64,
    /// When the last automatic optimization was due.
    pub(crate) optimized: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

impl LearningLoop {
    /// A loop without events. Models are exported at the interval of the configuration, counted
    /// from `now`.
    #[must_use]
    pub fn new(options: LoopOptions, now: Timestamp) -> Self {
        let LoopOptions { configuration, policy, app_id, threads, retention, limits } = options;
        let policy = configuration::effective(&policy, &configuration);
        Self {
            lines: LineWriter::default(),
            trainer: Trainer::new(&policy, configuration.model_export_frequency.0, now),
            policy_name: ids::identifier(&[&app_id, "policy"]),
            app_id,
            configuration,
            joiner: Joiner::default(),
            log: EventLog::new(retention),
            checker: rank_rules::Checker::default(),
            features: FeatureCache::default(),
            prediction: Prediction::default(),
            evaluations: Vec::new(),
            evaluations_made: 0,
            threads,
            limits,
            entries: None,
            ranked: 0,
            rewarded: 0,
            optimized: None,
            now,
        }
    }

    /// `POST /rank`
    ///
    /// # Errors
    /// `InvalidRankRequest`, if the request breaks a rule.
    pub fn rank(
        &mut self,
        request: &RankRequest,
        now: Timestamp,
    ) -> Result<RankResponse, ServiceError> {
        self.advance(now);
        self.checker.check(request)?;
        let event_id = self.event_id(request.event_id.as_ref());
        let actions = rank_rules::rankable(request);
        let shown = self.decide(request, event_id.clone(), actions.clone())?;
        Ok(rank_rules::answer(request, &event_id, &actions, &shown))
    }

    /// `POST /events/{eventId}/reward`. Unknown events and late rewards are ignored.
    ///
    /// # Errors
    /// `InvalidRewardRequest`, if the reward is not a finite `f32`.
    pub fn reward(
        &mut self,
        event_id: &EventId,
        reward: RewardRequest,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.advance(now);
        check_reward(reward.value)
            .map_err(|message| ServiceError::new(ErrorCode::InvalidRewardRequest, message))?;
        let interaction = self.joiner.event(event_id, self.now);
        if let Some(interaction) = interaction.filter(|interaction| interaction.slots.is_empty()) {
            interaction.rewards.push(reward.value);
            self.rewarded += 1;
            let event_id = || event_id.clone();
            self.log_operation(|| Operation::Rewarded {
                event_id: event_id(),
                value: reward.value,
            });
        }
        Ok(())
    }

    /// `POST /events/{eventId}/activate`. It has no effect on events that are unknown,
    /// late or already active.
    ///
    /// # Errors
    /// None; the contract declares some.
    pub fn activate(&mut self, event_id: &EventId, now: Timestamp) -> Result<(), ServiceError> {
        self.advance(now);
        self.mark_activated(event_id);
        Ok(())
    }

    /// `GET /logs/properties`
    pub fn logs_properties(&mut self, now: Timestamp) -> LogsProperties {
        self.advance(now);
        let ranges = [self.log.range(), self.joiner.range()].into_iter().flatten();
        let span = ranges.reduce(|(from, _), (_, to)| (from, to));
        LogsProperties { date_range: span.map(|(from, to)| DateRange { from, to }) }
    }

    fn mark_activated(&mut self, event_id: &EventId) {
        if let Some(interaction) = self.joiner.event(event_id, self.now)
            && interaction.activation == Activation::Deferred
        {
            interaction.activation = Activation::Activated;
            self.log_operation(|| Operation::Activated { event_id: event_id.clone() });
        }
    }

    /// `DELETE /logs`: removes every event, also those whose windows are open.
    pub fn delete_logs(&mut self, now: Timestamp) {
        self.advance(now);
        self.log.clear();
        self.joiner.clear();
        self.log_operation(|| Operation::LogsDeleted);
    }

    /// The lines of joined events that were not taken, for `vw --dsjson`, in the order in
    /// which they were learned; with `everything` also those of events whose windows are open,
    /// with the rewards so far. Every line ends with a line break.
    pub fn take_joined(&mut self, everything: bool, now: Timestamp) -> Vec<u8> {
        self.advance(now);
        let Self { log, lines: writer, .. } = self;
        let mut lines = Vec::new();
        log.take().for_each(|joined| writer.push(&joined, &mut lines));
        if everything {
            let configuration = &self.configuration;
            let open = self.joiner.take();
            open.for_each(|event| writer.push(&Joined::new(event, configuration), &mut lines));
        }
        lines
    }

    /// Closes the windows and exports the models that are due by `now`, in the order of time.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let now = self.now;
        while let Some(due) = self.joiner.next_due().filter(|due| *due <= now) {
            self.trainer.pass(due - Duration::from_micros(1));
            self.join_next();
        }
        self.trainer.pass(now);
        let days = self.configuration.log_retention_days;
        self.log.retain(days, now, |event_id| self.joiner.forget(event_id));
    }

    /// Joins the next event and learns from it.
    fn join_next(&mut self) {
        let Some((interaction, taken)) = self.joiner.close() else { return };
        let joined = Joined::new(interaction, &self.configuration);
        if joined.learnable {
            self.learn(&joined);
        }
        if self.log.retains_events() {
            self.log.push(joined, taken);
        } else {
            self.joiner.forget(&joined.interaction.event_id);
        }
    }

    fn learn(&mut self, joined: &Joined) {
        let interaction = &joined.interaction;
        let hashing = self.trainer.policy().hashing();
        let event = self.features.event_of(hashing, interaction, &joined.slot_labels());
        // A later policy may take more work for an event than the one that ranked it.
        if self.limits.allow(self.trainer.policy(), &event) {
            self.trainer.learn(&event, &joined.label());
        }
    }

    /// Trains a blank model with the events of the log since `oldest`, and serves it.
    pub(crate) fn retrain(&mut self, policy: &LearningPolicy, oldest: Timestamp) {
        self.trainer.blank(policy);
        let recent = |joined: &&Arc<Joined>| joined.learnable && joined.interaction.time >= oldest;
        let events: Vec<_> = self.log.iter().filter(recent).cloned().collect();
        events.iter().for_each(|joined| self.learn(joined));
        self.trainer.export(self.now);
    }

    pub(crate) fn mode(&self) -> LearningMode {
        self.configuration.learning_mode.unwrap_or(LearningMode::Online)
    }

    pub(crate) fn event_id(&self, given: Option<&EventId>) -> EventId {
        match given {
            Some(event_id) => event_id.clone(),
            None => ids::event_id(&self.app_id, self.ranked + 1, self.now).into(),
        }
    }

    /// Chooses according to the learning mode and logs the event. Returns the choice to show.
    fn decide(
        &mut self,
        request: &RankRequest,
        event_id: EventId,
        actions: Arc<[RankableAction]>,
    ) -> Result<Arc<Choice>, ServiceError> {
        let drawn = Arc::new(self.choose(request, &actions, &event_id)?);
        let (shown, choice) = match self.mode() {
            LearningMode::Online => (drawn.clone(), drawn),
            LearningMode::Apprentice => (Arc::new(drawn.baseline()), drawn),
            LearningMode::LoggingOnly => {
                let baseline = Arc::new(drawn.baseline());
                (baseline.clone(), baseline)
            }
        };
        self.observe(request, event_id, actions, choice, Vec::new());
        Ok(shown)
    }

    /// Draws an action from the distribution of the served model.
    fn choose(
        &mut self,
        request: &RankRequest,
        actions: &Arc<[RankableAction]>,
        event_id: &EventId,
    ) -> Result<Choice, ServiceError> {
        let mut choice = self.predict(request, actions)?;
        let seed = sampling::seed(event_id.text(&mut Digits::default()), &self.app_id);
        let drawn = sample(&choice.pmf, &choice.ranking, seed);
        choice.ranking.swap(0, drawn);
        Ok(choice)
    }

    /// The distribution of the served model, uniform before the first export. The work is
    /// bounded before there is a model too, since the event will be learned.
    fn predict(
        &mut self,
        request: &RankRequest,
        actions: &Arc<[RankableAction]>,
    ) -> Result<Choice, ServiceError> {
        let Self { trainer, features, prediction, limits, .. } = self;
        if trainer.served().is_none() && !limits.bound_work() {
            return Ok(Choice::uniform(actions.len()));
        }
        let hashing = trainer.policy().hashing();
        let event = features.event(hashing, &request.context_features, actions);
        limits.check_work(trainer.policy(), event)?;
        let Some(model) = trainer.served() else { return Ok(Choice::uniform(actions.len())) };
        model.predict(event, prediction);
        Ok(Choice::from(&*prediction))
    }

    /// Logs an event. The log keeps the first event of an id.
    pub(crate) fn observe(
        &mut self,
        request: &RankRequest,
        event_id: EventId,
        actions: Arc<[RankableAction]>,
        choice: Arc<Choice>,
        slots: Vec<FilledSlot>,
    ) {
        let deferred = request.defer_activation;
        let interaction = Interaction {
            event_id,
            time: self.now,
            context: request.context_features.clone(),
            actions,
            choice,
            model: self.trainer.served_since(),
            mode: self.mode(),
            activation: if deferred { Activation::Deferred } else { Activation::Immediate },
            rewards: SmallVec::new(),
            slots,
        };
        let is_recorded = self.entries.is_some();
        let entry = is_recorded.then(|| Operation::Ranked(Box::new(interaction.clone())));
        if self.joiner.open(interaction, self.now + self.configuration.reward_wait_time.0) {
            self.ranked += 1;
            entry.into_iter().for_each(|entry| self.log_operation(|| entry));
        }
    }
}

/// Refuses rewards that no cost can represent (VW keeps costs as `f32`).
pub(crate) fn check_reward(value: f64) -> Result<(), String> {
    let message = || {
        format!("a reward must be from -{LARGEST_REWARD:e} to {LARGEST_REWARD:e}, found {value:e}")
    };
    (value.abs() <= LARGEST_REWARD).then_some(()).ok_or_else(message)
}
