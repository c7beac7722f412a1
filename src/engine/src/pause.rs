use std::time::Duration;

use super::context::{Run, RunError, target_error};
use clock::Clock;
use plan::{AwaitedChange, Pause, Phase};
use record::Progress;
use target::{CallError, Target};

/// The person who operates a run.
pub trait Operator {
    /// Shows `prompt` and returns when the operator confirms it.
    ///
    /// # Errors
    /// When no confirmation can be read.
    fn confirm(&self, prompt: &str) -> Result<(), String>;

    /// Shows a sentence.
    fn tell(&self, text: &str);

    /// Shows a warning.
    fn warn(&self, text: &str);
}

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Waits for the operator, or for what the operator does to the service.
    pub(super) async fn pause(
        &mut self,
        index: usize,
        phase: &Phase,
        pause: &Pause,
    ) -> Result<(), RunError> {
        match pause {
            Pause::Prompt(prompt) => self.prompt(phase, prompt),
            Pause::Until { change, reminder, poll, timeout } => {
                if let Some(reminder) = reminder {
                    self.emit(&Progress::Notice(reminder.clone()))?;
                }
                self.await_change((index, phase), *change, *poll, *timeout).await
            }
        }
    }

    fn prompt(&self, phase: &Phase, prompt: &str) -> Result<(), RunError> {
        let answer = self.operator.confirm(prompt);
        answer.map_err(|message| RunError::Target { phase: phase.name.clone(), message })
    }

    async fn await_change(
        &mut self,
        (index, phase): (usize, &Phase),
        change: AwaitedChange,
        poll: Duration,
        timeout: Duration,
    ) -> Result<(), RunError> {
        let to_error = |error: CallError| target_error(&phase.name, &error);
        let deadline = self.clock.now() + timeout;
        let awaited = self.start.awaited.clone();
        let awaited = awaited.filter(|_| self.start.phase == index);
        let is_new = awaited.is_none();
        let before = match awaited {
            Some(before) => before,
            None => self.current(change).await.map_err(to_error)?,
        };
        if is_new {
            self.emit(&Progress::Awaited { phase: index, before: before.clone() })?;
        }
        while !self.stop.is_asked() {
            self.wait(poll).await;
            if self.current(change).await.map_err(to_error)? != before {
                return self.emit(&Progress::Notice(format!("{} has changed", noun(change))));
            }
            if self.clock.now() >= deadline {
                let message = format!(
                    "{} did not change within {}",
                    noun(change),
                    humantime::format_duration(timeout)
                );
                return Err(RunError::Target { phase: phase.name.clone(), message });
            }
        }
        Ok(())
    }

    /// The current value of what has to change.
    async fn current(&self, change: AwaitedChange) -> Result<String, CallError> {
        Ok(match change {
            AwaitedChange::Policy => self.target.policy().await?.arguments,
            AwaitedChange::Model => {
                self.target.model_properties().await?.last_modified_time.to_string()
            }
        })
    }
}

fn noun(change: AwaitedChange) -> &'static str {
    match change {
        AwaitedChange::Policy => "the learning policy",
        AwaitedChange::Model => "the model",
    }
}
