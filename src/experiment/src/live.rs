use clock::WallClock;
use engine::{Ending, Stop};
use record::Observer;
use scenario::Between;
use scenario::plan::Plan;

/// Where runs against live targets are made. An implementor must return errors without secrets.
pub trait LiveWorld: Sync {
    /// Does what is to be done before a run.
    ///
    /// # Errors
    /// Why the run cannot be made.
    fn prepare(&self, between: &Between, run: &NextRun<'_>, stop: &Stop) -> Result<(), String>;

    /// Makes a run.
    ///
    /// # Errors
    /// Why it could not be made to its end.
    fn execute(
        &self,
        plan: &Plan,
        wall: WallClock,
        stop: Stop,
        observer: &mut dyn Observer,
    ) -> Result<Ending, String>;
}

/// The run that is made next.
#[derive(Debug, Clone, Copy)]
pub struct NextRun<'a> {
    /// Its values on all axes.
    pub name: &'a str,
    /// Its seed.
    pub seed: u64,
}
