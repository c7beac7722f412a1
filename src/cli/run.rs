use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::abort::Abort;
use super::charts::{self, ModelHistory};
use super::console::{self, Console, RunReport};
use super::error::Error;
use super::exit::Exit;
use super::experiment::{ClosingOutput, ExperimentOptions};
use super::fold::on_stdout;
use super::folder::{self, Opened};
use super::interrupt::Interrupt;
use super::live_page::{self, LiveRun};
use super::load::{self, ScenarioArguments};
use super::monitor::{Monitor, MonitorArguments};
use super::operator::Terminal;
use super::shard::{self, Part};
use super::verdict_files::VerdictFiles;
use super::{expectations, experiment, remote_folder, streams};
use ::shard::ShardChoice;
use clock::{Clock, WallClock};
use engine::{Ending, Operator, RunError};
use metrics::{Breach, Verdict, judge, micros};
use plan::Plan;
use plan::{ClockKind, Pause, Step, TargetPlan};
use record::{ObserveError, Observer, Observers};
use results::{Closing, Results, Status};
use scenario::Scenario;
use timestamp::Timestamp;

/// `runner run`
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// The scenario.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    #[command(flatten)]
    changes: ScenarioArguments,
    /// Write the results to this folder, or to an address in an object store such as
    /// `s3://bucket/path`; it must be new or empty, or hold the same shard
    /// [default: results/SCENARIO/RUN, or results/SCENARIO/shard-K-of-N]. `{shard}` in it
    /// stands for `shard-K-of-N`.
    #[arg(long, short, value_name = "DIR|URL")]
    out: Option<PathBuf>,
    /// Continue the run in this folder, which was stopped or killed; or an experiment, whose
    /// finished cells are not run again.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// Run only one shard, such as `2/5` for the second of five; `auto` takes it from the
    /// engine that started this process, `auto/5` if the engine does not give the count.
    #[arg(long, value_name = "K/N")]
    shard: Option<ShardChoice>,
    /// Refuse a scenario that differs from this plan, written by `runner plan`; and start at
    /// the plan's time.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// How many cells of a matrix run at once; it changes no result [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Write the whole folder of each cell of a matrix here, too: events, latencies, log.
    #[arg(long, value_name = "DIR")]
    cell_folders: Option<PathBuf>,
    /// Serve a page that shows the run while it goes on, at this address or port, and the report
    /// when it has ended, until Ctrl-C [default: any free port of this machine].
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "127.0.0.1:0",
        value_parser = live_page::address,
    )]
    live: Option<SocketAddr>,
    /// Show neither progress nor summary.
    #[arg(long, short)]
    quiet: bool,
    /// What is written to stdout at the end.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    files: VerdictFiles,
    #[command(flatten)]
    monitor: MonitorArguments,
    /// Answer every prompt of a pause with yes.
    #[arg(long)]
    yes: bool,
    /// The name of the results folder for the user, if it is a mirror of that.
    #[arg(skip)]
    called: Option<PathBuf>,
}

/// What is written to stdout at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The summary, for people.
    Text,
    /// The summary as JSON, as in summary.json.
    Json,
}

impl RunArguments {
    /// The folder or address of the results, where one is given.
    fn folder(&self) -> Option<&Path> {
        self.resume.as_deref().or(self.out.as_deref())
    }

    /// The same, with the results in `mirror`, a folder for the one that is given.
    fn mirrored(&self, mirror: &Path) -> Self {
        let called = self.folder().map(Path::to_owned);
        let mirrored = |path: &Option<PathBuf>| path.as_ref().map(|_| mirror.to_owned());
        Self { out: mirrored(&self.out), resume: mirrored(&self.resume), called, ..self.clone() }
    }

    fn for_experiment(&self) -> ExperimentOptions<'_> {
        ExperimentOptions {
            resume: self.resume.as_deref(),
            out: self.out.as_deref(),
            threads: self.threads,
            cell_folders: self.cell_folders.as_deref(),
            live: self.live,
            output: ClosingOutput {
                quiet: self.quiet,
                called: self.called.as_deref(),
                files: &self.files,
            },
        }
    }
}

