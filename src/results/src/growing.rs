use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::cell::Row;
use super::files::{AppendFile, Encoding, FileChecksum, OnExisting, file_name, file_stems, naming};
use super::hlog;
use super::layout::{EVENTS, LOG};
use super::manifest::Manifest;
use super::table::Table;
use super::{events, tables};
use metrics::{Batch, Operation, Second};
use plan::{OutputForm, Outputs};
use protocol::Evaluation;
use record::{IterationRecord, ModelCheck, ModelExport, ObserveError};

/// The files that grow while a run goes on.
pub(super) struct GrowingFiles {
    phases: Vec<PhaseNames>,
    events: Option<Table>,
    row: Row,
    columns: events::Columns,
    curve: Table,
    timeline: Table,
    model_checks: Table,
    model_exports: Table,
    evaluation: Table,
    joined: Option<Lines>,
    intervals: Lines,
}

/// How the files of a run are opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenModes {
    /// Iterations.
    pub events: OnExisting,
    /// Observations that cannot be computed from iterations.
    pub observed: OnExisting,
    /// Files that are computed from iterations.
    pub derived: OnExisting,
}

impl OpenModes {
    /// Those of a new run.
    pub(super) const NEW: Self =
        Self { events: OnExisting::Fail, observed: OnExisting::Fail, derived: OnExisting::Fail };
}

/// The names of a phase.
pub(super) struct PhaseNames {
    /// As in the scenario.
    pub name: String,
    /// As part of a file name, or of a tag in `latency.hlog`.
    pub stem: String,
    /// The value of each tag of the run, if the phase has it.
    pub tags: Vec<Option<String>>,
}

/// Lines that are not CSV.
struct Lines {
    path: PathBuf,
    file: AppendFile,
    waiting: Vec<u8>,
}

impl GrowingFiles {
    pub(crate) fn open(
        folder: &Path,
        manifest: &Manifest,
        modes: OpenModes,
    ) -> Result<Self, ObserveError> {
        let OpenModes { events, observed, derived } = modes;
        let open = |name: &str, header: &[String], existing: OnExisting| {
            Table::open(folder.join(name), header, Encoding::Plain, existing)
        };
        let table = |name: &str, header: &str, existing: OnExisting| {
            open(name, &tables::cells(header), existing)
        };
        let lines = |name: &str, encoding: Encoding, existing: OnExisting| {
            Lines::open(encoding.path(&folder.join(name)), encoding, existing)
        };
        let columns = events::Columns::of(manifest);
        let header = events::header(&manifest.context, columns);
        let events = |encoding: Encoding| {
            Table::open(encoding.path(&folder.join(EVENTS)), &header, encoding, events)
        };
        let Outputs { events: form, log, .. } = manifest.outputs;
        let events = encoding(form).map(events).transpose()?;
        let joined = encoding(log).map(|encoding| lines(LOG, encoding, derived)).transpose()?;
        let mut files = Self {
            phases: phase_names(manifest),
            events,
            row: Row::default(),
            columns,
            curve: table("success_curve.csv", tables::SUCCESS_CURVE, derived)?,
            timeline: open("timeline.csv", &tables::timeline(&tag_names(manifest)), derived)?,
            model_checks: table("model_checks.csv", tables::MODEL_CHECKS, observed)?,
            model_exports: table("model_exports.csv", tables::MODEL_EXPORTS, observed)?,
            evaluation: table("evaluation.csv", tables::EVALUATION, derived)?,
            joined,
            intervals: lines("latency.hlog", Encoding::Plain, derived)?,
        };
        files.intervals.waiting.extend(hlog_header(manifest).into_bytes());
        files.intervals.flush()?;
        Ok(files)
    }

    /// The names of the phases, in the order of the plan.
    pub(crate) fn phases(&self) -> &[PhaseNames] {
        &self.phases
    }

    pub(crate) fn push_iteration(&mut self, record: &IterationRecord) -> Result<(), ObserveError> {
        let Some(events) = &mut self.events else { return Ok(()) };
        events::write(&mut self.row, &self.phases[record.phase].name, record, self.columns);
        events.push_row(&self.row)?;
        if events.is_due() { self.flush() } else { Ok(()) }
    }

    pub(crate) fn push_batch(&mut self, batch: &Batch) -> Result<(), ObserveError> {
        self.curve.push(&tables::batch_row(&self.phases[batch.phase].name, batch))
    }

