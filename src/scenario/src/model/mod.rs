//! The description of a scenario file: every key, its documentation, form and default, beside
//! the field that it is read into. The check of a file, its values and the JSON Schema are
//! made of it.
//!
//! Start reading at [`ScenarioFile`].

mod call;
mod datasets;
mod gate;
mod hint;
mod matrix;
mod notation;
mod phase;
mod policy;
mod preset;
mod scenario;
mod service;
mod settings;
mod tags;
mod target;
#[cfg(test)]
mod tests;

pub(super) use call::{
    ActionFile, AnswerFile, By, CallFile, ErrorFile, FieldFile, ItemFile, RankingFile,
    RewardCallFile, SourceFile, StepCallFile, TakeFile,
};
pub(super) use datasets::{
    Classification, ClassifiedWorld, ContextDimension, DatasetFiles, Datasets, DimensionKind,
    Generate, GeneratedWorld, LogPlay, LoggedWorld, NoiseFile, OfferFile, Request, RewardFile,
    Rewards, Turnover,
};
pub(super) use gate::{GateFile, Require, gate_list};
pub(super) use matrix::{MatrixFile, Policies, Seeds, Until, UntilDecidedFile};
pub(crate) use notation::is_feature_name;
pub(super) use phase::{
    ArrivalKind, ConfigureFile, DriftFile, EvaluateFile, IterateFile, PauseFile, PhaseItem,
    StepFile,
};
pub(super) use policy::policy;
pub(super) use preset::Preset;
pub use scenario::schema;
pub(super) use scenario::{Comparison, ExpectFile, ScenarioFile};
pub(super) use service::{
    HeaderFile, KeepAlive, Path, Paths, ServiceFile, Timeout, TimeoutParts, is_header_name,
};
pub(super) use settings::{LoopFile, learning_loop};
pub(super) use target::Target;
