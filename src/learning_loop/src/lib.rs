//! The learning loop: event log, reward joining, training, model export, evaluations.
//!
//! [`LearningLoop`] is the service as an object: every operation of the contract is a
//! method that takes `now`. Whatever was due by then happens first, in the order of
//! time: reward windows close, their events are learned, models are exported. The loop
//! is pure but for threads in evaluations.
//!
//! Must not know: the engine, scenarios, results.

mod assignment;
mod configuration;
mod contest;
mod dsjson;
mod evaluations;
mod event_numbers;
mod fact;
mod features;
mod identity;
mod interaction;
mod job;
mod joiner;
mod log;
mod model;
mod multislot;
mod optimization;
mod overview;
mod rank;
mod replay;
mod sampling;
mod settings;
pub mod summary;
mod trainer;

#[cfg(test)]
mod tests;

pub use fact::Recorded;
pub use job::{EvaluationJob, EvaluationOutcome};
pub use overview::{Events, LoopState, Overview};

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

pub use contest::ONLINE;

use dsjson::LineWriter;
use fact::Fact;
use features::FeatureCache;
use interaction::{Activation, Choice, FilledSlot, Interaction};
use joiner::Joiner;
use log::EventLog;
pub use log::Keeps;
use smallvec::SmallVec;
use trainer::Trainer;

use learner::{LearningPolicy, Prediction, sample};
use protocol::{
    DateRange, Digits, ErrorCode, Evaluation, EventId, LearningMode, LogsProperties, RankRequest,
    RankResponse, RankableAction, RewardRequest, ServiceConfiguration, ServiceError,
};
use timestamp::Timestamp;

/// The learning policy of a new service.
pub const DEFAULT_POLICY: &str =
    "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::";

/// The same for events with slots.
pub const DEFAULT_SLOTS_POLICY: &str =
    "--ccb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::";

/// What a loop starts with.
#[derive(Debug, Clone)]
pub struct LoopOptions {
    /// The settings.
    pub configuration: ServiceConfiguration,
    /// The learning policy. Its `--epsilon` gives way to the configuration's.
    pub policy: LearningPolicy,
    /// The id of the loop. With the id of an event, it decides the draw of the event.
    pub app_id: String,
    /// How many threads an evaluation may use. It changes no result.
    pub threads: usize,
    /// What is kept of events that are joined.
    pub keeps: Keeps,
}

impl Default for LoopOptions {
    fn default() -> Self {
        Self {
            configuration: ServiceConfiguration::default(),
            policy: configuration::default_policy(false),
            app_id: "runner".to_owned(),
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            keeps: Keeps::default(),
        }
    }
}

/// The service as an object.
///
/// Calls come in the order of time; a `now` before that of an earlier call counts as
/// that one.
#[derive(Debug)]
pub struct LearningLoop {
    app_id: String,
    configuration: ServiceConfiguration,
    /// The name of the policy under which the trainer learns.
    policy_name: String,
    joiner: Joiner,
    log: EventLog,
    lines: LineWriter,
    trainer: Trainer,
    checker: rank::Checker,
    features: FeatureCache,
    prediction: Prediction,
    evaluations: Vec<Evaluation>,
    /// How many were ever made: ids are not used again.
    evaluations_made: u64,
    threads: usize,
    /// What happened and nobody has taken yet, where it is recorded.
    facts: Option<Vec<Recorded>>,
    ranked: u64,
    rewarded: u64,
    /// When the loop was last due to optimize itself.
    optimized: Option<Timestamp>,
    now: Timestamp,
}

/// How far back a model that must be learned anew looks (learning-loop,
/// `DefaultModelRetrainDays`).
const RETRAINED: Duration = Duration::from_secs(2 * 24 * 3600);

