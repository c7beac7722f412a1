//! A service by its address, as a scenario describes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::document::{Node, Value};
use super::file::Files;
use super::model::{as_count, duration};
use super::secret::Secret;
use super::target::positive;
use diagnostic::{Diagnostic, Report};

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(90);
const KEY_HEADER: &str = "Ocp-Apim-Subscription-Key";

/// What is only asked for, not decided, may be asked for again.
const QUESTIONS: u32 = 2;

/// A service by its address.
#[derive(Debug, Clone, Serialize)]
pub struct HttpPlan {
    /// The endpoint, without `/personalizer/...`.
    pub url: String,
    /// The key, if the service wants one.
    #[serde(skip)]
    pub key: Option<Secret>,
    /// The header that carries the key.
    pub key_header: String,
    /// The version of the contract in the paths.
    pub api: String,
    /// More headers of every request.
    #[serde(skip)]
    pub headers: Vec<Header>,
    /// Where operations are, if not where the contract has them. `None` is an operation
    /// that the service does not have.
    pub paths: BTreeMap<Operation, Option<String>>,
    /// How long a call may take.
    #[serde(skip)]
    pub timeouts: Timeouts,
    /// How often calls are made again.
    #[serde(skip)]
    pub retries: Retries,
    /// How the service is reached.
    #[serde(skip)]
    pub connection: ConnectionPlan,
}

/// A header of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
    /// Whether the value came from the environment, and is not to be shown.
    pub is_secret: bool,
}

/// How long the parts of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// From sending until the head of the answer is there, if that is bounded.
    pub first_byte: Option<Duration>,
    /// The whole call.
    pub whole: Duration,
}

/// How often calls are made again that failed in a way that may pass: no connection, a
/// connection that broke, no answer in time, 408, 429, 500, 502, 503 and 504.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Rank. The same id gets the same decision from a service that keeps the contract.
    pub rank: u32,
    /// Reward. The first reward counts at a service that keeps the contract.
    pub reward: u32,
    /// Questions about settings, policies, models and evaluations.
    pub questions: u32,
}

/// How a service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionPlan {
    /// Whether HTTP/2 is spoken; agreed on in TLS, taken for granted without.
    pub http2: bool,
    /// The proxy between, with its user and password, if there is one.
    pub proxy: Option<Secret>,
    /// Certificates in PEM that are trusted beside those of the machine.
    pub ca: Option<Arc<str>>,
    /// A certificate and its key in PEM that the service is shown.
    pub client_certificate: Option<Secret>,
    /// How many connections there may be at once; calls beyond wait.
    pub most: Option<usize>,
    /// How long a connection that nobody uses is kept; `None` for one call a connection.
    pub keep_alive: Option<Duration>,
}

/// An operation of the contract, by the name it has under `paths`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST /rank`
    Rank,
    /// `POST /events/{eventId}/reward`
    Reward,
    /// `POST /events/{eventId}/activate`
    Activate,
    /// `GET /model/properties`
    ModelProperties,
    /// `DELETE /model`
    Model,
    /// `DELETE /logs`
    Logs,
    /// `GET` and `PUT /configurations/service`
    Configuration,
    /// `GET`, `PUT` and `DELETE /configurations/policy`
    Policy,
    /// `POST /evaluations`, `GET /evaluations/{evaluationId}`
    Evaluations,
    /// `POST /configurations/applyFromEvaluation`
    ApplyFromEvaluation,
}

impl Operation {
    /// Every operation, with its name and its path below `/personalizer/{api}`.
    pub const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::Rank, "rank", "/rank"),
        (Self::Reward, "reward", "/events/{eventId}/reward"),
        (Self::Activate, "activate", "/events/{eventId}/activate"),
        (Self::ModelProperties, "model_properties", "/model/properties"),
        (Self::Model, "model", "/model"),
        (Self::Logs, "logs", "/logs"),
        (Self::Configuration, "configuration", "/configurations/service"),
        (Self::Policy, "policy", "/configurations/policy"),
        (Self::Evaluations, "evaluations", "/evaluations"),
        (Self::ApplyFromEvaluation, "apply_from_evaluation", "/configurations/applyFromEvaluation"),
    ];

    /// What stands in its path for the id of an event.
    pub const EVENT_ID: &'static str = "{eventId}";

    fn entry(self) -> &'static (Self, &'static str, &'static str) {
        let is = |entry: &&(Self, &str, &str)| entry.0 == self;
        Self::ALL.iter().find(is).expect("every operation is there")
    }

    /// Its name under `paths`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Its path below `/personalizer/{api}`.
    #[must_use]
    pub fn contract_path(self) -> &'static str {
        self.entry().2
    }
}

impl HttpPlan {
    /// A service of the contract at `url`, reached as usual.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            key: None,
            key_header: KEY_HEADER.to_owned(),
            api: "v1.0".to_owned(),
            headers: Vec::new(),
            paths: BTreeMap::new(),
            timeouts: Timeouts { connect: CONNECT, first_byte: None, whole: WHOLE },
            retries: Retries { rank: 0, reward: 0, questions: QUESTIONS },
            connection: ConnectionPlan {
                http2: false,
                proxy: None,
                ca: None,
                client_certificate: None,
                most: None,
                keep_alive: Some(KEEP_ALIVE),
            },
        }
    }

    /// Every text that must appear in no output.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.iter().filter(|header| header.is_secret);
        let headers = headers.map(|header| &header.value);
        let connection = [&self.connection.proxy, &self.connection.client_certificate];
        self.key.iter().chain(headers).chain(connection.into_iter().flatten())
    }
}

