use std::time::Duration;

use super::context::{Exports, Iterated, Run, RunError, StartPoint};
use super::pause::Operator;
use super::stop::Stop;
use super::stream::Stream;
use clock::Clock;
use record::{Observer, PhaseRecord, PhaseStarted, Progress};
use scenario::Plan;
use scenario::plan::{Phase, Step};
use target::Target;

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every phase is complete.
    Completed,
    /// It was asked to stop; what was under way is recorded.
    Stopped,
}

/// Runs the phases of `plan`, from `start` on.
///
/// # Errors
/// When the target cannot be used, or an observer fails.
pub async fn run<C: Clock, T: Target>(
    plan: &Plan,
    clock: C,
    target: &T,
    operator: &dyn Operator,
    start: StartPoint,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    let stream = &Stream::new(plan);
    let last_deadline = Duration::ZERO;
    let exports = Exports::default();
    let mut run = Run {
        plan,
        clock,
        target,
        stream,
        operator,
        start,
        stop,
        observer,
        last_deadline,
        exports,
    };
    run.preflight().await?;
    if run.start == StartPoint::default() {
        for note in plan.log.iter().flat_map(|log| &log.notes) {
            run.emit(&Progress::Notice(note.clone()))?;
        }
    }
    run.wait_until(Duration::ZERO).await;
    let ending = run.run_phases().await;
    run.checkpoint(true)?;
    let ending = ending?;
    run.close()?;
    Ok(ending)
}

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Asks for the settings once, so that a target that cannot be used is found before
    /// anything is sent to it.
    async fn preflight(&mut self) -> Result<(), RunError> {
        let answer = self.target.preflight().await;
        answer.map_err(|error| RunError::Preflight(error.message))
    }

    /// Ends what the target started.
    fn close(&mut self) -> Result<(), RunError> {
        let note = self.target.close().map_err(|error| RunError::Close(error.message))?;
        note.map_or(Ok(()), |note| self.emit(&Progress::Notice(note)))
    }

    async fn run_phases(&mut self) -> Result<Ending, RunError> {
        let phases = self.plan.phases.iter().enumerate();
        for (index, phase) in phases.skip(self.start.phase) {
            if self.stop.is_asked() {
                return Ok(Ending::Stopped);
            }
            self.run_phase(index, phase).await?;
        }
        Ok(if self.stop.is_asked() { Ending::Stopped } else { Ending::Completed })
    }

    async fn run_phase(&mut self, index: usize, phase: &Phase) -> Result<(), RunError> {
        let started = self.clock.now();
        self.emit(&Progress::PhaseStarted(PhaseStarted { phase: index, at: started }))?;
        let Iterated { iterations, asked_rate } = self.step(index, phase).await?;
        self.checkpoint(false)?;
        self.emit_exports((index, iterations), Duration::MAX)?;
        for note in self.target.take_notes() {
            self.emit(&Progress::Notice(note))?;
        }
        let (ended, model_exports) = (self.clock.now(), self.exports.end_phase());
        self.emit(&Progress::PhaseEnded(PhaseRecord {
            phase: index,
            started,
            ended,
            iterations,
            asked_rate,
            model_exports,
        }))
    }

    /// Does what the phase is for.
    async fn step(&mut self, index: usize, phase: &Phase) -> Result<Iterated, RunError> {
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
        Ok(Iterated::default())
    }
}
