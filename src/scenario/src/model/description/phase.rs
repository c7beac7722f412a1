//! Phases.

use super::DELAY;
use super::notation::{DURATION, IDENTIFIER, RATE, SHARE};
use super::settings::CONFIGURE;
use crate::model::shape::{Field, Object, Shape, Variant, Word};

pub(super) const PHASE_NAME: Field =
    Field::optional("name", &IDENTIFIER, "The name of the phase; its kind, if it is not said.");

pub(super) static PHASE: Shape = Shape::Tagged(&[
    Variant {
        key: "iterate",
        about: "Rank and Reward, over and over.",
        shape: &Shape::Object(&ITERATE),
        alone: false,
    },
    Variant {
        key: "wait",
        about: "Lets time pass.",
        shape: &Shape::Either(&[
            &DURATION,
            &Shape::Object(&Object {
                about: "Lets time pass.",
                marker: None,
                fields: &[PHASE_NAME, Field::required("for", &DURATION, "How long.")],
            }),
        ]),
        alone: false,
    },
    Variant {
        key: "pause",
        about: "Waits for the operator, or for what the operator does to the \
            service.",
        shape: &Shape::Either(&[&Shape::Object(&UNTIL), &Shape::Object(&PROMPT)]),
        alone: false,
    },
    Variant {
        key: "evaluate",
        about: "Runs an offline evaluation of everything logged so far.",
        shape: &Shape::Either(&[&Shape::Object(&EVALUATE), &Shape::Nothing]),
        alone: true,
    },
    Variant {
        key: "apply_policy",
        about: "Makes a learning policy the online one.",
        shape: &Shape::Either(&[&Shape::Text, &Shape::Object(&POLICY)]),
        alone: false,
    },
    Variant {
        key: "configure",
        about: "Changes settings of the loop, and reads them back.",
        shape: &Shape::Object(&CONFIGURE),
        alone: false,
    },
    Variant {
        key: "reset",
        about: "Clears the loop's model, log and learning policy.",
        shape: &Shape::Nothing,
        alone: true,
    },
]);

static ITERATE: Object = Object {
    about: "Rank and Reward, over and over.",
    marker: None,
    fields: &[
        Field::required(
            "name",
            &IDENTIFIER,
            "The name of the phase; expectations and results call it so.",
        ),
        Field::required(
            "iterations",
            &Shape::Count { least: 1, most: 1_000_000_000 },
            "How many rounds of Rank and Reward.",
        )
        .unless(&["duration", "stages"]),
        Field::optional(
            "arrival",
            &Shape::Word(&[
                Word {
                    word: "closed",
                    about: "A round starts when another has ended: `concurrency` are under \
                        way, and `rate` may hold them back.",
                },
                Word {
                    word: "open",
                    about: "Rounds start on the schedule of `rate` and `stages`, whatever \
                        the service does.",
                },
            ]),
            "What makes a round start.",
        )
        .or("\"closed\""),
        Field::optional(
            "concurrency",
            &Shape::Count { least: 1, most: 65_536 },
            "How many rounds may be under way at once.",
        )
        .or("1"),
        Field::optional(
            "rate",
            &Shape::Notation(&RATE),
            "How many rounds may start, for example `50/s`. As many as the \
             concurrency allows, if it is not said. The rate before the first \
             stage of an open arrival.",
        ),
        Field::optional(
            "stages",
            &Shape::List { of: &Shape::Object(&STAGE), least: 1 },
            "How the rate of an open arrival changes, from `rate` or from \
             nothing.",
        ),
        Field::optional(
            "duration",
            &DURATION,
            "How long rounds of an open arrival start, in place of \
             `iterations`.",
        ),
        Field::optional(
            "poisson",
            &Shape::Boolean,
            "Whether the gaps of an open arrival are random, as if visitors \
             knew nothing of each other.",
        )
        .or("false"),
        Field::optional(
            "max_in_flight",
            &Shape::Count { least: 1, most: 65_536 },
            "How many rounds of an open arrival may be under way at once. \
             What cannot start when it is due is dropped, and counted.",
        )
        .or("10000"),
        Field::optional(
            "think_time",
            &DELAY,
            "How long a visitor takes between the choice and the reward: a \
             duration, or log-normal by `median` and `p99`.",
        )
        .or("\"0s\""),
        Field::optional(
            "drift",
            &Shape::Object(&DRIFT),
            "When the truth changes: from then on other visitors turn up, in this phase and \
             those after it.",
        ),
        Field::optional(
            "error_budget",
            &SHARE,
            "How many iterations may fail, a count or a share, before the \
             service is given up (exit 6).",
        ),
        Field::optional(
            "model_check",
            &SHARE,
            "After how many iterations the model's age is asked for, if not as \
             in the rest of the scenario.",
        ),
    ],
};

