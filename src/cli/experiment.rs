//! `runner run` of a scenario with a matrix.

use std::num::NonZero;
use std::path::Path;

use super::arguments::RunArguments;
use super::compare::{self, Account, Part};
use super::console::{Paint, Screen, count, name};
use super::interrupt::Interrupt;
use super::{Exit, folder, streams};
use clock::{Clock, WallClock};
use comparison::{self, CurvePoint, Group};
use experiment::{self, Listener, Outcome, WholeCells};
use metrics::Gate;
use results::experiment::{ExperimentFolder, ExperimentResults, OpenError};
use results::{CreateError, Place, shard_folder};
use scenario::Experiment;
use shard::Shard;
use statistics::Confidence;

/// Runs the cells that are not done yet, and compares what they came to.
pub fn run(arguments: &RunArguments, experiment: &Experiment, shard: Option<Shard>) -> Exit {
    let mut folder = match open(arguments, experiment, shard) {
        Ok(folder) => folder,
        Err(error) => return fail(exit_of(&error), &told(&error)),
    };
    let (interrupt, stop) = match Interrupt::listen() {
        Ok(listening) => listening,
        Err(error) => return fail(Exit::Bug, &format!("signals cannot be heard: {error}")),
    };
    let outcome = {
        let mut cells = Cells::new(arguments.quiet, part(experiment, shard));
        let whole = arguments.whole_cells();
        let (threads, whole) = (arguments.threads(), whole.as_ref());
        experiment::run(experiment, &mut folder, threads, whole, &stop, &mut cells)
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return fail(Exit::Results, &error.to_string()),
    };
    let said = Said { quiet: arguments.quiet, called: arguments.called.as_deref() };
    let concluded = match shard {
        Some(shard) => conclude_shard(folder, shard, said),
        None => conclude(folder, &experiment.gates, said),
    };
    match concluded {
        Err(error) => fail(Exit::Results, &error.to_string()),
        Ok(_) if outcome.stopped => interrupt.exit(),
        Ok(printed) if outcome.failed.is_empty() => printed,
        Ok(_) => fail(Exit::Incomplete, &failures(experiment, &outcome)),
    }
}

/// `6 policy × 20 seeds = 120 cells`
pub fn size(experiment: &Experiment) -> String {
    let (variants, seeds) = (experiment.variants.len(), experiment.seeds().len());
    let axes = experiment.axes.join(" · ");
    let axes =
        if axes.is_empty() { String::new() } else { format!("{variants} of {} × ", name(&axes)) };
    let seeds = format!("{seeds} {}", if seeds == 1 { "seed" } else { "seeds" });
    format!("{axes}{seeds}, {} cells", count(experiment.cells.len() as u64))
}

/// `shard 2/3 of 6 policy × 20 seeds = 120 cells`
fn part(experiment: &Experiment, shard: Option<Shard>) -> String {
    let of = shard.map_or(String::new(), |shard| format!("shard {shard} of "));
    of + &size(experiment)
}

fn open(
    arguments: &RunArguments,
    experiment: &Experiment,
    shard: Option<Shard>,
) -> Result<ExperimentFolder, OpenError> {
    let root = Path::new("results");
    match (&arguments.resume, &arguments.out, shard) {
        (Some(folder), _, _) => ExperimentFolder::reopen(experiment, shard, folder),
        (None, Some(folder), Some(shard)) => ExperimentFolder::of_shard(experiment, shard, folder),
        (None, None, Some(shard)) => {
            let folder = shard_folder(root, &experiment.scenario().name, shard);
            ExperimentFolder::of_shard(experiment, shard, &folder)
        }
        (None, Some(folder), None) => {
            ExperimentFolder::create(experiment, None, &Place::At(folder.clone()))
        }
        (None, None, None) => {
            let place = Place::Under { root: root.to_owned(), run: "experiment".to_owned() };
            ExperimentFolder::create(experiment, None, &place)
        }
    }
}

/// What is said at the end.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    /// Nothing.
    pub quiet: bool,
    /// What the folder is called, if it is not where it is called.
    pub called: Option<&'a Path>,
}

