//! A service by its address.

use std::sync::Arc;
use std::time::Duration;

use super::call::{CallFile, RankFile, RewardCallFile, StepCallFile, any_value};
use super::notation::{DURATION, PROXY, URL, is_odd_in_path};
use super::preset::{Preset, preset};
use super::tags::tags;
use super::target::positive;
use crate::document::{Node, Value, json};
use crate::format::{
    BOOLEAN, Either, Form, Named, Notation, Placed, Reading, Spot, TEXT, either, integer, list_of,
    no_hint, object, optional, or, or_empty, required, size, table_of, word,
};
use diagnostic::{Diagnostic, Report, Source};
use metrics::Tags;
use plan::Retries;
use plan::mapping::{ServiceId, is_template};
use plan::{Header, Operation, Secret};

keyed! {
    /// A service: one that speaks the Personalizer REST contract, or one whose calls `rank` and
    /// `reward` describe.
    pub(crate) struct ServiceFile marked "url" {
        /// The endpoint, without `/personalizer/…`.
        url: String = required(URL),
        /// The key, from the environment: `${NAME}`. It appears in no output.
        key: Option<Secret> = optional(TEXT.map(Secret::new)),
        /// The header that carries the key.
        key_header: String = or(TEXT.and_then(header_name), "\"Ocp-Apim-Subscription-Key\""),
        /// The version of the contract.
        api: Placed<&'static str> = or(word(&[
            ("v1.0", "v1.0", "The stable version."),
            ("v1.1-preview.1", "v1.1-preview.1", "Preview."),
            ("v1.1-preview.2", "v1.1-preview.2", "Preview."),
            ("v1.1-preview.3", "v1.1-preview.3", "Preview."),
        ]).at(), "\"v1.0\""),
        /// Tags of every phase that calls this service, before those of the phase.
        tags: Option<Tags> = optional(tags()),
        /// The calls of a known service, by its name or with its options. What stands beside it
        /// wins, key by key.
        preset: Option<Placed<Preset>> = optional(preset().at()),
        /// More headers of every request. Secrets come from the environment: `${NAME}`.
        headers: Option<Vec<Named<HeaderFile>>> = optional(table_of(TEXT.and_then(header))),
        /// Where operations are at a service that has them elsewhere; `none` for what it does not
        /// have.
        paths: Placed<Paths> = or_empty(object().at()),
        /// The call that asks for a decision, at a service that is not shaped like Personalizer.
        rank: Option<Placed<RankFile>> = optional(object().at()),
        /// The call that reports the outcome of a decision. Without it, nothing is reported.
        reward: Option<Placed<RewardCallFile>> = optional(object().at()),
        /// The first call. Its cookies, and what it takes as `{{ session.NAME }}`, go with all
        /// others.
        session: Option<Placed<StepCallFile>> = optional(object().at()),
        /// Calls before the first iteration, and after a `reset`.
        setup: Option<Placed<Vec<StepCallFile>>> = optional(list_of(object(), 1).at()),
        /// Calls after the last iteration, and before a `reset`.
        teardown: Option<Placed<Vec<CallFile>>> = optional(list_of(object(), 1).at()),
        /// What an action is in `{{ actions }}`, such as `{ sku: "{{ action.features.sku }}" }`.
        actions: Option<Placed<Node>> = optional(any_value().at()),
        /// What the service calls actions that it spells otherwise. A number is sent as one.
        ids: Option<Placed<Vec<Named<ServiceId>>>> = optional(table_of(service_id()).at()),
        /// Texts from the environment that templates use as `{{ secret.NAME }}`, such as a key to sign
        /// calls with. They appear in no output.
        secrets: Option<Vec<Named<Secret>>> = optional(table_of(TEXT.map(Secret::new))),
        /// How long a call may take, or its parts.
        timeout: Timeout = or(timeout(), "\"10s\""),
        /// How often failed calls are made again.
        retries: Retries = or_empty(object()),
        /// Whether HTTP/2 is spoken: agreed on in TLS, taken for granted without.
        http2: bool = or(BOOLEAN, "false"),
        /// The proxy between, for example `http://localhost:3128`. Those of the environment are
        /// not used.
        proxy: Option<Secret> = optional(PROXY.map(Secret::new)),
        /// A file in PEM of certificates that are trusted beside those of the machine.
        ca: Option<Arc<Source>> = optional(file()),
        /// A file in PEM of a certificate and its key, for services that ask for one.
        client_certificate: Option<Arc<Source>> =
            optional(file().and_then(with_key)),
        /// How many connections there may be at once; calls beyond wait. As many as calls are
        /// under way, if it is not said.
        connections: Option<usize> = optional(size(1, 65_536)),
        /// How long a connection that nobody uses is kept; `false` for one call a connection.
        keep_alive: KeepAlive = or(keep_alive(), "\"90s\""),
    }
}

