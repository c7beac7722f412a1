//! The folder of a run: written while it runs, read back however it ended.
//!
//! [`Results`] is an observer. It writes the manifest first and last, appends whole rows
//! while the run goes on, and puts everything else in place by renaming. [`read()`]
//! takes a folder back, torn tail or not. `results/README.md` tells people what the
//! files hold.
//!
//! Must not know: the engine, the target.

mod cell;
mod closing;
mod events;
pub mod experiment;
mod files;
mod growing;
mod hgrm;
mod hlog;
mod journal;
mod manifest;
mod merged;
mod place;
mod read;
mod redact;
mod resume;
mod shards;
mod table;
mod tables;
mod writer;

pub use closing::Closing;
pub use files::FileSeal;
pub use manifest::{
    LatencyKind, MANIFEST, Manifest, PhaseEntry, Status, StoppedAt, Tool, WallClockEntry,
};
pub use merged::{Told, beside, put_in_place};
pub use place::{
    CreateError, Place, cell_folder, is_unwritten, scenario_folder, shard_folder, shard_name,
};
pub use read::{ReadError, RunFolder, model_checks, notices, read, scenario_text};
pub use resume::{ResumeError, Resumed};
pub use shards::ShardEntry;
pub use writer::{Origin, Results};
