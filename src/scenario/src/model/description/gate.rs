//! What `gates:` may hold.

use crate::model::shape::{Field, Object, Shape, Word};

/// One name or several.
static NAMES: Shape = Shape::Either(&[&Shape::Text, &Shape::List { of: &Shape::Text, least: 1 }]);

pub(in crate::model) static GATES: Shape = Shape::List { of: &Shape::Object(&GATE), least: 0 };

static GATE: Object = Object {
    about: "What the runs of learning policies must show against those of a base.",
    marker: None,
    fields: &[
        Field::required(
            "metric",
            &Shape::Text,
            "What is measured, for example `validation.success_rate[last 25%]`.",
        ),
        Field::optional(
            "require",
            &Shape::Word(&[
                Word {
                    word: "not_worse",
                    about: "The policy is not worse than the base by as much as the margin.",
                },
                Word {
                    word: "better",
                    about: "The policy is better than the base by more than the margin.",
                },
            ]),
            "What must be shown.",
        )
        .or("\"not_worse\""),
        Field::optional(
            "margin",
            &Shape::Either(&[&Shape::Number { least: 0.0, most: f64::MAX }, &Shape::Text]),
            "How much a difference matters, in the unit of the metric: `0.02`, `2%`, `5ms`.",
        )
        .or("0"),
        Field::optional(
            "policies",
            &NAMES,
            "The policies that must show it. All but the base, if none is named.",
        ),
        Field::optional(
            "against",
            &Shape::Text,
            "The policy that they are held against. The first of the matrix, if none is named.",
        ),
        Field::optional(
            "confidence",
            &Shape::Number { least: 0.5, most: 0.9999 },
            "How sure the interval is that decides.",
        )
        .or("0.95"),
        Field::optional(
            "min_seeds",
            &Shape::Count { least: 2, most: 1_000_000 },
            "With fewer seeds nothing is decided.",
        )
        .or("5"),
        Field::optional(
            "inconclusive",
            &Shape::Word(&[
                Word { word: "pass", about: "It is told, and is no failure." },
                Word { word: "fail", about: "It ends the program with exit code 4." },
            ]),
            "What it means if neither is shown.",
        )
        .or("\"pass\""),
    ],
};