impl ServiceFile {
    /// A service of which only the address is known.
    pub fn usual() -> Self {
        let source = Source::new("default", r#"{"url": "http://localhost"}"#);
        let node = json::read(&source).expect("it is JSON");
        let mut report = Report::new();
        let service = Reading::new(&mut report, None).document(&object(), &node, "the service");
        service.expect("every other key has a default")
    }
}

/// A token (RFC 9110, 5.6.2).
pub(crate) fn is_header_name(name: &str) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(belongs)
}

pub(super) fn header_name(
    name: String,
    spot: Spot<'_>,
    reading: &mut Reading<'_>,
) -> Option<String> {
    if is_header_name(&name) {
        return Some(name);
    }
    let message = format!("`{name}` is not the name of a header");
    reading.report.push(Diagnostic::error(message).at(&spot.node.place));
    None
}

/// A header of every call, and its value as it stands in the scenario: for a service that is
/// not shaped like Personalizer, that may be a template.
#[derive(Debug, Clone)]
pub(crate) struct HeaderFile {
    pub header: Header,
    pub node: Node,
}

impl HeaderFile {
    /// Whether the value is written as a template. What comes from the environment is none.
    pub fn is_template(&self) -> bool {
        is_template(self.node.place.text())
    }
}

fn header(value: String, spot: Spot<'_>, reading: &mut Reading<'_>) -> Option<HeaderFile> {
    let name = spot.owner.name;
    let mut refuse = |message| reading.report.push(Diagnostic::error(message).at(spot.owner.place));
    if !is_header_name(name) {
        refuse(format!("`{name}` is not the name of a header"));
        return None;
    }
    if value.contains(|c: char| c.is_control()) {
        refuse(format!("`{name}` has a line break or another control character"));
        return None;
    }
    let is_secret = matches!(spot.node.value, Value::Interpolated(_));
    let header = Header { name: name.to_owned(), value: Secret::new(value), is_secret };
    Some(HeaderFile { header, node: spot.node.clone() })
}

/// What a service calls an action.
fn service_id() -> Either<ServiceId> {
    either([
        TEXT.map(|text: String| ServiceId::Text(text.into())).boxed(),
        integer(i64::MIN, i64::MAX).map(ServiceId::Number).boxed(),
    ])
}

/// The file that a text names.
fn file() -> impl Form<Value = Arc<Source>> {
    TEXT.and_then(|name: String, spot, reading| {
        reading.files?.read(&name, &spot.node.place, reading.report)
    })
}

fn with_key(pem: Arc<Source>, spot: Spot<'_>, reading: &mut Reading<'_>) -> Option<Arc<Source>> {
    if pem.text().contains("PRIVATE KEY") {
        return Some(pem);
    }
    let mistake = Diagnostic::error("the client certificate comes without its key");
    let help = "put the certificate and its `PRIVATE KEY` into one PEM file";
    reading.report.push(mistake.at(&spot.node.place).help(help));
    None
}

/// How long a call may take.
#[derive(Debug, Clone)]
pub(crate) enum Timeout {
    Whole(Duration),
    Parts(TimeoutParts),
}

