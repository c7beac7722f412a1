use clock::VirtualClock;
use engine::{Ending, Operator, RunError, StartPoint, Stop};
use learning_loop::Retention;
use plan::EmbeddedPlan;
use plan::Plan;
use record::Observer;
use target::EmbeddedTarget;

/// Runs a plan in a virtual world that is one of many: its loop keeps of its events only what
/// `retention` says.
///
/// # Errors
/// When the target cannot be used, or an observer fails.
pub fn simulate(
    plan: &Plan,
    embedded: &EmbeddedPlan,
    retention: Retention,
    stop: Stop,
    observer: &mut dyn Observer,
) -> Result<Ending, RunError> {
    VirtualClock::run(|clock| async {
        let target = EmbeddedTarget::one_of_many(embedded, plan.seed, clock.clone(), retention);
        let start = StartPoint::default();
        engine::run(plan, clock, &target, &Nobody, start, stop, observer).await
    })
}

/// A virtual world has no operator.
struct Nobody;

impl Operator for Nobody {
    fn confirm(&self, _prompt: &str) -> Result<(), String> {
        Err("no operator is present to answer".to_owned())
    }

    fn tell(&self, _text: &str) {}

    fn warn(&self, _text: &str) {}
}
