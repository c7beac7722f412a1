//! What `matrix:` may hold.

use super::notation::{SEED, SEEDS};
use crate::model::shape::{Field, Object, Shape};

/// A value that cells differ in.
static SCALAR: Shape = Shape::Either(&[
    &Shape::Boolean,
    &Shape::Number { least: f64::MIN, most: f64::MAX },
    &Shape::Text,
]);

static CELLS: Shape = Shape::List { of: &Shape::Table { of: &SCALAR, least: 1 }, least: 1 };

pub(super) static MATRIX: Object = Object {
    about: "One scenario as many virtual worlds: every combination of these values is a cell.",
    marker: None,
    fields: &[
        Field::optional(
            "policies",
            &Shape::Either(&[&Shape::Table { of: &Shape::Text, least: 1 }, &Shape::Text]),
            "Learning policies by name, or a file of them: lines of `NAME = \
             ARGUMENTS`, or learning settings as JSON. Each takes the place of \
             `loop.learning_policy`.",
        ),
        Field::optional(
            "seeds",
            &Shape::Either(&[&SEEDS, &Shape::List { of: &SEED, least: 1 }]),
            "The seeds, from the first to the last, as in `1..20`, or a list. \
             The seed of the scenario, if it is not said.",
        ),
        Field::optional(
            "axes",
            &Shape::Table { of: &Shape::List { of: &SCALAR, least: 1 }, least: 1 },
            "Any other values of the scenario, each by its path as for `--set`, with the \
             values that it takes.",
        ),
        Field::optional(
            "exclude",
            &CELLS,
            "Cells that are left out: those that have all the values of one of these.",
        ),
        Field::optional(
            "include",
            &CELLS,
            "Cells that are added, by their values. An axis that is not named takes each \
             of its values.",
        ),
        Field::optional(
            "limit",
            &Shape::Count { least: 1, most: 1_000_000 },
            "A matrix with more cells is refused.",
        )
        .or("1000"),
    ],
};
