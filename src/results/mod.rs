//! The results folder: layout, manifest, CSV, histogram logs, read back.
//!
//! Must not know: the engine, targets.
