//! What one scenario is run for, over and over.

use super::notation::SEEDS;
use super::policy::policy;
use crate::document::Node;
use crate::format::{
    BOOLEAN, Either, Form, Named, Placed, TEXT, count, either, list_of, number, object, optional,
    or, required, table_of, word,
};

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
    /// One scenario as many virtual worlds: every combination of these values is a cell.
    pub(crate) struct MatrixFile {
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
