use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{Durability, FileSeal, naming, replace};
use super::growing::{GrowingFiles, WhatIsThere};
use super::journal::{self, MayBeSent};
use super::manifest::{Manifest, json};
use super::place::{Claim, CreateError, Place};
use super::redact;
use metrics::{SuccessCurve, Summary, Timeline};
use protocol::Evaluation;
use record::{ObserveError, Observer, Progress};
use scenario::Plan;
use timestamp::Timestamp;

/// When and where a run happens.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The calendar time of the run's clock at its start; virtual runs have their own
    /// calendar.
    pub clock_start: Timestamp,
    /// The machine's calendar time.
    pub started: Timestamp,
    /// The name of the machine, if it is known.
    pub host: Option<String>,
}

/// The folder of a run that is under way.
///
/// It takes in what happens. Rows are in the files at every checkpoint, at the end of
/// every phase, and every 256 rows; what is never sealed reads back as far as that.
pub struct Results {
    pub(super) claim: Claim,
    pub(super) manifest: Manifest,
    pub(super) summary: Summary,
    pub(super) curve: SuccessCurve,
    pub(super) timeline: Timeline,
    pub(super) growing: GrowingFiles,
    /// What was written as a whole so far.
    pub(super) written: BTreeMap<String, FileSeal>,
}

impl Results {
    /// Makes the folder of a run of `plan`, and writes its manifest.
    ///
    /// # Errors
    /// When the folder is taken or cannot be written to.
    pub fn create(plan: &Plan, place: &Place, origin: &Origin) -> Result<Self, CreateError> {
        let claim = Claim::take(place, &plan.name)?;
        Self::begin(plan, claim, Manifest::of(plan, origin), WhatIsThere::NOTHING).map_err(
            |error| CreateError::Io { path: PathBuf::from(error.path), source: error.source },
        )
    }

    pub(super) fn begin(
        plan: &Plan,
        claim: Claim,
        mut manifest: Manifest,
        what_is_there: WhatIsThere,
    ) -> Result<Self, ObserveError> {
        redact::overrides(plan, &mut manifest.overrides);
        Self::open(claim, manifest, what_is_there, redact::scenario(plan).as_bytes())
    }

    /// Opens the files of the folder; what is in the manifest and the scenario is no secret.
    pub(super) fn open(
        claim: Claim,
        manifest: Manifest,
        what_is_there: WhatIsThere,
        scenario: &[u8],
    ) -> Result<Self, ObserveError> {
        manifest.write(&claim.folder, Durability::Machine)?;
        let mut results = Self {
            summary: Summary::new(manifest.scopes()),
            curve: SuccessCurve::new(manifest.curve_batch),
            timeline: Timeline::default(),
            growing: GrowingFiles::open(&claim.folder, &manifest, what_is_there)?,
            written: BTreeMap::new(),
            manifest,
            claim,
        };
        results.write_file("scenario.yaml", scenario)?;
        Ok(results)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.claim.folder
    }

    /// Takes the folder away, with what is in it: of what can be had again from its start.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn take_back(self) -> io::Result<()> {
        let folder = self.claim.folder.clone();
        drop(self);
        fs::remove_dir_all(folder)
    }

    /// The numbers so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Writes a file of the caller's own, as a whole: a picture, for example.
    ///
    /// # Errors
    /// When it cannot be written, or `name` is more than the name of a file.
    pub fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ObserveError> {
        let path = self.folder().join(name);
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return Err(naming(&path)(io::Error::from(io::ErrorKind::InvalidFilename)));
        }
        replace(&path, bytes, Durability::Process)?;
        self.written.insert(name.to_owned(), FileSeal::of(bytes));
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

    /// Only a service remembers what it was sent.
    fn note_what_may_be_sent(&self, phase: usize, until: u64) -> Result<(), ObserveError> {
        if self.manifest.target == "embedded" {
            return Ok(());
        }
        journal::write(&self.claim.folder, MayBeSent { phase, until })
    }

    /// The calendar time from which the times of the run count.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.manifest.start
    }

    /// Writes what `progress` completes.
    fn write_completed(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        let batch = self.curve.observe(progress);
        batch.iter().try_for_each(|batch| self.growing.push_batch(batch))?;
        let seconds = self.timeline.observe(progress);
        seconds.iter().try_for_each(|second| self.growing.push_second(second))
    }
}

impl Observer for Results {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.summary.observe(progress);
        self.write_completed(progress)?;
        match progress {
            Progress::PhaseStarted(started) => {
                self.manifest.phase_started(started);
                self.manifest.write(&self.claim.folder, Durability::Process)
            }
            Progress::Awaited { phase, before } => {
                self.manifest.phases[*phase].awaited = Some(before.clone());
                self.manifest.write(&self.claim.folder, Durability::Machine)
            }
            Progress::Iteration(record) => self.growing.push_iteration(record),
            Progress::ModelChecked(check) => self.growing.push_model_check(check),
            Progress::Joined(lines) => {
                self.growing.push_joined(lines);
                Ok(())
            }
            Progress::Checkpoint => self.growing.flush(),
            Progress::MayBeSent { phase, until } => self.note_what_may_be_sent(*phase, *until),
            Progress::Evaluated(evaluation) => self.write_evaluation(evaluation),
            Progress::PhaseEnded(ended) => {
                self.manifest.phase_ended(ended);
                self.growing.flush()
            }
            Progress::PolicyApplied(_)
            | Progress::Configured(_)
            | Progress::Reset
            | Progress::Notice(_) => Ok(()),
        }
    }
}
