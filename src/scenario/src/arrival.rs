//! When iterations start: as others end, or on a schedule of their own.

use std::time::Duration;

use serde::Serialize;

use super::document::Node;
use super::model::{as_count, duration, rate};
use super::plan::Rate;
use diagnostic::{Diagnostic, Place, Report};

/// So many iterations of an open arrival may be under way, if it is not said.
const MAX_IN_FLIGHT: u64 = 10_000;

/// No phase makes more iterations.
const MOST_ITERATIONS: u64 = 1_000_000_000;

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

/// A linear change of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stage {
    /// The rate at its end.
    pub to: Rate,
    /// How long the change takes. Nothing is a jump.
    pub over: Duration,
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
    name: &str,
    place: &Place,
    body: &Node,
    report: &mut Report,
) -> Option<(Arrival, u64)> {
    if body.get("arrival").and_then(Node::text) == Some("open") {
        open(name, place, body, report)
    } else {
        closed(body, report)
    }
}

fn closed(body: &Node, report: &mut Report) -> Option<(Arrival, u64)> {
    for key in ["stages", "duration", "poisson", "max_in_flight"] {
        refuse(body, key, "open arrival", "add `arrival: open`", report);
    }
    let concurrency = body.get("concurrency").and_then(as_count).unwrap_or(1);
    let arrival = Arrival::Closed {
        concurrency: usize::try_from(concurrency).ok()?,
        rate: body.get("rate").and_then(Node::text).and_then(rate),
    };
    Some((arrival, body.get("iterations").and_then(as_count)?))
}

fn refuse(body: &Node, key: &str, kind: &str, help: &str, report: &mut Report) {
    if let Some(entry) = body.entry(key) {
        let diagnostic = Diagnostic::error(format!("`{key}` belongs to {kind}"));
        report.push(diagnostic.at(&entry.place).help(help));
    }
}

fn open(name: &str, place: &Place, body: &Node, report: &mut Report) -> Option<(Arrival, u64)> {
    let help = "an open arrival keeps its schedule; `max_in_flight` bounds what is under way";
    refuse(body, "concurrency", "closed arrival", help, report);
    let in_flight = body.get("max_in_flight").and_then(as_count).unwrap_or(MAX_IN_FLIGHT);
    let schedule = Schedule {
        start: body.get("rate").and_then(Node::text).and_then(rate),
        stages: stages(body),
        poisson: body.get("poisson").and_then(Node::boolean).unwrap_or(false),
        max_in_flight: usize::try_from(in_flight).ok()?,
    };
    if body.get("rate").is_none() && body.get("stages").is_none() {
        let message = format!("phase `{name}` needs a rate: its arrival is open");
        let help = "add `rate: 200/s`, or `stages: [{ to: 200/s, over: 30s }]`";
        report.push(Diagnostic::error(message).at(place).help(help));
        return None;
    }
    let iterations = iterations(name, place, body, &schedule, report)?;
    Some((Arrival::Open(schedule), iterations))
}

fn stages(body: &Node) -> Vec<Stage> {
    let stage = |node: &Node| {
        let text = |key: &str| node.get(key).and_then(Node::text);
        Some(Stage { to: text("to").and_then(rate)?, over: text("over").and_then(duration)? })
    };
    body.get("stages").map_or(&[][..], Node::items).iter().filter_map(stage).collect()
}

/// How many iterations the phase makes: as it says, as many as fall due in its
/// duration, or as many as fall due during its stages.
fn iterations(
    name: &str,
    place: &Place,
    body: &Node,
    schedule: &Schedule,
    report: &mut Report,
) -> Option<u64> {
    if let (Some(duration), Some(iterations)) = (body.entry("duration"), body.entry("iterations")) {
        let diagnostic = Diagnostic::error("`iterations` and `duration` say the same twice");
        report.push(diagnostic.at(&duration.place).context(&iterations.place, "first"));
    }
    if let Some(node) = body.get("iterations") {
        return as_count(node);
    }
    // What is wrong with these is said already.
    let is_odd = schedule.stages.len() < body.get("stages").map_or(0, |list| list.items().len());
    if is_odd || (body.get("duration").is_none() && schedule.stages.is_empty()) {
        return None;
    }
    let due = match body.get("duration").map(|node| node.text().and_then(duration)) {
        Some(time) => within(schedule, time?),
        None => schedule.staged(),
    };
    let count = whole(due);
    if count == 0 || count > MOST_ITERATIONS {
        let message = format!("phase `{name}` would make {count} iterations");
        let help = "1 to 1_000_000_000 can be made; look at `rate`, `stages` and `duration`";
        report.push(Diagnostic::error(message).at(place).help(help));
        return None;
    }
    Some(count)
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
