use std::time::Duration;

use super::arguments::{Format, RunArguments};
use super::charts::{self, ModelChecks};
use super::console::{self, Account, Console};
use super::folder::{self, Opened};
use super::interrupt::Interrupt;
use super::operator::Terminal;
use super::shard::{self, Part};
use super::{Exit, experiment, kept, load, streams, world};
use clock::{Clock, WallClock};
use engine::{Ending, RunError};
use metrics::{Holds, Verdict, implied};
use record::{ObserveError, Observers};
use results::{Closing, Results, Status};
use scenario::plan::{ClockKind, Pause, Step, TargetPlan};
use scenario::{Plan, Scenario};
use timestamp::Timestamp;

/// `runner run`
pub fn run(arguments: &RunArguments) -> Exit {
    match load::scenario(&arguments.scenario, &arguments.changes) {
        None => Exit::Usage,
        Some(scenario) => match shard::part(arguments, &scenario) {
            Ok(part) => match shard::placed(arguments, part.shard) {
                Ok(arguments) => run_where(&arguments, &scenario, part),
                Err(exit) => exit,
            },
            Err(exit) => exit,
        },
    }
}

/// Runs where the results are to be, on this machine or in a store.
fn run_where(arguments: &RunArguments, scenario: &Scenario, part: Part) -> Exit {
    let Some(folder) = arguments.resume.as_ref().or(arguments.out.as_ref()) else {
        return run_part(arguments, scenario, part);
    };
    kept::on(folder, |here| run_part(&arguments.at(here), scenario, part))
}

fn run_part(arguments: &RunArguments, scenario: &Scenario, part: Part) -> Exit {
    match scenario {
        Scenario::Experiment(experiment) => experiment::run(arguments, experiment, part.shard),
        Scenario::Run(plan) => match part.shard.map(|shard| plan.part(shard)).transpose() {
            Ok(cut) => run_once(arguments, cut.as_ref().unwrap_or(plan), part.start_at),
            Err(mistakes) => {
                anstream::eprint!("{}", mistakes.render(true));
                Exit::Usage
            }
        },
    }
}

fn run_once(arguments: &RunArguments, plan: &Plan, start_at: Option<Timestamp>) -> Exit {
    let operator = Terminal { yes: arguments.yes, quiet: arguments.quiet };
    if asks_the_operator(plan) && !operator.answers() {
        return fail(
            Exit::Usage,
            "a phase waits for the operator, and there is no terminal; add `--yes` to go on without asking",
        );
    }
    let opened = match (&arguments.resume, plan.shard) {
        (Some(folder), _) => folder::resume(plan, folder).map(Some),
        (None, Some(shard)) => folder::of_shard(plan, shard, arguments, start_at),
        (None, None) => folder::create(plan, arguments, start_at).map(Some),
    };
    let Opened { results, wall, beginning } = match opened {
        Ok(Some(opened)) => opened,
        Ok(None) => return Exit::Done,
        Err((exit, message)) => return fail(exit, &message),
    };
    tell_of_the_start(plan, wall, start_at, &operator);
    let (interrupt, stop) = match Interrupt::listen() {
        Ok(listening) => listening,
        Err(error) => return fail(Exit::Bug, &format!("signals cannot be heard: {error}")),
    };
    let mut run = Run { arguments, plan, wall, results, checks: ModelChecks::default() };
    let ending = {
        // Its bar is gone before anything else is said.
        let mut console = Console::new(plan, arguments.quiet);
        let mut observers = Observers(vec![&mut run.results, &mut run.checks, &mut console]);
        world::execute(plan, wall, &operator, beginning, stop, &mut observers)
    };
    let exit = match &ending {
        Ok(Ending::Completed) => Exit::Done,
        Ok(Ending::Stopped) => interrupt.exit(),
        Err(RunError::Target { .. } | RunError::Preflight(_)) => {
            fail(Exit::Target, &ending_text(&ending))
        }
        Err(RunError::Observe(_)) => return fail(Exit::Results, &ending_text(&ending)),
    };
    run.conclude(exit)
}

/// A run that has ended, and what is made of it.
struct Run<'a> {
    arguments: &'a RunArguments,
    plan: &'a Plan,
    wall: WallClock,
    results: Results,
    checks: ModelChecks,
}

