//! A service by its address, as a scenario describes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::format::by_default;
use super::mapping::Mapping;
pub use super::model::Retries;
use super::model::{HeaderFile, KeepAlive, Path, Paths, ServiceFile, Timeout, TimeoutParts};
use super::secret::Secret;

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
    /// How it is called, if it is not shaped like Personalizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Arc<Mapping>>,
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
    /// `POST /multislot/rank`
    RankSlots,
    /// `POST /multislot/events/{eventId}/reward`
    RewardSlots,
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
    pub const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Rank, "rank", "/rank"),
        (Self::Reward, "reward", "/events/{eventId}/reward"),
        (Self::Activate, "activate", "/events/{eventId}/activate"),
        (Self::RankSlots, "rank_slots", "/multislot/rank"),
        (Self::RewardSlots, "reward_slots", "/multislot/events/{eventId}/reward"),
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
        Self { url: url.trim_end_matches('/').to_owned(), ..Self::of(&ServiceFile::usual(), None) }
    }

    /// The service that a scenario describes.
    pub(super) fn of(service: &ServiceFile, mapping: Option<Mapping>) -> Self {
        // What a mapping renders for each call is no header of the plan.
        let is_rendered = |header: &HeaderFile| mapping.is_some() && header.is_template();
        let headers = service.headers.iter().flatten().map(|named| &named.value);
        let headers = headers.filter(|header| !is_rendered(header));
        Self {
            url: service.url.clone(),
            key: service.key.clone(),
            key_header: service.key_header.clone(),
            api: service.api.value.to_owned(),
            headers: headers.map(|header| header.header.clone()).collect(),
            paths: paths(&service.paths),
            mapping: mapping.map(Arc::new),
            timeouts: timeouts(&service.timeout),
            retries: service.retries,
            connection: connection(service),
        }
    }

    /// Every text that must appear in no output.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.iter().filter(|header| header.is_secret);
        let headers = headers.map(|header| &header.value);
        let connection = [&self.connection.proxy, &self.connection.client_certificate];
        let mapping = self.mapping.iter().flat_map(|mapping| mapping.secrets());
        self.key.iter().chain(headers).chain(connection.into_iter().flatten()).chain(mapping)
    }
}

/// The operations that are elsewhere.
fn paths(paths: &Paths) -> BTreeMap<Operation, Option<String>> {
    let all = [
        (Operation::Rank, &paths.rank),
        (Operation::Reward, &paths.reward),
        (Operation::Activate, &paths.activate),
        (Operation::RankSlots, &paths.rank_slots),
        (Operation::RewardSlots, &paths.reward_slots),
        (Operation::ModelProperties, &paths.model_properties),
        (Operation::Model, &paths.model),
        (Operation::Logs, &paths.logs),
        (Operation::Configuration, &paths.configuration),
        (Operation::Policy, &paths.policy),
        (Operation::Evaluations, &paths.evaluations),
        (Operation::ApplyFromEvaluation, &paths.apply_from_evaluation),
    ];
    let written = all.into_iter().filter_map(|(operation, path)| match path.as_ref()? {
        Path::None => Some((operation, None)),
        Path::At(path) => Some((operation, Some(path.clone()))),
    });
    written.collect()
}

/// A connection takes no longer than the whole call, unless that is asked for.
fn timeouts(timeout: &Timeout) -> Timeouts {
    let usual = by_default::<TimeoutParts>();
    let parts = match timeout {
        Timeout::Whole(whole) => &TimeoutParts { whole: *whole, ..usual },
        Timeout::Parts(parts) => parts,
    };
    let connect = if parts.connect.is_written {
        parts.connect.value
    } else {
        parts.connect.value.min(parts.whole)
    };
    Timeouts { connect, first_byte: parts.first_byte, whole: parts.whole }
}

fn connection(service: &ServiceFile) -> ConnectionPlan {
    ConnectionPlan {
        http2: service.http2,
        proxy: service.proxy.clone(),
        ca: service.ca.as_ref().map(|pem| pem.text().into()),
        client_certificate: service.client_certificate.as_ref().map(|pem| Secret::new(pem.text())),
        most: service.connections,
        keep_alive: match service.keep_alive {
            KeepAlive::For(time) => Some(time),
            KeepAlive::Is(true) => HttpPlan::at("").connection.keep_alive,
            KeepAlive::Is(false) => None,
        },
    }
}
