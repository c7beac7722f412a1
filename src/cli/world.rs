use super::operator::Terminal;
use super::served::Served;
use clock::{VirtualClock, WallClock};
use engine::{self, Ending, RunError, StartPoint, Stop};
use record::Observer;
use scenario::Plan;
use scenario::plan::{ClockKind, EmbeddedPlan, HttpPlan, ServedPlan, TargetPlan};
use target::{CallError, EmbeddedTarget, HttpTarget};

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
            block_on(embedded_on_the_wall(plan, embedded, wall, operator, stop, observer))
        }
        (TargetPlan::Served(served), _) => {
            over_loopback(plan, served, wall, operator, start, stop, observer)
        }
        (TargetPlan::Http(http), _) => {
            block_on(over_http(plan, http, wall, operator, start, stop, observer))
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
    block_on(over_http(plan, &http, clock, operator, start, stop, observer))
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
    let target = HttpTarget::new(http, plan.seed, clock).map_err(unusable)?;
    engine::run(plan, clock, &target, operator, start, stop, observer).await
}

fn block_on<F: Future<Output = Result<Ending, RunError>>>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => Err(RunError::Target {
            phase: "start".to_owned(),
            message: format!("cannot start the async runtime: {error}"),
        }),
    }
}

fn unusable(error: CallError) -> RunError {
    RunError::Target { phase: "start".to_owned(), message: error.message }
}
