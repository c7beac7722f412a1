use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::files::{AppendFile, Durability, FileSeal, file_stems, naming, replace, sync_folder};
use super::hgrm::percentile_distribution;
use super::hlog::{self, IntervalWriter};
use super::manifest::{Manifest, Status, WallClockEntry, json};
use super::place::{Claim, CreateError, Place};
use super::table::Table;
use super::{events, redact, tables};
use crate::clock::Timestamp;
use crate::metrics::{
    Batch, Latencies, Operation, PhaseScope, Second, SuccessCurve, Summary, SummaryReport,
    Timeline, Verdict,
};
use crate::protocol::Evaluation;
use crate::record::{IterationRecord, ObserveError, Observer, Progress};
use crate::scenario::Plan;
use crate::scenario::plan::{Phase, Step};

/// The name of the interval log.
const INTERVALS: &str = "latency.hlog";

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

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// Complete, interrupted or failed.
    pub status: Status,
    /// The machine's calendar time.
    pub ended: Timestamp,
    /// What became of the expectations.
    pub verdicts: &'a [Verdict],
}

/// The folder of a run that is under way.
///
/// It takes in what happens. Rows are in the files at every checkpoint, at the end of
/// every phase, and every 256 rows; what is never sealed reads back as far as that.
pub struct Results {
    claim: Claim,
    manifest: Manifest,
    /// The names of the phases, as they are and as file names and tags.
    names: Vec<String>,
    stems: Vec<String>,
    summary: Summary,
    curve: SuccessCurve,
    timeline: Timeline,
    now: Duration,
    files: Files,
    /// What was written as a whole so far.
    written: BTreeMap<String, FileSeal>,
}

/// Files that grow.
struct Files {
    events: Table,
    curve: Table,
    timeline: Table,
    model_checks: Table,
    evaluation: Table,
    joined: AppendFile,
    joined_waiting: Vec<u8>,
    intervals: AppendFile,
    intervals_waiting: Vec<u8>,
    interval_writer: IntervalWriter,
    /// Filled anew for every interval.
    histogram: Latencies,
}

impl Results {
    /// Makes the folder of a run of `plan`, and writes its manifest.
    ///
    /// # Errors
    /// When the folder is taken or cannot be written to.
    pub fn create(plan: &Plan, place: &Place, origin: &Origin) -> Result<Self, CreateError> {
        let claim = Claim::take(place, &plan.name)?;
        Self::begin(plan, claim, origin).map_err(|error| CreateError::Io {
            path: PathBuf::from(error.path),
            source: error.source,
        })
    }

    fn begin(plan: &Plan, claim: Claim, origin: &Origin) -> Result<Self, ObserveError> {
        let wall_clock =
            WallClockEntry { started: origin.started, ended: None, host: origin.host.clone() };
        let mut manifest = Manifest::of(plan, origin.clock_start, wall_clock);
        redact::overrides(plan, &mut manifest.overrides);
        manifest.write(&claim.folder, Durability::Machine)?;
        let files = Files::create(&claim.folder, &manifest)?;
        let names: Vec<_> = plan.phases.iter().map(|phase| phase.name.clone()).collect();
        let mut results = Self {
            stems: file_stems(names.iter().map(String::as_str)),
            names,
            summary: Summary::new(plan.phases.iter().map(scope)),
            curve: SuccessCurve::new(plan.curve_batch),
            timeline: Timeline::default(),
            now: Duration::ZERO,
            files,
            written: BTreeMap::new(),
            manifest,
            claim,
        };
        results.write_file("scenario.yaml", redact::scenario(plan).as_bytes())?;
        Ok(results)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.claim.folder
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
        let path = self.claim.folder.join(name);
        if Path::new(name).file_name() != Some(name.as_ref()) {
            let error = std::io::Error::from(std::io::ErrorKind::InvalidFilename);
            return Err(naming(&path)(error));
        }
        replace(&path, bytes, Durability::Process)?;
        self.written.insert(name.to_owned(), FileSeal::of(bytes));
        Ok(())
    }

