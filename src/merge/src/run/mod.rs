//! The iterations of loads.
//!
//! In memory, the times of a shard count from its own start, so that copies of one shard can
//! be compared wherever they were merged before. In the merged folder all times count from
//! the first start.

mod merged;
mod shard_run;

use std::collections::BTreeMap;
use std::path::Path;

use self::shard_run::{ShardFolder, ShardRun, moved};
use super::error::{MergeError, Missing};
use comparison::Divergence;
use record::{IterationRecord, ModelCheck, Observer, Progress};
use results::{Manifest, Results, staging_folder};
use shard::Shard;
use timestamp::Timestamp;

/// The merged folder of a load.
pub struct MergedRun {
    /// The folder, to be sealed and then moved into place.
    pub results: Results,
    /// Its manifest.
    pub manifest: Manifest,
    /// When the last shard ended.
    pub ended: Timestamp,
    /// The model checks.
    pub checks: Vec<ModelCheck>,
    /// The shards that are missing.
    pub missing: Option<Missing>,
}

pub(super) fn merge(folders: &[&Path], out: &Path, partial: bool) -> Result<MergedRun, MergeError> {
    let mut union: Option<ShardUnion> = None;
    for folder in folders {
        let found = ShardFolder::read(folder)?;
        match &mut union {
            Some(union) => union.add(found)?,
            None => union = Some(ShardUnion::of(found)?),
        }
    }
    let union = union.expect("`merge` refuses an empty list");
    match union.missing() {
        Some(missing) if !partial => Err(MergeError::Missing(missing)),
        missing => union.write(out, missing),
    }
}

/// The shards of several folders.
struct ShardUnion {
    first: ShardFolder,
    parts: BTreeMap<Shard, ShardRun>,
}

impl ShardUnion {
    fn of(mut first: ShardFolder) -> Result<Self, MergeError> {
        let parts = std::mem::take(&mut first.parts);
        let mut union = Self { first, parts: BTreeMap::new() };
        parts.into_iter().try_for_each(|part| union.add_part(part))?;
        Ok(union)
    }

    fn add(&mut self, found: ShardFolder) -> Result<(), MergeError> {
        let mut differences = shard_run::differences(&self.first.manifest, &found.manifest);
        differences.extend(super::texts_differ(&self.first.scenario, &found.scenario));
        let counts = |parts: &mut dyn Iterator<Item = Shard>| parts.next().map(Shard::count);
        let (left, right) = (
            counts(&mut self.parts.keys().copied()),
            counts(&mut found.parts.iter().map(|part| part.entry.shard)),
        );
        if let (Some(left), Some(right)) = (left, right)
            && left != right
        {
            differences.push(format!("  the number of shards: {left} and {right}"));
        }
        if !differences.is_empty() {
            let (left, right) = (self.first.folder.clone(), found.folder);
            return Err(MergeError::OtherPlan { left, right, differences });
        }
        found.parts.into_iter().try_for_each(|part| self.add_part(part))
    }

    /// Of two copies of one shard, keeps the longer one; their common beginning must be equal.
    fn add_part(&mut self, part: ShardRun) -> Result<(), MergeError> {
        let shard = part.entry.shard;
        if let Some(known) = self.parts.get(&shard) {
            if let Some(place) = self.difference(known, &part) {
                let (left, right) = (known.folder.clone(), part.folder);
                let what = format!("shard {shard}");
                return Err(MergeError::Differs { left, right, what, place });
            }
            let further = |part: &ShardRun| (part.entry.complete, part.records.len());
            if further(&part) <= further(known) {
                return Ok(());
            }
        }
        self.parts.insert(shard, part);
        Ok(())
    }

