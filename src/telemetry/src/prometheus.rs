//! The text format of Prometheus, version 0.0.4.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::family::{Family, Kind, Point, Value};
use super::histogram::{BOUNDS, Histogram};

/// What `Content-Type` says of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text that Prometheus reads.
#[must_use]
pub fn prometheus_text(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let name = full_name(family);
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a text cannot fail.
        _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
        for point in &family.points {
            write_point(&mut text, &name, point);
        }
    }
    text
}

/// `runner_rank_latency_seconds`, `runner_iterations_total`
fn full_name(family: &Family) -> String {
    let unit = family.unit.map_or_else(String::new, |unit| format!("_{unit}"));
    let suffix = if family.kind == Kind::Counter { "_total" } else { "" };
    format!("runner_{}{unit}{suffix}", family.name)
}

fn write_point(text: &mut String, name: &str, point: &Point) {
    let labels = labels(&point.labels, None);
    _ = match &point.value {
        Value::Count(count) => writeln!(text, "{name}{labels} {count}"),
        Value::Number(number) => writeln!(text, "{name}{labels} {number}"),
        Value::Buckets(histogram) => {
            write_histogram(text, name, &point.labels, histogram);
            Ok(())
        }
    };
}

fn write_histogram(
    text: &mut String,
    name: &str,
    own: &[(Cow<'static, str>, String)],
    histogram: &Histogram,
) {
    let mut below = 0;
    let bounds = BOUNDS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(histogram.buckets) {
        below += count;
        _ = writeln!(text, "{name}_bucket{} {below}", labels(own, Some(&bound)));
    }
    let own = labels(own, None);
    _ = writeln!(text, "{name}_sum{own} {}\n{name}_count{own} {below}", histogram.sum);
}

fn labels(own: &[(Cow<'static, str>, String)], bound: Option<&str>) -> String {
    let own = own.iter().map(|(name, value)| (&**name, value.as_str()));
    let all = own.chain(bound.map(|bound| ("le", bound)));
    let all: Vec<String> =
        all.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
