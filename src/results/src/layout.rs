//! Names of files that tell what a folder holds.

/// The name of the manifest of a run in its folder.
pub const MANIFEST: &str = "manifest.json";

/// The name of the manifest of an experiment.
pub const EXPERIMENT: &str = "experiment.json";
