use std::path::PathBuf;

use metrics::{Expectation, Verdict, implied};
use record::{ObserveError, Observer, Progress};
use results::{Closing, Origin, Place, Results, Status, cell_folder};
use scenario::plan::Plan;
use timestamp::Timestamp;

/// Where cells leave the whole of what happened in them, not only their figures.
#[derive(Debug, Clone)]
pub struct WholeCells {
    /// A folder of folders, one for each cell.
    pub root: PathBuf,
    /// When and where the experiment is run.
    pub started: Timestamp,
    /// The name of the machine, if it is known.
    pub host: Option<String>,
}

/// The folder of a cell, if it is to leave one.
pub(super) struct Whole(Option<Results>);

impl Whole {
    pub fn create(cells: Option<&WholeCells>, plan: &Plan, variant: &str) -> Result<Self, String> {
        let Some(WholeCells { root, started, host }) = cells else { return Ok(Self(None)) };
        let place = Place::At(cell_folder(root, variant, plan.seed));
        let (clock_start, started, host) = (Timestamp::VIRTUAL_START, *started, host.clone());
        let results = Results::create(plan, &place, &Origin { clock_start, started, host });
        results.map(|results| Self(Some(results))).map_err(|error| error.to_string())
    }

    /// Seals what there is.
    pub fn seal(self, plan: &Plan, cells: Option<&WholeCells>) -> Result<(), String> {
        let (Some(results), Some(cells)) = (self.0, cells) else { return Ok(()) };
        let judge = |expectation: &Expectation| expectation.judge(results.summary());
        let mut verdicts: Vec<Verdict> = plan.expectations.iter().map(judge).collect();
        verdicts.extend(implied(results.summary(), &plan.expectations));
        let closing =
            Closing { status: Status::Complete, ended: cells.started, verdicts: &verdicts };
        results.seal(&closing).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Takes back what a cell that was stopped has left: it is run again from its start.
    pub fn take_back(self) {
        // What cannot be removed is refused when the cell is run again.
        _ = self.0.map(Results::take_back);
    }
}

impl Observer for Whole {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.as_mut().map_or(Ok(()), |results| results.observe(progress))
    }
}
