use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::destination::Destination;
use super::error::CreateError;
use super::files::{Durability, FileChecksum, naming, replace};
use super::growing::{GrowingFiles, OpenModes};
use super::journal::{self, MayBeSent};
use super::lock::FolderLock;
use super::manifest::{Manifest, Origin, json};
use super::redact;
use metrics::{SuccessCurve, Summary, Timeline};
use plan::Plan;
use protocol::Evaluation;
use record::{ObserveError, Observer, Progress};
use timestamp::Timestamp;

/// The folder of a run that is under way.
///
/// It observes the run. Rows are written at every checkpoint, at the end of every phase, and
/// every 256 rows; a folder that is never sealed reads back as far as that.
pub struct Results {
    pub(super) lock: FolderLock,
    pub(super) manifest: Manifest,
    pub(super) summary: Summary,
    pub(super) curve: SuccessCurve,
    pub(super) timeline: Timeline,
    pub(super) growing: GrowingFiles,
    /// The phases that have started.
    started: BTreeSet<usize>,
    /// Before which iteration of each phase under way some may have been sent.
    may_be_sent: BTreeMap<usize, u64>,
    /// The files that were written as a whole so far.
    pub(super) written: BTreeMap<String, FileChecksum>,
}

impl Results {
    /// Creates the folder of a run of `plan`, and writes its manifest.
    ///
    /// # Errors
    /// When the folder is in use or cannot be written to.
    pub fn create(
        plan: &Plan,
        destination: &Destination,
        origin: &Origin,
    ) -> Result<Self, CreateError> {
        let lock = FolderLock::acquire(destination, &plan.name)?;
        Self::begin(plan, lock, Manifest::of(plan, origin), OpenModes::NEW).map_err(|error| {
            CreateError::Io { path: PathBuf::from(error.path), source: error.source }
        })
    }

    pub(super) fn begin(
        plan: &Plan,
        lock: FolderLock,
        mut manifest: Manifest,
        modes: OpenModes,
    ) -> Result<Self, ObserveError> {
        redact::overrides(plan, &mut manifest.overrides);
        Self::open(lock, manifest, modes, redact::scenario(plan).as_bytes())
    }

    /// Opens the files of the folder. The manifest and the scenario hold no secrets.
    pub(super) fn open(
        lock: FolderLock,
        manifest: Manifest,
        modes: OpenModes,
        scenario: &[u8],
    ) -> Result<Self, ObserveError> {
        manifest.write(&lock.folder, Durability::Machine)?;
        let mut results = Self {
            summary: manifest.summary(),
            curve: SuccessCurve::new(manifest.curve_batch),
            timeline: Timeline::default(),
            growing: GrowingFiles::open(&lock.folder, &manifest, modes)?,
            started: BTreeSet::new(),
            may_be_sent: BTreeMap::new(),
            written: BTreeMap::new(),
            manifest,
            lock,
        };
        results.write_file("scenario.yaml", scenario)?;
        Ok(results)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.lock.folder
    }

    /// Deletes the folder with its files; only for runs that can be repeated.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn delete(self) -> io::Result<()> {
        let folder = self.lock.folder.clone();
        drop(self);
        fs::remove_dir_all(folder)
    }

    /// The numbers so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Writes a whole file of the caller, such as a picture.
    ///
    /// # Errors
    /// When it cannot be written, or `name` is not a plain file name.
    pub fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ObserveError> {
        let path = self.folder().join(name);
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return Err(naming(&path)(io::Error::from(io::ErrorKind::InvalidFilename)));
        }
        replace(&path, bytes, Durability::Process)?;
        self.written.insert(name.to_owned(), FileChecksum::of(bytes));
        Ok(())
    }

    /// The first is `evaluation.json`, the next `evaluation-2.json`.
    fn write_evaluation(&mut self, evaluation: &Evaluation) -> Result<(), ObserveError> {
        let evaluations = self.summary.evaluations();
        let (number, phase) = (evaluations.len(), evaluations.last().map_or(0, |last| last.0));
        self.growing.push_evaluation(phase, evaluation)?;
        let suffix = if number > 1 { format!("-{number}") } else { String::new() };
        self.write_file(&format!("evaluation{suffix}.json"), &json(evaluation))
    }

    /// An embedded loop starts anew, so nothing has to be remembered of it.
    fn write_journal(&mut self, phase: usize, until: u64) -> Result<(), ObserveError> {
        if self.manifest.target == "embedded" {
            return Ok(());
        }
        self.may_be_sent.insert(phase, until);
        let entries = self.may_be_sent.iter();
        let entries = entries.map(|(phase, until)| MayBeSent { phase: *phase, until: *until });
        journal::write(&self.lock.folder, &entries.collect::<Vec<_>>())
    }

    /// The calendar time from which the times of the run count.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.manifest.start
    }

    /// Whether a phase starts that is open already: its run was resumed in the middle of it.
    fn is_second_start(&self, progress: &Progress) -> bool {
        matches!(progress, Progress::PhaseStarted(started) if self.started.contains(&started.phase))
    }

    /// Writes the batches and seconds that `progress` completes.
    fn write_completed(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        let batch = self.curve.observe(progress);
        batch.iter().try_for_each(|batch| self.growing.push_batch(batch))?;
        let seconds = self.timeline.observe(progress);
        seconds.iter().try_for_each(|second| self.growing.push_second(second))
    }
}

impl Observer for Results {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        if self.is_second_start(progress) {
            return Ok(());
        }
        self.summary.observe(progress);
        self.write_completed(progress)?;
        match progress {
            Progress::PhaseStarted(started) => {
                self.started.insert(started.phase);
                self.manifest.phase_started(started);
                self.manifest.write(&self.lock.folder, Durability::Process)
            }
            Progress::Awaited { phase, before } => {
                self.manifest.phases[*phase].awaited = Some(before.clone());
                self.manifest.write(&self.lock.folder, Durability::Machine)
            }
            Progress::Iteration(record) => self.growing.push_iteration(record),
            Progress::ModelChecked(check) => self.growing.push_model_check(check),
            Progress::ModelExported(export) => self.growing.push_model_export(export),
            Progress::Joined(lines) => {
                self.growing.push_joined(lines);
                Ok(())
            }
            Progress::Checkpoint => self.growing.flush(),
            Progress::MayBeSent { phase, until } => self.write_journal(*phase, *until),
            Progress::Evaluated(evaluation) => self.write_evaluation(evaluation),
            Progress::PhaseEnded(ended) => {
                self.manifest.phase_ended(ended);
                self.may_be_sent.remove(&ended.phase);
                self.growing.flush()
            }
            Progress::PolicyApplied(_)
            | Progress::Configured(_)
            | Progress::Reset
            | Progress::Notice(_) => Ok(()),
        }
    }
}
