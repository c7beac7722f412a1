//! The iterations of loads.
//!
//! What is kept of a shard counts from its own start, so that copies of one can be compared
//! wherever they were merged before; written, all of them count from the first start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{MergeError, Missing};
use crate::clock::Timestamp;
use crate::comparison::Divergence;
use crate::metrics::micros;
use crate::record::{IterationRecord, ModelCheck, Observer, PhaseRecord, Progress};
use crate::results::{
    Manifest, PhaseEntry, Results, RunFolder, ShardEntry, Status, Told, WallClockEntry,
};
use crate::results::{beside, model_checks, notices, read, scenario_text};
use crate::shard::Shard;

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

/// Shards that begin a phase further apart are told of: twice as late as a sleeper wakes.
const NOTABLE_SKEW: Duration = Duration::from_millis(20);

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

/// What one process did. Its times count from its own start.
struct Part {
    folder: PathBuf,
    entry: ShardEntry,
    records: Vec<IterationRecord>,
    checks: Vec<ModelCheck>,
}

/// A folder, read.
struct Found {
    folder: PathBuf,
    manifest: Manifest,
    scenario: Vec<u8>,
    parts: Vec<Part>,
}

impl Found {
    fn read(folder: &Path) -> Result<Self, MergeError> {
        let run = read(folder)?;
        let checks = model_checks(folder, &run.manifest)?;
        let entries = match run.manifest.shard {
            Some(shard) => vec![entry(&run, shard)],
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

/// What a shard's own folder says of it.
fn entry(run: &RunFolder, shard: Shard) -> ShardEntry {
    let summary = run.summary();
    let saturation = summary
        .phases()
        .iter()
        .filter_map(|phase| Some((phase.name().to_owned(), phase.saturation()?)));
    ShardEntry {
        shard,
        complete: run.manifest.complete,
        start: run.manifest.start,
        wall_clock: run.manifest.wall_clock.clone(),
        phases: run.manifest.phases.clone(),
        saturation: saturation.collect(),
        notices: notices(&run.folder),
    }
}

fn part(run: &RunFolder, entry: ShardEntry, checks: &[ModelCheck]) -> Part {
    let later = entry.start.since(run.manifest.start);
    let own = run.records.iter().filter(|record| entry.shard.holds(record.iteration));
    let records = own.map(|record| moved(record, |at| at.saturating_sub(later))).collect();
    let asks = entry.shard.number() == 1;
    let checks = checks.iter().filter(|_| asks).cloned();
    let checks = checks.map(|check| ModelCheck { at: check.at.saturating_sub(later), ..check });
    Part { folder: run.folder.clone(), checks: checks.collect(), entry, records }
}

/// The record, its moments changed.
fn moved(record: &IterationRecord, to: impl Fn(Duration) -> Duration) -> IterationRecord {
    IterationRecord {
        due: to(record.due),
        rank_start: to(record.rank_start),
        reward_start: record.reward_start.map(to),
        ..record.clone()
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
        let mut differences = differences(&self.first.manifest, &found.manifest);
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
        let manifest = self.manifest();
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
        tell(&mut results, &manifest, &records)?;
        for check in &checks {
            results.observe(&Progress::ModelChecked(check.clone()))?;
        }
        for notice in told(&manifest) {
            results.observe(&Progress::Notice(notice))?;
        }
        results.note_saturation();
        let ended = manifest.wall_clock.ended.unwrap_or(manifest.wall_clock.started);
        Ok(MergedRun { results, manifest, ended, checks, missing })
    }

    /// What the whole is about.
    fn manifest(&self) -> Manifest {
        let entries: Vec<ShardEntry> = self.parts.values().map(|part| part.entry.clone()).collect();
        let start = entries.iter().map(|entry| entry.start).min();
        let start = start.unwrap_or(self.first.manifest.start);
        let clocks = || entries.iter().map(|entry| &entry.wall_clock);
        let phases = self.first.manifest.phases.iter().enumerate();
        Manifest {
            status: Status::Running,
            complete: false,
            shard: None,
            start,
            stopped_at: None,
            files: BTreeMap::new(),
            phases: phases.map(|(index, phase)| merged(index, phase, &entries, start)).collect(),
            wall_clock: WallClockEntry {
                started: clocks().map(|clock| clock.started).min().unwrap_or(start),
                resumed: Vec::new(),
                ended: clocks().filter_map(|clock| clock.ended).max(),
                host: None,
            },
            shards: entries,
            ..self.first.manifest.clone()
        }
    }
}

/// A phase of all shards: from when the first began to when the last ended.
fn merged(
    index: usize,
    phase: &PhaseEntry,
    entries: &[ShardEntry],
    start: Timestamp,
) -> PhaseEntry {
    let all =
        || entries.iter().map(|entry| (&entry.phases[index], micros(entry.start.since(start))));
    let iterations = all().filter_map(|(phase, _)| phase.iterations);
    let ended: Option<Vec<u64>> =
        all().map(|(phase, later)| Some(phase.ended_us? + later)).collect();
    PhaseEntry {
        iterations: phase.iterations.map(|_| iterations.sum()),
        started_us: all().filter_map(|(phase, later)| Some(phase.started_us? + later)).min(),
        ended_us: ended.and_then(|ended| ended.into_iter().max()),
        ..phase.clone()
    }
}

fn tell(
    results: &mut Results,
    manifest: &Manifest,
    records: &[IterationRecord],
) -> Result<(), MergeError> {
    for (index, phase) in manifest.phases.iter().enumerate() {
        let Some(started) = phase.started_us.map(Duration::from_micros) else { continue };
        let from = records.partition_point(|record| record.phase < index);
        let until = records.partition_point(|record| record.phase <= index);
        let records = &records[from..until];
        let ended = phase.ended_us.map_or(started, Duration::from_micros);
        let iterations = records.len() as u64;
        let phase_record = PhaseRecord { phase: index, started, ended, iterations };
        results.tell(&Told { phase: phase_record, is_over: phase.ended_us.is_some(), records })?;
    }
    Ok(())
}

/// What a person should know of the shards.
fn told(manifest: &Manifest) -> Vec<String> {
    let skews = manifest.phases.iter().enumerate().filter_map(|(index, phase)| {
        let entries = manifest.shards.iter();
        let starts = entries.filter_map(|entry| {
            Some(entry.start + Duration::from_micros(entry.phases[index].started_us?))
        });
        let skew = starts.clone().max()?.since(starts.min()?);
        let ms = skew.as_millis();
        (skew > NOTABLE_SKEW).then(|| format!("the shards began `{}` {ms} ms apart", phase.name))
    });
    let notices = manifest.shards.iter().flat_map(|entry| {
        entry.notices.iter().map(|notice| format!("shard {}: {notice}", entry.shard))
    });
    skews.chain(notices).collect()
}

/// What differs between two plans, a line each.
fn differences(left: &Manifest, right: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, left: &str, right: &str| {
        if left != right {
            lines.push(format!("  {what}: `{left}` and `{right}`"));
        }
    };
    compare("the scenario", &left.scenario, &right.scenario);
    compare("the version", &left.tool.version, &right.tool.version);
    compare("`--set`", &left.overrides.join(" "), &right.overrides.join(" "));
    compare("what is expected", &left.expectations.join(", "), &right.expectations.join(", "));
    let parts = left.plan_parts.iter();
    let changed = parts.filter(|(name, digest)| right.plan_parts.get(*name) != Some(digest));
    lines.extend(changed.map(|(part, _)| format!("  {part}")));
    if lines.is_empty() && left.plan_digest != right.plan_digest {
        lines.push("  which phases there are".to_owned());
    }
    lines
}
