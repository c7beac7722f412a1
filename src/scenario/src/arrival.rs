//! When the iterations of a phase start, and how many it makes.

use super::model::{ArrivalKind, IterateFile, PhaseItem};
use diagnostic::{Diagnostic, Place, Report};
use plan::{Arrival, Rate, Schedule};

/// No phase makes more iterations.
pub(super) const MOST_ITERATIONS: u64 = 1_000_000_000;

/// The arrival of a phase, and how many iterations it makes.
pub(super) fn arrival(
    item: &PhaseItem,
    iterate: &IterateFile,
    report: &mut Report,
) -> Option<(Arrival, u64)> {
    match iterate.arrival {
        ArrivalKind::Open => open(item, iterate, report),
        ArrivalKind::Closed => closed(iterate, report),
    }
}

fn closed(iterate: &IterateFile, report: &mut Report) -> Option<(Arrival, u64)> {
    let IterateFile { stages, duration, poisson, max_in_flight, .. } = iterate;
    let of_open = [
        ("stages", stages.as_ref().map(|stages| &stages.key)),
        ("duration", duration.as_ref().map(|duration| &duration.key)),
        ("poisson", poisson.written_key()),
        ("max_in_flight", max_in_flight.written_key()),
    ];
    for (key, place) in of_open {
        refuse(key, place, "open arrival", "add `arrival: open`", report);
    }
    refuse_standstill(iterate, report);
    let arrival = Arrival::Closed { concurrency: iterate.concurrency.value, rate: iterate.rate() };
    Some((arrival, iterate.iterations.as_ref()?.value))
}

impl IterateFile {
    /// The rate, if it is above zero.
    fn rate(&self) -> Option<Rate> {
        self.rate.as_ref().map(|rate| rate.value).filter(|rate| rate.0 > 0.0)
    }
}

/// Only the stages of an open arrival can leave a rate of nothing.
fn refuse_standstill(iterate: &IterateFile, report: &mut Report) {
    if let Some(rate) = iterate.rate.as_ref().filter(|rate| rate.value.0 == 0.0) {
        let mistake = Diagnostic::error("at `0/s` no iteration ever starts");
        let help = "a ramp from nothing is `arrival: open`, `rate: 0/s` and \
                    `stages: [{ to: 200/s, over: 30s }]`";
        report.push(mistake.at(&rate.place).help(help));
    }
}

fn refuse(key: &str, place: Option<&Place>, kind: &str, help: &str, report: &mut Report) {
    if let Some(place) = place {
        let diagnostic = Diagnostic::error(format!("`{key}` belongs to {kind}"));
        report.push(diagnostic.at(place).help(help));
    }
}

fn open(item: &PhaseItem, iterate: &IterateFile, report: &mut Report) -> Option<(Arrival, u64)> {
    let help = "an open arrival keeps its schedule; `max_in_flight` bounds what is under way";
    refuse("concurrency", iterate.concurrency.written_key(), "closed arrival", help, report);
    if iterate.rate.is_none() && iterate.stages.is_none() {
        let message = format!("phase `{}` needs a rate: its arrival is open", item.name);
        let help = "add `rate: 200/s`, or `stages: [{ to: 200/s, over: 30s }]`";
        report.push(Diagnostic::error(message).at(&item.place).help(help));
        return None;
    }
    if iterate.stages.is_none() {
        refuse_standstill(iterate, report);
        iterate.rate()?;
    }
    let schedule = Schedule {
        start: iterate.rate(),
        stages: iterate.stages.as_ref().map(|stages| stages.value.clone()).unwrap_or_default(),
        poisson: iterate.poisson.value,
        max_in_flight: iterate.max_in_flight.value,
    };
    let iterations = iterations(item, iterate, &schedule, report)?;
    refuse_never_due(item, iterate, &schedule, iterations, report);
    Some((Arrival::Open(schedule), iterations))
}

/// How many iterations the phase makes: as it says, as many as fall due in its
/// duration, or as many as fall due during its stages.
fn iterations(
    item: &PhaseItem,
    iterate: &IterateFile,
    schedule: &Schedule,
    report: &mut Report,
) -> Option<u64> {
    let IterateFile { iterations, duration, .. } = iterate;
    if let (Some(duration), Some(iterations)) = (duration, iterations) {
        let diagnostic = Diagnostic::error("`iterations` and `duration` say the same twice");
        report.push(diagnostic.at(&duration.key).context(&iterations.key, "first"));
    }
    if let Some(iterations) = iterations {
        return Some(iterations.value);
    }
    let count = match duration {
        Some(duration) => schedule.count_within(duration.value),
        None => schedule.count_staged(),
    };
    if count == 0 || count > MOST_ITERATIONS {
        let message = format!("phase `{}` would make {count} iterations", item.name);
        let help = "1 to 1_000_000_000 can be made; look at `rate`, `stages` and `duration`";
        report.push(Diagnostic::error(message).at(&item.place).help(help));
        return None;
    }
    Some(count)
}

/// After a last stage that ends at nothing no iteration falls due any more.
fn refuse_never_due(
    item: &PhaseItem,
    iterate: &IterateFile,
    schedule: &Schedule,
    iterations: u64,
    report: &mut Report,
) {
    let Some(due) = schedule.all() else { return };
    if iterations > due {
        let place = iterate.iterations.as_ref().map_or(&item.place, |written| &written.place);
        let message = format!("`{}` ends at `0/s` after {due} iterations", item.name);
        let help = "leave `iterations` out, or add a stage that rises again";
        report.push(Diagnostic::error(message).at(place).help(help));
    }
}