/// Runs a scenario, on results of this machine or of an object store.
pub fn run(arguments: &RunArguments) -> Result<Exit, Error> {
    let scenario = load::scenario(&arguments.scenario, &arguments.changes)?;
    let part = shard::part(arguments.shard, arguments.plan.as_deref(), &scenario)?;
    check_files(&arguments.files, &scenario, part)?;
    let out = arguments.out.clone().map(|out| shard::placed(out, part.shard)).transpose()?;
    let arguments = RunArguments { out, ..arguments.clone() };
    match arguments.folder() {
        Some(folder) => remote_folder::with_local(folder, |here| {
            run_part(&arguments.mirrored(here), &scenario, part)
        }),
        None => run_part(&arguments, &scenario, part),
    }
}

/// A file of verdicts needs something that is judged.
fn check_files(files: &VerdictFiles, scenario: &Scenario, part: Part) -> Result<(), Error> {
    let (key, is_judged) = match scenario {
        Scenario::Run(plan) => ("expect", !plan.expectations.is_empty()),
        Scenario::Experiment(experiment) => ("gates", !experiment.gates.is_empty()),
    };
    if part.shard.is_some() && files.needs_verdicts() {
        let error = Error::usage("a shard is not judged, so it has no verdicts for `--junit`");
        return Err(error.help("give `--junit` to `runner merge`"));
    }
    files.check(key, is_judged)
}

fn run_part(arguments: &RunArguments, scenario: &Scenario, part: Part) -> Result<Exit, Error> {
    match scenario {
        Scenario::Experiment(experiment) => {
            arguments.monitor.refuse("a matrix is many")?;
            experiment::run(&arguments.for_experiment(), experiment, part.shard)
        }
        Scenario::Run(plan) => {
            let cut = part.shard.map(|shard| plan.part(shard)).transpose()?;
            run_once(arguments, cut.as_ref().unwrap_or(plan), part.start_at)
        }
    }
}

fn run_once(
    arguments: &RunArguments,
    plan: &Plan,
    start_at: Option<Timestamp>,
) -> Result<Exit, Error> {
    let operator = Terminal { yes: arguments.yes, quiet: arguments.quiet };
    if asks_the_operator(plan) && !operator.answers() {
        return Err(Error::usage("a phase waits for the operator, but there is no terminal")
            .help("add `--yes` to continue without asking"));
    }
    // Before there is a folder, so that an address that is taken leaves none.
    let mut monitor = Monitor::start(&arguments.monitor, plan)?;
    let opened = match (&arguments.resume, plan.shard) {
        (Some(folder), _) => Some(folder::resume(plan, folder)?),
        (None, Some(shard)) => folder::of_shard(plan, shard, arguments.out.as_deref(), start_at)?,
        (None, None) => Some(folder::create(plan, arguments.out.as_deref(), start_at)?),
    };
    let Some(Opened { results, wall, start }) = opened else { return Ok(Exit::Done) };
    tell_of_the_start(plan, wall, start_at, &operator);
    let (interrupt, stop) = Interrupt::listen()?;
    let live = arguments.live.map(|at| LiveRun::start(at, plan, results.summary())).transpose()?;
    let (page, mut live) = live.unzip();
    let models = ModelHistory::default();
    let mut run = Run { arguments, plan, wall, results, models, breach: None };
    let mut abort = Abort::new(plan, interrupt.stopper());
    let ending = {
        // The console removes its bar before anything else is printed.
        let mut console = Console::new(plan, arguments.quiet);
        let mut observers =
            Observers(vec![&mut run.results, &mut run.models, &mut console, &mut abort]);
        if let Some(monitor) = &mut monitor {
            observers.0.push(monitor);
        }
        observers.0.extend(live.iter_mut().map(|live| live as &mut dyn Observer));
        world::execute(plan, wall, &operator, start, stop.clone(), &mut observers)
    };
    if let Some(monitor) = monitor {
        monitor.finish();
    }
    run.breach = abort.into_breach();
    let exit = match ending {
        Ok(Ending::Stopped) if run.breach.is_some() => Exit::Failed,
        Ok(Ending::Completed) => Exit::Done,
        Ok(Ending::Stopped) => interrupt.exit(),
        Err(error @ RunError::Observe(_)) => return Err(error.into()),
        // What happened until then is in the results, which are sealed as those of a failure.
        Err(error) => Error::from(error).report(),
    };
    let folder = run.results.folder().to_owned();
    live_page::conclude(page, run.conclude(exit), &folder, &stop)
}

