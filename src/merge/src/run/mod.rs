//! The iterations of loads.
//!
//! What is kept of a shard counts from its own start, so that copies of one can be compared
//! wherever they were merged before; written, all of them count from the first start.

mod part;
mod whole;

use std::collections::BTreeMap;
use std::path::Path;

use self::part::{Found, Part, moved};
use super::error::{MergeError, Missing};
use comparison::Divergence;
use record::{IterationRecord, ModelCheck, Observer, Progress};
use results::{Manifest, Results, beside};
use shard::Shard;
use timestamp::Timestamp;

/// The folder of a load of which all that was there is kept.
pub struct MergedRun {
    /// The folder, to be sealed, and then to be put in its place.
    pub results: Results,
    /// What it is about.
    pub manifest: Manifest,
    /// When the last shard ended.
    pub ended: Timestamp,
    /// The checks of the model.
    pub checks: Vec<ModelCheck>,
    /// What was not there.
    pub missing: Option<Missing>,
}

pub(super) fn merge(folders: &[&Path], out: &Path, partial: bool) -> Result<MergedRun, MergeError> {
    let mut union: Option<Union> = None;
    for folder in folders {
        let found = Found::read(folder)?;
        match &mut union {
            Some(union) => union.add(found)?,
            None => union = Some(Union::of(found)?),
        }
    }
    let union = union.expect("the command line asks for a folder");
    match union.missing() {
        Some(missing) if !partial => Err(MergeError::Missing(missing)),
        missing => union.write(out, missing),
    }
}

/// All shards of some folders.
struct Union {
    first: Found,
    parts: BTreeMap<Shard, Part>,
}

impl Union {
    fn of(mut first: Found) -> Result<Self, MergeError> {
        let parts = std::mem::take(&mut first.parts);
        let mut union = Self { first, parts: BTreeMap::new() };
        parts.into_iter().try_for_each(|part| union.add_part(part))?;
        Ok(union)
    }

    fn add(&mut self, found: Found) -> Result<(), MergeError> {
        let mut differences = part::differences(&self.first.manifest, &found.manifest);
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

    /// Of two copies of one shard the one that goes further is kept; as far as both go, they
    /// must be the same.
    fn add_part(&mut self, part: Part) -> Result<(), MergeError> {
        let shard = part.entry.shard;
        if let Some(known) = self.parts.get(&shard) {
            if let Some(place) = self.parting(known, &part) {
                let (left, right) = (known.folder.clone(), part.folder);
                let what = format!("shard {shard}");
                return Err(MergeError::Differs { left, right, what, place });
            }
            let further = |part: &Part| (part.entry.complete, part.records.len());
            if further(&part) <= further(known) {
                return Ok(());
            }
        }
        self.parts.insert(shard, part);
        Ok(())
    }

    /// Where two copies of one shard part, if they do.
    fn parting(&self, left: &Part, right: &Part) -> Option<String> {
        let same =
            left.records.iter().zip(&right.records).take_while(|(left, right)| left == right);
        let same = same.count();
        let pair = [left, right].map(|part| part.records.get(same));
        let ends_early = |record: Option<&IterationRecord>, part: &Part| {
            record.is_none() && !part.entry.complete
        };
        if ends_early(pair[0], left) || ends_early(pair[1], right) {
            return None;
        }
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
            format!("at iteration {iteration} of `{phase}`: in what came of it")
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
        let manifest = whole::manifest(&self.first.manifest, entries);
        let start = manifest.start;
        let later = |part: &Part| part.entry.start.since(start);
        let mut records: Vec<IterationRecord> = Vec::new();
        let mut checks = Vec::new();
        for part in self.parts.values() {
            let later = later(part);
            records.extend(part.records.iter().map(|record| moved(record, |at| at + later)));
            let moved = |check: &ModelCheck| ModelCheck { at: check.at + later, ..check.clone() };
            checks.extend(part.checks.iter().map(moved));
        }
        records.sort_by_key(|record| (record.phase, record.iteration));
        let written = beside(out)?;
        let mut results = Results::assemble(manifest.clone(), &self.first.scenario, &written)?;
        whole::tell(&mut results, &manifest, &records)?;
        for check in &checks {
            results.observe(&Progress::ModelChecked(check.clone()))?;
        }
        for notice in whole::notices(&manifest) {
            results.observe(&Progress::Notice(notice))?;
        }
        results.note_saturation();
        let ended = manifest.wall_clock.ended.unwrap_or(manifest.wall_clock.started);
        Ok(MergedRun { results, manifest, ended, checks, missing })
    }
}
