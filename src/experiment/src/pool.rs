use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::cell;
use super::whole::WholeCells;
use engine::Stop;
use record::ObserveError;
use results::experiment::{CellRecord, ExperimentFolder};
use scenario::Experiment;

/// Is told how an experiment goes.
pub trait Listener {
    /// So many cells are to be run; `kept` of them are done already.
    fn begin(&mut self, cells: usize, kept: usize);
    /// A cell is done, or failed.
    fn ended(&mut self, failed: bool);
}

/// How an experiment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was stopped before every cell was run.
    pub stopped: bool,
    /// How many cells were run now; the others were done before.
    pub run: usize,
    /// The cells that failed, each with the reason, by their place in the manifest.
    pub failed: Vec<(usize, String)>,
}

/// Runs the cells that are not done, by so many threads, and keeps each as it is done.
///
/// # Errors
/// When a cell cannot be written. Cells that are written stay.
pub fn run(
    experiment: &Experiment,
    folder: &mut ExperimentFolder,
    threads: NonZero<usize>,
    whole: Option<&WholeCells>,
    stop: &Stop,
    listener: &mut dyn Listener,
) -> Result<Outcome, ObserveError> {
    let absent = folder.due();
    let own = folder.manifest().own().into_iter().filter(|own| *own).count();
    listener.begin(own, own - absent.len());
    let mut outcome = Outcome { stopped: false, run: 0, failed: Vec::new() };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, results) = mpsc::sync_channel(threads.get());
        let (next, absent) = (&next, &absent);
        for _ in 0..threads.get().min(absent.len()) {
            let sender = sender.clone();
            scope.spawn(move || work(experiment, absent, next, whole, stop, &sender));
        }
        drop(sender);
        for (index, ended) in results {
            take_in(index, ended, folder, &mut outcome, listener)?;
        }
        Ok(())
    })?;
    outcome.stopped = stop.is_asked() && outcome.run + outcome.failed.len() < absent.len();
    outcome.failed.sort_unstable();
    Ok(outcome)
}

type Ended = Result<Option<CellRecord>, String>;

/// Runs one cell after the other until none is left.
fn work(
    experiment: &Experiment,
    absent: &[usize],
    next: &AtomicUsize,
    whole: Option<&WholeCells>,
    stop: &Stop,
    sender: &mpsc::SyncSender<(usize, Ended)>,
) {
    while let Some(index) = absent.get(next.fetch_add(1, Ordering::Relaxed)) {
        if stop.is_asked() {
            return;
        }
        let ended = cell::run(experiment, experiment.cells[*index], whole, stop.clone());
        // Nobody listens any more where a cell could not be kept.
        if sender.send((*index, ended)).is_err() {
            return;
        }
    }
}

fn take_in(
    index: usize,
    ended: Ended,
    folder: &mut ExperimentFolder,
    outcome: &mut Outcome,
    listener: &mut dyn Listener,
) -> Result<(), ObserveError> {
    match ended {
        Ok(None) => {}
        Ok(Some(record)) => {
            folder.keep(index, record)?;
            outcome.run += 1;
            listener.ended(false);
        }
        Err(reason) => {
            folder.note_failed(index, reason.clone());
            outcome.failed.push((index, reason));
            listener.ended(true);
        }
    }
    Ok(())
}
