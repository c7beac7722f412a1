//! What one scenario is run for, over and over.

use std::time::Duration;

use super::call::any_value;
use super::notation::{DURATION, SEEDS};
use super::policy::policy;
use crate::document::Node;
use crate::format::{
    BOOLEAN, Either, Form, Named, Placed, TEXT, count, either, list_of, number, object, optional,
    or, required, table_of, word,
};
use crate::matrix::{Between, CellOrder};

/// Learning policies to compare.
#[derive(Debug, Clone)]
pub(crate) enum Policies {
    Named(Vec<Named<Node>>),
    File(Placed<String>),
}

/// The seeds of a matrix.
#[derive(Debug, Clone)]
pub(crate) enum Seeds {
    /// These.
    Fixed(Vec<u64>),
    /// From 1 on, in rounds.
    UntilDecided(UntilDecidedFile),
}

/// When no more seeds are added.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// Every gate is decided.
    Decided,
}

keyed! {
    /// Seeds are added in rounds until every gate is decided. The gates account for looking
    /// after each round.
    pub(crate) struct UntilDecidedFile marked "until" {
        /// When to stop.
        until: Until = required(word(&[("decided", Until::Decided, "Every gate is decided.")])),
        /// The last seed. What is not decided then is inconclusive.
        at_most: u64 = required(count(7, 10_000)),
    }
}

keyed! {
    /// What is done before each run of a live target, in this order.
    pub(crate) struct BetweenFile {
        /// The run begins with a `reset`.
        reset: bool = or(BOOLEAN, "false"),
        /// A program and its arguments. It finds the values of the run in `RUNNER_CELL` and its
        /// seed in `RUNNER_SEED`; a run whose command fails is not made.
        command: Option<Vec<String>> = optional(list_of(TEXT, 1)),
        /// How long nothing is sent after the run before it, and after the command.
        wait: Duration = or(DURATION, "\"0s\""),
    }
}

keyed! {
    /// One scenario as many runs: every combination of these values is a cell, a virtual world or
    /// a run against a live target.
    pub(crate) struct MatrixFile {
        /// Targets to compare, by name. Each takes the place of `target`; one that is a map takes
        /// the keys that it does not have from there.
        targets: Option<Placed<Vec<Named<Node>>>> = optional(table_of(any_value()).at()),
        /// In which order the runs of live targets are made, one after the other.
        order: Option<Placed<CellOrder>> = optional(word(&[
            (
                "abba",
                CellOrder::Abba,
                "Seed by seed, every second seed backwards, so that a drift of the machine or the \
                 network does not favour one target. This is the order, if it is not said.",
            ),
            (
                "sequential",
                CellOrder::Sequential,
                "All seeds of the first target, then those of the next. A drift counts as a \
                 difference of the targets.",
            ),
        ]).at()),
        /// What is done before each run of a live target: `reset`, `none`, `{ wait: 30s }`,
        /// `{ command: [./restart, now] }`, or several of them as a map.
        between: Option<Placed<Between>> = optional(between().at()),
        /// Learning policies by name, or a file of them: lines of `NAME = ARGUMENTS`, or learning
        /// settings as JSON. Each takes the place of `loop.learning_policy`.
        policies: Option<Placed<Policies>> = optional(policies().at()),
        /// The seeds, from the first to the last, as in `1..20`, or a list, or
        /// `{ until: decided, at_most: 200 }`. The seed of the scenario, if it is not said.
        seeds: Option<Placed<Seeds>> = optional(seeds().at()),
        /// Any other values of the scenario, each by its path as for `--set`, with the values
        /// that it takes.
        axes: Option<Vec<Named<Placed<Vec<Node>>>>> =
            optional(table_of(list_of(scalar(), 1).at())),
        /// Cells that are left out: those that have all the values of one of these.
        exclude: Option<Vec<Vec<Named<Node>>>> = optional(list_of(table_of(scalar()), 1)),
        /// Cells that are added, by their values. An axis that is not named takes each of its
        /// values.
        include: Option<Vec<Vec<Named<Node>>>> = optional(list_of(table_of(scalar()), 1)),
        /// A matrix with more cells is refused.
        limit: u64 = or(count(1, 1_000_000), "1000"),
    }
}

/// A value that cells differ in, as it stands in the document.
fn scalar() -> Either<Node> {
    either([
        BOOLEAN.and_then(|_, spot, _| Some(spot.node.clone())).boxed(),
        number(f64::MIN, f64::MAX).and_then(|_, spot, _| Some(spot.node.clone())).boxed(),
        TEXT.and_then(|_, spot, _| Some(spot.node.clone())).boxed(),
    ])
}

fn between() -> Either<Between> {
    let words = word(&[
        (
            "reset",
            true,
            "Each run begins with a `reset`, which clears what the service has learned.",
        ),
        ("none", false, "Nothing: for services that learn nothing from one run to the next."),
    ]);
    let alone = |reset| Between { reset, ..Between::default() };
    let all = |BetweenFile { reset, command, wait }: BetweenFile| Between { reset, command, wait };
    either([words.map(alone).boxed(), object().map(all).boxed()])
}

fn policies() -> Either<Policies> {
    either([
        table_of(policy().unread()).map(Policies::Named).boxed(),
        TEXT.at().map(Policies::File).boxed(),
    ])
}

fn seeds() -> Either<Seeds> {
    either([
        SEEDS.map(|seeds| Seeds::Fixed(seeds.collect())).boxed(),
        list_of(count(0, u64::MAX), 1).map(Seeds::Fixed).boxed(),
        object().map(Seeds::UntilDecided).boxed(),
    ])
}
