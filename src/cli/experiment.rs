//! `runner run` of a scenario with a matrix.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;

use super::compare;
use super::console::{Paint, Screen, count, name};
use super::error::Error;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::live_page::{self, LiveExperiment};
use super::operator::Terminal;
use super::verdict_files::VerdictFiles;
use super::{folder, streams};
use clock::{Clock, WallClock};
use comparison::{self, CurvePoint, Designs, GateOutcome, Group};
use engine::Stop;
use experiment::{self, CellFolders, Completion, Listener, Listeners, Work};
use metrics::Gate;
use results::experiment::{CellResult, ExperimentFolder, ExperimentResults, OpenError};
use results::{Destination, shard_folder};
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
    /// Where the page is served that shows it while it goes on, if one is.
    pub live: Option<SocketAddr>,
    /// What is printed at the end.
    pub output: ClosingOutput<'a>,
}

/// Nobody is asked during an experiment.
const UNATTENDED: Terminal = Terminal { yes: false, quiet: true };

/// Runs the cells that are not complete, and compares the policies.
pub fn run(
    options: &ExperimentOptions<'_>,
    experiment: &Experiment,
    shard: Option<Shard>,
) -> Result<Exit, Error> {
    check_live(options, experiment, shard)?;
    let mut folder = open(options, experiment, shard)?;
    tell_of_what_services_lack(options.output.quiet, experiment);
    let (interrupt, stop) = Interrupt::listen()?;
    let live = options.live.map(|at| LiveExperiment::start(at, experiment, results_of(&folder)?));
    let (page, mut live) = live.transpose()?.unzip();
    let completion = {
        let mut cells = Cells::new(options.output.quiet, part(experiment, shard));
        let mut listeners = Listeners(vec![&mut cells]);
        listeners.0.extend(live.iter_mut().map(|live| live as &mut dyn Listener));
        let cells = &mut listeners;
        let folders = options.cell_folder_root();
        let folders = folders.as_ref();
        let work = Work { seeds: None, threads: options.threads(), folders, operator: &UNATTENDED };
        match experiment.until_decided.filter(|_| shard.is_none()) {
            Some(at_most) => rounds(experiment, &mut folder, work, at_most, &stop, cells)?,
            None => experiment::run(experiment, &mut folder, &work, &stop, cells)?,
        }
    };
    let path = folder.folder().to_owned();
    let exit = match shard {
        Some(shard) => conclude_shard(folder, shard, options.output)?,
        None => conclude(folder, &experiment.gates, options.output)?,
    };
    let ended = if completion.stopped {
        Ok(interrupt.exit())
    } else if completion.failed.is_empty() {
        Ok(exit)
    } else {
        Err(Error::new(Exit::Incomplete, failures(experiment, &completion)))
    };
    live_page::conclude(page, ended, &path, &stop)
}

/// Runs against live targets follow each other: two at once would share the machine.
fn check_live(
    options: &ExperimentOptions<'_>,
    experiment: &Experiment,
    shard: Option<Shard>,
) -> Result<(), Error> {
    if experiment.live.is_none() {
        return Ok(());
    }
    let error = |what: &str| {
        Error::usage(format!("{what}: runs against live targets follow each other in one process"))
    };
    if shard.is_some() {
        let help = "run the matrix whole; `--shard` cuts the load of a scenario without a `matrix`";
        return Err(error("this matrix has no shards").help(help));
    }
    if options.threads.is_some_and(|threads| threads.get() > 1) {
        return Err(error("`--threads` is for virtual worlds").help("leave it out"));
    }
    Ok(())
}

/// Says once what follows from what the services do not give.
fn tell_of_what_services_lack(quiet: bool, experiment: &Experiment) {
    let mappings = experiment.variants.iter().filter_map(|variant| variant.plan.target.mapping());
    let all: BTreeSet<String> = mappings.flat_map(|mapping| mapping.consequences()).collect();
    all.iter().filter(|_| !quiet).for_each(|consequence| streams::note(consequence));
}

/// Adds seeds in rounds until every gate is decided or there are `at_most`. Which seeds are
/// run depends on their results alone, so not on threads.
fn rounds(
    experiment: &Experiment,
    folder: &mut ExperimentFolder,
    work: Work<'_>,
    at_most: u64,
    stop: &Stop,
    listener: &mut dyn Listener,
) -> Result<Completion, Error> {
    let designs = Designs::until_decided(&experiment.gates, at_most);
    let mut completion = Completion::default();
    for seeds in designs.looks() {
        let round = Work { seeds: Some(seeds), ..work };
        completion = experiment::run(experiment, folder, &round, stop, listener)?;
        if completion.stopped || !completion.failed.is_empty() {
            break;
        }
        if decided_after(&results_of(folder)?, &experiment.gates, &designs).is_some() {
            break;
        }
    }
    Ok(completion)
}

/// The number of seeds after which every gate was decided; none, if one is not.
fn decided_after(results: &ExperimentResults, gates: &[Gate], designs: &Designs) -> Option<u64> {
    let groups = comparison::groups(results);
    let verdicts = comparison::judge_within(gates, &groups, None, designs);
    let decided = verdicts.iter().map(|verdict| match verdict.outcome {
        GateOutcome::Inconclusive(_) => None,
        _ => Some(verdict.difference.as_ref().map_or(0, |difference| difference.observations)),
    });
    let last = decided.collect::<Option<Vec<u64>>>()?.into_iter().max()?;
    designs.looks().into_iter().find(|seeds| *seeds >= last)
}