    /// The first difference of two copies of one shard. A copy that ended early lacks the end of
    /// the phase in which it ended, or of each of several parallel ones.
    fn difference(&self, left: &ShardRun, right: &ShardRun) -> Option<String> {
        let differs = |pair: &[Option<&IterationRecord>; 2]| match pair {
            [None, _] => left.entry.complete,
            [_, None] => right.entry.complete,
            [left, right] => left != right,
        };
        let pair = pairs(&left.records, &right.records).into_values().find(differs)?;
        let first = pair[0].or(pair[1])?;
        let phase = self.first.manifest.phases[first.phase].name.clone();
        let divergence = Divergence {
            phase,
            iteration: first.iteration,
            contexts: pair.map(|record| record.map(|record| record.context.to_vec())),
            chosen: pair.map(|record| record?.chosen.as_ref().map(ToString::to_string)),
        };
        let chose_alike = divergence.contexts[0] == divergence.contexts[1]
            && divergence.chosen[0] == divergence.chosen[1];
        Some(if chose_alike {
            let Divergence { phase, iteration, .. } = divergence;
            format!("at iteration {iteration} of `{phase}`: in the result")
        } else {
            divergence.to_string()
        })
    }

    fn missing(&self) -> Option<Missing> {
        let count = self.parts.keys().next()?.count();
        let line = |shard: Shard| match self.parts.get(&shard) {
            None => Some((shard, format!("  shard {shard}"))),
            Some(part) if part.entry.complete => None,
            Some(part) => {
                let (made, folder) = (part.records.len(), part.folder.display());
                Some((
                    shard,
                    format!("  shard {shard} ended after {made} iterations in `{folder}`"),
                ))
            }
        };
        let (shards, lines): (Vec<Shard>, Vec<String>) = Shard::all(count).filter_map(line).unzip();
        if lines.is_empty() {
            return None;
        }
        let runs: Vec<String> = shards.iter().map(|shard| format!("`--shard {shard}`")).collect();
        let runs = runs.join(", ");
        let help = format!(
            "run the scenario with {runs}, and merge again; or keep what is there with `--partial`"
        );
        let what = format!("{} of {count} shards are missing", lines.len());
        Some(Missing { what, lines, help })
    }

    fn write(self, out: &Path, missing: Option<Missing>) -> Result<MergedRun, MergeError> {
        let entries = self.parts.values().map(|part| part.entry.clone()).collect();
        let manifest = merged::manifest(&self.first.manifest, entries);
        let start = manifest.start;
        let later = |part: &ShardRun| part.entry.start.since(start);
        let mut records: Vec<IterationRecord> = Vec::new();
        let mut checks = Vec::new();
        for part in self.parts.values() {
            let later = later(part);
            records.extend(part.records.iter().map(|record| moved(record, |at| at + later)));
            let moved = |check: &ModelCheck| ModelCheck { at: check.at + later, ..check.clone() };
            checks.extend(part.checks.iter().map(moved));
        }
        records.sort_by_key(|record| (record.phase, record.iteration));
        let written = staging_folder(out)?;
        let mut results = Results::assemble(manifest.clone(), &self.first.scenario, &written)?;
        results.append_records(&records)?;
        for check in &checks {
            results.observe(&Progress::ModelChecked(check.clone()))?;
        }
        for notice in merged::notices(&manifest) {
            results.observe(&Progress::Notice(notice))?;
        }
        results.note_saturation();
        let ended = manifest.wall_clock.ended.unwrap_or(manifest.wall_clock.started);
        Ok(MergedRun { results, manifest, ended, checks, missing })
    }
}

/// The records of two copies of one shard, by phase and iteration.
fn pairs<'a>(
    left: &'a [IterationRecord],
    right: &'a [IterationRecord],
) -> BTreeMap<(usize, u64), [Option<&'a IterationRecord>; 2]> {
    let mut pairs = BTreeMap::<_, [Option<&IterationRecord>; 2]>::new();
    for (side, records) in [left, right].into_iter().enumerate() {
        for record in records {
            pairs.entry((record.phase, record.iteration)).or_default()[side] = Some(record);
        }
    }
    pairs
}
