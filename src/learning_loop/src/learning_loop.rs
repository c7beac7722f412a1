//! [`LearningLoop`], its state, and the operations on events.

use std::num::NonZero;
use std::time::Duration;

use super::action_numbers::ActionNumbers;
use super::decision::{Decider, Decision};
use super::dsjson::LineWriter;
use super::evaluations::PendingEvaluation;
use super::event_log::{EventLog, LoggedEvent, Retention};
use super::features::FeatureCache;
use super::interaction::{Activation, Interaction};
use super::joined::{Joined, LARGEST_REWARD};
use super::joiner::{Closed, Joiner};
use super::limits::LoopLimits;
use super::log_entry::{LogEntry, Operation};
use super::trainer::Trainer;
use super::{configuration, ids, rank_rules};
use learner::Prediction;
use policy::{Policy, Restarted, learned_event};
use protocol::{
    DateRange, Digits, ErrorCode, Evaluation, EventId, LearningMode, LogsProperties, MOST_REWARDS,
    RankRequest, RankResponse, RewardRequest, ServiceConfiguration, ServiceError,
};
use timestamp::Timestamp;

/// The initial state of a loop.
#[derive(Debug, Clone)]
pub struct LoopOptions {
    /// The settings.
    pub configuration: ServiceConfiguration,
    /// The learning policy. The exploration percentage of the configuration replaces its
    /// `--epsilon`.
    pub policy: Policy,
    /// The programs that a request may make the learning policy, or have evaluated: a request
    /// starts no others.
    pub programs: Vec<Policy>,
    /// The id of the loop. Together with the id of an event, it seeds the draw of the action.
    pub app_id: String,
    /// The number of threads of an evaluation. It changes no result.
    pub threads: usize,
    /// What is kept of joined events.
    pub retention: Retention,
    /// The largest number of events in the log; the oldest leave it.
    pub log_events: usize,
    /// The bounds of requests.
    pub limits: LoopLimits,
    /// The random seed of learning policies that pin none by `--random_seed`: that of the run,
    /// or VW's 0.
    pub random_seed: u64,
}

impl Default for LoopOptions {
    fn default() -> Self {
        Self {
            configuration: ServiceConfiguration::default(),
            policy: configuration::default_policy(false),
            programs: Vec::new(),
            app_id: "runner".to_owned(),
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            retention: Retention::default(),
            log_events: usize::MAX,
            limits: LoopLimits::CONTRACT,
            random_seed: 0,
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
    /// The programs that requests may name.
    pub(crate) programs: Vec<Policy>,
    /// The name of the policy under which the trainer learns.
    pub(crate) policy_name: String,
    pub(crate) joiner: Joiner,
    pub(crate) log: EventLog,
    pub(crate) lines: LineWriter,
    pub(crate) trainer: Trainer,
    /// The actions of requests, for the checker and the features.
    pub(crate) actions: ActionNumbers,
    pub(crate) checker: rank_rules::Checker,
    pub(crate) features: FeatureCache,
    pub(crate) prediction: Prediction,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) pending: Vec<PendingEvaluation>,
    /// The number of evaluations ever created: their ids are not used again.
    pub(crate) evaluations_made: u64,
    pub(crate) threads: usize,
    pub(crate) log_events: usize,
    pub(crate) limits: LoopLimits,
    /// Entries that were not taken, if entries are collected.
    pub(crate) entries: Option<Vec<LogEntry>>,
    /// The number of changes of the settings that a decision depends on.
    pub(crate) settings_version: u64,
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
        let policy = configuration::effective(&options.policy, &options.configuration);
        let every = options.configuration.model_export_frequency.0;
        let trainer = Trainer::new(&policy, options.random_seed, every, now);
        Self::with_trainer(options, trainer, now)
    }

