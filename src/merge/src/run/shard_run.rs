//! The shards in a folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::MergeError;
use record::{IterationRecord, ModelCheck};
use results::{Manifest, RunFolder, ShardEntry, model_checks, notices, read, scenario_text};
use shard::Shard;

/// The records of one shard. Times count from its own start.
pub(super) struct ShardRun {
    pub folder: PathBuf,
    pub entry: ShardEntry,
    pub records: Vec<IterationRecord>,
    pub checks: Vec<ModelCheck>,
}

/// A folder with one shard, or with a merge of some.
pub(super) struct ShardFolder {
    pub folder: PathBuf,
    pub manifest: Manifest,
    pub scenario: Vec<u8>,
    pub parts: Vec<ShardRun>,
}

impl ShardFolder {
    pub fn read(folder: &Path) -> Result<Self, MergeError> {
        let run = read(folder)?;
        let checks = model_checks(folder, &run.manifest)?;
        let entries = match run.manifest.shard {
            Some(shard) => vec![entry(&run, shard)?],
            None => run.manifest.shards.clone(),
        };
        if entries.is_empty() {
            return Err(MergeError::NotCut(folder.to_owned()));
        }
        let parts = entries.into_iter().map(|entry| part(&run, entry, &checks));
        Ok(Self {
            folder: folder.to_owned(),
            scenario: scenario_text(folder)?,
            parts: parts.collect(),
            manifest: run.manifest,
        })
    }
}

/// The entry of a shard that is alone in its folder.
fn entry(run: &RunFolder, shard: Shard) -> Result<ShardEntry, MergeError> {
    let summary = run.summary();
    let saturation = summary
        .phases()
        .iter()
        .filter_map(|phase| Some((phase.name().to_owned(), phase.saturation()?)));
    Ok(ShardEntry {
        shard,
        complete: run.manifest.complete,
        start: run.manifest.start,
        wall_clock: run.manifest.wall_clock.clone(),
        phases: run.manifest.phases.clone(),
        saturation: saturation.collect(),
        notices: notices(&run.folder)?,
    })
}

fn part(run: &RunFolder, entry: ShardEntry, checks: &[ModelCheck]) -> ShardRun {
    let later = entry.start.since(run.manifest.start);
    let own = run.records.iter().filter(|record| entry.shard.holds(record.iteration));
    let records = own.map(|record| moved(record, |at| at.saturating_sub(later))).collect();
    let asks = entry.shard.number() == 1;
    let checks = checks.iter().filter(|_| asks).cloned();
    let checks = checks.map(|check| ModelCheck { at: check.at.saturating_sub(later), ..check });
    ShardRun { folder: run.folder.clone(), checks: checks.collect(), entry, records }
}

/// The record with its times changed.
pub(super) fn moved(
    record: &IterationRecord,
    to: impl Fn(Duration) -> Duration,
) -> IterationRecord {
    IterationRecord {
        due: to(record.due),
        rank_start: to(record.rank_start),
        reward_start: record.reward_start.map(to),
        ..record.clone()
    }
}

/// The differences of two plans, one line each.
pub(super) fn differences(left: &Manifest, right: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, left: &str, right: &str| {
        if left != right {
            lines.push(format!("  {what}: `{left}` and `{right}`"));
        }
    };
    compare("the scenario", &left.scenario, &right.scenario);
    compare("the version", &left.tool.version, &right.tool.version);
    compare("`--set`", &left.overrides.join(" "), &right.overrides.join(" "));
    compare("the expectations", &left.expectations.join(", "), &right.expectations.join(", "));
    let parts = left.plan_parts.iter();
    let changed = parts.filter(|(name, digest)| right.plan_parts.get(*name) != Some(digest));
    lines.extend(changed.map(|(part, _)| format!("  {part}")));
    if lines.is_empty() && left.plan_digest != right.plan_digest {
        lines.push("  which phases there are".to_owned());
    }
    lines
}
