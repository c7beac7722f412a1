use std::sync::Arc;

use super::served::Served;
use clock::{Clock, VirtualClock, WallClock};
use engine::{Ending, Operator, RunError, StartPoint, Stop};
use plan::Plan;
use plan::{ClockKind, HttpPlan, Mapping, ServedPlan, TargetPlan};
use record::Observer;
use target::{CallError, EmbeddedTarget, HttpTarget, MappedTarget, Target};

/// What is done with a target.
pub trait Work {
    /// Does it. A target that was prepared is tidied up afterwards, unless the work stopped to be
    /// resumed.
    fn with<C: Clock, T: Target>(
        self,
        clock: C,
        target: &T,
    ) -> impl Future<Output = Result<Ending, RunError>>;
}

/// The phases of a plan.
struct Phases<'a> {
    plan: &'a Plan,
    operator: &'a dyn Operator,
    start: StartPoint,
    stop: Stop,
    observer: &'a mut dyn Observer,
}

impl Work for Phases<'_> {
    async fn with<C: Clock, T: Target>(self, clock: C, target: &T) -> Result<Ending, RunError> {
        let Self { plan, operator, start, stop, observer } = self;
        engine::run(plan, clock, target, operator, start, stop, observer).await
    }
}

/// Runs the phases of a plan, from `start` on, in the world it asks for.
///
/// # Errors
/// When the target cannot be used, or an observer fails.
pub fn execute(
    plan: &Plan,
    wall: WallClock,
    operator: &dyn Operator,
    start: StartPoint,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    let is_resumed = start != StartPoint::default();
    let phases = Phases { plan, operator, start, stop, observer };
    work(plan, wall, operator, is_resumed, phases)
}

/// Works with the target of a plan, in the time of the plan.
///
/// # Errors
/// When the target cannot be used, or the work fails.
pub fn work(
    plan: &Plan,
    wall: WallClock,
    operator: &dyn Operator,
    is_resumed: bool,
    work: impl Work,
) -> Result<Ending, RunError> {
    match (&plan.target, plan.clock) {
        (TargetPlan::Embedded(embedded), ClockKind::Virtual) => {
            VirtualClock::run(|clock| async move {
                let target = EmbeddedTarget::new(embedded, plan.seed, clock.clone());
                work.with(clock, &target).await
            })
        }
        (TargetPlan::Embedded(embedded), ClockKind::Wall) => block_on(async {
            let target = EmbeddedTarget::new(embedded, plan.seed, wall);
            work.with(wall, &target).await
        })?,
        (TargetPlan::Served(served), _) => over_loopback(plan, served, wall, operator, work),
        (TargetPlan::Http(http), _) => {
            block_on(over_http(plan, http, wall, operator, is_resumed, work))?
        }
    }
}

/// Serves the loop for as long as the work lasts, and calls it as a service.
fn over_loopback(
    plan: &Plan,
    embedded: &ServedPlan,
    clock: WallClock,
    operator: &dyn Operator,
    work: impl Work,
) -> Result<Ending, RunError> {
    let served = Served::start(embedded, clock).map_err(|error| RunError::Target {
        phase: "start".to_owned(),
        message: format!("the loop cannot be served: {error}"),
    })?;
    operator.tell(&format!("the loop is served at {} while the run lasts", served.url()));
    let http = HttpPlan { url: served.url().to_owned(), ..HttpPlan::clone(&embedded.http) };
    block_on(over_http(plan, &http, clock, operator, false, work))?
}

async fn over_http(
    plan: &Plan,
    http: &HttpPlan,
    clock: WallClock,
    operator: &dyn Operator,
    is_resumed: bool,
    work: impl Work,
) -> Result<Ending, RunError> {
    if let Some(mapping) = &http.mapping {
        return mapped(plan, (http, mapping), clock, operator, is_resumed, work).await;
    }
    let target = HttpTarget::new(http, plan.seed, clock).map_err(unusable)?;
    work.with(clock, &target).await
}

/// A service that is called as the scenario maps it. A run that was stopped may be resumed, so
/// that the service stays as it is.
async fn mapped(
    plan: &Plan,
    (http, mapping): (&HttpPlan, &Arc<Mapping>),
    clock: WallClock,
    operator: &dyn Operator,
    is_resumed: bool,
    work: impl Work,
) -> Result<Ending, RunError> {
    if is_resumed && !mapping.keeps_setup() {
        let message =
            "`setup` takes values, which the process before this one held: start a new run";
        return Err(RunError::Preflight(message.to_owned()));
    }
    let target =
        MappedTarget::new(http, mapping, plan.seed, clock, is_resumed).map_err(unusable)?;
    for consequence in mapping.consequences() {
        operator.tell(&consequence);
    }
    let ending = work.with(clock, &target).await;
    match (&ending, mapping.teardown.is_empty()) {
        (_, true) => {}
        (Ok(Ending::Stopped), _) => {
            operator.tell("`teardown` is not called: the run can be resumed");
        }
        (Ok(Ending::Completed) | Err(_), _) => {
            if let Err(error) = target.teardown().await {
                operator.warn(&format!("the service is not as it was: {error}"));
            }
        }
    }
    ending
}

/// Runs a future in a runtime of one thread.
///
/// # Errors
/// When there is no such runtime.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => Err(RunError::Target {
            phase: "start".to_owned(),
            message: format!("cannot start the async runtime: {error}"),
        }),
    }
}

fn unusable(error: CallError) -> RunError {
    RunError::Target { phase: "start".to_owned(), message: error.message }
}
