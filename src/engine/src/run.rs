use std::time::Duration;

use super::pause::Operator;
use super::stop::Stop;
use super::stream::Stream;
use clock::Clock;
use record::{ObserveError, Observer, PhaseRecord, PhaseStarted, Progress};
use scenario::Plan;
use scenario::plan::{Phase, Step};
use target::{CallError, Target};

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every phase was walked to its end.
    Completed,
    /// It was asked to stop; what was under way is recorded.
    Stopped,
}

/// Why a run failed. What happened until then was observed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target cannot be used.
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
    /// What happened could not be kept.
    #[error(transparent)]
    Observe(#[from] ObserveError),
}

/// What every phase works with.
pub(super) struct Run<'a, C, T> {
    pub plan: &'a Plan,
    pub clock: C,
    pub target: &'a T,
    pub stream: &'a Stream<'a>,
    pub operator: &'a dyn Operator,
    pub beginning: Beginning,
    pub stop: Stop,
    pub observer: &'a mut dyn Observer,
    /// The moment that was last waited for.
    pub awaited: Duration,
}

/// Where a run begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beginning {
    /// The phase.
    pub phase: usize,
    /// The first iteration of it to be made, among those that the plan's shard makes.
    pub iteration: u64,
    /// Iterations of it before this one, counted alike, may have been sent by a process that
    /// ended.
    pub maybe_sent: u64,
    /// What the service said before the change that the phase waits for: it may have come
    /// while nobody was looking.
    pub awaited: Option<String>,
}

/// Walks the phases of `plan`, from `beginning` on.
///
/// # Errors
/// When the target cannot be used, or what happened could not be kept.
pub async fn run<C: Clock, T: Target>(
    plan: &Plan,
    clock: C,
    target: &T,
    operator: &dyn Operator,
    beginning: Beginning,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    let stream = Stream::new(plan);
    let awaited = Duration::ZERO;
    let stream = &stream;
    let mut run = Run { plan, clock, target, stream, operator, beginning, stop, observer, awaited };
    run.preflight().await?;
    run.wait_until(Duration::ZERO).await;
    let outcome = run.walk().await;
    run.hand_over_joined(true)?;
    outcome
}

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Asks for the settings once, so that a target that cannot be used is known before
    /// anything is learned from it.
    async fn preflight(&mut self) -> Result<(), RunError> {
        let answer = self.target.preflight().await;
        answer.map_err(|error| RunError::Preflight(error.message))
    }

    async fn walk(&mut self) -> Result<Ending, RunError> {
        let phases = self.plan.phases.iter().enumerate();
        for (index, phase) in phases.skip(self.beginning.phase) {
            if self.stop.is_asked() {
                return Ok(Ending::Stopped);
            }
            self.walk_phase(index, phase).await?;
        }
        Ok(if self.stop.is_asked() { Ending::Stopped } else { Ending::Completed })
    }

    async fn walk_phase(&mut self, index: usize, phase: &Phase) -> Result<(), RunError> {
        let started = self.clock.now();
        self.emit(&Progress::PhaseStarted(PhaseStarted { phase: index, at: started }))?;
        let iterations = self.step(index, phase).await?;
        self.hand_over_joined(false)?;
        for note in self.target.take_notes() {
            self.emit(&Progress::Notice(note))?;
        }
        let ended = self.clock.now();
        self.emit(&Progress::PhaseEnded(PhaseRecord { phase: index, started, ended, iterations }))
    }

    /// Does what the phase does; returns the number of iterations made.
    async fn step(&mut self, index: usize, phase: &Phase) -> Result<u64, RunError> {
        match &phase.step {
            Step::Iterate(all) => {
                let own = self.plan.shard.map_or_else(|| all.clone(), |shard| all.part(shard));
                return self.iterate(index, phase, &own).await;
            }
            Step::Wait(duration) => self.wait(*duration).await,
            Step::Pause(pause) => self.pause(index, phase, pause).await?,
            Step::Evaluate(evaluate) => self.evaluate(phase, evaluate).await?,
            Step::ApplyPolicy(policy) => self.apply_policy(phase, policy).await?,
            Step::Configure(configure) => self.configure(phase, configure).await?,
            Step::Reset => self.reset(phase).await?,
        }
        Ok(0)
    }

    /// Lets time pass, or less of it if the run is asked to stop.
    pub(super) async fn wait(&mut self, duration: Duration) {
        self.wait_until(self.moment() + duration).await;
    }

    /// Waits for a moment, or less if the run is asked to stop.
    pub(super) async fn wait_until(&mut self, moment: Duration) {
        tokio::select! {
            biased;
            () = self.stop.asked() => {}
            () = self.clock.sleep_until(moment) => {}
        }
        self.awaited = moment;
    }

    /// Now; for a shard the moment that it was waiting for, unless it is later than a
    /// sleeper wakes: so shards that began together stay together.
    pub(super) fn moment(&self) -> Duration {
        let now = self.clock.now();
        let late = now.saturating_sub(self.awaited);
        let is_shard = self.plan.shard.is_some();
        if is_shard && late <= self.clock.resolution() { self.awaited } else { now }
    }

    pub(super) fn emit(&mut self, progress: &Progress) -> Result<(), RunError> {
        self.observer.observe(progress).map_err(RunError::Observe)
    }

    /// Passes on what the loop has joined, and marks a moment worth flushing at.
    pub(super) fn hand_over_joined(&mut self, everything: bool) -> Result<(), RunError> {
        let joined = self.target.take_joined(everything);
        if !joined.is_empty() {
            self.emit(&Progress::Joined(joined))?;
        }
        self.emit(&Progress::Checkpoint)
    }
}

pub(super) fn target_error(phase: &str, error: &CallError) -> RunError {
    RunError::Target { phase: phase.to_owned(), message: error.message.clone() }
}
