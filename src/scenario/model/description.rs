//! The description: what a scenario file may hold, and what each of it means.

use super::scalar;
use super::shape::{Field, Notation, Object, Shape, Variant, Word};

/// A scenario file.
pub(super) static SCENARIO: Object = Object {
    about: "A scenario: who visits, what is offered, what is called, and what is done, step by step.",
    marker: None,
    fields: &[
        Field::required("version", &Shape::Count { least: 1, most: 1 }, "The version of this format: 1."),
        Field::required("name", &IDENTIFIER, "The name of the scenario; it names the results folder."),
        Field::optional("description", &Shape::Text, "What the scenario is about; shown in the summary."),
        Field::optional("seed", &SEED, "The seed of every draw of the run.").or("42"),
        Field::required("datasets", &Shape::Object(&DATASETS), "The files that the run is made of."),
        Field::required(
            "context",
            &Shape::List { of: &Shape::Either(&[&FEATURE_NAME, &Shape::Object(&DIMENSION)]), least: 1 },
            "The names of the context dimensions, the outermost of a nested data set first. A name with dots makes nested namespaces.",
        ),
        Field::optional("reward", &Shape::Object(&REWARD), "How a choice becomes a reward."),
        Field::optional(
            "target",
            &Shape::Either(&[
                &Shape::Word(&[Word { word: "embedded", about: "The learning loop inside." }]),
                &Shape::Object(&HTTP),
                &Shape::Object(&EMBEDDED),
            ]),
            "What is called: `embedded`, the learning loop inside, or a service by its `url`.",
        )
        .or("\"embedded\""),
        Field::optional(
            "clock",
            &Shape::Word(&[
                Word { word: "virtual", about: "Simulated time, as fast as the machine can. Embedded target only." },
                Word { word: "wall", about: "The machine's time." },
            ]),
            "Whose time passes. Virtual with the embedded target and wall with a service, if it is not said.",
        ),
        Field::optional("loop", &Shape::Object(&LOOP), "The settings the embedded loop starts with. Those of a new service, if it is not said."),
        Field::optional("success_curve", &Shape::Object(&SUCCESS_CURVE), "How the success curve is drawn."),
        Field::optional("model_check", &SHARE, "After how many iterations of a phase the model's age is asked for: a count, or a share of the phase's iterations.").or("\"10%\""),
        Field::required("phases", &Shape::List { of: &PHASE, least: 1 }, "What is done, one after the other."),
        Field::optional(
            "expect",
            &Shape::List { of: &Shape::Text, least: 0 },
            "What must hold at the end, for example `validation.success_rate >= 0.80`.",
        ),
    ],
};

static DATASETS: Object = Object {
    about: "The files that the run is made of, relative to the scenario file.",
    marker: None,
    fields: &[
        Field::required(
            "users",
            &Shape::Text,
            "Who turns up and what they prefer: JSON (nested by context dimension, or a list of records `{context, preferred, weight}`) or CSV (a column for each dimension, `preferred`, and perhaps `weight`).",
        ),
        Field::required(
            "actions",
            &Shape::Text,
            "What is offered: a JSON list of `{id, features}`.",
        ),
        Field::optional(
            "request",
            &Shape::Text,
            "The template of a Rank request in JSON: `contextFeatures` that all requests share, `excludedActions`, `deferActivation`.",
        ),
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

static REWARD_VALUE: Shape = Shape::Number { least: -1.0, most: 1.0 };

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

static HTTP: Object = Object {
    about: "A service that speaks the Personalizer REST contract.",
    marker: Some("url"),
    fields: &[
        Field::required("url", &Shape::Notation(&URL), "The endpoint, without `/personalizer/…`."),
        Field::optional(
            "key",
            &Shape::Text,
            "The key, from the environment: `${NAME}`. It appears in no output.",
        ),
        Field::optional(
            "api",
            &Shape::Word(&[
                Word { word: "v1.0", about: "The stable version." },
                Word { word: "v1.1-preview.1", about: "Preview." },
                Word { word: "v1.1-preview.2", about: "Preview." },
                Word { word: "v1.1-preview.3", about: "Preview." },
            ]),
            "The version of the contract.",
        )
        .or("\"v1.0\""),
        Field::optional("timeout", &DURATION, "How long a call may take.").or("\"10s\""),
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
                "How long calls seem to take: a duration, or log-normal by `median` and `p99`.",
            )],
        }),
        "How the learning loop inside behaves as a service.",
    )],
};

