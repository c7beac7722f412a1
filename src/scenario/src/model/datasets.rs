//! Who turns up, what is offered, and how a choice becomes a reward.

use std::ops::RangeInclusive;

use serde_json::{Value as Json, json};

use super::notation::{DAYS, DEVIATION, FEATURE_NAME, FORMULA, SIZES, share};
use crate::document::Node;
use crate::format::{
    Either, Form, Named, Number, Owner, Placed, Read, Reading, Share, Spot, TEXT, count, days,
    each_of, either, entries_of, flatten, list_of, number, object, optional, or, part, required,
    size, table_of, word,
};
use diagnostic::Diagnostic;

/// Where visitors and actions come from.
#[derive(Debug, Clone)]
pub(crate) enum Datasets {
    Generated(GeneratedWorld),
    Classified(ClassifiedWorld),
    Logged(LoggedWorld),
    Files(DatasetFiles),
}

pub(super) fn datasets() -> Either<Datasets> {
    either([
        object().map(Datasets::Generated).boxed(),
        object().map(Datasets::Classified).boxed(),
        object().map(Datasets::Logged).boxed(),
        object().map(Datasets::Files).boxed(),
    ])
}

keyed! {
    /// The template.
    pub(crate) struct Request {
        /// The template of a Rank request in JSON: `contextFeatures` that all requests share,
        /// `excludedActions`, `deferActivation`.
        request: Option<Placed<String>> = optional(TEXT.at()),
    }
}

/// So many actions there may be.
const MOST_ACTIONS: u64 = 100_000;

keyed! {
    /// Which of the actions an event offers.
    pub(crate) struct OfferFile {
        /// How many of the actions an event offers, drawn anew for each: `200`, or `50..200` for a
        /// number that is drawn too. All that are available, if it is not said.
        candidates: Option<Placed<RangeInclusive<usize>>> = optional(either([
            size(1, MOST_ACTIONS).map(|size| size..=size).boxed(),
            SIZES.and_then(in_order).boxed(),
        ]).at()),
        /// Actions arrive and leave in the course of the run.
        turnover: Option<Placed<Turnover>> = optional(object().at()),
        /// The days that the iterations of the run stand for, all phases together: what `available`
        /// and `changes` of actions refer to.
        calendar: Option<Placed<RangeInclusive<i64>>> = optional(DAYS.and_then(real_days).at()),
    }
}

/// The least and the most, in this order.
fn in_order(
    (least, most): (usize, usize),
    spot: Spot<'_>,
    reading: &mut Reading<'_>,
) -> Option<RangeInclusive<usize>> {
    let limit = usize::try_from(MOST_ACTIONS).unwrap_or(usize::MAX);
    if least == 0 || least > most || most > limit {
        let message =
            format!("`{least}..{most}` are no sizes: from 1 to {MOST_ACTIONS}, the least first");
        reading.report.push(Diagnostic::error(message).at(&spot.node.place));
        return None;
    }
    Some(least..=most)
}

/// Days that there are, the first of them first.
#[expect(clippy::needless_pass_by_value, reason = "a form gives its value away")]
fn real_days(
    text: String,
    spot: Spot<'_>,
    reading: &mut Reading<'_>,
) -> Option<RangeInclusive<i64>> {
    let found = days(&text);
    if found.is_none() {
        let message = format!("`{text}` are no days of the calendar, the first of them first");
        reading.report.push(Diagnostic::error(message).at(&spot.node.place));
    }
    found
}

keyed! {
    /// Actions that arrive and leave. They arrive at any time, before the run too.
    pub(crate) struct Turnover {
        /// How long an action stays, on average: iterations of the run, or a share of them. Each
        /// stays for a half to three halves of that.
        lifetime: Share = required(share()),
        /// The seed of the draws, whatever that of the run.
        seed: u64 = or(count(0, u64::MAX), "1"),
    }
}

keyed! {
    /// A world that is generated.
    pub(crate) struct GeneratedWorld marked "generate" {
        /// What it is made of.
        generate: Generate = required(object()),
        /// What is offered of it.
        offer: OfferFile = flatten(),
        /// The template.
        template: Request = flatten(),
    }
}

