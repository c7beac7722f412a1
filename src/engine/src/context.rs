use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::pause::Operator;
use super::stop::Stop;
use super::stream::Stream;
use clock::Clock;
use plan::Plan;
use record::{ModelExport, ObserveError, Observer, Progress};
use target::{CallError, Export, Target};

/// Why a run failed. What happened until then was observed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target failed in a phase.
    #[error("phase `{phase}`: {message}")]
    Target {
        /// The phase.
        phase: String,
        /// What happened, for a person.
        message: String,
    },
    /// The target could not be used from the start; nothing was sent.
    #[error("{0}")]
    Preflight(String),
    /// The target did not end as it should.
    #[error("{0}")]
    Close(String),
    /// An observer could not record what happened.
    #[error(transparent)]
    Observe(#[from] ObserveError),
}

/// Where a run starts: at its beginning, or behind what an earlier process recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartPoint {
    /// The index of the phase; of parallel ones, of the first.
    pub phase: usize,
    /// How much is already done of each phase that starts here: of this one and of those parallel to
    /// it, by their index.
    pub made: BTreeMap<usize, Made>,
    /// What the service said before the change that the phase waits for: it may have changed
    /// between the processes.
    pub awaited: Option<String>,
}

/// How much of a phase an earlier process made. Iterations count among those of the plan's shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// The first iteration to make.
    pub iteration: u64,
    /// Iterations before this one may have been sent.
    pub maybe_sent: u64,
}

/// What every phase works with.
pub(super) struct Run<'a, C, T> {
    pub plan: &'a Plan,
    pub clock: C,
    pub target: &'a T,
    pub stream: &'a Stream<'a>,
    pub operator: &'a dyn Operator,
    pub start: StartPoint,
    pub stop: Stop,
    pub observer: &'a mut dyn Observer,
    /// The deadline of the last wait.
    pub last_deadline: Duration,
    pub exports: Exports,
}

/// The iterations of a phase.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Iterated {
    /// How many were made.
    pub iterations: u64,
    /// The rate that was asked for, in iterations per second.
    pub asked_rate: Option<f64>,
    /// When the last of them ended, where that is not when the phase does.
    pub ended: Option<Duration>,
}

/// The exports of models, on their way from the target to the observer.
#[derive(Debug, Default)]
pub(super) struct Exports {
    /// Those that are not emitted yet.
    waiting: VecDeque<Export>,
    /// Whether the target tells of them.
    are_told: bool,
    /// How many models were exported in each phase that has not ended.
    of_phases: BTreeMap<usize, u64>,
}

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Waits for a duration, or until the run is asked to stop.
    pub(super) async fn wait(&mut self, duration: Duration) {
        self.wait_until(self.phase_time() + duration).await;
    }

    /// Waits for a moment, or until the run is asked to stop.
    pub(super) async fn wait_until(&mut self, deadline: Duration) {
        tokio::select! {
            biased;
            () = self.stop.asked() => {}
            () = self.clock.sleep_until(deadline) => {}
        }
        self.last_deadline = deadline;
    }

    /// Now; for a shard the deadline of its last wait, unless the wake-up is later than the
    /// clock's resolution: so shards that start together stay together.
    pub(super) fn phase_time(&self) -> Duration {
        let now = self.clock.now();
        let lateness = now.saturating_sub(self.last_deadline);
        let is_shard = self.plan.shard.is_some();
        if is_shard && lateness <= self.clock.resolution() { self.last_deadline } else { now }
    }

    pub(super) fn emit(&mut self, progress: &Progress) -> Result<(), RunError> {
        self.observer.observe(progress).map_err(RunError::Observe)
    }

    /// Emits the exports up to `until`, before which so many iterations of the phase started.
    pub(super) fn emit_exports(
        &mut self,
        (phase, iterations): (usize, u64),
        until: Duration,
    ) -> Result<(), RunError> {
        if let Some(taken) = self.target.take_exports() {
            self.exports.are_told = true;
            self.exports.waiting.extend(taken);
        }
        while let Some(Export { at, models }) = self.exports.next_until(until) {
            *self.exports.of_phases.entry(phase).or_default() += models;
            self.emit(&Progress::ModelExported(ModelExport { phase, iterations, at, models }))?;
        }
        Ok(())
    }

    /// Passes on what the loop has joined, and marks a checkpoint.
    pub(super) fn checkpoint(&mut self, everything: bool) -> Result<(), RunError> {
        let joined = self.target.take_joined(everything);
        if !joined.is_empty() {
            self.emit(&Progress::Joined(joined))?;
        }
        self.emit(&Progress::Checkpoint)
    }
}

impl Exports {
    fn next_until(&mut self, until: Duration) -> Option<Export> {
        self.waiting.front().filter(|export| export.at <= until)?;
        self.waiting.pop_front()
    }

    /// Ends a phase; returns how many models were exported in it, if the target tells.
    pub(super) fn end_phase(&mut self, phase: usize) -> Option<u64> {
        self.are_told.then(|| self.of_phases.remove(&phase).unwrap_or_default())
    }
}

pub(super) fn target_error(phase: &str, error: &CallError) -> RunError {
    RunError::Target { phase: phase.to_owned(), message: error.message.clone() }
}
