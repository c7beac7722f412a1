//! Ends a run when an expectation fails beyond doubt.

use engine::Stopper;
use metrics::{Breach, Guards};
use plan::Plan;
use record::{ObserveError, Observer, Progress};

/// Stops a run at the first breach of an expectation that says `abort`.
pub struct Abort<'a> {
    guards: Guards,
    stopper: &'a Stopper,
    breach: Option<Breach>,
}

impl<'a> Abort<'a> {
    /// A shard sees only a part of what is expected of the whole, and ends nothing.
    pub fn new(plan: &Plan, stopper: &'a Stopper) -> Self {
        let phases: Vec<&str> = plan.phases.iter().map(|phase| phase.name.as_str()).collect();
        let expectations = if plan.shard.is_some() { &[] } else { &plan.expectations[..] };
        Self { guards: Guards::new(expectations, &phases), stopper, breach: None }
    }

    /// What ended the run, if something did.
    pub fn into_breach(self) -> Option<Breach> {
        self.breach
    }
}

impl Observer for Abort<'_> {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        if self.breach.is_none() {
            self.breach = self.guards.observe(progress);
            if self.breach.is_some() {
                self.stopper.stop();
            }
        }
        Ok(())
    }
}