static DELAY: Shape = Shape::Either(&[
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

static WAIT_TIME: Field = Field::optional(
    "reward_wait_time",
    &DURATION,
    "How long after Rank a reward still counts: 1s to 2d.",
);
static EXPORT_FREQUENCY: Field = Field::optional(
    "model_export_frequency",
    &DURATION,
    "How often a newly learned model is served: 1s to 2d.",
);
static DEFAULT_REWARD: Field = Field::optional(
    "default_reward",
    &REWARD_VALUE,
    "The reward of an event that got none in time.",
);
static EXPLORATION: Field = Field::optional(
    "exploration_percentage",
    &Shape::Number { least: 0.0, most: 1.0 },
    "The share of events that explore: 0.2 is 20 %.",
);
static RETENTION: Field = Field::optional(
    "log_retention_days",
    &Shape::Integer { least: -1, most: 2_147_483_647 },
    "For how many days events are kept, -1 for ever.",
);
static AGGREGATION: Field = Field::optional(
    "reward_aggregation",
    &Shape::Word(&[
        Word { word: "earliest", about: "The first reward to arrive." },
        Word { word: "sum", about: "Their sum." },
        Word { word: "average", about: "Their mean." },
        Word { word: "median", about: "Their median." },
        Word { word: "min", about: "The smallest." },
        Word { word: "max", about: "The largest." },
    ]),
    "How several rewards of one event become one.",
);
static LEARNING_MODE: Field = Field::optional(
    "learning_mode",
    &Shape::Word(&[
        Word { word: "Online", about: "The learned policy's choices are served." },
        Word {
            word: "Apprentice",
            about: "The baseline's choices are served, the policy learns to imitate them.",
        },
        Word {
            word: "LoggingOnly",
            about: "The baseline's choices are served, nothing is learned.",
        },
    ]),
    "Whose choices are served.",
);

const fn copy(field: &'static Field) -> Field {
    Field { name: field.name, about: field.about, shape: field.shape, presence: field.presence }
}

static LOOP: Object = Object {
    about: "The settings the embedded loop starts with.",
    marker: None,
    fields: &[
        copy(&WAIT_TIME).or("\"10m\""),
        copy(&EXPORT_FREQUENCY).or("\"5m\""),
        copy(&DEFAULT_REWARD).or("0"),
        copy(&AGGREGATION).or("\"earliest\""),
        copy(&EXPLORATION).or("0.2"),
        copy(&RETENTION).or("90"),
        copy(&LEARNING_MODE).or("\"Online\""),
        Field::optional(
            "learning_policy",
            &Shape::Text,
            "The learning policy in Vowpal Wabbit arguments.",
        )
        .or("\"--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::\""),
    ],
};

static SETTINGS: Object = Object {
    about: "Settings of the loop.",
    marker: None,
    fields: &[
        copy(&WAIT_TIME),
        copy(&EXPORT_FREQUENCY),
        copy(&DEFAULT_REWARD),
        copy(&AGGREGATION),
        copy(&EXPLORATION),
        copy(&RETENTION),
        copy(&LEARNING_MODE),
    ],
};

static CONFIGURE: Object = Object {
    about: "Changes settings, and reads them back.",
    marker: None,
    fields: &[
        PHASE_NAME,
        copy(&WAIT_TIME),
        copy(&EXPORT_FREQUENCY),
        copy(&DEFAULT_REWARD),
        copy(&AGGREGATION),
        copy(&EXPLORATION),
        copy(&RETENTION),
        copy(&LEARNING_MODE),
        Field::optional(
            "verify",
            &Shape::Object(&SETTINGS),
            "What else must hold when the settings are read back; what was changed is checked anyway.",
        ),
    ],
};

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

const PHASE_NAME: Field =
    Field::optional("name", &IDENTIFIER, "The name of the phase; its kind, if it is not said.");

static PHASE: Shape = Shape::Tagged(&[
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
        about: "Waits for the operator, or for what the operator does to the service.",
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
        Field::required("name", &IDENTIFIER, "The name of the phase; expectations and results call it so."),
        Field::required("iterations", &Shape::Count { least: 1, most: 1_000_000_000 }, "How many rounds of Rank and Reward."),
        Field::optional("concurrency", &Shape::Count { least: 1, most: 65_536 }, "How many rounds may be under way at once.").or("1"),
        Field::optional("rate", &Shape::Notation(&RATE), "How many rounds may start, for example `50/s`. As many as the concurrency allows, if it is not said."),
        Field::optional("think_time", &DELAY, "How long a visitor takes between the choice and the reward: a duration, or log-normal by `median` and `p99`.").or("\"0s\""),
        Field::optional("model_check", &SHARE, "After how many iterations the model's age is asked for, if not as in the rest of the scenario."),
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
        Field::optional("discover", &Shape::Boolean, "Whether to search for better learning policies.").or("false"),
        Field::optional("policies", &Shape::Table { of: &Shape::Text, least: 1 }, "Learning policies to compare, by name, beside the online policy and the baselines."),
        Field::optional(
            "apply",
            &Shape::Text,
            "What to apply afterwards: `none`, `best` (the highest estimate), `optimal` (better beyond doubt, else nothing), or a policy by its name.",
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

static SEED: Shape = Shape::Count { least: 0, most: u64::MAX };

static IDENTIFIER: Shape = Shape::Notation(&Notation {
    what: "a name of letters, digits, `-` and `_` that begins with a letter",
    pattern: "^[A-Za-z][A-Za-z0-9_-]{0,99}$",
    accepts: is_identifier,
    from_number: None,
});

static FEATURE_NAME: Shape = Shape::Notation(&Notation {
    what: "a name, or names joined by dots",
    pattern: r"^[^._\s][^.\s]*(\.[^._\s][^.\s]*)*$",
    accepts: is_feature_name,
    from_number: None,
});

static DURATION: Shape = Shape::Notation(&Notation {
    what: "a duration such as `15s`, `5m`, `1h30m`, `PT15S` or `00:05:00`",
    pattern: scalar::DURATION_PATTERN,
    accepts: |text| scalar::duration(text).is_some(),
    from_number: Some(|number| format!("a duration has a unit: `{number}s` or `{number}ms`")),
});

static RATE: Notation = Notation {
    what: "a rate above zero such as `50/s`, `3000/min` or `1/h`",
    pattern: scalar::RATE_PATTERN,
    accepts: |text| scalar::rate(text).is_some(),
    from_number: Some(|number| format!("a rate has a unit: `{number}/s`")),
};

static SHARE: Shape = Shape::Either(&[
    &Shape::Count { least: 1, most: 1_000_000_000 },
    &Shape::Notation(&Notation {
        what: "a share such as `10%`",
        pattern: scalar::SHARE_PATTERN,
        accepts: |text| scalar::share(text).is_some(),
        from_number: None,
    }),
]);

static URL: Notation = Notation {
    what: "an address such as `https://example.com`",
    pattern: r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
    accepts: is_url,
    from_number: None,
};

fn is_identifier(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    begins && text.chars().all(plain) && text.len() <= 100
}

fn is_feature_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && !part.starts_with('_') && !part.contains(char::is_whitespace)
    };
    text.split('.').all(part)
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#');
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && !host.contains('@') && !rest.contains(odd)
    })
}
