//! A load, cut into shards.

use super::{Arrival, Iterate, Phase, Plan, Rate, Stage, Step, TargetPlan};
use diagnostic::{Diagnostic, Report};
use shard::Shard;

impl Plan {
    /// The plan, of which only the iterations of a shard are made: every so many, with the
    /// ids, draws and due times that they have in the whole.
    ///
    /// # Errors
    /// Why the plan cannot be cut, or not so finely.
    pub fn part(&self, shard: Shard) -> Result<Self, Report> {
        let mut report = Report::new();
        if matches!(self.target, TargetPlan::Embedded(_)) {
            report.push(one_world());
            return Err(report);
        }
        if self.target.mapping().is_some_and(|mapping| mapping.prepares()) {
            report.push(prepares());
        }
        for phase in &self.phases {
            match &phase.step {
                Step::Iterate(iterate) if iterate.most_under_way() < shard.count().get() => {
                    report.push(too_fine(&phase.name, iterate, shard));
                }
                Step::Iterate(_) | Step::Wait(_) => {}
                _ => report.push(operates(phase)),
            }
        }
        if report.has_errors() {
            Err(report)
        } else {
            Ok(Self { shard: Some(shard), ..self.clone() })
        }
    }
}

impl Iterate {
    /// A shard's share of what bounds the iterations: how many are under way, at which rate,
    /// of how many failures. An open arrival keeps the schedule of the whole.
    #[must_use]
    pub fn part(&self, shard: Shard) -> Self {
        let mut part = self.clone();
        part.error_budget = self.error_budget.map(|budget| shard.share(budget));
        // The first asks for the age of the model as often as the whole would, the others never.
        part.model_check_interval = match self.model_check_interval {
            0 => 0,
            _ if shard.number() > 1 => 0,
            interval => (interval / shard.count()).max(1),
        };
        let divide = |bound: &mut usize| {
            *bound = usize::try_from(shard.share(*bound as u64)).unwrap_or(*bound);
        };
        match &mut part.arrival {
            Arrival::Closed { concurrency, rate } => {
                *rate = rate.map(|rate| shared(rate, shard));
                divide(concurrency);
            }
            Arrival::Open(schedule) => divide(&mut schedule.max_in_flight),
        }
        part
    }

    fn most_under_way(&self) -> u64 {
        match &self.arrival {
            Arrival::Closed { concurrency, .. } => *concurrency as u64,
            Arrival::Open(schedule) => schedule.max_in_flight as u64,
        }
    }
}

fn one_world() -> Diagnostic {
    let message = "the scenario is a single simulation, which cannot be cut into shards";
    let help = "a scenario with a `matrix` is cut into its cells, and one whose target is a \
        service into its iterations; run this one without `--shard`";
    Diagnostic::error(message).help(help)
}

fn prepares() -> Diagnostic {
    let message = "`setup` and `teardown` change the service, which a shard must not do";
    let help = "prepare the service before the shards start, and leave both out";
    Diagnostic::error(message).help(help)
}

/// Shards have no moment in common at which the service could be changed for all of them.
fn operates(phase: &Phase) -> Diagnostic {
    let message = format!("phase `{}` changes the service, which a shard must not do", phase.name);
    let help = "leave `iterate` and `wait` in the scenario of the load; do the rest before and \
        after it, by a scenario that is run without `--shard`";
    Diagnostic::error(message).help(help)
}

fn too_fine(name: &str, iterate: &Iterate, shard: Shard) -> Diagnostic {
    let (bound, count) = (iterate.most_under_way(), shard.count());
    let message =
        format!("phase `{name}` has {bound} iterations under way, too few for {count} shards");
    Diagnostic::error(message).help("raise `concurrency`, or use fewer shards")
}

/// A shard's share of a rate.
#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 shards")]
pub fn shared(rate: Rate, shard: Shard) -> Rate {
    Rate(rate.0 / shard.count().get() as f64)
}

/// A shard's share of the rates of an arrival: at the start, if it says one, and at the end
/// of each stage.
pub fn shared_rates(arrival: &Arrival, shard: Shard) -> Vec<f64> {
    let (start, stages): (_, &[Stage]) = match arrival {
        Arrival::Closed { rate, .. } => (*rate, &[]),
        Arrival::Open(schedule) => (Some(schedule.start.unwrap_or(Rate(0.0))), &schedule.stages),
    };
    let all = start.into_iter().chain(stages.iter().map(|stage| stage.to));
    all.map(|rate| shared(rate, shard).0).collect()
}