/// A run that has ended, and what is made of it.
struct Run<'a> {
    arguments: &'a RunArguments,
    plan: &'a Plan,
    wall: WallClock,
    results: Results,
    models: ModelHistory,
    /// What ended the run early.
    breach: Option<Breach>,
}

impl Run<'_> {
    /// Judges, draws, seals and prints.
    fn conclude(mut self, exit: Exit) -> Result<Exit, Error> {
        let verdicts = self.verdicts();
        let exit = if exit == Exit::Done { expectations::exit(&verdicts) } else { exit };
        let numbers = self.results.summary().report();
        self.draw()?;
        let ended = self.wall.timestamp(self.wall.now());
        let status = if self.breach.is_some() { Status::Interrupted } else { status(exit) };
        let closing = Closing { status, ended, verdicts: &verdicts };
        let folder = self.results.seal(&closing)?;
        let text = match self.arguments.format {
            Format::Json => read_summary(&folder)?,
            Format::Text => on_stdout(&console::summary(&RunReport {
                scenario: &self.plan.name,
                seed: self.plan.seed.0,
                simulated: self.plan.clock == ClockKind::Virtual,
                ending: (status != Status::Complete).then_some("not completed"),
                numbers: &numbers,
                models: self.models.counts(),
                verdicts: &verdicts,
                folder: self.arguments.called.as_deref().unwrap_or(&folder),
            })),
        };
        let is_silent = self.arguments.quiet && self.arguments.format == Format::Text;
        if !is_silent {
            streams::print(&text)?;
        } else if let Some(failure) = expectations::failure(&verdicts) {
            streams::note(&format!("error: {failure}"));
        }
        let rows = expectations::rows(&self.plan.name, &verdicts);
        self.arguments
            .files
            .write(&self.plan.name, &rows, || expectations::markdown(&self.plan.name, &rows))?;
        Ok(exit)
    }

    /// A shard is not judged: what must hold must hold of the whole.
    fn verdicts(&self) -> Vec<Verdict> {
        if self.plan.shard.is_some() {
            return Vec::new();
        }
        let mut verdicts = judge(&self.plan.expectations, self.results.summary());
        if let Some(breach) = &self.breach {
            verdicts[breach.expectation] = breach.verdict();
        }
        verdicts
    }

    fn draw(&mut self) -> Result<(), ObserveError> {
        for (name, picture) in charts::pictures(self.plan, self.results.summary(), &self.models) {
            self.results.write_file(name, picture.standalone().as_bytes())?;
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
        streams::note(
            "warning: each shard serves a separate loop, which learns from that shard's iterations only",
        );
    }
    if let Some(shard) = plan.shard {
        operator.tell(&format!("shard {shard} of {}", plan.name));
    }
    let Some(start) = start_at else { return };
    let (ahead, late) = (wall.until_start(), wall.now());
    if late > LATE {
        let late = late.as_secs_f64();
        streams::note(&format!(
            "warning: the shared start was {late:.1} s ago: this process comes late"
        ));
    } else {
        operator.tell(&format!("starting in {}, at {start}", console::span(micros(ahead))));
    }
}

/// So late may a process be at a shared start before it is told.
const LATE: Duration = Duration::from_millis(100);

fn read_summary(folder: &Path) -> Result<String, Error> {
    let path = folder.join("summary.json");
    std::fs::read_to_string(&path)
        .map_err(|error| Error::new(Exit::Results, format!("{}: {error}", path.display())))
}

/// Whether a phase waits for a person.
pub fn asks_the_operator(plan: &Plan) -> bool {
    plan.phases.iter().any(|phase| matches!(phase.step, Step::Pause(Pause::Prompt(_))))
}

fn status(exit: Exit) -> Status {
    match exit {
        Exit::Interrupted | Exit::Terminated => Status::Interrupted,
        Exit::Target | Exit::Bug => Status::Failed,
        _ => Status::Complete,
    }
}