fn timeout() -> Either<Timeout> {
    either([positive().map(Timeout::Whole).boxed(), object().map(Timeout::Parts).boxed()])
}

keyed! {
    /// How long the parts of a call may take.
    pub(crate) struct TimeoutParts {
        /// Until there is a connection.
        connect: Placed<Duration> = or(positive().at(), "\"10s\""),
        /// From sending until an answer begins.
        first_byte: Option<Duration> = optional(positive()),
        /// The whole call.
        whole: Duration = or(positive(), "\"10s\""),
    }
}

keyed! {
    /// How often calls are made again that found no connection, lost it, had no answer in time, or
    /// were answered 408, 429, 500, 502, 503 or 504.
    reads Retries {
        /// Rank; safe where the same event id gets the same decision.
        rank: u32 = or(retry(), "0"),
        /// Reward; safe where the first reward counts.
        reward: u32 = or(retry(), "0"),
        /// What only asks: settings, policy, model, evaluation.
        questions: u32 = or(retry(), "2"),
    }
}

fn retry() -> impl Form<Value = u32> {
    integer(0, 10).map(|count| u32::try_from(count).unwrap_or_default())
}

/// How long an unused connection is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeepAlive {
    /// As long as usual, or not at all.
    Is(bool),
    For(Duration),
}

fn keep_alive() -> Either<KeepAlive> {
    either([BOOLEAN.map(KeepAlive::Is).boxed(), DURATION.map(KeepAlive::For).boxed()])
}

/// Where an operation is.
#[derive(Debug, Clone)]
pub(crate) enum Path {
    /// The service does not have it.
    None,
    At(String),
}

const PATH: Notation<Path> = Notation {
    what: "a path such as `/rank`, or `none`",
    pattern: r"^(/[^\s?#]*|none)$",
    parse: |text| match text {
        "none" => Some(Path::None),
        _ if text.starts_with('/') && !text.contains(is_odd_in_path) => {
            Some(Path::At(text.to_owned()))
        }
        _ => None,
    },
    hint: no_hint,
};

/// The path of an operation without which there is nothing to call.
fn needed() -> impl Form<Value = Path> {
    PATH.and_then(|path, spot, reading| {
        if matches!(path, Path::None) {
            let message = format!("a service without `{}` cannot be called", spot.owner.name);
            reading.report.push(Diagnostic::error(message).at(&spot.node.place));
            return None;
        }
        Some(path)
    })
}

/// The path of an operation on an event.
fn of_event() -> impl Form<Value = Path> {
    PATH.and_then(|path, spot, reading| {
        if matches!(&path, Path::At(path) if !path.contains(Operation::EVENT_ID)) {
            let name = spot.owner.name;
            let message = format!("the path of `{name}` needs `{}`", Operation::EVENT_ID);
            reading.report.push(Diagnostic::error(message).at(&spot.node.place));
            return None;
        }
        Some(path)
    })
}

keyed! {
    /// Where operations are.
    pub(crate) struct Paths {
        /// Rank.
        rank: Option<Path> = optional(needed()),
        /// Reward; `{eventId}` stands for the id.
        reward: Option<Path> = optional(needed()),
        /// Activate; `{eventId}` stands for the id.
        activate: Option<Path> = optional(of_event()),
        /// Rank for the slots of a phase with `slots`.
        rank_slots: Option<Path> = optional(PATH),
        /// Reward for slots; `{eventId}` stands for the id.
        reward_slots: Option<Path> = optional(of_event()),
        /// The age of the model.
        model_properties: Option<Path> = optional(PATH),
        /// The model, to be cleared.
        model: Option<Path> = optional(PATH),
        /// The log, to be cleared.
        logs: Option<Path> = optional(PATH),
        /// The settings.
        configuration: Option<Path> = optional(PATH),
        /// The learning policy.
        policy: Option<Path> = optional(PATH),
        /// Offline evaluations.
        evaluations: Option<Path> = optional(PATH),
        /// Applying a policy of an evaluation.
        apply_from_evaluation: Option<Path> = optional(PATH),
    }
}