impl LearningLoop {
    /// A loop that knows nothing yet. Models are exported every so often from `now` on.
    #[must_use]
    pub fn new(options: LoopOptions, now: Timestamp) -> Self {
        let LoopOptions { configuration, policy, app_id, threads, keeps } = options;
        let policy = configuration::effective(&policy, &configuration);
        Self {
            lines: LineWriter::default(),
            trainer: Trainer::new(&policy, configuration.model_export_frequency.0, now),
            policy_name: identity::identifier(&[&app_id, "policy"]),
            app_id,
            configuration,
            joiner: Joiner::default(),
            log: EventLog::new(keeps),
            checker: rank::Checker::default(),
            features: FeatureCache::default(),
            prediction: Prediction::default(),
            evaluations: Vec::new(),
            evaluations_made: 0,
            threads,
            facts: None,
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
        let actions = rank::rankable(request);
        let shown = self.decide(request, event_id.clone(), actions.clone());
        Ok(rank::answer(request, &event_id, &actions, &shown))
    }

    /// `POST /events/{eventId}/reward`. Unknown events and late rewards are none of the
    /// caller's business: they are ignored.
    ///
    /// # Errors
    /// `InvalidRewardRequest`, if the reward is not finite.
    pub fn reward(
        &mut self,
        event_id: &EventId,
        reward: RewardRequest,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.advance(now);
        if !reward.value.is_finite() {
            let message = format!("a reward must be a finite number, found {}", reward.value);
            return Err(ServiceError::new(ErrorCode::InvalidRewardRequest, message));
        }
        let interaction = self.joiner.event(event_id, self.now);
        if let Some(interaction) = interaction.filter(|interaction| interaction.slots.is_empty()) {
            interaction.rewards.push(reward.value);
            self.rewarded += 1;
            let event_id = || event_id.clone();
            self.note(|| Fact::Rewarded { event_id: event_id(), value: reward.value });
        }
        Ok(())
    }

    /// `POST /events/{eventId}/activate`. It has no effect on events that are unknown,
    /// late, or active anyway.
    ///
    /// # Errors
    /// None today; the operation has them.
    pub fn activate(&mut self, event_id: &EventId, now: Timestamp) -> Result<(), ServiceError> {
        self.advance(now);
        self.give_activation(event_id);
        Ok(())
    }

    /// `GET /logs/properties`
    pub fn logs_properties(&mut self, now: Timestamp) -> LogsProperties {
        self.advance(now);
        let ranges = [self.log.range(), self.joiner.range()].into_iter().flatten();
        let span = ranges.reduce(|(from, _), (_, to)| (from, to));
        LogsProperties { date_range: span.map(|(from, to)| DateRange { from, to }) }
    }

    fn give_activation(&mut self, event_id: &EventId) {
        if let Some(interaction) = self.joiner.event(event_id, self.now)
            && interaction.activation == Activation::Awaited
        {
            interaction.activation = Activation::Given;
            self.note(|| Fact::Activated { event_id: event_id.clone() });
        }
    }

    /// `DELETE /logs`: forgets every event, also those whose windows are open.
    pub fn delete_logs(&mut self, now: Timestamp) {
        self.advance(now);
        self.log.clear();
        self.joiner.clear();
        self.note(|| Fact::LogsDeleted);
    }

    /// The lines of joined events, as `vw --dsjson` reads them, each once, in the order
    /// in which they were learned; with `everything` also those of events whose windows
    /// are open, as they stand. Every line ends with a line break.
    pub fn take_joined(&mut self, everything: bool, now: Timestamp) -> Vec<u8> {
        self.advance(now);
        let Self { log, lines: writer, .. } = self;
        let mut lines = Vec::new();
        log.take().for_each(|joined| writer.push(&joined, &mut lines));
        if everything {
            let configuration = &self.configuration;
            let open = self.joiner.take();
            open.for_each(|event| writer.push(&event.joined(configuration), &mut lines));
        }
        lines
    }

    /// Lets happen what is due by `now`, in the order of time.
    fn advance(&mut self, now: Timestamp) {
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

    /// Joins the next event, and learns from it.
    fn join_next(&mut self) {
        let Some((interaction, taken)) = self.joiner.close() else { return };
        let joined = interaction.joined(&self.configuration);
        if joined.learnable {
            self.learn(&joined);
        }
        if self.log.keeps_events() {
            self.log.push(joined, taken);
        } else {
            self.joiner.forget(&joined.interaction.event_id);
        }
    }

    fn learn(&mut self, joined: &joiner::Joined) {
        let interaction = &joined.interaction;
        let hashing = self.trainer.policy().hashing();
        let event = self.features.event_of(hashing, interaction, &joined.slot_labels());
        self.trainer.learn(&event, &joined.label());
    }

    /// Learns the events of the log since `oldest` from nothing, and serves the result.
    fn retrain(&mut self, policy: &LearningPolicy, oldest: Timestamp) {
        self.trainer.blank(policy);
        let recent =
            |joined: &&Arc<joiner::Joined>| joined.learnable && joined.interaction.time >= oldest;
        let events: Vec<_> = self.log.iter().filter(recent).cloned().collect();
        events.iter().for_each(|joined| self.learn(joined));
        self.trainer.export(self.now);
    }

    fn mode(&self) -> LearningMode {
        self.configuration.learning_mode.unwrap_or(LearningMode::Online)
    }

    fn event_id(&self, given: Option<&EventId>) -> EventId {
        match given {
            Some(event_id) => event_id.clone(),
            None => identity::event_id(&self.app_id, self.ranked + 1, self.now).into(),
        }
    }

    /// Chooses as the learning mode has it, and logs the event; what is to be shown.
    fn decide(
        &mut self,
        request: &RankRequest,
        event_id: EventId,
        actions: Arc<[RankableAction]>,
    ) -> Arc<Choice> {
        let drawn = Arc::new(self.choose(request, &actions, &event_id));
        let (shown, choice) = match self.mode() {
            LearningMode::Online => (drawn.clone(), drawn),
            LearningMode::Apprentice => (Arc::new(drawn.baseline()), drawn),
            LearningMode::LoggingOnly => {
                let baseline = Arc::new(drawn.baseline());
                (baseline.clone(), baseline)
            }
        };
        self.observe(request, event_id, actions, choice, Vec::new());
        shown
    }

    /// What the served model makes of a request, and what is drawn from it.
    fn choose(
        &mut self,
        request: &RankRequest,
        actions: &Arc<[RankableAction]>,
        event_id: &EventId,
    ) -> Choice {
        let mut choice = self.predict(request, actions);
        let seed = sampling::seed(event_id.text(&mut Digits::default()), &self.app_id);
        let drawn = sample(&choice.pmf, &choice.ranking, seed);
        choice.ranking.swap(0, drawn);
        choice
    }

    fn predict(&mut self, request: &RankRequest, actions: &Arc<[RankableAction]>) -> Choice {
        let Some(model) = self.trainer.served() else { return Choice::uniform(actions.len()) };
        let hashing = model.policy().hashing();
        let event = self.features.event(hashing, &request.context_features, actions);
        model.predict(event, &mut self.prediction);
        Choice::from(&self.prediction)
    }

    /// Logs an event. An id that is known already was answered, and is not logged again.
    fn observe(
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
            activation: if deferred { Activation::Awaited } else { Activation::Immediate },
            rewards: SmallVec::new(),
            slots,
        };
        let is_recorded = self.facts.is_some();
        let fact = is_recorded.then(|| Fact::Ranked(Box::new(interaction.clone())));
        if self.joiner.open(interaction, self.now + self.configuration.reward_wait_time.0) {
            self.ranked += 1;
            fact.into_iter().for_each(|fact| self.note(|| fact));
        }
    }
}
