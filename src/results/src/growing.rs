use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cell::Row;
use super::files::{AppendFile, Existing, FileSeal, file_stems, naming};
use super::hlog;
use super::manifest::Manifest;
use super::table::Table;
use super::{events, tables};
use metrics::{Batch, Operation, Second};
use protocol::Evaluation;
use record::{IterationRecord, ModelCheck, ObserveError};

/// The files that grow while a run goes on.
pub(super) struct GrowingFiles {
    phases: Vec<PhaseNames>,
    events: Table,
    row: Row,
    curve: Table,
    timeline: Table,
    model_checks: Table,
    evaluation: Table,
    joined: Lines,
    intervals: Lines,
}

/// What becomes of the files of a run that is resumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct WhatIsThere {
    /// The iterations.
    pub events: Existing,
    /// What was told once, and can be had from nowhere else.
    pub told: Existing,
    /// What is made of the rest.
    pub derived: Existing,
}

impl WhatIsThere {
    /// A run of its own: nothing is there.
    pub const NOTHING: Self =
        Self { events: Existing::Refused, told: Existing::Refused, derived: Existing::Refused };
}

/// What a phase is called.
pub(super) struct PhaseNames {
    /// As in the scenario.
    pub name: String,
    /// As part of a file name, or of a tag.
    pub stem: String,
}

/// Lines that are not CSV.
struct Lines {
    path: PathBuf,
    file: AppendFile,
    waiting: Vec<u8>,
}

impl GrowingFiles {
    pub fn open(
        folder: &Path,
        manifest: &Manifest,
        what_is_there: WhatIsThere,
    ) -> Result<Self, ObserveError> {
        let WhatIsThere { events, told, derived } = what_is_there;
        let table = |name: &str, header: &str, existing: Existing| {
            Table::open(folder.join(name), &tables::cells(header), existing)
        };
        let lines = |name: &str, existing: Existing| Lines::open(folder.join(name), existing);
        let header = events::header(&manifest.context);
        let events = Table::open(folder.join("events.csv"), &header, events)?;
        let mut files = Self {
            phases: phase_names(manifest),
            events,
            row: Row::default(),
            curve: table("success_curve.csv", tables::SUCCESS_CURVE, derived)?,
            timeline: table("timeline.csv", tables::TIMELINE, derived)?,
            model_checks: table("model_checks.csv", tables::MODEL_CHECKS, told)?,
            evaluation: table("evaluation.csv", tables::EVALUATION, derived)?,
            joined: lines("log.dsjson", derived)?,
            intervals: lines("latency.hlog", derived)?,
        };
        files.intervals.waiting.extend(hlog_header(manifest).into_bytes());
        files.intervals.flush()?;
        Ok(files)
    }

    /// What each phase is called, in the order of the plan.
    pub fn phases(&self) -> &[PhaseNames] {
        &self.phases
    }

    pub fn push_iteration(&mut self, record: &IterationRecord) -> Result<(), ObserveError> {
        events::write(&mut self.row, &self.phases[record.phase].name, record);
        self.events.push_row(&self.row)?;
        if self.events.is_due() { self.flush() } else { Ok(()) }
    }

    pub fn push_batch(&mut self, batch: &Batch) -> Result<(), ObserveError> {
        self.curve.push(&tables::batch_row(&self.phases[batch.phase].name, batch))
    }

    /// A row of the timeline, and an interval of each operation.
    pub fn push_second(&mut self, second: &Second) -> Result<(), ObserveError> {
        let PhaseNames { name, stem } = &self.phases[second.phase];
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
        self.timeline.push(&tables::second_row(name, second, &latencies))
    }

    pub fn push_model_check(&mut self, check: &ModelCheck) -> Result<(), ObserveError> {
        self.model_checks.push(&tables::model_check_row(&self.phases[check.phase].name, check))
    }

    /// A row a policy, of an evaluation in this phase.
    pub fn push_evaluation(
        &mut self,
        phase: usize,
        evaluation: &Evaluation,
    ) -> Result<(), ObserveError> {
        let mut rows = tables::evaluation_rows(&self.phases[phase].name, evaluation);
        rows.try_for_each(|row| self.evaluation.push(&row))
    }

    pub fn push_joined(&mut self, lines: &[u8]) {
        self.joined.waiting.extend(lines);
    }

    /// Writes what waits, events first: nothing is derived from a row that is not there.
    pub fn flush(&mut self) -> Result<(), ObserveError> {
        self.events.flush()?;
        self.joined.flush()?;
        self.curve.flush()?;
        self.timeline.flush()?;
        self.model_checks.flush()?;
        self.evaluation.flush()?;
        self.intervals.flush()
    }

    /// Ends the files, and says what they are by name.
    pub fn seal(self) -> Result<BTreeMap<String, FileSeal>, ObserveError> {
        let seals = [
            ("events.csv", self.events.seal()?),
            ("log.dsjson", self.joined.seal()?),
            ("success_curve.csv", self.curve.seal()?),
            ("timeline.csv", self.timeline.seal()?),
            ("model_checks.csv", self.model_checks.seal()?),
            ("evaluation.csv", self.evaluation.seal()?),
            ("latency.hlog", self.intervals.seal()?),
        ];
        Ok(seals.into_iter().map(|(name, seal)| (name.to_owned(), seal)).collect())
    }
}

fn phase_names(manifest: &Manifest) -> Vec<PhaseNames> {
    let names = manifest.phases.iter().map(|phase| phase.name.clone());
    let stems = file_stems(manifest.phases.iter().map(|phase| phase.name.as_str()));
    names.zip(stems).map(|(name, stem)| PhaseNames { name, stem }).collect()
}

fn hlog_header(manifest: &Manifest) -> String {
    let Manifest { tool, scenario, seed, start, .. } = manifest;
    let application = format!("{} {}", tool.name, tool.version);
    hlog::header(&format!("{application} scenario={scenario} seed={seed} unit=us"), *start)
}

impl Lines {
    fn open(path: PathBuf, existing: Existing) -> Result<Self, ObserveError> {
        let file = AppendFile::open(path.clone(), existing)?;
        Ok(Self { path, file, waiting: Vec::new() })
    }

    fn flush(&mut self) -> Result<(), ObserveError> {
        self.file.append(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn seal(mut self) -> Result<FileSeal, ObserveError> {
        self.flush()?;
        self.file.seal()
    }
}
