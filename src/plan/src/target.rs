//! What is called.

use std::sync::Arc;

use serde::Serialize;

use super::phase::arguments;
use super::{Delay, HttpPlan, Mapping};
use ::policy::Policy;
use protocol::ServiceConfiguration;

/// What is called.
#[derive(Debug, Clone, Serialize)]
pub enum TargetPlan {
    /// The loop inside.
    Embedded(Box<EmbeddedPlan>),
    /// The loop inside, served over HTTP on the loopback for as long as the run lasts.
    Served(Box<ServedPlan>),
    /// A service by its address.
    Http(Box<HttpPlan>),
}

impl TargetPlan {
    /// How the service is called, if it is not shaped like Personalizer.
    #[must_use]
    pub fn mapping(&self) -> Option<&Arc<Mapping>> {
        match self {
            Self::Http(plan) => plan.mapping.as_ref(),
            Self::Embedded(_) | Self::Served(_) => None,
        }
    }

    /// The settings and the learning policy that the loop starts with; a service's are its
    /// own.
    #[must_use]
    pub fn start(&self) -> Option<(&ServiceConfiguration, &Policy)> {
        match self {
            Self::Embedded(plan) => Some((&plan.configuration, &plan.policy)),
            Self::Served(plan) => Some((&plan.configuration, &plan.policy)),
            Self::Http(_) => None,
        }
    }
}

/// The loop inside, served over HTTP.
#[derive(Debug, Clone, Serialize)]
pub struct ServedPlan {
    /// The settings it starts with.
    pub configuration: ServiceConfiguration,
    /// The learning policy it starts with.
    #[serde(serialize_with = "arguments")]
    pub policy: Policy,
    /// The programs that the scenario names: no others are started.
    #[serde(skip)]
    pub programs: Vec<Policy>,
    /// How it is called; its address is known once it is served.
    #[serde(skip)]
    pub http: Box<HttpPlan>,
}

/// The loop inside.
#[derive(Debug, Clone, Serialize)]
pub struct EmbeddedPlan {
    /// The settings it starts with.
    pub configuration: ServiceConfiguration,
    /// The learning policy it starts with.
    #[serde(serialize_with = "arguments")]
    pub policy: Policy,
    /// The programs that the scenario names: no others are started.
    #[serde(skip)]
    pub programs: Vec<Policy>,
    /// How long Rank seems to take.
    pub rank_latency: Delay,
    /// How long Reward seems to take.
    pub reward_latency: Delay,
}
