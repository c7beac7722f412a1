//! The state of a loop as bytes, without the events of its log.
//!
//! The model in training and the served model (empty before the first export), each with its
//! length in eight bytes; then JSON. The log is stored apart, in segments. The open events may
//! be large: nothing but the models is in memory as a whole.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::evaluations::PendingEvaluation;
use super::interaction::Interaction;
use super::trainer::{Trainer, TrainerState};
use super::{LearningLoop, LoopOptions};
use policy::{Model, Policy, RestoreError};
use protocol::{Evaluation, ServiceConfiguration};
use timestamp::Timestamp;

/// The next bytes that stand after their length.
fn part(reader: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut length = [0; size_of::<u64>()];
    let early = |error: io::Error| format!("the snapshot ends too early: {error}");
    reader.read_exact(&mut length).map_err(early)?;
    let length = u64::from_le_bytes(length);
    let mut bytes = Vec::new();
    let read = reader.take(length).read_to_end(&mut bytes).map_err(early)?;
    if read as u64 == length { Ok(bytes) } else { Err("the snapshot ends too early".to_owned()) }
}

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
    /// Writes the state of the loop.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// If the policy is a program.
    pub fn write_snapshot(&mut self, mut writer: impl Write) -> io::Result<()> {
        let (learner, served) = self.trainer.save_models();
        for part in [learner, served.unwrap_or_default()] {
            writer.write_all(&(part.len() as u64).to_le_bytes())?;
            writer.write_all(&part)?;
        }
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
        Ok(serde_json::to_writer(writer, &state)?)
    }

    /// The loop of a snapshot, with an empty log. Of the options, those are used that are not
    /// part of the state.
    ///
    /// A learning policy that is a program continues as that of the options, once it is started
    /// again: see [`Self::restart_policy`].
    ///
    /// # Errors
    /// If the bytes are not a snapshot, or are of a program and the options name none.
    pub fn restore(mut reader: impl Read, options: &LoopOptions) -> Result<Self, RestoreError> {
        let mut next = || part(&mut reader).map_err(RestoreError::Invalid);
        let (learner, served) = (next()?, next()?);
        let invalid = |error: serde_json::Error| RestoreError::Invalid(error.to_string());
        let state: State = serde_json::from_reader(reader).map_err(invalid)?;
        // Only the state of a service is saved, whose policies have the seed 0.
        let load = |bytes: &[u8]| Model::restore(bytes, 0, options.policy.program());
        let served = (!served.is_empty()).then(|| load(&served)).transpose()?;
        let trainer = Trainer::restore(load(&learner)?, served, &state.trainer);
        let options = LoopOptions {
            configuration: state.configuration,
            app_id: state.app_id,
            ..options.clone()
        };
        let mut restored = Self::with_trainer(options, trainer, state.now);
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
