use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::cell;
use super::cell_folder::CellFolders;
use engine::Stop;
use record::ObserveError;
use results::experiment::{CellRecord, ExperimentFolder};
use scenario::Experiment;

/// Receives the progress of an experiment.
pub trait Listener {
    /// The run begins: `cells` in all, of which `kept` were complete before.
    fn begin(&mut self, cells: usize, kept: usize);
    /// A cell completed, or failed.
    fn ended(&mut self, failed: bool);
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
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// Only the cells of the first so many seeds.
    pub seeds: Option<u64>,
    /// How many cells run at once.
    pub threads: NonZero<usize>,
    /// Where each cell writes its results folder, if anywhere.
    pub folders: Option<&'a CellFolders>,
}

/// Runs the cells that are not complete, on `threads` threads, and writes each when it ends.
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
    let Work { seeds, threads, folders } = *work;
    let blocks = folder.manifest().blocks();
    let is_due = |index: &usize| seeds.is_none_or(|seeds| blocks[*index] < seeds);
    let absent: Vec<usize> = folder.due().into_iter().filter(is_due).collect();
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
            scope.spawn(move || run_cells(experiment, absent, next, folders, stop, &sender));
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
    folders: Option<&CellFolders>,
    stop: &Stop,
    sender: &mpsc::SyncSender<(usize, Ended)>,
) {
    while let Some(index) = absent.get(next.fetch_add(1, Ordering::Relaxed)) {
        if stop.is_asked() {
            return;
        }
        let ended = cell::run(experiment, experiment.cells[*index], folders, stop.clone());
        // The receiver is gone after a cell could not be written.
        if sender.send((*index, ended)).is_err() {
            return;
        }
    }
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
            folder.store_cell(index, record)?;
            completion.run += 1;
            listener.ended(false);
        }
        Err(reason) => {
            folder.note_failed(index, reason.clone());
            completion.failed.push((index, reason));
            listener.ended(true);
        }
    }
    Ok(())
}