static DRIFT: Object = Object {
    about: "The truth changes.",
    marker: None,
    fields: &[
        Field::optional(
            "at",
            &Shape::Either(&[&Shape::Count { least: 0, most: 1_000_000_000 }, &SHARE]),
            "The first iteration for which it is another: a count, or a share of the phase.",
        )
        .or("0"),
        Field::required(
            "users",
            &Shape::Text,
            "Who turns up from then on: a file like that of `datasets`.",
        )
        .unless(&["rotate"]),
        Field::optional(
            "rotate",
            &Shape::Count { least: 1, most: 49 },
            "In place of `users`: everybody prefers the action that stands so many places \
             behind that of the data set.",
        ),
    ],
};

static STAGE: Object = Object {
    about: "A linear change of the rate.",
    marker: None,
    fields: &[
        Field::required("to", &Shape::Notation(&RATE), "The rate at its end."),
        Field::required("over", &DURATION, "How long the change takes; `0s` is a jump."),
    ],
};

static UNTIL: Object = Object {
    about: "Waits for what the operator does to the service.",
    marker: Some("until"),
    fields: &[
        PHASE_NAME,
        Field::required(
            "until",
            &Shape::Word(&[
                Word { word: "policy_changes", about: "The arguments of the online policy." },
                Word { word: "model_changes", about: "The last-modified time of the model." },
            ]),
            "What has to change.",
        ),
        Field::optional("reminder", &Shape::Text, "What the operator is reminded of."),
        Field::optional("poll", &DURATION, "How often the service is asked.").or("\"5s\""),
        Field::optional("timeout", &DURATION, "After how long the run gives up.").or("\"1h\""),
    ],
};

static PROMPT: Object = Object {
    about: "Waits for the operator.",
    marker: Some("prompt"),
    fields: &[
        PHASE_NAME,
        Field::required("prompt", &Shape::Text, "What the operator reads. The Enter key goes on."),
    ],
};

static EVALUATE: Object = Object {
    about: "Runs an offline evaluation of everything logged so far.",
    marker: None,
    fields: &[
        PHASE_NAME,
        Field::optional(
            "discover",
            &Shape::Boolean,
            "Whether to search for better learning policies.",
        )
        .or("false"),
        Field::optional(
            "policies",
            &Shape::Table { of: &Shape::Text, least: 1 },
            "Learning policies to compare, by name, beside the online policy \
             and the baselines.",
        ),
        Field::optional(
            "apply",
            &Shape::Text,
            "What to apply afterwards: `none`, `best` (the highest estimate), \
             `optimal` (better beyond doubt, else nothing), or a policy by its \
             name.",
        )
        .or("\"none\""),
        Field::optional("timeout", &DURATION, "After how long the run gives up.").or("\"1h\""),
    ],
};

static POLICY: Object = Object {
    about: "A learning policy.",
    marker: None,
    fields: &[
        Field::required("name", &Shape::Text, "The name of the policy."),
        Field::required("arguments", &Shape::Text, "Vowpal Wabbit arguments."),
    ],
};