    /// A row of the timeline, and an interval of each operation.
    pub(crate) fn push_second(&mut self, second: &Second) -> Result<(), ObserveError> {
        let PhaseNames { name, stem, tags } = &self.phases[second.phase];
        let latencies = Operation::ALL.map(|operation| second.latencies(operation));
        let lines = &mut self.intervals;
        for (operation, latencies) in Operation::ALL.iter().zip(&latencies) {
            if latencies.count() > 0 {
                let tag = format!("{stem}.{}", operation.name());
                let interval = (second.start, second.length);
                hlog::push_interval(&tag, interval, latencies, &mut lines.waiting)
                    .map_err(naming(&lines.path))?;
            }
        }
        self.timeline.push(&tables::second_row(name, tags, second, &latencies))
    }

    pub(crate) fn push_model_check(&mut self, check: &ModelCheck) -> Result<(), ObserveError> {
        self.model_checks.push(&tables::model_check_row(&self.phases[check.phase].name, check))
    }

    pub(super) fn push_model_export(&mut self, export: &ModelExport) -> Result<(), ObserveError> {
        self.model_exports.push(&tables::model_export_row(&self.phases[export.phase].name, export))
    }

    /// A row a policy, of an evaluation in this phase.
    pub(crate) fn push_evaluation(
        &mut self,
        phase: usize,
        evaluation: &Evaluation,
    ) -> Result<(), ObserveError> {
        let mut rows = tables::evaluation_rows(&self.phases[phase].name, evaluation);
        rows.try_for_each(|row| self.evaluation.push(&row))
    }

    pub(crate) fn push_joined(&mut self, lines: &[u8]) {
        if let Some(joined) = &mut self.joined {
            joined.waiting.extend(lines);
        }
    }

    /// Writes buffered rows, events first: no derived row is ahead of its events.
    pub(crate) fn flush(&mut self) -> Result<(), ObserveError> {
        self.events.as_mut().map_or(Ok(()), Table::flush)?;
        self.joined.as_mut().map_or(Ok(()), Lines::flush)?;
        self.curve.flush()?;
        self.timeline.flush()?;
        self.model_checks.flush()?;
        self.model_exports.flush()?;
        self.evaluation.flush()?;
        self.intervals.flush()
    }

    /// Ends the files; returns their digests by name.
    pub(crate) fn seal(self) -> Result<BTreeMap<String, FileChecksum>, ObserveError> {
        let seals = [
            ("success_curve.csv", self.curve.seal()?),
            ("timeline.csv", self.timeline.seal()?),
            ("model_checks.csv", self.model_checks.seal()?),
            ("model_exports.csv", self.model_exports.seal()?),
            ("evaluation.csv", self.evaluation.seal()?),
            ("latency.hlog", self.intervals.seal()?),
        ];
        let mut seals: BTreeMap<String, FileChecksum> =
            seals.into_iter().map(|(name, seal)| (name.to_owned(), seal)).collect();
        if let Some(events) = self.events {
            seals.insert(events.file_name(), events.seal()?);
        }
        if let Some(joined) = self.joined {
            seals.insert(file_name(&joined.path), joined.seal()?);
        }
        Ok(seals)
    }
}

/// How a file of this form stands on disk; `None`, if there is none.
pub(super) fn encoding(form: OutputForm) -> Option<Encoding> {
    match form {
        OutputForm::None => None,
        OutputForm::Plain => Some(Encoding::Plain),
        OutputForm::Zstd | OutputForm::Parquet => Some(Encoding::Zstd),
    }
}

fn phase_names(manifest: &Manifest) -> Vec<PhaseNames> {
    let names = manifest.phases.iter().map(|phase| phase.name.clone());
    let stems = file_stems(manifest.phases.iter().map(|phase| phase.name.as_str()));
    let all = tag_names(manifest);
    let tags = manifest
        .phases
        .iter()
        .map(|phase| all.iter().map(|name| phase.tags.get(*name).cloned()).collect());
    let all_of_each = names.zip(stems).zip(tags);
    all_of_each.map(|((name, stem), tags)| PhaseNames { name, stem, tags }).collect()
}

/// The names of the tags that phases have, each once, in the order of the alphabet.
fn tag_names(manifest: &Manifest) -> Vec<&str> {
    let names = manifest.phases.iter().flat_map(|phase| phase.tags.keys());
    names.map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
}

fn hlog_header(manifest: &Manifest) -> String {
    let Manifest { tool, scenario, seed, start, .. } = manifest;
    let application = format!("{} {}", tool.name, tool.version);
    hlog::header(&format!("{application} scenario={scenario} seed={seed} unit=us"), *start)
}

impl Lines {
    fn open(path: PathBuf, encoding: Encoding, existing: OnExisting) -> Result<Self, ObserveError> {
        let file = AppendFile::open(path.clone(), encoding, existing)?;
        Ok(Self { path, file, waiting: Vec::new() })
    }

    fn flush(&mut self) -> Result<(), ObserveError> {
        self.file.append(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn seal(mut self) -> Result<FileChecksum, ObserveError> {
        self.flush()?;
        self.file.seal()
    }
}
