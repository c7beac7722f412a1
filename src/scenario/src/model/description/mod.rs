//! The description: what a scenario file may hold, and what each of it means.

mod gate;
mod matrix;
mod notation;
mod phase;
mod service;
mod settings;

pub(crate) use notation::is_feature_name;

use super::shape::{Field, Object, Shape, Word};
pub(super) use gate::GATES;
use matrix::MATRIX;
use notation::{DURATION, FEATURE_NAME, IDENTIFIER, SEED, SHARE};
use phase::PHASE;
use service::SERVICE;
pub(super) use settings::LOOP;

/// A scenario file.
pub(in crate::model) static SCENARIO: Object = Object {
    about: "A scenario: who visits, what is offered, what is called, and what \
        is done, step by step.",
    marker: None,
    fields: &[
        Field::required(
            "version",
            &Shape::Integer { least: 1, most: 1 },
            "The version of this format: 1.",
        ),
        Field::required(
            "name",
            &IDENTIFIER,
            "The name of the scenario; it names the results folder.",
        ),
        Field::optional(
            "description",
            &Shape::Text,
            "What the scenario is about; shown in the summary.",
        ),
        Field::optional("seed", &SEED, "The seed of every draw of the run.").or("42"),
        Field::required(
            "datasets",
            &Shape::Either(&[
                &Shape::Object(&GENERATED),
                &Shape::Object(&CLASSIFIED),
                &Shape::Object(&DATASETS),
            ]),
            "Who turns up and what is offered: files, a classification table, or a world \
             that is generated.",
        ),
        Field::required(
            "context",
            &Shape::List {
                of: &Shape::Either(&[&FEATURE_NAME, &Shape::Object(&DIMENSION)]),
                least: 1,
            },
            "The names of the context dimensions, the outermost of a nested \
             data set first. A name with dots makes nested namespaces.",
        ),
        Field::optional("reward", &Shape::Object(&REWARD), "How a choice becomes a reward."),
        Field::optional(
            "target",
            &Shape::Either(&[
                &Shape::Word(&[
                    Word { word: "embedded", about: "The learning loop inside." },
                    Word {
                        word: "served",
                        about: "The learning loop inside, served over HTTP on the loopback \
                            for as long as the run lasts.",
                    },
                ]),
                &Shape::Object(&SERVICE),
                &Shape::Object(&EMBEDDED),
            ]),
            "What is called: the learning loop inside, `embedded` or \
             `served` over HTTP, or a service by its `url`.",
        )
        .or("\"embedded\""),
        Field::optional(
            "clock",
            &Shape::Word(&[
                Word {
                    word: "virtual",
                    about: "Simulated time, as fast as the machine can. Embedded target \
                        only.",
                },
                Word { word: "wall", about: "The machine's time." },
            ]),
            "Whose time passes. Virtual with the embedded target and wall with \
             a service, if it is not said.",
        ),
        Field::optional(
            "loop",
            &Shape::Object(&LOOP),
            "The settings the embedded loop starts with. Those of a new \
             service, if it is not said.",
        ),
        Field::optional(
            "success_curve",
            &Shape::Object(&SUCCESS_CURVE),
            "How the success curve is drawn.",
        ),
        Field::optional(
            "model_check",
            &SHARE,
            "After how many iterations of a phase the model's age is asked \
             for: a count, or a share of the phase's iterations.",
        )
        .or("\"10%\""),
        Field::optional(
            "matrix",
            &Shape::Object(&MATRIX),
            "Runs the scenario once for each combination of learning policy, seed and other \
             values, to compare them.",
        ),
        Field::optional(
            "gates",
            &GATES,
            "What policies of the matrix must show against each other.",
        ),
        Field::required(
            "phases",
            &Shape::List { of: &PHASE, least: 1 },
            "What is done, one after the other.",
        ),
        Field::optional(
            "expect",
            &Shape::List { of: &Shape::Text, least: 0 },
            "What must hold at the end, for example `validation.success_rate \
             >= 0.80`.",
        ),
    ],
};

const REQUEST: Field = Field::optional(
    "request",
    &Shape::Text,
    "The template of a Rank request in JSON: `contextFeatures` that all requests share, \
     `excludedActions`, `deferActivation`.",
);

static GENERATED: Object = Object {
    about: "A world that is generated.",
    marker: Some("generate"),
    fields: &[
        Field::required("generate", &Shape::Object(&GENERATE), "What it is made of."),
        REQUEST,
    ],
};

const VALUES: Shape = Shape::Table { of: &Shape::Count { least: 1, most: 10_000 }, least: 1 };

