//! How a service is called that is not shaped like Personalizer.
//!
//! Templates (minijinja) say what is sent, paths (JSONPath) what is taken. A [`Mapping`] renders
//! calls and reads answers; it sends nothing.

pub mod call;
pub mod encoding;
pub mod filters;
pub mod path;
pub mod ranking;
mod render;
pub mod source;
pub mod take;
pub mod template;
pub mod value;
pub mod variables;

use serde::Serialize;

pub use call::{Call, Format, Method, RenderedCall, RewardCall, Sending, StepCall};
pub use path::SingularPath;
pub use ranking::Pick;
pub use source::{Reply, ValueSource};
pub use take::{Take, Taken};
pub use template::is_template;
pub use value::{Scale, TakeError};
pub use variables::{ServiceId, Variables};

use super::Secret;
use call::Tree;
use template::{Template, Templates};

/// How a service is called.
#[derive(Debug, Serialize)]
pub struct Mapping {
    /// Rank.
    pub rank: Call,
    /// What is taken from its answer.
    pub take: Take,
    /// Reward, if the service takes one.
    pub reward: Option<RewardCall>,
    /// The first call, whose values and cookies all others have.
    pub session: Option<StepCall>,
    /// Calls before the first iteration.
    pub setup: Vec<StepCall>,
    /// Calls after the last iteration.
    pub teardown: Vec<Call>,
    /// Headers of every call after the first.
    pub headers: Vec<(String, Template)>,
    /// What the service calls the actions.
    pub ids: Vec<ServiceId>,
    /// How an action is sent, if not as it is.
    pub actions: Option<Tree>,
    /// The templates of all calls.
    #[serde(skip)]
    pub templates: Templates,
    /// The variables that every call has.
    #[serde(skip)]
    pub variables: Variables,
    /// Texts that must appear in no output.
    #[serde(skip)]
    pub secrets: Vec<Secret>,
    /// Whether a template makes vectors of features.
    #[serde(skip)]
    pub has_vectors: bool,
}

impl Mapping {
    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        let steps = self.session.iter().chain(&self.setup).map(|step| &step.call);
        let reward = self.reward.iter().map(|reward| &reward.call);
        steps.chain([&self.rank]).chain(reward).chain(&self.teardown)
    }

    /// What the columns of vectors of the context stand for, if vectors are sent.
    #[must_use]
    pub fn columns(&self) -> Option<&[String]> {
        self.has_vectors.then(|| self.variables.offer.context.columns())
    }

    /// Whether calls prepare the service, or tidy up after the run.
    #[must_use]
    pub fn prepares(&self) -> bool {
        !self.setup.is_empty() || !self.teardown.is_empty()
    }

    /// Whether the run can be resumed: what an earlier process took from `setup` is gone.
    #[must_use]
    pub fn keeps_setup(&self) -> bool {
        self.setup.iter().all(|step| step.take.is_empty())
    }

    /// What follows from what the service does not give, in sentences.
    #[must_use]
    pub fn consequences(&self) -> Vec<String> {
        let mut consequences = Vec::new();
        if !self.take.gives_probability() {
            consequences.push(
                "`take` has no probability: the choices cannot be evaluated offline, and \
                 propensities are not checked"
                    .to_owned(),
            );
        }
        if self.reward.is_none() {
            consequences.push(
                "there is no `reward` call: the service learns nothing from this run".to_owned(),
            );
        }
        consequences
    }
}
