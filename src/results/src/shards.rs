//! What a manifest says of the shards of a load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, PhaseEntry, WallClockEntry};
use scenario::Plan;
use shard::Shard;
use timestamp::Timestamp;

/// A shard that was merged. Its times count from its own start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Which.
    pub shard: Shard,
    /// Whether it was walked to its end.
    pub complete: bool,
    /// When it started.
    pub start: Timestamp,
    /// What differs from run to run.
    pub wall_clock: WallClockEntry,
    /// Its phases.
    pub phases: Vec<PhaseEntry>,
    /// Why latencies of a phase are not valid, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub saturation: BTreeMap<String, String>,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

impl Manifest {
    /// Why latencies are not valid, by the name of the phase: what shards say of their own.
    #[must_use]
    pub fn saturation(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for entry in &self.shards {
            for (phase, reason) in &entry.saturation {
                let told = format!("shard {}: {reason}", entry.shard);
                all.entry(phase.clone()).or_default().push(told);
            }
        }
        all.into_iter().map(|(phase, reasons)| (phase, reasons.join("; "))).collect()
    }
}

/// A run that is whole judges them itself.
pub(super) fn expectations(plan: &Plan) -> Vec<String> {
    let texts = plan.expectations.iter().map(|expectation| expectation.text().to_owned());
    texts.filter(|_| plan.shard.is_some()).collect()
}
