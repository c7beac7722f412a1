//! From a YAML file to a [`Plan`](plan::Plan): everything that can be known before a call is sent.
//!
//! Three stages: document (a tree with places) → scenario file (the values of its keys) →
//! plan (files read, policies parsed, limits checked). Every mistake found on the way is
//! reported, all at once, each at its line. Nothing runs before a plan exists.
//!
//! Start reading at [`load()`]. What a file may hold is in `model`: each key with its
//! documentation, its form and its default, beside the field that it is read into. What a form
//! is, is in `format`.
//!
//! Must not know: the network, the engine.

mod arrival;
#[macro_use]
mod format;
mod catalogue;
mod columns;
mod data;
mod dataset;
mod description;
mod document;
mod exploration;
mod file;
mod gates;
mod load;
mod loop_file;
mod mapping;
mod matrix;
mod model;
mod order;
mod phase;
mod plausible;
mod policy;
pub mod policy_list;
mod reward;
mod service;
mod slots;
mod target;
mod work;
mod written;

pub use columns::{TableColumns, load_columns, open_bandit_dataset, parse_columns};
pub use dataset::{
    ByContext, DimensionKind, InferenceError, UserDimension, by_context, infer_dimensions,
    preferred_actions,
};
pub use description::{ActionWorth, WorldDescription, Worth};
pub use exploration::{KeptExploration, kept_exploration};
pub use file::{Input, where_it_may_be};
pub use gates::{GateScope, kept_gates, load_gates};
pub use load::{LoadOptions, Scenario, load, read, read_with_inputs};
pub use loop_file::load_loop;
pub use matrix::{Between, Cell, CellOrder, Experiment, LiveCells, Variant};
pub use model::schema;
pub use service::usual_service;
pub use work::{Work, WorkCell, WorkPhase, WorkPlan, WorkStride, WorkVariant};
