//! When iterations start: as others end, or on a schedule of their own.

use std::time::Duration;

use serde::Serialize;

pub use super::model::Stage;
use super::model::{ArrivalKind, IterateFile, PhaseItem};
use super::plan::Rate;
use diagnostic::{Diagnostic, Place, Report};

/// No schedule is looked at further ahead, in seconds: thousands of years.
const LONGEST: f64 = 1e11;

/// No phase makes more iterations.
pub(super) const MOST_ITERATIONS: u64 = 1_000_000_000;

/// When iterations start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Arrival {
    /// As others end: so many are under way at once, and at most so many start each
    /// second. A slow service is asked less.
    Closed {
        /// How many iterations may be under way at once.
        concurrency: usize,
        /// How many iterations may start each second.
        rate: Option<Rate>,
    },
    /// On a schedule of their own, whatever the service does.
    Open(Schedule),
}

/// The schedule of an open arrival.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schedule {
    /// Iterations per second at the start; none where the first stage rises from
    /// nothing.
    pub start: Option<Rate>,
    /// How the rate changes. Afterwards it stays as it is.
    pub stages: Vec<Stage>,
    /// Whether the gaps between iterations are exponential, not even.
    pub poisson: bool,
    /// How many iterations may be under way at once. What cannot be started when it is
    /// due is dropped, and counted.
    pub max_in_flight: usize,
}

impl Schedule {
    /// An even schedule at one rate.
    #[must_use]
    pub fn constant(rate: Rate, max_in_flight: usize) -> Self {
        Self { start: Some(rate), stages: Vec::new(), poisson: false, max_in_flight }
    }

    /// Iterations per second at the start.
    #[must_use]
    pub fn start_rate(&self) -> f64 {
        self.start.map_or(0.0, |rate| rate.0)
    }

    /// How many iterations fall due at all, if the last stage ends at nothing.
    #[must_use]
    pub fn all(&self) -> Option<u64> {
        let ends_at_nothing = self.stages.last().is_some_and(|stage| stage.to.0 == 0.0);
        ends_at_nothing.then(|| whole(self.staged()))
    }

    /// How long it takes until so many iterations have fallen due, in seconds, to a
    /// millionth; infinite, if they never do.
    #[must_use]
    pub fn time_of(&self, iterations: f64) -> f64 {
        let due = |seconds: f64| within(self, Duration::from_secs_f64(seconds));
        let mut high = 1.0;
        while due(high) < iterations {
            high *= 2.0;
            if high > LONGEST {
                return f64::INFINITY;
            }
        }
        let mut low = 0.0;
        while high - low > high * 1e-6 {
            let middle = f64::midpoint(low, high);
            *(if due(middle) < iterations { &mut low } else { &mut high }) = middle;
        }
        high
    }

    /// How many iterations fall due during the stages: the area below the rate.
    #[must_use]
    pub fn staged(&self) -> f64 {
        let mut from = self.start_rate();
        let area = |stage: &Stage| {
            let area = f64::midpoint(from, stage.to.0) * stage.over.as_secs_f64();
            from = stage.to.0;
            area
        };
        self.stages.iter().map(area).sum()
    }
}

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
    let due = match duration {
        Some(duration) => within(schedule, duration.value),
        None => schedule.staged(),
    };
    let count = whole(due);
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

/// How many iterations fall due within `time`.
fn within(schedule: &Schedule, time: Duration) -> f64 {
    let (mut from, mut left, mut due) = (schedule.start_rate(), time.as_secs_f64(), 0.0);
    for stage in &schedule.stages {
        let over = stage.over.as_secs_f64();
        let part = left.min(over);
        let share = if over > 0.0 { part / over } else { 1.0 };
        let reached = from + (stage.to.0 - from) * share;
        due += f64::midpoint(from, reached) * part;
        (from, left) = (reached, left - part);
        if part < over {
            return due;
        }
    }
    due + from * left
}

/// The first iteration is due at the start, so a fraction is one more. What is whole
/// but for rounding stays whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "areas are positive and the conversion saturates"
)]
fn whole(due: f64) -> u64 {
    let nearest = due.round();
    let count = if (due - nearest).abs() < 1e-6 { nearest } else { due.ceil() };
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(to: f64, seconds: u64) -> Stage {
        Stage { to: Rate(to), over: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_falls_due_is_the_area_below_the_rate() {
        let stages = vec![stage(200.0, 30), stage(200.0, 60), stage(400.0, 0), stage(100.0, 10)];
        let schedule = Schedule { start: None, stages, poisson: false, max_in_flight: 1 };
        assert_eq!(schedule.staged(), 3_000.0 + 12_000.0 + 0.0 + 2_500.0);
        for (seconds, due) in
            [(0, 0.0), (15, 750.0), (30, 3_000.0), (90, 15_000.0), (95, 16_625.0), (110, 18_500.0)]
        {
            assert_eq!(within(&schedule, Duration::from_secs(seconds)), due, "{seconds} s");
        }
    }

    #[test]
    fn a_fraction_is_one_more() {
        assert_eq!([0.0, 0.2, 100.000_000_01, 100.5].map(whole), [0, 1, 100, 101]);
    }
}
