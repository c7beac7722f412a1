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
use learning_loop::LoopState;
use timestamp::Timestamp;

/// Request counts and latencies, and the state of the loop.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Call, Counter>,
    duration: Histogram,
    waiting: Gauge,
    logged: Gauge,
    exported: Gauge,
    ranked: Gauge,
    rewarded: Gauge,
    connections: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: String,
    status: u16,
}

/// The bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1.0, 10.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("runner"),
            requests: Family::default(),
            duration: Histogram::new(BOUNDS),
            waiting: Gauge::default(),
            logged: Gauge::default(),
            exported: Gauge::default(),
            ranked: Gauge::default(),
            rewarded: Gauge::default(),
            connections: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let requests = self.requests.clone();
        registry.register("requests", "Requests by operation and status", requests);
        let duration = self.duration.clone();
        registry.register("request_duration_seconds", "Latency of requests", duration);
        let gauges = [
            ("connections_open", "Open connections", &self.connections),
            ("events_waiting", "Events whose reward windows are open", &self.waiting),
            ("events_logged", "Joined events in the log", &self.logged),
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
    pub fn count(&self, operation: &str, status: u16, took: Duration) {
        let call = Call { operation: operation.to_owned(), status };
        self.requests.get_or_create(&call).inc();
        self.duration.observe(took.as_secs_f64());
    }

    fn text(&self, state: &LoopState, connections: usize) -> String {
        let set = |gauge: &Gauge, value: u64| gauge.set(value.cast_signed());
        set(&self.connections, connections as u64);
        set(&self.waiting, state.waiting);
        set(&self.logged, state.logged);
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
    let state = service.call(|inner, now| Ok(inner.state(now))).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], service.metrics().text(&state, service.connections().len()))
        .into_response())
}
