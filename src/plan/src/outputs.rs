//! What a results folder holds.

use serde::{Deserialize, Serialize};

/// What a results folder holds, and in which form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// The iterations, `events.csv`.
    pub events: OutputForm,
    /// The joined events of the loop, `log.dsjson`.
    pub log: OutputForm,
    /// The percentiles of latencies in the summary, in rising order; none, if they are the usual
    /// ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub percentiles: Vec<f64>,
}

impl Outputs {
    /// Whether they are those of a scenario that says nothing of them.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The form of a large file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputForm {
    /// There is none.
    None,
    /// As text.
    #[default]
    Plain,
    /// Zstandard-compressed, in a file with the suffix `.zst`.
    Zstd,
    /// As Parquet, once the run is complete; until then Zstandard-compressed.
    Parquet,
}
