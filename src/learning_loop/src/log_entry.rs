//! Entries of the write-ahead log.
//!
//! An entry holds the result of an operation, not its request: a choice is stored as it was
//! made, so that replaying the log under another version of the learner keeps what callers
//! were told.

use serde::{Deserialize, Serialize};

use super::LearningLoop;
use super::features::FeatureCache;
use super::interaction::Interaction;
use super::job::{EvaluationJob, EvaluationResults};
use super::learning_loop::check_reward;
use super::model_bytes::ModelBytes;
use super::multislot::check_slot_rewards;
use policy::Model;
use protocol::{
    ApplyFromEvaluation, ErrorCode, EvaluationContract, EventId, PolicyContract, RewardRequest,
    ServiceConfiguration, ServiceError, SlotReward,
};
use timestamp::Timestamp;

/// An operation and its time. Its JSON is the format on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogEntry {
    at: Timestamp,
    #[serde(rename = "fact")]
    operation: Operation,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Operation {
    Ranked(Box<Interaction>),
    Rewarded { event_id: EventId, value: f64 },
    SlotRewarded { event_id: EventId, reward: SlotReward },
    Activated { event_id: EventId },
    Configured(Box<ServiceConfiguration>),
    PolicySet(PolicyContract),
    PolicyDeleted,
    ModelSet(ModelBytes),
    ModelDeleted,
    LogsDeleted,
    EvaluationBegun(EvaluationContract),
    EvaluationEnded { id: String, outcome: Option<EvaluationResults> },
    EvaluationDeleted { id: String },
    Applied(ApplyFromEvaluation),
    OptimizationDue,
}

impl LogEntry {
    pub(crate) fn new(at: Timestamp, operation: Operation) -> Self {
        Self { at, operation }
    }

    /// The entry of `POST /events/{eventId}/reward`; see [`LearningLoop::reward`].
    ///
    /// # Errors
    /// `InvalidRewardRequest`, if the reward is not a finite `f32`.
    pub fn reward(event_id: EventId, reward: RewardRequest) -> Result<Self, ServiceError> {
        check_reward(reward.value)
            .map_err(|message| ServiceError::new(ErrorCode::InvalidRewardRequest, message))?;
        let operation = Operation::Rewarded { event_id, value: reward.value };
        Ok(Self::new(Timestamp::NEVER, operation))
    }

    /// The entries of `POST /multislot/events/{eventId}/reward`; see
    /// [`LearningLoop::reward_slots`].
    ///
    /// # Errors
    /// As [`LearningLoop::reward_slots`].
    pub fn slot_rewards(
        event_id: &EventId,
        rewards: Vec<SlotReward>,
    ) -> Result<Vec<Self>, ServiceError> {
        check_slot_rewards(&rewards)?;
        let operation = |reward| Operation::SlotRewarded { event_id: event_id.clone(), reward };
        let entry = |reward| Self::new(Timestamp::NEVER, operation(reward));
        Ok(rewards.into_iter().map(entry).collect())
    }

    /// The entry of `POST /events/{eventId}/activate`; see [`LearningLoop::activate`].
    pub fn activation(event_id: EventId) -> Self {
        Self::new(Timestamp::NEVER, Operation::Activated { event_id })
    }

    /// Whether the operation erases something that must leave the disk: events, the model, or a
    /// secret in the settings.
    pub fn erases(&self) -> bool {
        let operation = &self.operation;
        matches!(
            operation,
            Operation::LogsDeleted | Operation::ModelDeleted | Operation::Configured(_)
        )
    }

    /// Sets the time of the entry.
    pub fn stamp(&mut self, at: Timestamp) {
        self.at = at;
        if let Operation::Ranked(interaction) = &mut self.operation {
            interaction.time = at;
        }
    }
}

impl LearningLoop {
    /// Collects an entry for each operation from now on, which comes over the wire.
    pub fn start_recording(&mut self) {
        self.entries.get_or_insert_default();
        self.features = FeatureCache::of_wire();
    }

    /// The entries since the last call, in order.
    pub fn take_entries(&mut self) -> Vec<LogEntry> {
        self.entries.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds an entry, if entries are collected.
    pub(crate) fn log_operation(&mut self, operation: impl FnOnce() -> Operation) {
        let at = self.now;
        if let Some(entries) = &mut self.entries {
            entries.push(LogEntry { at, operation: operation() });
        }
    }

    /// Replays an entry; one that began an evaluation gives its job, to run unless a later
    /// entry ends it. Entries are replayed in order, before recording starts.
    ///
    /// # Errors
    /// If the loop refuses the operation: it was accepted when the entry was written, so the
    /// entry does not belong to this loop, or this version reads it differently.
    pub fn replay(
        &mut self,
        LogEntry { at, operation }: LogEntry,
    ) -> Result<Option<EvaluationJob>, ServiceError> {
        match operation {
            Operation::Ranked(interaction) => self.reopen(*interaction),
            Operation::Rewarded { event_id, value } => {
                self.reward(&event_id, RewardRequest { value }, at)?;
            }
            Operation::SlotRewarded { event_id, reward } => {
                self.reward_slots(&event_id, &[reward], at)?;
            }
            Operation::Activated { event_id } => self.activate(&event_id, at)?,
            Operation::EvaluationBegun(contract) => {
                return self.begin_evaluation(&contract, at).map(Some);
            }
            Operation::EvaluationEnded { id, outcome } => self.finish_evaluation(&id, outcome, at),
            Operation::EvaluationDeleted { id } => self.delete_evaluation(&id, at),
            Operation::OptimizationDue => return Ok(self.begin_optimization(at)),
            Operation::Configured(configuration) => {
                self.set_configuration(*configuration, at)?;
            }
            Operation::PolicySet(contract) => {
                self.set_policy(contract, at)?;
            }
            Operation::PolicyDeleted => {
                self.delete_policy(at);
            }
            Operation::ModelSet(ModelBytes(model)) => self.set_model(&model, at)?,
            Operation::ModelDeleted => self.delete_model(at),
            Operation::LogsDeleted => self.delete_logs(at),
            Operation::Applied(request) => self.apply_from_evaluation(&request, at)?,
        }
        Ok(None)
    }

    /// Opens the window of a logged event. The served model is put into the state in which
    /// the Rank call left it.
    fn reopen(&mut self, interaction: Interaction) {
        self.advance(interaction.time);
        self.mark_slots_seen(&interaction);
        self.open_window(interaction);
    }

    fn mark_slots_seen(&mut self, interaction: &Interaction) {
        let served = self.trainer.served().and_then(Model::vowpal_wabbit);
        if let Some(model) = served.filter(|_| !interaction.slots.is_empty()) {
            let hashing = model.policy().hashing();
            let event = self.features.event_of(hashing, interaction, &[], &mut self.actions);
            model.observe_slots(&event);
        }
    }
}