    /// A loop without events that goes on with a trainer: the options' policy and seed are not
    /// used.
    pub(crate) fn with_trainer(options: LoopOptions, trainer: Trainer, now: Timestamp) -> Self {
        let LoopOptions {
            configuration,
            policy: _,
            programs,
            app_id,
            threads,
            retention,
            log_events,
            limits,
            random_seed: _,
        } = options;
        Self {
            lines: LineWriter::default(),
            trainer,
            policy_name: ids::identifier(&[&app_id, "policy"]),
            app_id,
            configuration,
            programs,
            joiner: Joiner::new(limits.bound_events()),
            log: EventLog::new(retention, limits.bound_events()),
            actions: ActionNumbers::default(),
            checker: rank_rules::Checker::default(),
            features: FeatureCache::default(),
            prediction: Prediction::default(),
            evaluations: Vec::new(),
            pending: Vec::new(),
            evaluations_made: 0,
            threads,
            log_events,
            limits,
            entries: None,
            settings_version: 0,
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
        self.decide(request, now).map(|decision| decision.answer(request))
    }

    /// The same, answered by positions in the request: that of many actions costs little.
    ///
    /// # Errors
    /// As [`Self::rank`].
    pub fn decide(
        &mut self,
        request: &RankRequest,
        now: Timestamp,
    ) -> Result<Decision, ServiceError> {
        self.advance(now);
        let (now, number) = (self.now, self.ranked + 1);
        let (decision, interaction) = self.decider().rank(request, number, now)?;
        self.observe(interaction);
        Ok(decision)
    }

    /// How many coming requests the learning policy wants to be told of now by [`Self::foresee`],
    /// of those that are ranked before a time, until which it learns nothing if no settings
    /// change; none, if it is no program.
    pub fn foresight(&mut self) -> Option<(usize, Timestamp)> {
        let until = self.trainer.next_export();
        Some((self.trainer.program()?.foresight(), until))
    }

    /// Tells the learning policy of a request that is certain to be ranked after those that it was
    /// told of before, and within the [foresight](Self::foresight). This changes no answer: a
    /// program works on it meanwhile. Returns whether it was told.
    pub fn foresee(&mut self, request: &RankRequest) -> bool {
        self.decider().foresee(request)
    }

    /// `POST /events/{eventId}/reward`. Unknown events, late rewards and those beyond
    /// [`MOST_REWARDS`] are ignored.
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
        let takes_reward = |interaction: &&mut Interaction| {
            interaction.slots.is_empty() && interaction.rewards.len() < MOST_REWARDS
        };
        if let Some(interaction) = interaction.filter(takes_reward) {
            interaction.rewards.push(reward.value);
            self.rewarded += 1;
            self.joiner.count_reward(event_id);
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
        self.trainer.forget_events();
        self.log.clear();
        self.joiner.clear();
        self.log_operation(|| Operation::LogsDeleted);
    }

    /// The latest time that the loop was told.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        self.now
    }

    /// How many models were exported so far, and when the last of them was.
    #[must_use]
    pub fn exports(&self) -> (u64, Timestamp) {
        (self.trainer.exports(), self.trainer.properties().last_modified_time)
    }

    /// Why the learning policy can no longer decide: every choice from then on is refused.
    #[must_use]
    pub fn policy_failure(&self) -> Option<String> {
        self.trainer.failure()
    }

    /// Why the program has failed that the learning policy is, if it is one and has.
    pub fn program_failure(&mut self) -> Option<String> {
        self.trainer.program()?.failure()
    }

    /// Starts a learning policy again that is a program and has failed, or was restored: the
    /// process is told what the one before had saved, and learns the events of the log that came
    /// after, in the same batches. None, if the policy is no program.
    ///
    /// # Errors
    /// Why it has failed again.
    pub fn restart_policy(&mut self) -> Option<Result<Restarted, String>> {
        let program = self.trainer.program()?;
        let (needed, after) = program.events_to_restart();
        let learned = self.log.iter().rev().filter(LoggedEvent::is_learnable);
        let mut events: Vec<_> = learned
            .skip(after)
            .take(needed)
            .map(|event| {
                let (joined, id) = (event.joined(), &mut Digits::default());
                learned_event(joined.interaction.seen(id), joined.outcome())
            })
            .collect();
        events.reverse();
        Some(program.restart(events))
    }

    /// Ends a learning policy that is a program, and returns the end of what it wrote to stderr;
    /// nothing for others. Nothing can be ranked or learned afterwards.
    ///
    /// # Errors
    /// If it does not end, wrote more than its answers, or failed before.
    pub fn end_policy(&mut self) -> Result<String, String> {
        self.trainer.end()
    }

