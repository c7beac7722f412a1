//! The state of a loop as bytes, without the events of its log.
//!
//! Three parts, each with its length in eight bytes: JSON, the model in training, and the
//! served model (empty before the first export). The log is stored apart, in segments.

use serde::{Deserialize, Serialize};

use super::evaluations::PendingEvaluation;
use super::interaction::Interaction;
use super::trainer::{Trainer, TrainerState};
use super::{LearningLoop, LoopOptions, configuration};
use policy::{Model, Policy, RestoreError};
use protocol::{Evaluation, ServiceConfiguration};
use timestamp::Timestamp;

/// The bytes of a length.
const LENGTH: usize = size_of::<u64>();

/// Everything but the models.
#[derive(Serialize, Deserialize)]
struct State {
    app_id: String,
    configuration: ServiceConfiguration,
    policy_name: String,
    open: Vec<(Interaction, Timestamp)>,
    first: usize,
    evaluations: Vec<Evaluation>,
    evaluations_made: u64,
    pending: Vec<PendingEvaluation>,
    ranked: u64,
    rewarded: u64,
    optimized: Option<Timestamp>,
    now: Timestamp,
    trainer: TrainerState,
}

impl LearningLoop {
    /// The state of the loop.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn snapshot(&mut self) -> Vec<u8> {
        let (learner, served) = self.trainer.save_models();
        let state = State {
            app_id: self.app_id.clone(),
            configuration: self.configuration.clone(),
            policy_name: self.policy_name.clone(),
            open: self.joiner.windows().map(|(event, closes)| (event.clone(), closes)).collect(),
            first: self.joiner.joined(),
            evaluations: self.evaluations.clone(),
            evaluations_made: self.evaluations_made,
            pending: self.pending.clone(),
            ranked: self.ranked,
            rewarded: self.rewarded,
            optimized: self.optimized,
            now: self.now,
            trainer: self.trainer.state(),
        };
        let mut bytes = vec![0; LENGTH];
        // The open events may be large: their JSON is in memory once.
        serde_json::to_writer(&mut bytes, &state).expect("the state is finite");
        let length = (bytes.len() - LENGTH) as u64;
        bytes[..LENGTH].copy_from_slice(&length.to_le_bytes());
        for part in [learner, served.unwrap_or_default()] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&part);
        }
        bytes
    }

    /// The loop of a snapshot, with an empty log. Of the options, those are used that are not
    /// part of the state.
    ///
    /// A learning policy that is a program continues as that of the options, once it is started
    /// again: see [`Self::restart_policy`].
    ///
    /// # Errors
    /// If the bytes are not a snapshot, or are of a program and the options name none.
    pub fn restore(bytes: &[u8], options: &LoopOptions) -> Result<Self, RestoreError> {
        let mut rest = bytes;
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<LENGTH>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (part, after) = after.split_at_checked(length)?;
            rest = after;
            Some(part)
        };
        let short = || RestoreError::Invalid("the snapshot ends too early".to_owned());
        let mut next = || part().ok_or_else(short);
        let (state, learner, served) = (next()?, next()?, next()?);
        let invalid = |error: serde_json::Error| RestoreError::Invalid(error.to_string());
        let state: State = serde_json::from_slice(state).map_err(invalid)?;
        // Only the state of a service is saved, whose policies have the seed 0.
        let load = |bytes: &[u8]| Model::restore(bytes, 0, options.policy.program());
        let served = (!served.is_empty()).then(|| load(served)).transpose()?;
        let trainer = Trainer::restore(load(learner)?, served, &state.trainer);
        let options = LoopOptions {
            configuration: state.configuration,
            app_id: state.app_id,
            // That of the state takes its place: a program is not started twice.
            policy: configuration::default_policy(false),
            ..options.clone()
        };
        let mut restored = Self::new(options, state.now);
        restored.trainer = trainer;
        restored.policy_name = state.policy_name;
        restored.joiner.restore(state.open, state.first);
        restored.evaluations = state.evaluations;
        restored.evaluations_made = state.evaluations_made;
        restored.pending = state.pending;
        (restored.ranked, restored.rewarded) = (state.ranked, state.rewarded);
        restored.optimized = state.optimized;
        Ok(restored)
    }

    /// The policy under which the loop learns.
    pub fn learning_policy(&self) -> &Policy {
        self.trainer.policy()
    }
}
