use std::sync::Arc;

use super::operator::Terminal;
use super::served::Served;
use clock::{VirtualClock, WallClock};
use engine::{self, Ending, RunError, StartPoint, Stop};
use record::Observer;
use scenario::Plan;
use scenario::plan::{ClockKind, EmbeddedPlan, HttpPlan, Mapping, ServedPlan, TargetPlan};
use target::{CallError, EmbeddedTarget, HttpTarget, MappedTarget};

/// Runs a plan in the world it asks for: whose time passes, and what is called.
pub fn execute(
    plan: &Plan,
    wall: WallClock,
    operator: &Terminal,
    start: StartPoint,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    match (&plan.target, plan.clock) {
        (TargetPlan::Embedded(embedded), ClockKind::Virtual) => {
            VirtualClock::run(|clock| async move {
                let target = EmbeddedTarget::new(embedded, plan.seed, clock.clone());
                engine::run(plan, clock, &target, operator, start, stop, observer).await
            })
        }
        (TargetPlan::Embedded(embedded), ClockKind::Wall) => {
            block_on(embedded_on_the_wall(plan, embedded, wall, operator, stop, observer))?
        }
        (TargetPlan::Served(served), _) => {
            over_loopback(plan, served, wall, operator, start, stop, observer)
        }
        (TargetPlan::Http(http), _) => {
            block_on(over_http(plan, http, wall, operator, start, stop, observer))?
        }
    }
}

/// Serves the loop for as long as the run lasts, and calls it as a service.
fn over_loopback(
    plan: &Plan,
    served: &ServedPlan,
    clock: WallClock,
    operator: &Terminal,
    start: StartPoint,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    let served = Served::start(served, clock).map_err(|error| RunError::Target {
        phase: "start".to_owned(),
        message: format!("the loop cannot be served: {error}"),
    })?;
    operator.tell(&format!("the loop is served at {} while the run lasts", served.url()));
    let http = HttpPlan::at(served.url());
    block_on(over_http(plan, &http, clock, operator, start, stop, observer))?
}

async fn embedded_on_the_wall(
    plan: &Plan,
    embedded: &EmbeddedPlan,
    clock: WallClock,
    operator: &Terminal,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    let target = EmbeddedTarget::new(embedded, plan.seed, clock);
    engine::run(plan, clock, &target, operator, StartPoint::default(), stop, observer).await
}

async fn over_http(
    plan: &Plan,
    http: &HttpPlan,
    clock: WallClock,
    operator: &Terminal,
    start: StartPoint,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    if let Some(mapping) = &http.mapping {
        return mapped(plan, (http, mapping), clock, operator, start, stop, observer).await;
    }
    let target = HttpTarget::new(http, plan.seed, clock).map_err(unusable)?;
    engine::run(plan, clock, &target, operator, start, stop, observer).await
}

/// A service that is called as the scenario maps it. A run that was stopped may be resumed, so
/// that the service stays as it is.
async fn mapped(
    plan: &Plan,
    (http, mapping): (&HttpPlan, &Arc<Mapping>),
    clock: WallClock,
    operator: &Terminal,
    start: StartPoint,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    let is_resumed = start != StartPoint::default();
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
    let ending = engine::run(plan, clock, &target, operator, start, stop, observer).await;
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