    /// Ends the folder: writes what sums the run up, and the manifest last.
    ///
    /// # Errors
    /// When something cannot be written. Then the folder stays one of a run under way.
    pub fn seal(mut self, outcome: &Outcome<'_>) -> Result<PathBuf, ObserveError> {
        self.end_what_is_open()?;
        self.write_latencies()?;
        self.write_summary(outcome)?;
        let folder = self.claim.folder.clone();
        let mut files = self.files.seal()?;
        for name in self.written.keys() {
            let path = folder.join(name);
            let file = std::fs::File::open(&path).map_err(naming(&path))?;
            file.sync_all().map_err(naming(&path))?;
        }
        files.append(&mut self.written);
        let mut manifest = self.manifest;
        manifest.status = outcome.status;
        manifest.complete = outcome.status == Status::Complete;
        let made = |phase: usize| self.summary.phases()[phase].iterations();
        manifest.stopped_at = if manifest.complete { None } else { manifest.next_step(made) };
        manifest.files = files;
        manifest.wall_clock.ended = Some(outcome.ended);
        manifest.write(&folder, Durability::Machine)?;
        self.claim.release().and_then(|()| sync_folder(&folder)).map_err(naming(&folder))?;
        Ok(folder)
    }

    /// A run that stopped in mid-phase gets its last, smaller batch and second.
    fn end_what_is_open(&mut self) -> Result<(), ObserveError> {
        let batch = self.curve.close();
        let seconds = self.timeline.close(self.now);
        self.push_batch(batch.as_ref())?;
        self.push_seconds(&seconds)?;
        self.files.flush()
    }

    fn write_latencies(&mut self) -> Result<(), ObserveError> {
        let path = self.claim.folder.join("latency_histogram.csv");
        let header = tables::cells(tables::LATENCY_HISTOGRAM);
        let mut table = Table::create(path, &header)?;
        let mut distributions = Vec::new();
        for (index, tally) in self.summary.phases().iter().enumerate() {
            for operation in Operation::ALL {
                let Some(latencies) = tally.latencies(operation) else { continue };
                for row in tables::histogram_rows(tally.name(), operation, latencies) {
                    table.push(&row)?;
                }
                let name = format!("{}.{}.hgrm", self.stems[index], operation.name());
                distributions.push((name, percentile_distribution(latencies.histogram())));
            }
        }
        self.written.insert("latency_histogram.csv".to_owned(), table.seal()?);
        distributions.iter().try_for_each(|(name, text)| self.write_file(name, text.as_bytes()))
    }

    fn write_summary(&mut self, outcome: &Outcome<'_>) -> Result<(), ObserveError> {
        let document = SummaryDocument {
            scenario: &self.manifest.scenario,
            seed: self.manifest.seed.0,
            status: outcome.status,
            simulated_latencies: self.manifest.latencies.simulated,
            numbers: self.summary.report(),
            expectations: outcome.verdicts,
        };
        let bytes = json(&document);
        self.write_file("summary.json", &bytes)
    }

    fn push_iteration(&mut self, record: &IterationRecord) -> Result<(), ObserveError> {
        self.files.events.push(&events::row(&self.names[record.phase], record))?;
        if self.files.events.is_due() { self.files.flush() } else { Ok(()) }
    }

    fn push_batch(&mut self, batch: Option<&Batch>) -> Result<(), ObserveError> {
        let Some(batch) = batch else { return Ok(()) };
        self.files.curve.push(&tables::batch_row(&self.names[batch.phase], batch))
    }

    fn push_seconds(&mut self, seconds: &[Second]) -> Result<(), ObserveError> {
        seconds.iter().try_for_each(|second| {
            let (name, stem) = (&self.names[second.phase], &self.stems[second.phase]);
            self.files.push_second(&self.claim.folder, name, stem, second)
        })
    }

    fn push_evaluation(&mut self, evaluation: &Evaluation) -> Result<(), ObserveError> {
        let made = self.summary.evaluations();
        let phase = made.last().map_or("", |(phase, _)| &self.names[*phase]);
        for row in tables::evaluation_rows(phase, evaluation) {
            self.files.evaluation.push(&row)?;
        }
        let name = match made.len() {
            0 | 1 => "evaluation.json".to_owned(),
            number => format!("evaluation-{number}.json"),
        };
        self.write_file(&name, &json(evaluation))
    }
}

impl Observer for Results {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.summary.observe(progress);
        if let Progress::Iteration(record) = progress {
            self.now = self.now.max(record.rank_start + record.rank_latency.unwrap_or_default());
            self.push_iteration(record)?;
        }
        let batch = self.curve.observe(progress);
        self.push_batch(batch.as_ref())?;
        let seconds = self.timeline.observe(progress);
        self.push_seconds(&seconds)?;
        match progress {
            Progress::PhaseStarted(started) => {
                self.manifest.phase_started(started);
                self.now = started.at;
                self.manifest.write(&self.claim.folder, Durability::Process)
            }
            Progress::PhaseEnded(ended) => {
                self.manifest.phase_ended(ended);
                self.files.flush()
            }
            Progress::Checkpoint => self.files.flush(),
            Progress::ModelChecked(check) => {
                let row = tables::model_check_row(&self.names[check.phase], check);
                self.files.model_checks.push(&row)
            }
            Progress::Joined(lines) => {
                self.files.push_joined(lines);
                Ok(())
            }
            Progress::Evaluated(evaluation) => self.push_evaluation(evaluation),
            Progress::Iteration(_)
            | Progress::PolicyApplied(_)
            | Progress::Configured(_)
            | Progress::Reset
            | Progress::Notice(_) => Ok(()),
        }
    }
}

