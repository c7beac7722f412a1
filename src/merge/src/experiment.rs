//! The cells of experiments.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use super::error::{MergeError, Missing};
use comparison::divergence;
use results::experiment::{
    CellRecord, CellStatus, ExperimentFolder, ExperimentManifest, VariantEntry, cell_bytes,
    cell_file, survey,
};
use shard::Shard;

/// The merged folder of an experiment.
pub struct MergedExperiment {
    /// The folder, to be sealed.
    pub folder: ExperimentFolder,
    /// The cells that are missing.
    pub missing: Option<Missing>,
}

/// At most so many missing cells are listed.
const SHOWN: usize = 20;

pub(super) fn merge(
    folders: &[&Path],
    out: &Path,
    partial: bool,
) -> Result<MergedExperiment, MergeError> {
    let mut union: Option<CellUnion> = None;
    for folder in folders {
        match &mut union {
            Some(union) => union.add(folder)?,
            None => union = Some(CellUnion::of(folder)?),
        }
    }
    let union = union.expect("`merge` refuses an empty list");
    let missing = union.missing();
    match missing {
        Some(missing) if !partial => Err(MergeError::Missing(missing)),
        missing => Ok(MergedExperiment { folder: union.write(out)?, missing }),
    }
}

/// The cells of several folders.
struct CellUnion {
    /// The first folder, whose plan is that of all.
    first: PathBuf,
    plan: ExperimentManifest,
    scenario: Vec<u8>,
    /// The first folder that has each cell, by the cell's index in the plan. Cells stay on disk:
    /// all of them together can be larger than memory.
    cells: BTreeMap<usize, PathBuf>,
    failed: BTreeMap<usize, String>,
    /// The numbers of shards into which the work was cut.
    counts: BTreeSet<NonZero<u64>>,
}

impl CellUnion {
    fn of(folder: &Path) -> Result<Self, MergeError> {
        let (found, scenario) = survey(folder)?;
        let mut union = Self {
            first: folder.to_owned(),
            plan: found.plan(),
            scenario,
            cells: BTreeMap::new(),
            failed: BTreeMap::new(),
            counts: BTreeSet::new(),
        };
        union.add(folder)?;
        Ok(union)
    }

    fn add(&mut self, folder: &Path) -> Result<(), MergeError> {
        let (found, scenario) = survey(folder)?;
        let mut differences = differences(&self.plan, &found.plan());
        differences.extend(super::texts_differ(&self.scenario, &scenario));
        if !differences.is_empty() {
            let (left, right) = (self.first.clone(), folder.to_owned());
            return Err(MergeError::OtherPlan { left, right, differences });
        }
        self.counts.extend(found.shard.map(Shard::count));
        for (index, cell) in found.cells.iter().enumerate() {
            if let CellStatus::Failed(reason) = &cell.status {
                let known = self.failed.entry(index).or_insert_with(|| reason.clone());
                *known = reason.clone().min(known.clone());
            }
        }
        let there = found.cells.iter().enumerate();
        there
            .filter(|(_, cell)| cell.status == CellStatus::Complete)
            .try_for_each(|(index, _)| self.add_cell(index, folder))
    }

    fn add_cell(&mut self, index: usize, folder: &Path) -> Result<(), MergeError> {
        let key = &self.plan.cells[index].key;
        let (bytes, record) = cell_file(folder, key)?;
        let Some(left) = self.cells.get(&index) else {
            self.cells.insert(index, folder.to_owned());
            return Ok(());
        };
        let (known_bytes, known) = cell_file(left, key)?;
        if known_bytes == bytes || known == record {
            return Ok(());
        }
        let (left, right) = (left.clone(), folder.to_owned());
        let what = format!("the cell {}", self.name(index));
        Err(MergeError::Differs { left, right, what, place: first_difference(&known, &record) })
    }

    /// `cubic, seed 3`
    fn name(&self, index: usize) -> String {
        let cell = &self.plan.cells[index];
        let variant = self.plan.variants[cell.variant].name();
        let comma = if variant.is_empty() { "" } else { ", " };
        format!("`{variant}{comma}seed {}`", cell.seed)
    }

