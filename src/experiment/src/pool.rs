use std::collections::HashSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::cell;
use super::cell_folder::CellFolders;
use super::preparation::{NextRun, prepare};
use engine::{Operator, Stop};
use record::ObserveError;
use results::experiment::{CellRecord, CellResult, ExperimentFolder};
use scenario::{Cell, Experiment};

/// Receives the progress of an experiment.
pub trait Listener {
    /// The run begins: `cells` in all, of which `kept` were complete before.
    fn begin(&mut self, cells: usize, kept: usize);
    /// A cell completed, or failed: then it has no result.
    fn ended(&mut self, result: Option<&CellResult>);
}

/// Several listeners, called in their order.
pub struct Listeners<'a>(pub Vec<&'a mut dyn Listener>);

impl Listener for Listeners<'_> {
    fn begin(&mut self, cells: usize, kept: usize) {
        self.0.iter_mut().for_each(|listener| listener.begin(cells, kept));
    }

    fn ended(&mut self, result: Option<&CellResult>) {
        self.0.iter_mut().for_each(|listener| listener.ended(result));
    }
}

/// How an experiment ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Whether it was stopped before every cell had run.
    pub stopped: bool,
    /// How many cells were run now; the others were complete before.
    pub run: usize,
    /// The cells that failed: index in the manifest and reason.
    pub failed: Vec<(usize, String)>,
}

/// Which cells are run, and how.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Only the cells of the first so many seeds.
    pub seeds: Option<u64>,
    /// How many virtual worlds run at once.
    pub threads: NonZero<usize>,
    /// Where each cell writes its results folder, if anywhere.
    pub folders: Option<&'a CellFolders>,
    /// Who is told of what happens in runs against live targets.
    pub operator: &'a (dyn Operator + Sync),
}

/// Runs the cells that are not complete, on `threads` threads or one after the other, and writes
/// each when it ends.
///
/// # Errors
/// When a cell cannot be written. Cells that are written stay.
pub fn run(
    experiment: &Experiment,
    folder: &mut ExperimentFolder,
    work: &Work<'_>,
    stop: &Stop,
    listener: &mut dyn Listener,
) -> Result<Completion, ObserveError> {
    let threads = if experiment.live.is_some() { NonZero::<usize>::MIN } else { work.threads };
    let blocks = folder.manifest().blocks();
    let is_due = |index: &usize| work.seeds.is_none_or(|seeds| blocks[*index] < seeds);
    let due: HashSet<usize> = folder.due().into_iter().filter(is_due).collect();
    let absent = experiment.execution_order().into_iter().filter(|index| due.contains(index));
    let absent: Vec<usize> = absent.collect();
    let own = folder.manifest().own().into_iter().enumerate();
    let own = own.filter(|(index, own)| *own && is_due(index)).count();
    listener.begin(own, own - absent.len());
    let mut completion = Completion { stopped: false, run: 0, failed: Vec::new() };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, results) = mpsc::sync_channel(threads.get());
        let (next, absent) = (&next, &absent);
        for _ in 0..threads.get().min(absent.len()) {
            let sender = sender.clone();
            scope.spawn(move || run_cells(experiment, absent, next, work, stop, &sender));
        }
        drop(sender);
        for (index, ended) in results {
            take_in(index, ended, folder, &mut completion, listener)?;
        }
        Ok(())
    })?;
    completion.stopped = stop.is_asked() && completion.run + completion.failed.len() < absent.len();
    completion.failed.sort_unstable();
    Ok(completion)
}

type Ended = Result<Option<CellRecord>, String>;

/// Runs cells until none is left.
fn run_cells(
    experiment: &Experiment,
    absent: &[usize],
    next: &AtomicUsize,
    work: &Work<'_>,
    stop: &Stop,
    sender: &mpsc::SyncSender<(usize, Ended)>,
) {
    loop {
        let next = absent.get(next.fetch_add(1, Ordering::Relaxed));
        let Some(index) = next.filter(|_| !stop.is_asked()) else { return };
        let ended = run_cell(experiment, experiment.cells[*index], work, stop);
        // The receiver is gone after a cell could not be written.
        if sender.send((*index, ended)).is_err() {
            return;
        }
    }
}

/// Runs a cell, after what is to be done before it.
fn run_cell(experiment: &Experiment, cell: Cell, work: &Work<'_>, stop: &Stop) -> Ended {
    if let Some(live) = &experiment.live {
        let name = &experiment.variants[cell.variant].name();
        let run = NextRun { name, seed: cell.seed.0 };
        prepare(&live.between, &run, stop)?;
        if stop.is_asked() {
            return Ok(None);
        }
    }
    cell::run(experiment, cell, work.folders, work.operator, stop.clone())
}

fn take_in(
    index: usize,
    ended: Ended,
    folder: &mut ExperimentFolder,
    completion: &mut Completion,
    listener: &mut dyn Listener,
) -> Result<(), ObserveError> {
    match ended {
        Ok(None) => {}
        Ok(Some(record)) => {
            let result = folder.store_cell(index, record)?;
            completion.run += 1;
            listener.ended(result);
        }
        Err(reason) => {
            folder.note_failed(index, reason.clone());
            completion.failed.push((index, reason));
            listener.ended(None);
        }
    }
    Ok(())
}