impl Run<'_> {
    /// Judges, draws, seals and tells.
    fn conclude(mut self, exit: Exit) -> Exit {
        let verdicts = self.verdicts();
        let exit = if exit == Exit::Done { verdict_exit(&verdicts) } else { exit };
        let numbers = self.results.summary().report();
        if let Err(error) = self.draw() {
            return fail(Exit::Results, &error.to_string());
        }
        let ended = self.wall.timestamp(self.wall.now());
        let closing = Closing { status: status(exit), ended, verdicts: &verdicts };
        let folder = match self.results.seal(&closing) {
            Ok(folder) => folder,
            Err(error) => return fail(Exit::Results, &error.to_string()),
        };
        let text = match self.arguments.format {
            Format::Json => {
                std::fs::read_to_string(folder.join("summary.json")).unwrap_or_default()
            }
            Format::Text => console::summary(&Account {
                scenario: &self.plan.name,
                seed: self.plan.seed.0,
                simulated: self.plan.clock == ClockKind::Virtual,
                ending: (status(exit) != Status::Complete).then_some("not completed"),
                numbers: &numbers,
                model_checks: self.checks.counts(),
                verdicts: &verdicts,
                folder: self.arguments.called.as_deref().unwrap_or(&folder),
            }),
        };
        let says_nothing = self.arguments.quiet && self.arguments.format == Format::Text;
        let printed = if says_nothing { Exit::Done } else { streams::print(&text) };
        if exit == Exit::Done { printed } else { exit }
    }

    /// A shard is not judged: what must hold must hold of the whole.
    fn verdicts(&self) -> Vec<Verdict> {
        if self.plan.shard.is_some() {
            return Vec::new();
        }
        let (summary, expectations) = (self.results.summary(), &self.plan.expectations);
        let judged = expectations.iter().map(|expectation| expectation.judge(summary));
        judged.chain(implied(summary, expectations)).collect()
    }

    fn draw(&mut self) -> Result<(), ObserveError> {
        for (name, picture) in charts::pictures(self.plan, self.results.summary(), &self.checks) {
            self.results.write_file(name, picture.as_bytes())?;
        }
        Ok(())
    }
}

/// Says which part of a load this is, and when a shared start is, or was.
fn tell_of_the_start(
    plan: &Plan,
    wall: WallClock,
    start_at: Option<Timestamp>,
    operator: &Terminal,
) {
    if plan.shard.is_some() && matches!(plan.target, TargetPlan::Served(_)) {
        eprintln!(
            "warning: each shard serves a loop of its own, which learns from its own iterations"
        );
    }
    if let Some(shard) = plan.shard {
        operator.tell(&format!("shard {shard} of {}", plan.name));
    }
    let Some(start) = start_at else { return };
    let (ahead, late) = (wall.until_start(), wall.now());
    if late > LATE {
        let late = late.as_secs_f64();
        eprintln!("warning: the shared start was {late:.1} s ago: this process comes late");
    } else {
        operator.tell(&format!("starting at {start}, in {:.1} s", ahead.as_secs_f64()));
    }
}

/// So late may a process be at a shared start before it is told.
const LATE: Duration = Duration::from_millis(100);

fn asks_the_operator(plan: &Plan) -> bool {
    plan.phases.iter().any(|phase| matches!(phase.step, Step::Pause(Pause::Prompt(_))))
}

fn status(exit: Exit) -> Status {
    match exit {
        Exit::Interrupted | Exit::Terminated => Status::Interrupted,
        Exit::Target | Exit::Bug => Status::Failed,
        _ => Status::Complete,
    }
}

/// What expectations make of a run.
pub fn verdict_exit(verdicts: &[Verdict]) -> Exit {
    let all_held = verdicts.iter().all(|verdict| verdict.holds == Holds::Held);
    if all_held { Exit::Done } else { Exit::Failed }
}

fn ending_text(ending: &Result<Ending, RunError>) -> String {
    ending.as_ref().err().map_or_else(String::new, ToString::to_string)
}

fn fail(exit: Exit, message: &str) -> Exit {
    eprintln!("error: {message}");
    exit
}
