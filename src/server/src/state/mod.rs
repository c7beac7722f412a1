//! The state of a service on disk: a folder that only its owner can read (0700, files 0600).
//!
//! - `snapshot-N`: the loop without its log, the list of its segments, and the number of the
//!   last entry that it covers, with a checksum.
//! - `events-N.dsjson.gz`: joined events, in order, for `vw --dsjson` and `runner evaluate`.
//! - `journal-N`: the entries since, with checksums. A request is answered after its entries
//!   are synced.
//!
//! Opening reads the snapshot, the segments and the journals. A new snapshot is written beside
//! the old one and renamed; then everything that it covers is removed. So whatever happens
//! between two steps, the folder gives the same loop.

mod disk;
mod folder;
mod journal;
mod migration;
mod reader;
mod segment;
mod snapshot;
mod store;

#[cfg(test)]
mod tests;

pub(crate) use disk::Disk;
pub use folder::StateError;
pub(crate) use folder::{Folder, SEGMENT_EVENTS, open};
pub(crate) use journal::Record;
pub(crate) use store::{Store, Ticket, unwritable};