keyed! {
    /// Visitors, actions and preferences, made of draws. Pairs of a context value and a value of
    /// an action feature have affinities; a visitor prefers the action with most of it.
    pub(crate) struct Generate {
        /// The seed of the world, whatever that of the run.
        seed: Read<u64> = part(or(count(0, u64::MAX), "1")),
        /// How many values each context dimension has. Every combination is a visitor.
        contexts: Read<Placed<Vec<Named<u64>>>> = part(required(table_of(count(1, 10_000)).at())),
        /// How many actions are offered.
        actions: Read<Placed<u64>> = part(required(count(2, MOST_ACTIONS).at())),
        /// How many values each feature of actions has.
        features: Read<Vec<Named<u64>>> = part(required(table_of(count(1, 10_000)))),
        /// The share of its features that an action has.
        density: Read<f64> = part(or(number(0.0, 1.0), "1")),
        /// After how many iterations of the run, or which share of them, the features of an action
        /// are drawn anew. Never, if it is not said.
        renewal: Read<Option<Placed<Share>>> = part(optional(share().at())),
    }
}

keyed! {
    /// A classification data set: every row is a visitor, its class the action that they prefer.
    pub(crate) struct ClassifiedWorld marked "classification" {
        /// The table, and what its columns are.
        classification: Classification = required(object()),
        /// The template.
        template: Request = flatten(),
    }
}

keyed! {
    /// A table, and what its columns are.
    pub(crate) struct Classification {
        /// A table with a column for each context dimension, and one with the class: CSV, ARFF
        /// (`.arff`), or the format of LIBSVM (`.libsvm`, `.svm`), whose class is the column `label`;
        /// it may be compressed (`.gz`, `.zst`).
        file: Placed<String> = required(TEXT.at()),
        /// The column with the class.
        label: Placed<String> = required(TEXT.at()),
        /// Columns that are passed over.
        exclude: Option<Vec<Placed<String>>> = optional(list_of(TEXT.at(), 1)),
    }
}

keyed! {
    /// A log of choices as a world. Its events are those of `runner evaluate`.
    pub(crate) struct LoggedWorld marked "log" {
        /// The log: DSJSON lines, or a table in CSV, JSON lines or Parquet, of which `columns` says
        /// what its columns are; a text may be compressed by gzip or Zstandard. Several are read one
        /// after the other.
        log: Vec<Placed<String>> = required(either([
            TEXT.at().map(|name| vec![name]).boxed(),
            list_of(TEXT.at(), 1).boxed(),
        ])),
        /// What the columns of a table are: `action=item,reward=click,probability=pscore,…`, a YAML
        /// file with these keys, or `obd` for the Open Bandit Dataset.
        columns: Option<Placed<String>> = optional(TEXT.at()),
        /// How it is played.
        play: LogPlay = or(word(&[
            (
                "twin",
                LogPlay::Twin,
                "In a world that is fitted on one half of the events and proved on the other.",
            ),
            (
                "replay",
                LogPlay::Replay,
                "Event by event: a choice counts, and is learned, where it is the logged one.",
            ),
        ]), "\"twin\""),
    }
}

/// How a log is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogPlay {
    Twin,
    Replay,
}

keyed! {
    /// The files that the run is made of, relative to the scenario file.
    pub(crate) struct DatasetFiles {
        /// Who turns up and what they want: JSON (nested by context dimension, or a list of
        /// records `{context, preferred, weight}`) or CSV (a column for each dimension,
        /// `preferred`, and perhaps `weight`). Instead of `preferred`, `rewards` says what each
        /// action is worth; in CSV, columns such as `rewards.tea`.
        users: Placed<String> = required(TEXT.at()),
        /// What is offered: a JSON list of `{id, features}`. An action may be `available` on some
        /// days of the calendar only, and have `changes` of its features.
        actions: Placed<String> = required(TEXT.at()),
        /// What is offered of it.
        offer: OfferFile = flatten(),
        /// The template.
        template: Request = flatten(),
    }
}

/// What the values of a context dimension are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DimensionKind {
    Text,
    Number,
    Boolean,
}

keyed! {
    /// A context dimension that is not a text.
    pub(crate) struct ContextDimension {
        /// The name of the dimension.
        name: Placed<String> = required(FEATURE_NAME.at()),
        /// What the values in a nested or flat data set are.
        kind as "type": DimensionKind = or(word(&[
            ("text", DimensionKind::Text, "Each value is a feature of its own."),
            ("number", DimensionKind::Number, "One feature with this value."),
            ("boolean", DimensionKind::Boolean, "A feature that is there or not."),
        ]), "\"text\""),
    }
}

