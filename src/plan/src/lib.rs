//! The plan of a run: valid, complete, and independent of the files it was read from.
//!
//! `scenario` makes a [`Plan`] of a YAML file; the engine runs it against a target. What a plan is
//! asked once an iteration is computed here: what a choice is worth (`reward`), which actions are
//! offered (`catalogue`), how a call is rendered and its answer read (`mapping`).
//!
//! Must not know: the format of scenarios, files, the network.

mod arrival;
mod catalogue;
pub mod cut;
mod delay;
pub mod digest;
pub mod mapping;
mod outputs;
mod percent;
mod phase;
mod plan;
mod population;
pub mod reward;
mod secret;
mod service;
pub mod settings;
mod target;

pub use arrival::{Arrival, Rate, Schedule, Stage};
pub use catalogue::{ActionState, Catalogue};
pub use delay::{Delay, DelaySampler};
pub use mapping::{
    Call, Format, Mapping, Method, RenderedCall, Reply, RewardCall, Sending, SingularPath,
    StepCall, Take, TakeError, Taken, ValueSource, Variables,
};
pub use outputs::{OutputForm, Outputs};
pub use phase::{
    Apply, AwaitedChange, Configure, Drift, Evaluate, Iterate, NamedPolicy, Pause, Phase,
    RewardDelivery, Step,
};
pub use plan::{ClockKind, Plan, Source};
pub use population::{LogKind, LogWorld, Logged, Population, Visitor};
pub use reward::{ActionRewards, Chance, Choice, Formula, Preference, RewardRule, Wanted};
pub use secret::{Redactor, Secret};
pub use service::{ConnectionPlan, Header, HttpPlan, Operation, Retries, Timeouts};
pub use settings::Settings;
pub use target::{EmbeddedPlan, ServedPlan, TargetPlan};
pub use twin::LoggedChoices;
