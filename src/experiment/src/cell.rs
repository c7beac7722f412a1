use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::whole::{Whole, WholeCells};
use clock::VirtualClock;
use engine::{self, Beginning, Ending, Operator, Stop};
use learning_loop::Keeps;
use metrics::Summary;
use record::{ObserveError, Observer, Observers, Progress};
use results::experiment::{CellRecord, Tracer};
use scenario::plan::{Phase, Plan, TargetPlan};
use scenario::{Cell, Experiment};
use target::EmbeddedTarget;

/// Runs a cell to its end; `None`, if it was stopped before.
///
/// # Errors
/// Why it could not be run to its end.
pub(super) fn run(
    experiment: &Experiment,
    cell: Cell,
    whole_cells: Option<&WholeCells>,
    stop: Stop,
) -> Result<Option<CellRecord>, String> {
    let plan = experiment.plan(cell);
    let mut whole = Whole::create(whole_cells, &plan, &experiment.variants[cell.variant].name())?;
    let mut summary = Figures(Summary::new(plan.phases.iter().map(Phase::scope)));
    let mut tracer = Tracer::new(plan.phases.iter().map(|phase| phase.name.clone()));
    let mut observers = Observers(vec![&mut summary, &mut tracer, &mut whole]);
    let ending = catch_unwind(AssertUnwindSafe(|| {
        execute(&plan, keeps(&plan, whole_cells), stop, &mut observers)
    }));
    match ending.map_err(|panic| format!("the program failed: {}", words(&*panic)))?? {
        Ending::Stopped => {
            whole.take_back();
            Ok(None)
        }
        Ending::Completed => {
            whole.seal(&plan, whole_cells)?;
            let labels = experiment.axes.iter().cloned();
            let labels = labels.zip(experiment.variants[cell.variant].labels.iter().cloned());
            let trace = tracer.into_trace();
            let key = experiment.key(cell);
            Ok(Some(CellRecord::new(key, labels.collect(), cell.seed, &summary.0, trace)))
        }
    }
}

/// What the loop keeps of events: what is read of its log by something.
fn keeps(plan: &Plan, whole_cells: Option<&WholeCells>) -> Keeps {
    match whole_cells {
        Some(_) => Keeps::Lines,
        None if plan.reads_log() => Keeps::Log,
        None => Keeps::Nothing,
    }
}

fn execute(
    plan: &Plan,
    keeps: Keeps,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, String> {
    let TargetPlan::Embedded(embedded) = &plan.target else {
        return Err("a cell is a virtual world".to_owned());
    };
    let ended = VirtualClock::run(|clock| async {
        let target = EmbeddedTarget::one_of_many(embedded, plan.seed, clock.clone(), keeps);
        let beginning = Beginning::default();
        engine::run(plan, clock, &target, &Nobody, beginning, stop, observer).await
    });
    ended.map_err(|error| error.to_string())
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

/// The figures of a cell.
struct Figures(Summary);

impl Observer for Figures {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.observe(progress);
        Ok(())
    }
}

/// Nobody waits in a virtual world.
struct Nobody;

impl Operator for Nobody {
    fn confirm(&self, _prompt: &str) -> Result<(), String> {
        Err("nobody is there to answer".to_owned())
    }
}
