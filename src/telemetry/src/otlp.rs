//! OTLP metrics as JSON: `ExportMetricsServiceRequest` of opentelemetry-proto 1, in the JSON
//! mapping of protobuf (64-bit integers are texts).

use serde_json::{Value as Json, json};

use super::family::{Family, Kind, Point, Value};
use super::histogram::BOUNDS;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: u8 = 2;

/// Whose numbers they are.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed of the run.
    pub seed: u64,
    /// The version of the program.
    pub version: String,
}

/// When the run started, and now, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The start.
    pub start_ns: u64,
    /// Now.
    pub now_ns: u64,
}

/// The body of a `POST /v1/metrics`.
#[must_use]
pub fn otlp_json(resource: &Resource, families: &[Family], moment: Moment) -> String {
    let written = families.iter().filter(|family| !family.points.is_empty());
    let metrics: Vec<Json> = written.map(|family| metric(family, moment)).collect();
    let attributes = [
        ("service.name", "runner".to_owned()),
        ("service.version", resource.version.clone()),
        ("runner.scenario", resource.scenario.clone()),
        ("runner.seed", resource.seed.to_string()),
    ];
    json!({
        "resourceMetrics": [{
            "resource": { "attributes": attributes.map(|(key, value)| attribute(key, &value)) },
            "scopeMetrics": [{ "scope": { "name": "runner" }, "metrics": metrics }],
        }],
    })
    .to_string()
}

fn metric(family: &Family, moment: Moment) -> Json {
    let points: Vec<Json> = family.points.iter().map(|point| data_point(point, moment)).collect();
    let (kind, mut data) = match family.kind {
        Kind::Counter => ("sum", json!({ "isMonotonic": true })),
        Kind::Gauge => ("gauge", json!({})),
        Kind::Histogram => ("histogram", json!({})),
    };
    if family.kind != Kind::Gauge {
        data["aggregationTemporality"] = CUMULATIVE.into();
    }
    data["dataPoints"] = points.into();
    let unit = match family.unit {
        Some("seconds") => "s",
        Some(unit) => unit,
        None => "1",
    };
    let name = format!("runner.{}", family.name);
    json!({ "name": name, "description": family.help, "unit": unit, kind: data })
}

fn data_point(point: &Point, moment: Moment) -> Json {
    let attributes: Vec<Json> =
        point.labels.iter().map(|(name, value)| attribute(name, value)).collect();
    let mut data = json!({
        "attributes": attributes,
        "startTimeUnixNano": moment.start_ns.to_string(),
        "timeUnixNano": moment.now_ns.to_string(),
    });
    match &point.value {
        Value::Count(count) => data["asInt"] = count.to_string().into(),
        Value::Number(number) => data["asDouble"] = json!(number),
        Value::Buckets(histogram) => {
            data["count"] = histogram.count().to_string().into();
            data["sum"] = json!(histogram.sum);
            let buckets: Vec<String> = histogram.buckets.iter().map(u64::to_string).collect();
            data["bucketCounts"] = buckets.into();
            data["explicitBounds"] = json!(BOUNDS);
        }
    }
    data
}

fn attribute(key: &str, value: &str) -> Json {
    json!({ "key": key, "value": { "stringValue": value } })
}