    fn missing(&self) -> Option<Missing> {
        let absent = (0..self.plan.cells.len()).filter(|index| !self.cells.contains_key(index));
        let absent: Vec<usize> = absent.collect();
        if absent.is_empty() {
            return None;
        }
        let blocks = self.plan.blocks();
        let shard = |index: usize| self.shard(blocks[index]);
        let line = |index: &usize| {
            let whose = shard(*index).map_or(String::new(), |shard| format!("shard {shard}: "));
            let why = self.failed.get(index);
            let why = why.map_or(String::new(), |reason| format!(" failed: {reason}"));
            format!("  {whose}{}{why}", self.name(*index))
        };
        let mut lines: Vec<String> = absent.iter().take(SHOWN).map(line).collect();
        if absent.len() > SHOWN {
            lines.push(format!("  and {} more", absent.len() - SHOWN));
        }
        let shards: BTreeSet<Shard> = absent.iter().filter_map(|index| shard(*index)).collect();
        let runs: Vec<String> = shards.iter().map(|shard| format!("`--shard {shard}`")).collect();
        let help = if runs.is_empty() {
            "run what is missing".to_owned()
        } else {
            format!("run the scenario with {}", runs.join(", "))
        };
        Some(Missing {
            what: format!("{} of {} cells are missing", absent.len(), self.plan.cells.len()),
            lines,
            help: format!("{help}, and merge again; or keep what is there with `--partial`"),
        })
    }

    /// The shard of a block, where all folders agree on the number of shards.
    fn shard(&self, block: u64) -> Option<Shard> {
        let count = self.counts.first().filter(|_| self.counts.len() == 1)?;
        Some(Shard::of_block(block, *count))
    }

    fn write(self, out: &Path) -> Result<ExperimentFolder, MergeError> {
        let mut folder = ExperimentFolder::assemble(self.plan, &self.scenario, out)?;
        for (index, found) in &self.cells {
            let bytes = cell_bytes(found, &folder.manifest().cells[*index].key)?;
            folder.store_cell_file(*index, &bytes)?;
        }
        let failed = self.failed.into_iter().filter(|(index, _)| !self.cells.contains_key(index));
        failed.for_each(|(index, reason)| folder.note_failed(index, reason));
        Ok(folder)
    }
}

/// The first difference of two records of one cell.
fn first_difference(left: &CellRecord, right: &CellRecord) -> String {
    if let Some(divergence) = divergence(&left.trace, &right.trace) {
        return divergence.to_string();
    }
    let mut phases = left.phases.iter().zip(&right.phases);
    let place = phases.find_map(|(left, right)| {
        let iteration = left.first_difference(right)?;
        Some(format!("at iteration {iteration} of `{}`: in the result", left.name()))
    });
    let sums = || {
        let phases = left.phases.iter().zip(&right.phases).find(|(left, right)| left != right);
        let of = phases.map_or(String::new(), |(phase, _)| format!(" of `{}`", phase.name()));
        format!("in no iteration, only in the sums{of}")
    };
    place.unwrap_or_else(sums)
}

/// The differences of two plans, one line each.
fn differences(left: &ExperimentManifest, right: &ExperimentManifest) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, left: &str, right: &str| {
        if left != right {
            lines.push(format!("  {what}: `{left}` and `{right}`"));
        }
    };
    compare("the scenario", &left.scenario, &right.scenario);
    compare("the version", &left.tool.version, &right.tool.version);
    compare("`--set`", &left.overrides.join(" "), &right.overrides.join(" "));
    compare("the axes", &left.axes.join(", "), &right.axes.join(", "));
    let names = |manifest: &ExperimentManifest| {
        let names = manifest.variants.iter().map(VariantEntry::name);
        names.collect::<Vec<_>>().join(", ")
    };
    compare("the variants", &names(left), &names(right));
    for (left, right) in left.variants.iter().zip(&right.variants) {
        let parts = left.plan_parts.iter();
        let changed = parts.filter(|(name, digest)| right.plan_parts.get(*name) != Some(digest));
        lines.extend(changed.map(|(part, _)| format!("  {part} of `{}`", left.name())));
    }
    let seeds = |manifest: &ExperimentManifest| -> BTreeSet<u64> {
        manifest.cells.iter().map(|cell| cell.seed.0).collect()
    };
    let (of_left, of_right) = (seeds(left), seeds(right));
    let alone: Vec<_> = of_left.symmetric_difference(&of_right).map(u64::to_string).collect();
    if !alone.is_empty() {
        lines.push(format!("  seeds that only one of them has: {}", alone.join(", ")));
    }
    if lines.is_empty() && left != right {
        lines.push("  which cells the matrix has".to_owned());
    }
    lines
}
