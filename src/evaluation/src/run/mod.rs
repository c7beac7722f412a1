//! Progressive validation of policies on logs that are read as they come: every policy in
//! one pass, in memory that does not grow with the logs.
//!
//! An [`EvaluationRun`] reads logs of DSJSON one after the other, batch by batch: while the
//! policies replay one batch, in parallel, the next is read. Its result does not depend on
//! the number of threads.

mod batch;
mod coverage;
mod evaluator;
mod failure;
mod log_prefix;
mod log_summary;
mod segment;
mod sums;

pub use batch::Row;
pub use coverage::Coverage;
pub use evaluator::{Origin, PolicyEvaluator};
pub use failure::{FailureCause, PolicyFailure};
pub use log_prefix::LogPrefix;
pub use log_summary::{DroppedLines, LogPlace, LogSummary, Rejection};
pub use segment::Breakdown;
pub use sums::{Judged, PolicySums};

use std::io::{self, BufRead};

use super::parallel;
use batch::{Batch, BatchReader, Wants};
use evaluator::Sections;
use learner::{Hashing, Learner, LearningPolicy};
use segment::Segments;

/// A policy to be judged.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The policy.
    pub policy: LearningPolicy,
    /// Where it came from.
    pub origin: Origin,
    /// The model that it starts from, if not from a blank one.
    pub model: Option<Learner>,
}

/// How logs are evaluated.
#[derive(Debug, Clone, Default)]
pub struct RunSettings {
    /// How many threads may be used; it changes no result.
    pub threads: usize,
    /// The policy that the others are compared with, beside the online policy.
    pub baseline: Option<String>,
    /// From which labelled event on events count as held out.
    pub held_out_from: Option<u64>,
    /// Whether sums are kept for windows of five minutes: [`PolicyEvaluator::windows`].
    pub windows: bool,
    /// Whether whole distributions are kept for [`BatchObserver::batch`].
    pub predictions: bool,
    /// Into which parts events are broken down.
    pub breakdowns: Vec<Breakdown>,
}

/// Follows an evaluation while logs are read.
pub trait BatchObserver {
    /// A batch was replayed. `evaluators` have predicted each of `rows`, in this order.
    ///
    /// # Errors
    /// What cannot be written stops the evaluation.
    fn batch(&mut self, rows: &[Row], evaluators: &[PolicyEvaluator]) -> io::Result<()>;
}

/// An evaluation under way.
pub struct EvaluationRun {
    settings: RunSettings,
    evaluators: Vec<PolicyEvaluator>,
    reader: BatchReader,
}

/// What an evaluation found.
pub struct Evaluated {
    /// The policies with their sums, but for those that failed.
    pub evaluators: Vec<PolicyEvaluator>,
    /// The policies that failed, in their order.
    pub failures: Vec<PolicyFailure>,
    /// What the logs contain.
    pub summary: LogSummary,
    /// The parts of each breakdown, by their number.
    pub segments: Vec<(Breakdown, Vec<String>)>,
}

/// What can be done at the same time.
enum Task<'a> {
    Read(&'a mut BatchReader, &'a mut dyn Input, &'a mut io::Result<Batch>),
    Replay(&'a mut PolicyEvaluator, &'a Batch),
}

/// Where lines come from.
trait Input: BufRead + Send {}

impl<T: BufRead + Send> Input for T {}

impl EvaluationRun {
    /// An evaluation of the online policy, the two fixed policies of the service and
    /// `candidates`.
    #[must_use]
    pub fn new(candidates: Vec<Candidate>, settings: RunSettings) -> Self {
        let mut hashings: Vec<Hashing> = Vec::new();
        let mut evaluators = PolicyEvaluator::fixed();
        let unlisted = candidates.iter().any(|candidate| candidate.policy.numbers_actions());
        for candidate in candidates {
            let hashing = candidate.policy.hashing();
            let known = hashings.iter().position(|other| *other == hashing);
            let index = known.unwrap_or(hashings.len());
            if known.is_none() {
                hashings.push(hashing);
            }
            evaluators.push(PolicyEvaluator::learning(candidate, index, settings.predictions));
        }
        let (has_baseline, breakdowns) = (settings.baseline.is_some(), settings.breakdowns.len());
        evaluators.iter_mut().for_each(|policy| policy.prepare(has_baseline, breakdowns));
        let by_time = |breakdown: &Breakdown| matches!(breakdown, Breakdown::Window(_));
        let times = settings.windows || settings.breakdowns.iter().any(by_time);
        let wants = Wants { ids: settings.predictions, times, unlisted };
        let segments = settings.breakdowns.iter().cloned().map(Segments::new).collect();
        let reader = BatchReader::new(hashings, wants, segments);
        Self { settings, evaluators, reader }
    }

    /// Reads one log to its end.
    ///
    /// # Errors
    /// If the log cannot be read or `observer` cannot go on.
    pub fn read(
        &mut self,
        name: &str,
        mut input: impl BufRead + Send,
        observer: &mut dyn BatchObserver,
    ) -> io::Result<()> {
        self.reader.begin(name);
        let mut batch = self.reader.read(&mut input)?;
        while !batch.rows.is_empty() {
            let next = self.replay(&batch, &mut input);
            self.judge(&batch);
            observer.batch(&batch.rows, &self.evaluators)?;
            batch = next?;
        }
        Ok(())
    }

    /// What the logs read so far contain.
    #[must_use]
    pub fn summary(&self) -> &LogSummary {
        &self.reader.summary
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Evaluated {
        let segments = self.reader.segments.into_iter();
        let mut evaluators = self.evaluators;
        let failures = evaluators.iter_mut().filter_map(|policy| policy.failure.take());
        let failures: Vec<_> = failures.collect();
        evaluators.retain(|policy| failures.iter().all(|failure| failure.policy != policy.name));
        Evaluated {
            evaluators,
            failures,
            summary: self.reader.summary,
            segments: segments.map(|parts| (parts.breakdown, parts.names)).collect(),
        }
    }

    /// Lets every policy replay a batch, and reads the next one meanwhile.
    fn replay(&mut self, batch: &Batch, input: &mut dyn Input) -> io::Result<Batch> {
        let mut next = Ok(Batch::default());
        let mut tasks = vec![Task::Read(&mut self.reader, input, &mut next)];
        tasks.extend(self.evaluators.iter_mut().map(|policy| Task::Replay(policy, batch)));
        parallel::for_each(&mut tasks, self.settings.threads, |task| match task {
            Task::Read(reader, input, next) => **next = reader.read(*input),
            Task::Replay(policy, batch) => policy.replay(batch),
        });
        drop(tasks);
        next
    }

    /// Adds what was replayed to the sums of each policy.
    fn judge(&mut self, batch: &Batch) {
        let baseline = self.baseline();
        let RunSettings { held_out_from, windows, threads, .. } = self.settings;
        let sections = Sections { held_out_from, windows };
        parallel::for_each(&mut self.evaluators, threads, |policy| {
            policy.judge(batch, baseline.as_deref(), sections);
        });
    }

    /// The probabilities of the policy that the others are compared with.
    fn baseline(&self) -> Option<Vec<f32>> {
        let name = self.settings.baseline.as_ref()?;
        let is_baseline = |policy: &&PolicyEvaluator| policy.name == *name;
        let policy = self.evaluators.iter().find(is_baseline)?;
        policy.failure.is_none().then(|| policy.probabilities())
    }
}
