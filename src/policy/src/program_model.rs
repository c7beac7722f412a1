use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use learner::Prediction;
use policy_program::{Command, LearnedEvent, Program, RankedEvent};

use crate::model::{Outcome, Seen, put};

/// A program, and what it was not told yet. Copies are one process: it is told what to learn
/// when a model is exported, and answers Rank from then on as it learned.
#[derive(Debug, Clone)]
pub struct ProgramModel {
    command: Command,
    program: Arc<Mutex<Program>>,
    waiting: Vec<LearnedEvent>,
}

impl ProgramModel {
    pub(crate) fn start(command: &Command, seed: u64) -> Self {
        let program = Arc::new(Mutex::new(Program::start(command, seed)));
        Self { command: command.clone(), program, waiting: Vec::new() }
    }

    /// How the program is started.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }

    pub(crate) fn predict(&mut self, event: Seen<'_>, into: &mut Prediction) -> Result<(), String> {
        let Seen { id, context, actions } = event;
        let probabilities = self.program().rank(RankedEvent { id, context, actions })?;
        #[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
        let pmf: Vec<f32> =
            probabilities.into_iter().map(|probability| probability as f32).collect();
        put(&pmf, pmf.iter().map(|_| 0.0), into);
        Ok(())
    }

    pub(crate) fn learn(&mut self, event: Seen<'_>, outcome: Outcome) {
        self.waiting.push(LearnedEvent {
            id: event.id.to_owned(),
            context: event.context.clone(),
            actions: event.actions.clone(),
            chosen: outcome.action,
            probability: outcome.probability,
            reward: outcome.reward,
        });
    }

    /// Tells the program what to learn. A failure is remembered by the program.
    pub(crate) fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        _ = self.program().learn(&waiting);
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.program().failure().map(str::to_owned)
    }

    pub(crate) fn fork(&mut self) -> Self {
        self.flush();
        let program = Arc::clone(&self.program);
        Self { command: self.command.clone(), program, waiting: Vec::new() }
    }

    /// Ends the program, and returns the end of what it wrote to stderr.
    ///
    /// # Errors
    /// If it does not end, wrote more than its answers, or failed before.
    pub fn end(&mut self) -> Result<String, String> {
        self.program().end()
    }

    fn program(&self) -> MutexGuard<'_, Program> {
        // A panic leaves it as it was: a line is sent whole.
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
