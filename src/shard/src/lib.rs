//! Which part of the work is this process's: `k/n`, given or read from the engine that
//! started it.
//!
//! Work is cut so that nothing that is compared comes apart: cells into blocks of one seed,
//! of which [`Shard::holds`] tells whose they are, and the iterations of a load into
//! [`Stride`]s of their global index. What an engine says of itself is in [`ENGINES`].
//!
//! Must not know: what is cut.

mod auto;
mod blocks;
mod engines;
mod part;
mod stride;

pub use auto::{COUNT, ShardChoice, ShardError};
pub use blocks::blocks;
pub use engines::{Count, ENGINES, Engine, Index};
pub use part::Shard;
pub use stride::Stride;
