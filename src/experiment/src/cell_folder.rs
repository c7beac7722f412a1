use std::path::PathBuf;

use metrics::judge;
use record::{ObserveError, Observer, Progress};
use results::{Closing, Destination, Origin, Results, Status, cell_folder};
use scenario::plan::Plan;
use timestamp::Timestamp;

/// Where cells leave the folders of what happened in them, not only their figures.
#[derive(Debug, Clone)]
pub struct CellFolders {
    /// The parent folder of the cells' folders.
    pub root: PathBuf,
    /// When the experiment was started.
    pub started: Timestamp,
    /// The name of the machine, if it is known.
    pub host: Option<String>,
}

/// The results folder of a cell, if cells write one.
pub(super) struct CellFolder(Option<Results>);

impl CellFolder {
    pub fn create(cells: Option<&CellFolders>, plan: &Plan, variant: &str) -> Result<Self, String> {
        let Some(CellFolders { root, started, host }) = cells else { return Ok(Self(None)) };
        let place = Destination::At(cell_folder(root, variant, plan.seed));
        let (clock_start, started, host) = (Timestamp::VIRTUAL_START, *started, host.clone());
        let results = Results::create(plan, &place, &Origin { clock_start, started, host });
        results.map(|results| Self(Some(results))).map_err(|error| error.to_string())
    }

    /// Judges the expectations and seals the folder.
    pub fn seal(self, plan: &Plan, cells: Option<&CellFolders>) -> Result<(), String> {
        let (Some(results), Some(cells)) = (self.0, cells) else { return Ok(()) };
        let verdicts = judge(&plan.expectations, results.summary());
        let closing =
            Closing { status: Status::Complete, ended: cells.started, verdicts: &verdicts };
        results.seal(&closing).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Deletes the folder of a cell that was stopped: it will run again from its start.
    pub fn delete(self) {
        // A folder that cannot be deleted is refused when the cell runs again.
        _ = self.0.map(Results::delete);
    }
}

impl Observer for CellFolder {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.as_mut().map_or(Ok(()), |results| results.observe(progress))
    }
}
