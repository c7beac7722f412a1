use super::context::{Run, RunError, target_error};
use clock::Clock;
use plan::Phase;
use record::Progress;
use target::Target;

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Clears the loop's model and log, as "clear data" did in the portal. The learning
    /// policy stays: the scenario has set it.
    pub(super) async fn reset(&mut self, phase: &Phase) -> Result<(), RunError> {
        self.target.reset().await.map_err(|error| target_error(&phase.name, &error))?;
        self.emit(&Progress::Reset)
    }
}
