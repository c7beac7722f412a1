//! The results folder of a run: written while it runs, read back however it ended.
//!
//! [`Results`] is an observer. It writes the manifest first and last, appends whole rows
//! while the run lasts, and replaces every other file atomically. [`read()`] reads a folder
//! back, whether its run ended or was killed; `replay` turns its rows back into events.
//! `results/README.md` documents the files for users.
//!
//! Must not know: the engine, the target.

mod cell;
mod closing;
mod destination;
mod entries;
mod error;
mod events;
#[cfg(feature = "parquet")]
mod events_parquet;
pub mod experiment;
mod files;
mod growing;
mod hgrm;
mod hlog;
mod journal;
mod layout;
mod lock;
mod manifest;
mod merged;
mod read;
mod redact;
mod replay;
mod resume;
mod table;
mod tables;
mod writer;

pub use closing::{Closing, SummaryDocument};
pub use destination::{
    Destination, cell_folder, is_unwritten, scenario_folder, shard_folder, shard_name,
};
pub use entries::{LatencyKind, PhaseEntry, ShardEntry, Status, StoppedAt, Tool, WallClockEntry};
pub use error::{CreateError, ReadError};
pub use files::file_stems;
pub use layout::{EXPERIMENT, MANIFEST};
pub use lock::is_locked;
pub use manifest::{Manifest, Origin};
pub use merged::{replace_folder, staging_folder};
pub use read::{
    RunFolder, model_checks, model_exports, notices, read, read_manifest, read_summary,
    runs_within, scenario_text,
};
pub use resume::{ResumeError, Resumed, ResumedPhase};
pub use writer::Results;
