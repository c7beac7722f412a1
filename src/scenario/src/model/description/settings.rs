//! Settings of the loop.

use super::REWARD_VALUE;
use super::notation::DURATION;
use super::phase::PHASE_NAME;
use crate::model::shape::{Field, Object, Shape, Word};

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
            about: "The baseline's choices are served, the policy learns to imitate \
                them.",
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

pub(in crate::model) static LOOP: Object = Object {
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

pub(super) static CONFIGURE: Object = Object {
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
            "What else must hold when the settings are read back; what was \
             changed is checked anyway.",
        ),
    ],
};
