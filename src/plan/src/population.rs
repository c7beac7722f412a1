//! Who turns up.

use std::sync::Arc;

use serde::Serialize;

use super::Preference;
use protocol::{FeatureObject, RankableAction};
use twin::LoggedChoices;

/// Who turns up, in which context, and what they want.
#[derive(Debug, Clone, Serialize)]
pub struct Population {
    /// The names of the context dimensions.
    pub dimensions: Vec<String>,
    /// The rows. One is drawn for each iteration, in proportion to its weight.
    pub rows: Vec<Visitor>,
}

/// One row of the population.
#[derive(Debug, Clone, Serialize)]
pub struct Visitor {
    /// The value of each dimension as text, for results.
    pub context: Arc<[String]>,
    /// The context features of the Rank request.
    pub features: Arc<[FeatureObject]>,
    /// What they want.
    #[serde(flatten)]
    pub preference: Preference,
    /// The indices of the actions that can be offered to them; all, if none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Arc<[usize]>>,
    /// How often this row turns up, relative to the others. Finite, positive.
    pub weight: f64,
    /// The actions as they are offered to them, in the order of `actions`, where their features are
    /// their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<Arc<[RankableAction]>>,
    /// What a log says of them, where the world is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<Logged>,
}

/// A world that is a log.
#[derive(Debug, Clone, Serialize)]
pub struct LogWorld {
    /// How it is played.
    pub kind: LogKind,
    /// What is to be known of it, in sentences.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// How a log is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LogKind {
    /// Event by event, in their order. A choice counts where it is the logged one.
    Replay,
    /// In a world that is fitted on it.
    Twin,
}

/// What a log says of a visitor.
#[derive(Debug, Clone, Serialize)]
pub enum Logged {
    /// One event of a replay.
    Event {
        /// The index of the action that was taken.
        chosen: usize,
        /// Its reward.
        reward: f64,
        /// With which probability the same choice counts: the lowest probability of the log, of
        /// that of this event. Then every action of every event counts equally often.
        keep: f64,
    },
    /// What is known of each action that is offered, in a twin.
    Choices(#[serde(skip)] Arc<[LoggedChoices]>),
}
