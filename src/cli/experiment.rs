//! `runner run` of a scenario with a matrix.

use std::num::NonZero;
use std::path::Path;

use super::compare::{self, Account, Part};
use super::console::{Paint, Screen, count, name};
use super::error::Error;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::{folder, streams};
use clock::{Clock, WallClock};
use comparison::{self, CurvePoint, Group};
use experiment::{self, Listener, Outcome, WholeCells};
use metrics::Gate;
use results::experiment::{ExperimentFolder, ExperimentResults, OpenError};
use results::{Place, shard_folder};
use scenario::Experiment;
use shard::Shard;
use statistics::Confidence;

/// How an experiment is run.
#[derive(Clone, Copy)]
pub struct ExperimentOptions<'a> {
    /// The folder of the experiment that is continued.
    pub resume: Option<&'a Path>,
    /// The folder of a new experiment.
    pub out: Option<&'a Path>,
    /// How many cells run at once.
    pub threads: Option<NonZero<usize>>,
    /// Where the whole folder of each cell goes, if it is wanted.
    pub cell_folders: Option<&'a Path>,
    /// What is printed at the end.
    pub said: Said<'a>,
}

/// Runs the cells that are not done yet, and compares their results.
pub fn run(
    options: &ExperimentOptions<'_>,
    experiment: &Experiment,
    shard: Option<Shard>,
) -> Result<Exit, Error> {
    let mut folder = open(options, experiment, shard)?;
    let (interrupt, stop) = Interrupt::listen()?;
    let outcome = {
        let mut cells = Cells::new(options.said.quiet, part(experiment, shard));
        let whole = options.whole_cells();
        let (threads, whole) = (options.threads(), whole.as_ref());
        experiment::run(experiment, &mut folder, threads, whole, &stop, &mut cells)?
    };
    let exit = match shard {
        Some(shard) => conclude_shard(folder, shard, options.said)?,
        None => conclude(folder, &experiment.gates, options.said)?,
    };
    if outcome.stopped {
        Ok(interrupt.exit())
    } else if outcome.failed.is_empty() {
        Ok(exit)
    } else {
        Err(Error::new(Exit::Incomplete, failures(experiment, &outcome)))
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
    options: &ExperimentOptions<'_>,
    experiment: &Experiment,
    shard: Option<Shard>,
) -> Result<ExperimentFolder, OpenError> {
    let root = Path::new("results");
    match (options.resume, options.out, shard) {
        (Some(folder), _, _) => ExperimentFolder::reopen(experiment, shard, folder),
        (None, Some(folder), Some(shard)) => ExperimentFolder::of_shard(experiment, shard, folder),
        (None, None, Some(shard)) => {
            let folder = shard_folder(root, &experiment.scenario().name, shard);
            ExperimentFolder::of_shard(experiment, shard, &folder)
        }
        (None, Some(folder), None) => {
            ExperimentFolder::create(experiment, None, &Place::At(folder.to_owned()))
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
fn conclude_shard(folder: ExperimentFolder, shard: Shard, said: Said<'_>) -> Result<Exit, Error> {
    let results = results_of(&folder)?;
    let done = results.cells.len() as u64;
    let path = folder.seal(&results)?;
    let (faint, done) = (Paint::Faint.over("results in"), count(done));
    if !said.quiet {
        streams::print(&format!("shard {shard}: {done} cells, {faint} {}\n", said.name_of(&path)))?;
    }
    Ok(Exit::Done)
}

/// Writes the tables, tells what was found, and says what the gates make of it.
pub fn conclude(folder: ExperimentFolder, gates: &[Gate], said: Said<'_>) -> Result<Exit, Error> {
    let results = results_of(&folder)?;
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
    if !said.quiet {
        let last = format!("\n{} {}\n", Paint::Faint.over("results in"), said.name_of(&path));
        streams::print(&(compare::text(&account) + &last))?;
    }
    Ok(account.exit())
}

/// Reads back what this process wrote.
pub fn results_of(folder: &ExperimentFolder) -> Result<ExperimentResults, Error> {
    folder.results().map_err(|error| Error::new(Exit::Results, error))
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

impl ExperimentOptions<'_> {
    fn whole_cells(&self) -> Option<WholeCells> {
        let root = self.cell_folders?.to_owned();
        let started = WallClock::start_now().start();
        Some(WholeCells { root, started, host: folder::host() })
    }

    fn threads(&self) -> NonZero<usize> {
        let all = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(all)
    }
}