/// `6 policy × 20 seeds = 120 cells`
pub fn size(experiment: &Experiment) -> String {
    let (variants, seeds) = (experiment.variants.len(), experiment.seeds().len());
    let axes = experiment.axes.join(" · ");
    let axes =
        if axes.is_empty() { String::new() } else { format!("{variants} of {} × ", name(&axes)) };
    let up_to = if experiment.until_decided.is_some() { "up to " } else { "" };
    let seeds = format!("{up_to}{seeds} {}", if seeds == 1 { "seed" } else { "seeds" });
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
            ExperimentFolder::create(experiment, None, &Destination::At(folder.to_owned()))
        }
        (None, None, None) => {
            let place = Destination::Under { root: root.to_owned(), run: "experiment".to_owned() };
            ExperimentFolder::create(experiment, None, &place)
        }
    }
}

/// Where and whether the conclusion is printed.
#[derive(Clone, Copy)]
pub struct ClosingOutput<'a> {
    /// Print nothing on stdout.
    pub quiet: bool,
    /// The name of the folder as the user gave it, where the folder is a local copy.
    pub called: Option<&'a Path>,
    /// Where the verdicts of the gates go.
    pub files: &'a VerdictFiles,
}

impl<'a> ClosingOutput<'a> {
    fn name_of(self, folder: &'a Path) -> std::path::Display<'a> {
        self.called.unwrap_or(folder).display()
    }
}

/// Writes the table of a shard's cells. Policies are compared after all shards are merged.
fn conclude_shard(
    folder: ExperimentFolder,
    shard: Shard,
    output: ClosingOutput<'_>,
) -> Result<Exit, Error> {
    let results = results_of(&folder)?;
    let done = results.cells.len() as u64;
    let path = folder.seal(&results)?;
    let (faint, done) = (Paint::Faint.over("results in"), count(done));
    if !output.quiet {
        streams::tell(&format!(
            "shard {shard}: {done} cells, {faint} {}\n",
            output.name_of(&path)
        ))?;
    }
    Ok(Exit::Done)
}

/// Writes the tables, prints the comparison, and returns the exit code of the gates.
pub fn conclude(
    mut folder: ExperimentFolder,
    gates: &[Gate],
    output: ClosingOutput<'_>,
) -> Result<Exit, Error> {
    let until_decided = folder.manifest().until_decided;
    let designs =
        until_decided.map_or(Designs::default(), |most| Designs::until_decided(gates, most));
    if until_decided.is_some()
        && let Some(seeds) = decided_after(&results_of(&folder)?, gates, &designs)
    {
        folder.end_after(seeds)?;
    }
    let results = results_of(&folder)?;
    let groups = comparison::groups(&results);
    folder.write("curves.csv", &curves(&results, &groups, Confidence::P95))?;
    let mut document = compare::of_cells(&results, gates, &designs);
    if !document.is_complete {
        let (done, all) = (results.cells.len(), results.manifest.cells.len());
        document.refuse(&format!("{done} of {all} cells are complete"));
    }
    folder.write("comparison.json", &compare::json(&document))?;
    let path = folder.seal(&results)?;
    if !output.quiet {
        let last = format!("\n{} {}\n", Paint::Faint.over("results in"), output.name_of(&path));
        streams::tell(&(compare::text(&document) + &last))?;
    } else if let Some(failure) = document.failure() {
        streams::note(&format!("error: {failure}"));
    }
    if document.verdicts.is_empty() && !gates.is_empty() {
        streams::note(&format!(
            "warning: no gate was judged: the experiment has nothing to compare\n\
             help: compare it with another folder: `runner compare BASE {}`",
            output.name_of(&path)
        ));
    }
    document.write_files(output.files)?;
    Ok(document.exit())
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
            for point in comparison::mean_curve(group, phase.name(), batch, confidence) {
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

fn failures(experiment: &Experiment, completion: &Completion) -> String {
    let line = |(index, reason): &(usize, String)| {
        let cell = experiment.cells[*index];
        let variant = name(&experiment.variants[cell.variant].name());
        let reason: Vec<String> = reason.lines().map(name).collect();
        format!("\n  {variant}, seed {}: {}", cell.seed, reason.join("\n    "))
    };
    let lines: String = completion.failed.iter().map(line).collect();
    format!("{} of {} cells failed:{lines}", completion.failed.len(), experiment.cells.len())
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
        self.screen.open_bar("cells", self.total, true);
    }

    fn ended(&mut self, result: Option<&CellResult>) {
        self.done += 1;
        self.failed += u64::from(result.is_none());
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
    fn cell_folder_root(&self) -> Option<CellFolders> {
        let root = self.cell_folders?.to_owned();
        let started = WallClock::start_now().start();
        Some(CellFolders { root, started, host: folder::host() })
    }

    fn threads(&self) -> NonZero<usize> {
        let all = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(all)
    }
}