static GENERATE: Object = Object {
    about: "Visitors, actions and preferences, made of draws. Pairs of a context value and a \
        value of an action feature have affinities; a visitor prefers the action with most \
        of it.",
    marker: None,
    fields: &[
        Field::optional("seed", &SEED, "The seed of the world, whatever that of the run.").or("1"),
        Field::required(
            "contexts",
            &VALUES,
            "How many values each context dimension has. Every combination is a visitor.",
        ),
        Field::required(
            "actions",
            &Shape::Count { least: 2, most: 50 },
            "How many actions are offered.",
        ),
        Field::required("features", &VALUES, "How many values each feature of actions has."),
        Field::optional(
            "density",
            &Shape::Number { least: 0.0, most: 1.0 },
            "The share of its features that an action has.",
        )
        .or("1"),
    ],
};

static CLASSIFIED: Object = Object {
    about: "A classification data set: every row is a visitor, its class the action that they \
        prefer.",
    marker: Some("classification"),
    fields: &[
        Field::required(
            "classification",
            &Shape::Object(&CLASSIFICATION),
            "The table, and what its columns are.",
        ),
        REQUEST,
    ],
};

static CLASSIFICATION: Object = Object {
    about: "A table, and what its columns are.",
    marker: None,
    fields: &[
        Field::required(
            "file",
            &Shape::Text,
            "A CSV file with a column for each context dimension, and one with the class.",
        ),
        Field::required("label", &Shape::Text, "The column with the class."),
        Field::optional(
            "exclude",
            &Shape::List { of: &Shape::Text, least: 1 },
            "Columns that are passed over.",
        ),
    ],
};

static DATASETS: Object = Object {
    about: "The files that the run is made of, relative to the scenario \
        file.",
    marker: None,
    fields: &[
        Field::required(
            "users",
            &Shape::Text,
            "Who turns up and what they prefer: JSON (nested by context \
             dimension, or a list of records `{context, preferred, weight}`) or \
             CSV (a column for each dimension, `preferred`, and perhaps \
             `weight`).",
        ),
        Field::required(
            "actions",
            &Shape::Text,
            "What is offered: a JSON list of `{id, features}`.",
        ),
        REQUEST,
    ],
};

static DIMENSION: Object = Object {
    about: "A context dimension that is not a text.",
    marker: None,
    fields: &[
        Field::required("name", &FEATURE_NAME, "The name of the dimension."),
        Field::optional(
            "type",
            &Shape::Word(&[
                Word { word: "text", about: "Each value is a feature of its own." },
                Word { word: "number", about: "One feature with this value." },
                Word { word: "boolean", about: "A feature that is there or not." },
            ]),
            "What the values in a nested or flat data set are.",
        )
        .or("\"text\""),
    ],
};

pub(super) static REWARD_VALUE: Shape = Shape::Number { least: -1.0, most: 1.0 };

static REWARD: Object = Object {
    about: "How a choice becomes a reward.",
    marker: None,
    fields: &[
        Field::optional(
            "match",
            &REWARD_VALUE,
            "The reward when the chosen action is the preferred one.",
        )
        .or("1"),
        Field::optional(
            "otherwise",
            &REWARD_VALUE,
            "The reward when it is not, and the table says nothing.",
        )
        .or("0"),
        Field::optional(
            "table",
            &Shape::Table { of: &Shape::Table { of: &REWARD_VALUE, least: 1 }, least: 1 },
            "Rewards by preferred action, then by chosen action.",
        ),
        Field::optional(
            "noise",
            &Shape::Number { least: 0.0, most: 1.0 },
            "The probability with which a visitor answers the opposite.",
        )
        .or("0"),
    ],
};

static EMBEDDED: Object = Object {
    about: "The learning loop inside.",
    marker: Some("embedded"),
    fields: &[Field::required(
        "embedded",
        &Shape::Object(&Object {
            about: "How the learning loop inside behaves as a service.",
            marker: None,
            fields: &[Field::optional(
                "latency",
                &Shape::Object(&Object {
                    about: "The latencies of the simulated service.",
                    marker: None,
                    fields: &[
                        Field::optional("rank", &DELAY, "How long Rank seems to take.")
                            .or(r#"{"median": "8ms", "p99": "40ms"}"#),
                        Field::optional("reward", &DELAY, "How long Reward seems to take.")
                            .or(r#"{"median": "4ms", "p99": "20ms"}"#),
                    ],
                }),
                "How long calls seem to take: a duration, or log-normal by \
                 `median` and `p99`.",
            )],
        }),
        "How the learning loop inside behaves as a service.",
    )],
};

pub(super) static DELAY: Shape = Shape::Either(&[
    &DURATION,
    &Shape::Object(&Object {
        about: "A log-normal delay.",
        marker: None,
        fields: &[
            Field::required("median", &DURATION, "Half of the delays are below."),
            Field::required("p99", &DURATION, "99 in 100 are below."),
        ],
    }),
]);

static SUCCESS_CURVE: Object = Object {
    about: "How the success curve is drawn.",
    marker: None,
    fields: &[Field::optional(
        "batch",
        &Shape::Count { least: 1, most: 1_000_000 },
        "How many iterations make one point.",
    )
    .or("10")],
};
