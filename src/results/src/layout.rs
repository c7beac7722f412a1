//! Names of files that tell what a folder holds.

/// The name of the manifest of a run in its folder.
pub const MANIFEST: &str = "manifest.json";

/// The name of the manifest of an experiment.
pub const EXPERIMENT: &str = "experiment.json";

/// The name of the iterations of a run.
pub(super) const EVENTS: &str = "events.csv";

/// The name of the iterations of a complete run, in Parquet.
pub(super) const EVENTS_PARQUET: &str = "events.parquet";

/// The name of the log of joined events.
pub(super) const LOG: &str = "log.dsjson";
