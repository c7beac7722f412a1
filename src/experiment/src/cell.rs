use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::cell_folder::{CellFolder, CellFolders};
use clock::WallClock;
use engine::{Ending, Operator, StartPoint, Stop};
use learning_loop::Retention;
use metrics::Summary;
use plan::{ClockKind, Phase, Plan, TargetPlan};
use record::{ObserveError, Observer, Observers, Progress};
use results::experiment::{CellRecord, Tracer};
use scenario::{Cell, Experiment};

/// Runs a cell to its end; `None`, if it was stopped before.
///
/// # Errors
/// Why it could not be run to its end.
pub(super) fn run(
    experiment: &Experiment,
    cell: Cell,
    cell_folders: Option<&CellFolders>,
    operator: &dyn Operator,
    stop: Stop,
) -> Result<Option<CellRecord>, String> {
    let plan = experiment.plan(cell);
    let name = experiment.variants[cell.variant].name();
    let wall = (plan.clock == ClockKind::Wall).then(WallClock::start_now);
    let mut folder = CellFolder::create(cell_folders, &plan, &name, wall)?;
    let mut summary = Figures(Summary::new(plan.phases.iter().map(Phase::scope)));
    let mut tracer = Tracer::new(plan.phases.iter().map(|phase| phase.name.clone()));
    let mut exports = Exports { plan: &plan, after: BTreeMap::new() };
    let mut observers = Observers(vec![&mut summary, &mut exports, &mut tracer, &mut folder]);
    let ending = catch_unwind(AssertUnwindSafe(|| match wall {
        Some(wall) => {
            world::execute(&plan, wall, operator, StartPoint::default(), stop, &mut observers)
                .map_err(|error| error.to_string())
        }
        None => simulate(&plan, retention(&plan, cell_folders), stop, &mut observers),
    }));
    match ending.map_err(|panic| format!("the program failed: {}", panic_message(&*panic)))?? {
        Ending::Stopped => {
            folder.delete();
            Ok(None)
        }
        Ending::Completed => {
            folder.seal(&plan)?;
            let labels = experiment.axes.iter().cloned();
            let labels = labels.zip(experiment.variants[cell.variant].labels.iter().cloned());
            let trace = tracer.into_trace();
            let key = experiment.key(cell);
            let (labels, exports) = (labels.collect(), exports.after);
            Ok(Some(CellRecord::new(key, labels, cell.seed, &summary.0, exports, trace)))
        }
    }
}

/// What the loop records of its events: only what something reads.
fn retention(plan: &Plan, cell_folders: Option<&CellFolders>) -> Retention {
    match cell_folders {
        Some(_) => Retention::Lines,
        None if plan.reads_log() => Retention::Log,
        None => Retention::Nothing,
    }
}

fn simulate(
    plan: &Plan,
    retention: Retention,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, String> {
    let TargetPlan::Embedded(embedded) = &plan.target else {
        return Err("a cell needs the target `embedded`".to_owned());
    };
    let ended = world::simulate(plan, embedded, retention, stop, observer);
    ended.map_err(|error| error.to_string())
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// The figures of a cell.
struct Figures(Summary);

impl Observer for Figures {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.observe(progress);
        Ok(())
    }
}

/// After how many iterations of each phase models were exported.
struct Exports<'a> {
    plan: &'a Plan,
    after: BTreeMap<String, Vec<u64>>,
}

impl Observer for Exports<'_> {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        if let Progress::ModelExported(export) = progress {
            let phase = &self.plan.phases[export.phase].name;
            self.after.entry(phase.clone()).or_default().push(export.iterations);
        }
        Ok(())
    }
}
