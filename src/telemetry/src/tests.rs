use std::time::Duration;

use serde_json::Value as Json;

use super::*;
use metrics::sample::{iteration, phase_ended, phase_started};
use metrics::{Expectation, NO_TAGS, PhaseScope, Tags};
use record::{FailureKind, IterationOutcome, Progress};

const PHASE: PhaseScope<'_> =
    PhaseScope { name: "le\"arn", iterations: Some(100), slots: 0, tags: &NO_TAGS };

/// Half of a hundred iterations succeed, the last fail with a status each.
fn telemetry(failures: u16) -> Telemetry {
    let scope = PhaseScope { name: "learn", iterations: Some(100), slots: 0, tags: &NO_TAGS };
    let expectations = ["learn.success_rate > 0.9", "learn.iterations == 100"];
    let expectations = expectations.map(|text| Expectation::parse(text, &[scope]).unwrap());
    let mut telemetry = Telemetry::new([scope], &expectations);
    telemetry.observe(&phase_started(0));
    for index in 0..100 {
        let mut record = iteration(0, index, index % 2 == 0);
        if index >= 100 - u64::from(failures) {
            let status = 400 + u16::try_from(index).unwrap();
            record.outcome = IterationOutcome::RewardFailed(FailureKind::Status(status));
        }
        telemetry.observe(&Progress::Iteration(record));
    }
    telemetry.observe(&phase_ended(0));
    telemetry
}

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{text}"))
}

#[test]
fn the_text_has_what_happened() {
    let text = prometheus_text(&telemetry(3).families());
    for expected in [
        "runner_iterations_total{phase=\"learn\"} 100",
        "runner_successes_total{phase=\"learn\"} 50",
        "runner_errors_total{phase=\"learn\",operation=\"reward\",kind=\"status_499\"} 1",
        "runner_phase_running{phase=\"learn\"} 0",
        "runner_expectation_held{expectation=\"learn.success_rate > 0.9\"} 0",
        "runner_expectation_held{expectation=\"learn.iterations == 100\"} 1",
        "runner_rank_latency_seconds_count{phase=\"learn\"} 100",
        "runner_rank_latency_seconds_bucket{phase=\"learn\",le=\"+Inf\"} 100",
    ] {
        assert_eq!(line(&text, expected), expected);
    }
}

#[test]
fn kinds_of_failures_are_bounded() {
    let families = telemetry(100).families();
    let errors = families.iter().find(|family| family.name == "errors").unwrap();
    assert_eq!(errors.points.len(), 65);
    let count = |point: &Point| if let Value::Count(count) = point.value { count } else { 0 };
    assert_eq!(errors.points.iter().map(count).sum::<u64>(), 100);
    let other = |point: &&Point| point.labels[2].1 == "other";
    assert_eq!(count(errors.points.iter().find(other).unwrap()), 36);
}

#[test]
fn labels_are_escaped() {
    let telemetry = Telemetry::new([PHASE], &[]);
    let text = prometheus_text(&telemetry.families());
    assert!(text.contains("runner_iterations_total{phase=\"le\\\"arn\"} 0"), "{text}");
}

/// Every number of a phase has its tags, and no other.
#[test]
fn tags_are_labels() {
    let tags = Tags::from([("region".to_owned(), "eu".to_owned())]);
    let tagged = PhaseScope { name: "web", tags: &tags, ..PHASE };
    let mut telemetry = Telemetry::new([tagged, PHASE], &[]);
    let mut record = iteration(0, 0, true);
    record.outcome = IterationOutcome::RankFailed(FailureKind::Timeout);
    telemetry.observe(&Progress::Iteration(record));
    let text = prometheus_text(&telemetry.families());
    for expected in [
        "runner_iterations_total{phase=\"web\",region=\"eu\"} 1",
        "runner_errors_total{phase=\"web\",region=\"eu\",operation=\"rank\",kind=\"timeout\"} 1",
        "runner_rank_latency_seconds_bucket{phase=\"web\",region=\"eu\",le=\"+Inf\"}",
        "runner_iterations_total{phase=\"le\\\"arn\"} 0",
    ] {
        line(&text, expected);
    }
    let of_web = |line: &&str| line.contains("phase=\"web\"");
    assert!(text.lines().filter(of_web).all(|line| line.contains(",region=\"eu\"")), "{text}");
}

#[test]
fn both_formats_have_the_same_numbers() {
    let families = telemetry(3).families();
    let resource =
        Resource { scenario: "shop".to_owned(), seed: u64::MAX, version: "1".to_owned() };
    let moment = Moment { start_ns: 1, now_ns: u64::MAX };
    let json: Json = serde_json::from_str(&otlp_json(&resource, &families, moment)).unwrap();
    let metrics = &json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let of = |name: &str| {
        let all = metrics.as_array().unwrap();
        all.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let sum = &of("runner.iterations")["sum"];
    assert_eq!((&sum["isMonotonic"], &sum["aggregationTemporality"]), (&true.into(), &2.into()));
    assert_eq!(sum["dataPoints"][0]["asInt"], "100");
    assert_eq!(sum["dataPoints"][0]["timeUnixNano"], u64::MAX.to_string());
    assert_eq!(sum["dataPoints"][0]["attributes"][0]["value"]["stringValue"], "learn");
    let latency = &of("runner.rank_latency")["histogram"]["dataPoints"][0];
    let buckets = latency["bucketCounts"].as_array().unwrap();
    let counts = buckets.iter().map(|count| count.as_str().unwrap().parse::<u64>().unwrap());
    assert_eq!(latency["count"], "100");
    assert_eq!(counts.sum::<u64>(), 100);
    assert_eq!(buckets.len(), latency["explicitBounds"].as_array().unwrap().len() + 1);
}

#[test]
fn the_bound_of_a_bucket_belongs_to_it() {
    let mut histogram = Histogram::default();
    for micros in [100, 101, 20_000_000] {
        histogram.add(Duration::from_micros(micros));
    }
    assert_eq!((histogram.buckets[0], histogram.buckets[1], histogram.buckets[16]), (1, 1, 1));
    assert!((histogram.sum - 20.000_201).abs() < 1e-9);
}
