//! What policies must show against each other.

use crate::format::{
    Form, Placed, Reading, Spot, TEXT, count, each_of, either, list_of, number, object, optional,
    or, required, word,
};
use statistics::Confidence;

/// What must be shown of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Require {
    NotWorse,
    Better,
}

keyed! {
    /// What the runs of learning policies must show against those of a base.
    pub(crate) struct GateFile {
        /// What is measured, for example `validation.success_rate[last 25%]`.
        metric: Placed<String> = required(TEXT.at()),
        /// What must be shown.
        require: Require = or(word(&[
            (
                "not_worse",
                Require::NotWorse,
                "The policy is not worse than the base by as much as the margin.",
            ),
            (
                "better",
                Require::Better,
                "The policy is better than the base by more than the margin.",
            ),
        ]), "\"not_worse\""),
        /// How much a difference matters, in the unit of the metric: `0.02`, `2%`, `5ms`.
        margin: Placed<String> = or(margin(), "0"),
        /// The policies that must show it. All but the base, if none is named.
        policies: Option<Vec<Placed<String>>> = optional(names()),
        /// The policy that they are held against. The first of the matrix, if none is named.
        against: Option<Placed<String>> = optional(TEXT.at()),
        /// How sure the interval is that decides.
        confidence: Confidence = or(number(0.5, 0.9999).and_then(|level, _, _| {
            Confidence::new(level)
        }), "0.95"),
        /// With fewer seeds nothing is decided.
        min_seeds: u64 = or(count(2, 1_000_000), "5"),
        /// What it means if neither is shown.
        inconclusive_fails as "inconclusive": bool = or(word(&[
            ("pass", false, "It is reported, and is no failure."),
            ("fail", true, "It ends the program with exit code 4."),
        ]), "\"pass\""),
    }
}

/// The gates of a scenario.
pub(crate) fn gate_list() -> impl Form<Value = Vec<GateFile>> {
    each_of(object(), 0)
}

/// As it is written: its unit is that of the metric.
fn margin() -> impl Form<Value = Placed<String>> {
    let written = |_, spot: Spot<'_>, _: &mut Reading<'_>| {
        Some(spot.node.text().unwrap_or(spot.node.place.text()).to_owned())
    };
    either([number(0.0, f64::MAX).and_then(written).boxed(), TEXT.boxed()]).at()
}

/// One name or several.
fn names() -> impl Form<Value = Vec<Placed<String>>> {
    either([TEXT.at().map(|name| vec![name]).boxed(), list_of(TEXT.at(), 1).boxed()])
}