    /// The lines of joined events that were not taken, for `vw --dsjson`, in the order in
    /// which they were learned; with `everything` also those of events whose windows are open,
    /// with the rewards so far. Every line ends with a line break. None, if lines are not
    /// [retained](Retention).
    pub fn take_joined(&mut self, everything: bool, now: Timestamp) -> Vec<u8> {
        self.advance(now);
        let Self { log, lines: writer, .. } = self;
        let mut lines = Vec::new();
        log.take().for_each(|joined| writer.push(&joined, &mut lines));
        if everything && log.keeps_lines() {
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
        self.log.retain(days, now);
        let bytes = self.limits.event_bytes.saturating_sub(self.joiner.bytes());
        self.log.limit(self.log_events, bytes);
    }

    /// Joins the next event and learns from it.
    fn join_next(&mut self) {
        let Some(Closed { interaction, taken }) = self.joiner.close() else { return };
        let joined = Joined::new(interaction, &self.configuration);
        if joined.learnable {
            self.learn(&joined);
        }
        self.log.push(joined, taken);
    }

    fn learn(&mut self, joined: &Joined) {
        let interaction = &joined.interaction;
        let Some(policy) = self.trainer.policy().vowpal_wabbit() else {
            let id = &mut Digits::default();
            return self.trainer.learn_seen(interaction.seen(id), joined.outcome());
        };
        let (hashing, labels) = (policy.hashing(), joined.slot_labels());
        let event = self.features.event_of(hashing, interaction, &labels, &mut self.actions);
        // A later policy may take more work for an event than the one that ranked it.
        if self.limits.allow(policy, &event) {
            self.trainer.learn(&event, &joined.label());
        }
    }

    /// Trains a blank model with the events of the log since `oldest`, and serves it.
    pub(crate) fn retrain(&mut self, policy: &Policy, oldest: Timestamp) {
        self.trainer.blank(policy);
        let events = self.log.snapshot(|event| event.is_learnable() && event.time() >= oldest);
        (0..events.len()).for_each(|index| self.learn(&events.joined(index)));
        self.trainer.export(self.now);
    }

    pub(crate) fn mode(&self) -> LearningMode {
        self.configuration.learning_mode.unwrap_or(LearningMode::Online)
    }

    /// Whether automatic optimization is enabled.
    pub(crate) fn optimizes(&self) -> bool {
        self.configuration.is_auto_optimization_enabled == Some(true)
    }

    /// The parts of the loop that a decision depends on.
    pub(crate) fn decider(&mut self) -> Decider<'_> {
        let (mode, optimizes) = (self.mode(), self.optimizes());
        let served_since = self.trainer.served_since();
        let (policy, served) = self.trainer.policy_and_served();
        Decider {
            app_id: &self.app_id,
            mode,
            optimizes,
            limits: self.limits,
            policy,
            served,
            served_since,
            actions: &mut self.actions,
            checker: &mut self.checker,
            features: &mut self.features,
            prediction: &mut self.prediction,
        }
    }

    /// Records and logs an event. One whose id is known is recorded too: ranking it may have
    /// changed what the served model has seen of slots.
    pub(crate) fn observe(&mut self, interaction: Interaction) {
        self.log_operation(|| Operation::Ranked(Box::new(interaction.clone())));
        self.open_window(interaction);
    }

    /// Opens the window of an event. The log keeps the first event of an id.
    pub(crate) fn open_window(&mut self, interaction: Interaction) {
        let closes = interaction.time + self.configuration.reward_wait_time.0;
        let is_new = !self.log.contains(&interaction.event_id);
        self.ranked += u64::from(is_new && self.joiner.open(interaction, closes));
    }
}

/// Refuses rewards that no cost can represent (VW keeps costs as `f32`).
pub(crate) fn check_reward(value: f64) -> Result<(), String> {
    let message = || {
        format!("a reward must be from -{LARGEST_REWARD:e} to {LARGEST_REWARD:e}, found {value:e}")
    };
    (value.abs() <= LARGEST_REWARD).then_some(()).ok_or_else(message)
}
