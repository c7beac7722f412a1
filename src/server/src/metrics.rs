//! Metrics in the OpenMetrics format.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Service;
use super::response::ErrorResponse;
use learning_loop::{EventBytes, LoopState};
use timestamp::Timestamp;

/// Request counts and latencies, and the state of the loop.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Call, Counter>,
    duration: Family<OperationLabel, Histogram>,
    waiting: Gauge,
    logged: Gauge,
    event_bytes: Gauge,
    exported: Gauge,
    ranked: Gauge,
    rewarded: Gauge,
    connections: Gauge,
    queue_lock: Histogram,
    journal_write: Option<Histogram>,
    backlog: Gauge,
    snapshot: Gauge,
    state_bytes: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: String,
}

/// The bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1.0, 10.0];

/// The bounds of the histogram of the time under the lock, in seconds.
const LOCK_BOUNDS: [f64; 6] = [0.000_001, 0.000_01, 0.000_1, 0.001, 0.01, 0.1];

impl Metrics {
    /// All at zero; `journal_write` is of a service with a state.
    pub fn new(journal_write: Option<Histogram>) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("runner"),
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            waiting: Gauge::default(),
            logged: Gauge::default(),
            event_bytes: Gauge::default(),
            exported: Gauge::default(),
            ranked: Gauge::default(),
            rewarded: Gauge::default(),
            connections: Gauge::default(),
            queue_lock: Histogram::new(LOCK_BOUNDS),
            journal_write,
            backlog: Gauge::default(),
            snapshot: Gauge::default(),
            state_bytes: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let requests = self.requests.clone();
        registry.register("requests", "Requests by operation and status", requests);
        let duration = self.duration.clone();
        registry.register("request_duration_seconds", "Latency of requests by operation", duration);
        let lock = self.queue_lock.clone();
        let help = "Time under the lock that all requests share";
        registry.register("queue_lock_seconds", help, lock);
        if let Some(journal) = self.journal_write.clone() {
            let help = "Time to write and sync entries, which requests with a state wait for";
            registry.register("journal_write_seconds", help, journal);
        }
        let gauges = [
            ("entries_untrained", "Log entries that wait for joining and training", &self.backlog),
            ("snapshot_timestamp_seconds", "Time of the last snapshot", &self.snapshot),
            ("state_bytes", "Bytes of the state on disk at the last snapshot", &self.state_bytes),
            ("connections_open", "Open connections", &self.connections),
            ("events_waiting", "Events whose reward windows are open", &self.waiting),
            ("events_logged", "Joined events in the log", &self.logged),
            ("event_bytes", "Bytes of memory of the events in the log or open", &self.event_bytes),
            ("events_ranked", "Events ever logged", &self.ranked),
            ("rewards", "Rewards received inside their windows", &self.rewarded),
            (
                "model_exported_timestamp_seconds",
                "Time of the last export of the model",
                &self.exported,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
    }

    /// Counts a request.
    pub fn count(&self, operation: String, status: u16, took: Duration) {
        let call = Call { operation, status };
        self.requests.get_or_create(&call).inc();
        let label = OperationLabel { operation: call.operation };
        self.duration.get_or_create(&label).observe(took.as_secs_f64());
    }

    /// Records a time under the lock of the queue.
    pub fn observe_lock(&self, held: Duration) {
        self.queue_lock.observe(held.as_secs_f64());
    }

    /// Records that a snapshot was written, and the bytes of the state.
    pub fn set_snapshot(&self, at: Timestamp, bytes: u64) {
        self.snapshot.set(at.unix_micros() / 1_000_000);
        self.state_bytes.set(bytes.cast_signed());
    }

    fn text(
        &self,
        state: &LoopState,
        (connections, waiting): (usize, usize),
        bytes: EventBytes,
    ) -> String {
        let set = |gauge: &Gauge, value: u64| gauge.set(value.cast_signed());
        set(&self.connections, connections as u64);
        set(&self.backlog, waiting as u64);
        set(&self.waiting, state.waiting);
        set(&self.logged, state.logged);
        set(&self.event_bytes, bytes.logged + bytes.open);
        set(&self.ranked, state.ranked);
        set(&self.rewarded, state.rewarded);
        let exported = state.model.last_modified_time;
        if exported != Timestamp::NEVER {
            self.exported.set(exported.unix_micros() / 1_000_000);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a text takes everything");
        text
    }
}

/// `GET /metrics`
pub(crate) async fn metrics(State(service): State<Service>) -> Result<Response, ErrorResponse> {
    let state = service.state().await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let numbers = (service.connections().len(), service.waiting());
    let text = service.metrics().text(&state, numbers, service.event_bytes());
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every metric that the dashboard queries is exported.
    #[test]
    fn the_dashboard_queries_what_is_exported() {
        let metrics = Metrics::new(Some(Histogram::new(LOCK_BOUNDS)));
        metrics.count("POST /rank".to_owned(), 201, Duration::from_millis(1));
        metrics.observe_lock(Duration::from_micros(1));
        let model = protocol::ModelProperties {
            creation_time: Timestamp::NEVER,
            last_modified_time: Timestamp::NEVER,
        };
        let state = LoopState { ranked: 0, rewarded: 0, waiting: 0, logged: 0, model };
        let exported = metrics.text(&state, (0, 0), EventBytes::default());
        let dashboard: serde_json::Value =
            serde_json::from_str(include_str!("../grafana.json")).unwrap();
        let mut queried = 0;
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                let query = target["expr"].as_str().unwrap();
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                for name in query.split(|c| !is_name(c)).filter(|name| name.starts_with("runner_"))
                {
                    let line = exported.lines().find(|line| {
                        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']))
                    });
                    assert!(line.is_some(), "`{name}` is not exported:\n{exported}");
                    queried += 1;
                }
            }
        }
        assert!(queried > 8);
    }
}
