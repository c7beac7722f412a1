//! What is called, and whose time passes.

use std::time::Duration;

use super::document::{Node, Value};
use super::file::Files;
use super::model::duration;
use super::plan::{ClockKind, Delay, EmbeddedPlan, ServedPlan, TargetPlan};
use super::policy::{self, DEFAULT_POLICY};
use super::service;
use super::settings::settings;
use diagnostic::{Diagnostic, Report};
use learner::LearningPolicy;
use protocol::ServiceConfiguration;

const RANK_LATENCY: Delay =
    Delay::LogNormal { median: Duration::from_millis(8), p99: Duration::from_millis(40) };
const REWARD_LATENCY: Delay =
    Delay::LogNormal { median: Duration::from_millis(4), p99: Duration::from_millis(20) };

/// The target of a scenario; the embedded loop, if it names none.
pub(super) fn target(scenario: &Node, files: &Files, report: &mut Report) -> Option<TargetPlan> {
    let target = scenario.get("target");
    match target.filter(|target| target.get("url").is_some()) {
        Some(node) => {
            refuse_loop(scenario, report);
            service::service(node, files, report).map(Box::new).map(TargetPlan::Http)
        }
        None if is_served(scenario) => {
            start(scenario, report).map(Box::new).map(TargetPlan::Served)
        }
        None => embedded(scenario, target, report).map(Box::new).map(TargetPlan::Embedded),
    }
}

/// Whether the target is the loop inside, served.
pub(super) fn is_served(scenario: &Node) -> bool {
    scenario.get("target").and_then(Node::text) == Some("served")
}

fn refuse_loop(scenario: &Node, report: &mut Report) {
    if let Some(entry) = scenario.entry("loop") {
        let diagnostic =
            Diagnostic::error("`loop` sets up the embedded loop, but the target is a service");
        report.push(
            diagnostic.at(&entry.place).help("use a `configure` phase to change its settings"),
        );
    }
}

fn embedded(scenario: &Node, target: Option<&Node>, report: &mut Report) -> Option<EmbeddedPlan> {
    let latency = target.and_then(|target| target.get("embedded")).and_then(|e| e.get("latency"));
    let of = |key: &str| latency.and_then(|latency| latency.get(key));
    let rank_latency = of("rank").and_then(|node| delay(node, report)).unwrap_or(RANK_LATENCY);
    let reward_latency =
        of("reward").and_then(|node| delay(node, report)).unwrap_or(REWARD_LATENCY);
    let ServedPlan { configuration, policy } = start(scenario, report)?;
    Some(EmbeddedPlan { configuration, policy, rank_latency, reward_latency })
}

/// What the loop inside starts with.
fn start(scenario: &Node, report: &mut Report) -> Option<ServedPlan> {
    let mut configuration = ServiceConfiguration::default();
    let start = scenario.get("loop");
    if let Some(start) = start {
        settings(start, report).apply_to(&mut configuration);
    }
    let policy = match start.and_then(|start| start.get("learning_policy")) {
        Some(node) => policy::parse(node, report),
        None => LearningPolicy::parse(DEFAULT_POLICY).ok(),
    };
    Some(ServedPlan { configuration, policy: policy? })
}

/// A duration, or log-normal by median and 99th percentile.
pub(super) fn delay(node: &Node, report: &mut Report) -> Option<Delay> {
    if let Some(text) = node.text() {
        return duration(text).map(Delay::Constant);
    }
    let of = |key: &str| node.get(key).and_then(Node::text).and_then(duration);
    let (median, p99) = (of("median")?, of("p99")?);
    if median > p99 || median.is_zero() {
        let place = node.entry("p99").map_or(&node.place, |entry| &entry.value.place);
        let diagnostic = Diagnostic::error("`p99` must be at least `median`, and both above zero");
        report.push(diagnostic.at(place));
    }
    Some(Delay::LogNormal { median, p99 })
}

/// A duration above zero.
pub(super) fn positive(map: &Node, key: &str, default: Duration, report: &mut Report) -> Duration {
    let Some(node) = map.get(key) else {
        return default;
    };
    let Some(time) = node.text().and_then(duration) else {
        return default;
    };
    if time.is_zero() {
        report.push(Diagnostic::error(format!("`{key}` must be above zero")).at(&node.place));
    }
    time
}

/// Whose time passes: virtual with the embedded loop, the wall's with a service, if it
/// is not said.
pub(super) fn clock(scenario: &Node, report: &mut Report) -> ClockKind {
    let target = scenario.get("target");
    let service = target.and_then(|target| target.entry("url")).map(|entry| &entry.place);
    let service = service.or(target.filter(|_| is_served(scenario)).map(|target| &target.place));
    let said = scenario.get("clock");
    let virtual_time = said.and_then(Node::text).map(|word| word == "virtual");
    if let (Some(service), Some(true), Some(said)) = (service, virtual_time, said) {
        let diagnostic = Diagnostic::error("a service does not live in virtual time");
        report.push(
            diagnostic
                .at(&said.place)
                .context(service, "a service")
                .help("use `clock: wall`, or `target: embedded`"),
        );
    }
    if virtual_time.unwrap_or(service.is_none()) { ClockKind::Virtual } else { ClockKind::Wall }
}

/// Whether the target is the loop inside.
pub(super) fn is_embedded(scenario: &Node) -> bool {
    scenario.get("target").is_none_or(|target| {
        matches!(target.value, Value::Text(_)) || target.get("embedded").is_some()
    })
}