impl<'a> Said<'a> {
    fn name_of(self, folder: &'a Path) -> std::path::Display<'a> {
        self.called.unwrap_or(folder).display()
    }
}

/// Writes the table of what a shard did: nothing is compared before all of them are merged.
fn conclude_shard(
    folder: ExperimentFolder,
    shard: Shard,
    said: Said<'_>,
) -> Result<Exit, OpenError> {
    let results = folder.results()?;
    let done = results.cells.len() as u64;
    let path = folder.seal(&results)?;
    let (faint, done) = (Paint::Faint.over("results in"), count(done));
    let text = format!("shard {shard}: {done} cells, {faint} {}\n", said.name_of(&path));
    Ok(if said.quiet { Exit::Done } else { streams::print(&text) })
}

/// Writes the tables, tells what was found, and says what the gates make of it.
pub fn conclude(
    folder: ExperimentFolder,
    gates: &[Gate],
    said: Said<'_>,
) -> Result<Exit, OpenError> {
    let results = folder.results()?;
    let groups = comparison::groups(&results);
    let confidence = Confidence::P95;
    folder.write("curves.csv", &curves(&results, &groups, confidence))?;
    let figures = compare::within(&groups, None, &[], confidence);
    let account = Account {
        name: results.manifest.scenario.clone(),
        parts: vec![Part { title: None, remarks: Vec::new(), figures }],
        verdicts: compare::judge_inside(gates, &groups, None),
        confidence,
    };
    folder.write("comparison.json", &compare::json(&account))?;
    let path = folder.seal(&results)?;
    if said.quiet {
        return Ok(account.exit());
    }
    let last = format!("\n{} {}\n", Paint::Faint.over("results in"), said.name_of(&path));
    let printed = streams::print(&(compare::text(&account) + &last));
    Ok(if printed == Exit::Done { account.exit() } else { printed })
}

/// The mean success curves of every group and phase, as `curves.csv`.
fn curves(results: &ExperimentResults, groups: &[Group], confidence: Confidence) -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let axes = results.manifest.axes.iter().map(String::as_str);
    let columns = [
        "phase",
        "first_iteration",
        "last_iteration",
        "seeds",
        "success_rate",
        "pointwise_95",
        "simultaneous_95",
    ];
    let header: Vec<&str> = axes.chain(columns).collect();
    // Writing to memory cannot fail.
    _ = table.write_record(header);
    for (variant, group) in results.manifest.variants.iter().zip(groups) {
        let phases = group.samples.first().map_or(&[][..], |sample| &sample.phases);
        for phase in phases.iter().filter(|phase| phase.iterations() > 0) {
            let batch = results.manifest.curve_batch;
            for point in comparison::curves(group, phase.name(), batch, confidence) {
                let labels = variant.labels.iter().cloned();
                let row = labels.chain(curve_cells(phase.name(), group.samples.len(), &point));
                _ = table.write_record(row.collect::<Vec<_>>());
            }
        }
    }
    table.into_inner().unwrap_or_default()
}

fn curve_cells(phase: &str, seeds: usize, point: &CurvePoint) -> [String; 7] {
    let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    [
        phase.to_owned(),
        point.first_iteration.to_string(),
        point.last_iteration.to_string(),
        seeds.to_string(),
        point.mean.to_string(),
        optional(point.pointwise),
        optional(point.simultaneous),
    ]
}

fn failures(experiment: &Experiment, outcome: &Outcome) -> String {
    let line = |(index, reason): &(usize, String)| {
        let cell = experiment.cells[*index];
        let variant = name(&experiment.variants[cell.variant].name());
        format!("\n  {variant}, seed {}: {}", cell.seed, name(reason))
    };
    let lines: String = outcome.failed.iter().map(line).collect();
    format!("{} of {} cells failed:{lines}", outcome.failed.len(), experiment.cells.len())
}

fn exit_of(error: &OpenError) -> Exit {
    match error {
        OpenError::Create(CreateError::Io { .. }) | OpenError::Write(_) => Exit::Results,
        _ => Exit::Usage,
    }
}

fn told(error: &OpenError) -> String {
    let help = match error {
        OpenError::Create(CreateError::NotEmpty(_)) => {
            "\nhelp: go on with an experiment with `--resume`, or name a new folder with `--out`"
        }
        OpenError::Other { .. } | OpenError::OtherShard { .. } | OpenError::Read(_) => {
            "\nhelp: name a new folder with `--out`"
        }
        _ => "",
    };
    format!("{error}{help}")
}

fn fail(exit: Exit, message: &str) -> Exit {
    eprintln!("error: {message}");
    exit
}

/// Shows how many cells are done.
struct Cells {
    screen: Screen,
    size: String,
    total: u64,
    done: u64,
    failed: u64,
}

impl Cells {
    fn new(quiet: bool, size: String) -> Self {
        Self { screen: Screen::of_stderr(quiet), size, total: 0, done: 0, failed: 0 }
    }

    fn state(&self) -> String {
        if self.failed == 0 { String::new() } else { format!("{} failed", self.failed) }
    }
}

impl Listener for Cells {
    fn begin(&mut self, cells: usize, kept: usize) {
        (self.total, self.done) = (cells as u64, kept as u64);
        let kept = if kept == 0 { String::new() } else { format!(", {kept} done before") };
        self.screen.line(&format!("{}{kept}", self.size));
        self.screen.open_bar("cells".to_owned(), self.total);
    }

    fn ended(&mut self, failed: bool) {
        self.done += 1;
        self.failed += u64::from(failed);
        let state = self.state();
        self.screen.move_bar(self.done, || state);
        let tenth = (self.total / 10).max(1);
        if !self.screen.is_live() && self.done.is_multiple_of(tenth) {
            let line = format!("{:>6} of {} cells  {}", self.done, self.total, self.state());
            self.screen.line(line.trim_end());
        }
        if self.done == self.total {
            self.screen.close_bar();
        }
    }
}

impl RunArguments {
    /// Where the whole of each cell is to go, if it is asked for.
    fn whole_cells(&self) -> Option<WholeCells> {
        let root = self.cell_folders.clone()?;
        let started = WallClock::start_now().start();
        Some(WholeCells { root, started, host: folder::host() })
    }

    /// How many cells are run at once.
    fn threads(&self) -> NonZero<usize> {
        let all = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(all)
    }
}
