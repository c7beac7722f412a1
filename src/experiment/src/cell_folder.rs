use std::path::PathBuf;

use clock::{Clock, WallClock};
use metrics::judge;
use plan::Plan;
use record::{ObserveError, Observer, Progress};
use results::{Closing, Destination, Origin, Results, Status, cell_folder};
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
pub(super) struct CellFolder(Option<Written>);

struct Written {
    results: Results,
    started: Timestamp,
    /// The clock of a run against a live target.
    wall: Option<WallClock>,
}

impl CellFolder {
    pub fn create(
        cells: Option<&CellFolders>,
        plan: &Plan,
        variant: &str,
        wall: Option<WallClock>,
    ) -> Result<Self, String> {
        let Some(CellFolders { root, started, host }) = cells else { return Ok(Self(None)) };
        let place = Destination::At(cell_folder(root, variant, plan.seed));
        let clock_start = wall.map_or(Timestamp::VIRTUAL_START, |wall| wall.start());
        let started = wall.map_or(*started, |wall| wall.start());
        let origin = Origin { clock_start, started, host: host.clone() };
        let results = Results::create(plan, &place, &origin).map_err(|error| error.to_string())?;
        Ok(Self(Some(Written { results, started, wall })))
    }

    /// Judges the expectations and seals the folder.
    pub fn seal(self, plan: &Plan) -> Result<(), String> {
        let Some(Written { results, started, wall }) = self.0 else { return Ok(()) };
        let verdicts = judge(&plan.expectations, results.summary());
        let ended = wall.map_or(started, |wall| wall.timestamp(wall.now()));
        let closing = Closing { status: Status::Complete, ended, verdicts: &verdicts };
        results.seal(&closing).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Deletes the folder of a cell that was stopped: it will run again from its start.
    pub fn delete(self) {
        // A folder that cannot be deleted is refused when the cell runs again.
        _ = self.0.map(|written| written.results.delete());
    }
}

impl Observer for CellFolder {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.as_mut().map_or(Ok(()), |written| written.results.observe(progress))
    }
}
