//! A service by its address.

use super::notation::{DURATION, PATH, PROXY, URL};
use crate::model::shape::{Field, Object, Shape, Word};

pub(super) static SERVICE: Object = Object {
    about: "A service that speaks the Personalizer REST contract.",
    marker: Some("url"),
    fields: &[
        Field::required("url", &Shape::Notation(&URL), "The endpoint, without `/personalizer/…`."),
        Field::optional(
            "key",
            &Shape::Text,
            "The key, from the environment: `${NAME}`. It appears in no \
             output.",
        ),
        Field::optional("key_header", &Shape::Text, "The header that carries the key.")
            .or("\"Ocp-Apim-Subscription-Key\""),
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
        Field::optional(
            "headers",
            &Shape::Table { of: &Shape::Text, least: 1 },
            "More headers of every request. Secrets come from the environment: \
             `${NAME}`.",
        ),
        Field::optional(
            "paths",
            &Shape::Object(&PATHS),
            "Where operations are at a service that has them elsewhere; `none` \
             for what it does not have.",
        ),
        Field::optional(
            "timeout",
            &Shape::Either(&[&DURATION, &Shape::Object(&TIMEOUT)]),
            "How long a call may take, or its parts.",
        )
        .or("\"10s\""),
        Field::optional(
            "retries",
            &Shape::Object(&RETRIES),
            "How often failed calls are made again.",
        ),
        Field::optional(
            "http2",
            &Shape::Boolean,
            "Whether HTTP/2 is spoken: agreed on in TLS, taken for granted \
             without.",
        )
        .or("false"),
        Field::optional(
            "proxy",
            &Shape::Notation(&PROXY),
            "The proxy between, for example `http://localhost:3128`. Those of \
             the environment are not used.",
        ),
        Field::optional(
            "ca",
            &Shape::Text,
            "A file in PEM of certificates that are trusted beside those of \
             the machine.",
        ),
        Field::optional(
            "client_certificate",
            &Shape::Text,
            "A file in PEM of a certificate and its key, for services that \
             ask for one.",
        ),
        Field::optional(
            "connections",
            &Shape::Count { least: 1, most: 65_536 },
            "How many connections there may be at once; calls beyond wait. As \
             many as calls are under way, if it is not said.",
        ),
        Field::optional(
            "keep_alive",
            &Shape::Either(&[&Shape::Boolean, &DURATION]),
            "How long a connection that nobody uses is kept; `false` for one \
             call a connection.",
        )
        .or("\"90s\""),
    ],
};

static TIMEOUT: Object = Object {
    about: "How long the parts of a call may take.",
    marker: None,
    fields: &[
        Field::optional("connect", &DURATION, "Until there is a connection.").or("\"10s\""),
        Field::optional("first_byte", &DURATION, "From sending until an answer begins."),
        Field::optional("whole", &DURATION, "The whole call.").or("\"10s\""),
    ],
};

const AGAIN: Shape = Shape::Integer { least: 0, most: 10 };

static RETRIES: Object = Object {
    about: "How often calls are made again that found no connection, lost it, had no answer in \
        time, or were answered 408, 429, 500, 502, 503 or 504.",
    marker: None,
    fields: &[
        Field::optional(
            "rank",
            &AGAIN,
            "Rank; safe where the same event id gets the same decision.",
        )
        .or("0"),
        Field::optional("reward", &AGAIN, "Reward; safe where the first reward counts.").or("0"),
        Field::optional(
            "questions",
            &AGAIN,
            "What only asks: settings, policy, model, evaluation.",
        )
        .or("2"),
    ],
};

const PLACE: Shape = Shape::Notation(&PATH);

static PATHS: Object = Object {
    about: "Where operations are.",
    marker: None,
    fields: &[
        Field::optional("rank", &PLACE, "Rank."),
        Field::optional("reward", &PLACE, "Reward; `{eventId}` stands for the id."),
        Field::optional("activate", &PLACE, "Activate; `{eventId}` stands for the id."),
        Field::optional("model_properties", &PLACE, "The age of the model."),
        Field::optional("model", &PLACE, "The model, to be cleared."),
        Field::optional("logs", &PLACE, "The log, to be cleared."),
        Field::optional("configuration", &PLACE, "The settings."),
        Field::optional("policy", &PLACE, "The learning policy."),
        Field::optional("evaluations", &PLACE, "Offline evaluations."),
        Field::optional("apply_from_evaluation", &PLACE, "Applying a policy of an evaluation."),
    ],
};