/// The context dimensions: those of a text by their names alone.
pub(super) fn context() -> impl Form<Value = Vec<ContextDimension>> {
    let of_name = |name| ContextDimension { name, kind: DimensionKind::Text };
    let dimension = either([FEATURE_NAME.at().map(of_name).boxed(), object().boxed()]);
    let dimensions = each_of(dimension, 1).instead_of_empty(
        "name what is known of a visitor, as the data set has it: `context: [device, hour]`",
    );
    either([AllColumns.boxed(), dimensions.and_then(distinct).boxed()])
}

/// `all`: every column of a `classification` but the class. Other words are no list.
struct AllColumns;

impl Form for AllColumns {
    type Value = Vec<ContextDimension>;

    fn fits(&self, node: &Node) -> bool {
        node.text() == Some("all")
    }

    fn read(&self, _: &Node, _: Owner<'_>, _: &mut Reading<'_>) -> Option<Self::Value> {
        Some(Vec::new())
    }

    fn expected(&self) -> String {
        "`all`".to_owned()
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        let about = "Every column of a `classification` but the class.";
        json!({ "const": "all", "description": about })
    }
}

/// Refuses dimensions that cannot stand beside each other.
fn distinct(
    dimensions: Vec<ContextDimension>,
    spot: Spot<'_>,
    reading: &mut Reading<'_>,
) -> Option<Vec<ContextDimension>> {
    let before = reading.report.errors();
    for (index, ContextDimension { name, .. }) in dimensions.iter().enumerate() {
        if ["preferred", "weight"].contains(&name.as_str()) {
            let message = format!("`{}` is the name of a column with another meaning", name.value);
            reading.report.push(Diagnostic::error(message).at(&name.place));
        }
        if dimensions[..index].iter().any(|other| clash(&other.name, name)) {
            let message =
                format!("the dimension `{}` appears twice, or inside another", name.value);
            reading.report.push(Diagnostic::error(message).at(&name.place));
        }
    }
    let is_complete = dimensions.len() == spot.node.items().len();
    (is_complete && reading.report.errors() == before).then_some(dimensions)
}

/// A name cannot be both a feature and a namespace.
fn clash(one: &str, other: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
    };
    one == other || inside(one, other) || inside(other, one)
}

pub(super) const REWARD: Number = number(-1.0, 1.0);

/// What a click may be worth: a price.
const VALUE: Number = number(-1e6, 1e6);

/// Rewards by preferred action, then by chosen action.
pub(crate) type Rewards = Vec<Named<Vec<Named<Read<f64>>>>>;

/// How rewards differ from what is expected of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoiseFile {
    /// With this probability a visitor answers the opposite.
    Opposite(f64),
    /// Rewards are means, and vary about them with this standard deviation.
    Normal(f64),
}

keyed! {
    /// How a choice becomes a reward.
    pub(crate) struct RewardFile {
        /// The reward of a click: of the choice of the preferred action, where one is preferred.
        matched as "match": f64 = or(REWARD, "1"),
        /// The reward without a click, where the table says nothing.
        otherwise: f64 = or(REWARD, "0"),
        /// Rewards by preferred action, then by chosen action.
        table: Option<Placed<Rewards>> = optional(table_of(entries_of(REWARD)).at()),
        /// The reward of a click by the chosen action, instead of `match`.
        values: Option<Placed<Vec<Named<Read<f64>>>>> = optional(entries_of(VALUE).at()),
        /// The reward, computed: `{{ clicked * price }}`, of whether there was a click and of
        /// numbers among the features of the action or of the context.
        formula: Option<Placed<String>> = optional(FORMULA.at()),
        /// The probability with which a visitor answers the opposite; or `normal 0.2`, by which
        /// rewards vary about their mean with this standard deviation.
        noise: Placed<NoiseFile> = or(either([
            number(0.0, 1.0).map(NoiseFile::Opposite).boxed(),
            DEVIATION.map(NoiseFile::Normal).boxed(),
        ]).at(), "0"),
    }
}

/// How a choice becomes a reward: a map, or a formula alone.
pub(super) fn reward() -> Either<RewardFile> {
    let of_formula = |formula: Placed<String>| RewardFile {
        matched: 1.0,
        otherwise: 0.0,
        table: None,
        values: None,
        noise: no_noise(&formula),
        formula: Some(formula),
    };
    either([FORMULA.at().map(of_formula).boxed(), object().boxed()])
}

fn no_noise(formula: &Placed<String>) -> Placed<NoiseFile> {
    Placed {
        value: NoiseFile::Opposite(0.0),
        place: formula.place.clone(),
        key: formula.key.clone(),
        is_written: false,
    }
}
