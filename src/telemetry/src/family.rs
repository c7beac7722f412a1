use std::borrow::Cow;

use super::histogram::Histogram;

/// A metric with its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name, without unit and suffix.
    pub name: &'static str,
    /// What it is, in a few words.
    pub help: &'static str,
    /// The unit of its values, if they have one.
    pub unit: Option<&'static str>,
    /// What may become of its values.
    pub kind: Kind,
    /// The points, in the order of their labels.
    pub points: Vec<Point>,
}

/// What may become of the values of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They grow.
    Counter,
    /// They grow and shrink.
    Gauge,
    /// Counts in buckets, which grow.
    Histogram,
}

/// Names and values.
pub(crate) type Labels = Vec<(Cow<'static, str>, String)>;

/// A value with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Names and values.
    pub labels: Labels,
    /// The value.
    pub value: Value,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A count.
    Count(u64),
    /// Any number.
    Number(f64),
    /// Counts in buckets.
    Buckets(Histogram),
}
