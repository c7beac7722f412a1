//! A service by its address, as a scenario describes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Mapping, Secret};

/// How often calls are made again that found no connection, lost it, had no answer in time, or
/// were answered 408, 429, 500, 502, 503 or 504.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Rank; safe where the same event id gets the same decision.
    pub rank: u32,
    /// Reward; safe where the first reward counts.
    pub reward: u32,
    /// What only asks: settings, policy, model, evaluation.
    pub questions: u32,
}

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
    /// Every text that must appear in no output.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.iter().filter(|header| header.is_secret);
        let headers = headers.map(|header| &header.value);
        let connection = [&self.connection.proxy, &self.connection.client_certificate];
        let mapping = self.mapping.iter().flat_map(|mapping| &mapping.secrets);
        self.key.iter().chain(headers).chain(connection.into_iter().flatten()).chain(mapping)
    }
}