impl Files {
    fn create(folder: &Path, manifest: &Manifest) -> Result<Self, ObserveError> {
        let table = |name: &str, header: &[String]| Table::create(folder.join(name), header);
        let file = |name: &str| AppendFile::create(folder.join(name));
        let mut files = Self {
            events: table("events.csv", &events::header(&manifest.context))?,
            curve: table("success_curve.csv", &tables::cells(tables::SUCCESS_CURVE))?,
            timeline: table("timeline.csv", &tables::cells(tables::TIMELINE))?,
            model_checks: table("model_checks.csv", &tables::cells(tables::MODEL_CHECKS))?,
            evaluation: table("evaluation.csv", &tables::cells(tables::EVALUATION))?,
            joined: file("log.dsjson")?,
            joined_waiting: Vec::new(),
            intervals: file(INTERVALS)?,
            intervals_waiting: Vec::new(),
            interval_writer: IntervalWriter::new(),
            histogram: Latencies::default(),
        };
        let comment = format!(
            "{} {} scenario={} seed={} unit=us",
            manifest.tool.name, manifest.tool.version, manifest.scenario, manifest.seed
        );
        files.intervals.append(hlog::header(&comment, manifest.start).as_bytes())?;
        Ok(files)
    }

    /// A row of the timeline, and an interval of each operation.
    fn push_second(
        &mut self,
        folder: &Path,
        name: &str,
        stem: &str,
        second: &Second,
    ) -> Result<(), ObserveError> {
        let mut summaries = Vec::new();
        for operation in Operation::ALL {
            second.fill(&mut self.histogram, operation);
            summaries.push(self.histogram.summary());
            if self.histogram.count() > 0 {
                let (tag, histogram) = (format!("{stem}.{}", operation.name()), &self.histogram);
                let writer = &mut self.interval_writer;
                let line = writer.line(&tag, second.start, second.length, histogram.histogram());
                self.intervals_waiting.extend(line.map_err(naming(&folder.join(INTERVALS)))?);
            }
        }
        self.timeline.push(&tables::second_row(name, second, &summaries))
    }

    fn push_joined(&mut self, lines: &[String]) {
        for line in lines {
            self.joined_waiting.extend(line.as_bytes());
            self.joined_waiting.push(b'\n');
        }
    }

    /// Writes what waits, events first: nothing is derived from a row that is not there.
    fn flush(&mut self) -> Result<(), ObserveError> {
        self.events.flush()?;
        self.joined.append(&std::mem::take(&mut self.joined_waiting))?;
        self.curve.flush()?;
        self.timeline.flush()?;
        self.model_checks.flush()?;
        self.evaluation.flush()?;
        self.intervals.append(&std::mem::take(&mut self.intervals_waiting))
    }

    fn seal(mut self) -> Result<BTreeMap<String, FileSeal>, ObserveError> {
        self.flush()?;
        let seals = [
            ("events.csv", self.events.seal()?),
            ("success_curve.csv", self.curve.seal()?),
            ("timeline.csv", self.timeline.seal()?),
            ("model_checks.csv", self.model_checks.seal()?),
            ("evaluation.csv", self.evaluation.seal()?),
            ("log.dsjson", self.joined.seal()?),
            (INTERVALS, self.intervals.seal()?),
        ];
        Ok(seals.into_iter().map(|(name, seal)| (name.to_owned(), seal)).collect())
    }
}

/// What stands in `summary.json`.
#[derive(Serialize)]
struct SummaryDocument<'a> {
    scenario: &'a str,
    seed: u64,
    status: Status,
    simulated_latencies: bool,
    #[serde(flatten)]
    numbers: SummaryReport,
    expectations: &'a [Verdict],
}

/// What expectations may say of a phase.
fn scope(phase: &Phase) -> PhaseScope<'_> {
    let iterations = match &phase.step {
        Step::Iterate(iterate) => Some(iterate.iterations),
        _ => None,
    };
    PhaseScope { name: &phase.name, iterations }
}
