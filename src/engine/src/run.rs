use std::ops::Range;
use std::time::Duration;

use super::context::{Exports, Iterated, Run, RunError, StartPoint};
use super::iterate::Branch;
use super::pause::Operator;
use super::stop::Stop;
use super::stream::Stream;
use clock::Clock;
use plan::Plan;
use plan::{Phase, Step};
use record::{Observer, PhaseRecord, PhaseStarted, Progress};
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
        let mut next = self.start.phase;
        while next < self.plan.phases.len() {
            if self.stop.is_asked() {
                return Ok(Ending::Stopped);
            }
            let together = self.plan.together(next);
            next = together.end;
            self.run_together(together).await?;
        }
        Ok(if self.stop.is_asked() { Ending::Stopped } else { Ending::Completed })
    }

    /// Runs phases that begin at one moment: one, or several phases of iterations.
    async fn run_together(&mut self, phases: Range<usize>) -> Result<(), RunError> {
        let started = self.clock.now();
        let open: Vec<usize> = phases.filter(|phase| !self.was_complete(*phase)).collect();
        for &phase in &open {
            self.emit(&Progress::PhaseStarted(PhaseStarted { phase, at: started }))?;
        }
        let iterated = self.steps(&open).await?;
        self.checkpoint(false)?;
        for (&phase, made) in open.iter().zip(&iterated) {
            self.emit_exports((phase, made.iterations), Duration::MAX)?;
        }
        for note in self.target.take_notes() {
            self.emit(&Progress::Notice(note))?;
        }
        let now = self.clock.now();
        for (phase, made) in open.into_iter().zip(iterated) {
            let Iterated { iterations, asked_rate, ended } = made;
            let (ended, model_exports) = (ended.unwrap_or(now), self.exports.end_phase(phase));
            self.emit(&Progress::PhaseEnded(PhaseRecord {
                phase,
                started,
                ended,
                iterations,
                asked_rate,
                model_exports,
            }))?;
        }
        Ok(())
    }

    /// Whether an earlier process made every iteration of a phase, while others beside it were
    /// left.
    fn was_complete(&self, phase: usize) -> bool {
        let Step::Iterate(iterate) = &self.plan.phases[phase].step else { return false };
        let own = self.plan.stride().count(iterate.iterations);
        own > 0 && self.start.made.get(&phase).is_some_and(|made| made.iteration >= own)
    }

    /// Does what phases are for that begin at one moment.
    async fn steps(&mut self, phases: &[usize]) -> Result<Vec<Iterated>, RunError> {
        let plan = self.plan;
        let branch = |index: &usize| {
            let phase = &plan.phases[*index];
            let Step::Iterate(all) = &phase.step else { return None };
            let settings = plan.shard.map_or_else(|| all.clone(), |shard| all.part(shard));
            Some(Branch { index: *index, phase, settings })
        };
        let branches: Option<Vec<Branch<'_>>> = phases.iter().map(branch).collect();
        if let Some(branches) = branches {
            return self.iterate(&branches).await;
        }
        for &index in phases {
            self.step(index, &plan.phases[index]).await?;
        }
        Ok(vec![Iterated::default(); phases.len()])
    }

    /// Does what a phase is for that makes no iterations.
    async fn step(&mut self, index: usize, phase: &Phase) -> Result<(), RunError> {
        match &phase.step {
            Step::Iterate(_) => Ok(()),
            Step::Wait(duration) => {
                self.wait(*duration).await;
                Ok(())
            }
            Step::Pause(pause) => self.pause(index, phase, pause).await,
            Step::Evaluate(evaluate) => self.evaluate(phase, evaluate).await,
            Step::ApplyPolicy(policy) => self.apply_policy(phase, policy).await,
            Step::Configure(configure) => self.configure(phase, configure).await,
            Step::Reset => self.reset(phase).await,
        }
    }
}