/// The service that `node` describes.
pub(super) fn service(node: &Node, files: &Files, report: &mut Report) -> Option<HttpPlan> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let usual = HttpPlan::at(node.get("url")?.text()?);
    Some(HttpPlan {
        key: text("key").map(Secret::new),
        key_header: header_name(node.get("key_header"), report).unwrap_or(usual.key_header),
        api: text("api").unwrap_or("v1.0").to_owned(),
        headers: headers(node, report),
        paths: paths(node, report),
        timeouts: timeouts(node, report),
        retries: retries(node),
        connection: connection(node, files, report),
        url: usual.url,
    })
}

fn headers(node: &Node, report: &mut Report) -> Vec<Header> {
    let entries = node.get("headers").map_or(&[][..], Node::entries);
    let mut headers = Vec::new();
    for entry in entries {
        let Some(value) = entry.value.text() else { continue };
        if !is_header_name(&entry.key) {
            let message = format!("`{}` is not the name of a header", entry.key);
            report.push(Diagnostic::error(message).at(&entry.place));
        }
        if value.contains(|c: char| c.is_control()) {
            let message = format!("`{}` has a line break or another control character", entry.key);
            report.push(Diagnostic::error(message).at(&entry.place));
        }
        let is_secret = matches!(entry.value.value, Value::Interpolated(_));
        headers.push(Header { name: entry.key.clone(), value: Secret::new(value), is_secret });
    }
    headers
}

fn header_name(node: Option<&Node>, report: &mut Report) -> Option<String> {
    let (node, name) = (node?, node?.text()?);
    if !is_header_name(name) {
        let message = format!("`{name}` is not the name of a header");
        report.push(Diagnostic::error(message).at(&node.place));
    }
    Some(name.to_owned())
}

/// A token (RFC 9110, 5.6.2).
fn is_header_name(name: &str) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(belongs)
}

fn paths(node: &Node, report: &mut Report) -> BTreeMap<Operation, Option<String>> {
    let mut paths = BTreeMap::new();
    for (operation, name, usual) in Operation::ALL {
        let Some(node) = node.get("paths").and_then(|paths| paths.get(name)) else { continue };
        let Some(path) = node.text() else { continue };
        if path == "none" {
            paths.insert(operation, None);
            continue;
        }
        let needs_event = usual.contains(Operation::EVENT_ID) && name != "reward";
        if needs_event && !path.contains(Operation::EVENT_ID) {
            let message = format!("the path of `{name}` needs `{}`", Operation::EVENT_ID);
            report.push(Diagnostic::error(message).at(&node.place));
        }
        paths.insert(operation, Some(path.to_owned()));
    }
    for name in ["rank", "reward"] {
        let path = node.get("paths").and_then(|paths| paths.get(name));
        if let Some(node) = path.filter(|node| node.text() == Some("none")) {
            let message = format!("a service without `{name}` cannot be called");
            report.push(Diagnostic::error(message).at(&node.place));
        }
    }
    paths
}

fn timeouts(node: &Node, report: &mut Report) -> Timeouts {
    let parts = node.get("timeout").filter(|node| node.text().is_none());
    let Some(parts) = parts else {
        let whole = positive(node, "timeout", WHOLE, report);
        return Timeouts { connect: CONNECT.min(whole), first_byte: None, whole };
    };
    let whole = positive(parts, "whole", WHOLE, report);
    Timeouts {
        connect: positive(parts, "connect", CONNECT.min(whole), report),
        first_byte: parts.get("first_byte").map(|_| positive(parts, "first_byte", whole, report)),
        whole,
    }
}

fn retries(node: &Node) -> Retries {
    let of = |key: &str, usual: u32| {
        let said = node.get("retries").and_then(|retries| retries.get(key)).and_then(as_count);
        said.and_then(|count| u32::try_from(count).ok()).unwrap_or(usual)
    };
    Retries { rank: of("rank", 0), reward: of("reward", 0), questions: of("questions", QUESTIONS) }
}

fn connection(node: &Node, files: &Files, report: &mut Report) -> ConnectionPlan {
    let mut read = |key: &str| node.get(key).and_then(|node| files.read(node, report));
    let (ca, certificate) = (read("ca"), read("client_certificate"));
    if let Some(entry) = node.entry("client_certificate")
        && certificate.as_ref().is_some_and(|pem| !pem.text().contains("PRIVATE KEY"))
    {
        let diagnostic = Diagnostic::error("the client certificate comes without its key");
        let help = "put the certificate and its `PRIVATE KEY` into one PEM file";
        report.push(diagnostic.at(&entry.value.place).help(help));
    }
    ConnectionPlan {
        http2: node.get("http2").and_then(Node::boolean).unwrap_or(false),
        proxy: node.get("proxy").and_then(Node::text).map(Secret::new),
        ca: ca.map(|pem| pem.text().into()),
        client_certificate: certificate.map(|pem| Secret::new(pem.text())),
        most: node.get("connections").and_then(as_count).and_then(|n| usize::try_from(n).ok()),
        keep_alive: match node.get("keep_alive") {
            None => Some(KEEP_ALIVE),
            Some(node) if node.boolean() == Some(true) => Some(KEEP_ALIVE),
            Some(node) => node.text().and_then(duration),
        },
    }
}
