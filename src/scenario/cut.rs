//! A load, cut into shards.

use super::plan::{Arrival, Iterate, Phase, Plan, Rate, Stage, Step, TargetPlan};
use crate::diagnostic::{Diagnostic, Report};
use crate::shard::Shard;

impl Plan {
    /// The part of a load that is a shard's own: every so many of its iterations, with the
    /// ids, draws and due times that they have in the whole, and a share of what bounds
    /// how many are under way. Its digest stays that of the whole.
    ///
    /// # Errors
    /// Why the plan cannot be cut, or not so finely.
    pub fn part(&self, shard: Shard) -> Result<Self, Report> {
        let mut report = Report::new();
        if matches!(self.target, TargetPlan::Embedded(_)) {
            report.push(one_world());
            return Err(report);
        }
        let mut part = Self { shard, ..self.clone() };
        for phase in &mut part.phases {
            match &mut phase.step {
                Step::Iterate(iterate) => cut(&phase.name, iterate, shard, &mut report),
                Step::Wait(_) => {}
                _ => report.push(operates(phase)),
            }
        }
        if report.has_errors() { Err(report) } else { Ok(part) }
    }
}

fn one_world() -> Diagnostic {
    let message = "the scenario is one world, and a world cannot be cut";
    let help = "a scenario with a `matrix` is cut into its cells, and one whose target is a \
        service into its iterations; run this one without `--shard`";
    Diagnostic::error(message).help(help)
}

/// Shards have no moment in common at which the service could be changed for all of them.
fn operates(phase: &Phase) -> Diagnostic {
    let message = format!("phase `{}` operates the service, and shards only call it", phase.name);
    let help = "leave `iterate` and `wait` in the scenario of the load; do the rest before and \
        after it, by a scenario that is run without `--shard`";
    Diagnostic::error(message).help(help)
}

fn cut(name: &str, iterate: &mut Iterate, shard: Shard, report: &mut Report) {
    iterate.iterations = shard.share(iterate.iterations);
    iterate.error_budget = iterate.error_budget.map(|budget| shard.share(budget));
    // The first asks for the age of the model as often as the whole would, the others never.
    let interval = iterate.model_check_interval / shard.count();
    iterate.model_check_interval = if shard.number() == 1 { interval.max(1) } else { 0 };
    let bound = match &mut iterate.arrival {
        Arrival::Closed { concurrency, rate } => {
            *rate = rate.map(|rate| shared(rate, shard));
            concurrency
        }
        Arrival::Open(schedule) => &mut schedule.max_in_flight,
    };
    let whole = *bound;
    *bound = usize::try_from(shard.share(whole as u64)).unwrap_or(whole);
    if *bound == 0 {
        let message = format!(
            "phase `{name}` has {whole} iterations under way, too few for {} shards",
            shard.count()
        );
        report.push(Diagnostic::error(message).help("raise `concurrency`, or use fewer shards"));
    }
}

/// A shard's share of a rate.
#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 shards")]
pub(super) fn shared(rate: Rate, shard: Shard) -> Rate {
    Rate(rate.0 / shard.count().get() as f64)
}

/// A shard's share of the rates of an arrival: at the start, if it says one, and at the end
/// of each stage.
pub(super) fn shared_rates(arrival: &Arrival, shard: Shard) -> Vec<f64> {
    let (start, stages): (_, &[Stage]) = match arrival {
        Arrival::Closed { rate, .. } => (*rate, &[]),
        Arrival::Open(schedule) => (Some(schedule.start.unwrap_or(Rate(0.0))), &schedule.stages),
    };
    let all = start.into_iter().chain(stages.iter().map(|stage| stage.to));
    all.map(|rate| shared(rate, shard).0).collect()
}
