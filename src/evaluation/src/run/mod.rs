//! Progressive validation of policies on logs that are read as they come: every policy in
//! one pass, in memory that does not grow with the logs.
//!
//! An [`EvaluationRun`] reads logs one after the other, batch by batch: while the replay
//! one batch, in parallel, the next is read. Its result does not depend on the number of threads.

mod batch;
mod choice;
mod coverage;
mod dsjson;
mod evaluator;
mod failure;
mod feature_survey;
mod log_prefix;
mod log_summary;
mod row_mistake;
mod segment;
mod sums;

pub use batch::Row;
pub use choice::{LogReader, LoggedChoice, LoggedLine, LoggedProbability, RejectedLine, Wants};
pub use coverage::Coverage;
pub use dsjson::{DsjsonLines, DsjsonLog};
pub use evaluator::{EventPmfs, Origin, PolicyEvaluator};
pub use failure::PolicyFailure;
pub use feature_survey::FeatureSurvey;
pub use log_prefix::LogPrefix;
pub use log_summary::{DroppedLines, LogPlace, LogSummary, Rejection};
pub use row_mistake::RowMistake;
pub use segment::Breakdown;
pub use sums::{Judged, PolicySums};

use std::io::{self, BufRead};

use super::view::View;
use super::{FeatureName, parallel};
use batch::{Batch, BatchReader};
use evaluator::Sections;
use learner::{Learner, LearningPolicy};
use policy::Policy;
use segment::Segments;

/// A policy to be judged.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The policy.
    pub policy: Policy,
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
    /// The names of candidates whose probabilities stand in the log, in the order of
    /// [`LoggedChoice::candidates`].
    pub logged: Vec<String>,
    /// Whether the log has no probabilities, and its reader estimates them.
    pub probabilities_are_estimated: bool,
    /// The candidate that is also replayed without each of these features.
    pub importance: Option<Importance>,
}

/// The features whose importance for a policy is asked.
#[derive(Debug, Clone)]
pub struct Importance {
    /// The name of the candidate.
    pub policy: String,
    /// The features.
    pub features: Vec<FeatureName>,
}

/// A candidate without one of its features.
pub struct Ablation {
    /// The feature that is left out.
    pub feature: FeatureName,
    /// The candidate without it, compared with the candidate.
    pub evaluator: PolicyEvaluator,
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
    ablations: Vec<Ablation>,
    wants: Wants,
    dsjson: DsjsonLog,
    reader: BatchReader,
    /// The log and the line of the last event.
    last: (String, u64),
}

/// What an evaluation found.
pub struct Evaluated {
    /// The policies with their sums, but for those that failed.
    pub evaluators: Vec<PolicyEvaluator>,
    /// A policy without each of its features, if that was asked, but for those that failed.
    pub ablations: Vec<Ablation>,
    /// The policies that failed, in their order.
    pub failures: Vec<PolicyFailure>,
    /// What the logs contain.
    pub summary: LogSummary,
    /// The parts of each breakdown, by their number.
    pub segments: Vec<(Breakdown, Vec<String>)>,
}

/// What can be done at the same time.
enum Task<'a> {
    Read(&'a mut BatchReader, &'a mut dyn LogReader, &'a mut io::Result<Batch>),
    /// Also adds what is replayed to the sums, if it says which.
    Replay(&'a mut PolicyEvaluator, &'a Batch, Option<Sections>),
}

impl EvaluationRun {
    /// An evaluation of the online policy, the two fixed policies of the service and
    /// `candidates`.
    #[must_use]
    pub fn new(candidates: Vec<Candidate>, settings: RunSettings) -> Self {
        let mut views: Vec<View> = Vec::new();
        let mut evaluators = PolicyEvaluator::fixed();
        let numbers =
            |policy: &Policy| policy.vowpal_wabbit().is_some_and(LearningPolicy::numbers_actions);
        let unlisted = candidates.iter().any(|candidate| numbers(&candidate.policy));
        let logged = settings.logged.iter().cloned().enumerate();
        evaluators.extend(logged.map(|(number, name)| PolicyEvaluator::logged(name, number)));
        let mut ablations = Vec::new();
        for candidate in candidates {
            let view = View::of(&candidate.policy);
            let asked = settings.importance.iter().filter(|asked| asked.policy == candidate.name);
            for feature in asked.flat_map(|asked| &asked.features) {
                let without = View { without: Some(feature.clone()), ..view.clone() };
                let name = format!("{} without {feature}", candidate.name);
                let less = Candidate { name, ..candidate.clone() };
                let mut evaluator =
                    PolicyEvaluator::learning(less, number_of(without, &mut views), false);
                evaluator.prepare(true, 0);
                ablations.push(Ablation { feature: feature.clone(), evaluator });
            }
            let view = number_of(view, &mut views);
            evaluators.push(PolicyEvaluator::learning(candidate, view, settings.predictions));
        }
        let (has_baseline, breakdowns) = (settings.baseline.is_some(), settings.breakdowns.len());
        evaluators.iter_mut().for_each(|policy| policy.prepare(has_baseline, breakdowns));
        let (mut features, mut segments, mut times) = (Vec::new(), Vec::new(), settings.windows);
        for breakdown in settings.breakdowns.iter().cloned() {
            segments.push(Segments::new(breakdown.clone(), features.len()));
            match breakdown {
                Breakdown::Feature(path) => features.push(path),
                Breakdown::Window(_) => times = true,
            }
        }
        let wants = Wants { views, ids: settings.predictions, times, unlisted, features };
        let dsjson = DsjsonLog::new(wants.clone());
        let mut reader = BatchReader::new(times, segments);
        reader.summary.probabilities_are_estimated = settings.probabilities_are_estimated;
        Self { settings, evaluators, ablations, wants, dsjson, reader, last: (String::new(), 1) }
    }

    /// What a reader of logs gives of each choice.
    #[must_use]
    pub fn wants(&self) -> &Wants {
        &self.wants
    }

    /// Reads one log of DSJSON lines to its end.
    ///
    /// # Errors
    /// If the log cannot be read or `observer` cannot go on.
    pub fn read(
        &mut self,
        name: &str,
        input: impl BufRead + Send,
        observer: &mut dyn BatchObserver,
    ) -> io::Result<()> {
        let mut dsjson = std::mem::replace(&mut self.dsjson, DsjsonLog::new(Wants::default()));
        let read = self.read_log(name, &mut dsjson.lines(input), observer);
        self.dsjson = dsjson;
        read
    }

    /// Reads one log to its end. `log` gives what [`Self::wants`] says.
    ///
    /// # Errors
    /// If the log cannot be read or `observer` cannot go on.
    pub fn read_log(
        &mut self,
        name: &str,
        log: &mut dyn LogReader,
        observer: &mut dyn BatchObserver,
    ) -> io::Result<()> {
        self.reader.begin(name);
        let mut batch = self.reader.read(log)?;
        while let Some(last) = batch.rows.last() {
            self.last = (name.to_owned(), last.line);
            let next = self.replay(&batch, log);
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

    /// What was found. Programs are ended.
    #[must_use]
    pub fn finish(mut self) -> Evaluated {
        let (log, line) = &self.last;
        let less = self.ablations.iter_mut().map(|ablation| &mut ablation.evaluator);
        self.evaluators.iter_mut().chain(less).for_each(|policy| policy.end(log, *line));
        let segments = self.reader.segments.into_iter();
        let (mut evaluators, mut ablations) = (self.evaluators, self.ablations);
        let less = ablations.iter_mut().map(|ablation| &mut ablation.evaluator);
        let all = evaluators.iter_mut().chain(less);
        let failures: Vec<_> = all.filter_map(|policy| policy.failure.take()).collect();
        let is_whole =
            |policy: &PolicyEvaluator| failures.iter().all(|failure| failure.policy != policy.name);
        evaluators.retain(is_whole);
        ablations.retain(|ablation| is_whole(&ablation.evaluator));
        Evaluated {
            evaluators,
            ablations,
            failures,
            summary: self.reader.summary,
            segments: segments.map(|parts| (parts.breakdown, parts.names)).collect(),
        }
    }

    /// Lets every policy replay a batch, and reads the next one meanwhile.
    fn replay(&mut self, batch: &Batch, log: &mut dyn LogReader) -> io::Result<Batch> {
        let mut next = Ok(Batch::default());
        // Threads begin and end once a batch where no policy waits for another.
        let judged_alone = self.settings.baseline.is_none().then(|| self.sections());
        let mut tasks = vec![Task::Read(&mut self.reader, log, &mut next)];
        tasks.extend(
            self.evaluators.iter_mut().map(|policy| Task::Replay(policy, batch, judged_alone)),
        );
        let less = self.ablations.iter_mut().map(|ablation| &mut ablation.evaluator);
        tasks.extend(less.map(|policy| Task::Replay(policy, batch, None)));
        parallel::for_each(&mut tasks, self.settings.threads, |task| match task {
            Task::Read(reader, log, next) => **next = reader.read(*log),
            Task::Replay(policy, batch, judged_alone) => {
                policy.replay(batch);
                judged_alone.iter().for_each(|sections| policy.judge(batch, None, *sections));
            }
        });
        drop(tasks);
        next
    }

    /// Adds what was replayed to the sums of each policy that is compared with another.
    fn judge(&mut self, batch: &Batch) {
        let threads = self.settings.threads;
        if let Some(baseline) = &self.settings.baseline {
            let (baseline, sections) = (self.probabilities(baseline), self.sections());
            parallel::for_each(&mut self.evaluators, threads, |policy| {
                policy.judge(batch, baseline.as_deref(), sections);
            });
        }
        if let Some(Importance { policy, .. }) = &self.settings.importance {
            let whole = self.probabilities(policy);
            let alone = Sections { held_out_from: None, windows: false };
            parallel::for_each(&mut self.ablations, threads, |ablation| {
                ablation.evaluator.judge(batch, whole.as_deref(), alone);
            });
        }
    }

    /// Which sums are kept of each policy.
    fn sections(&self) -> Sections {
        let RunSettings { held_out_from, windows, .. } = self.settings;
        Sections { held_out_from, windows }
    }

    /// The probabilities of a policy that others are compared with.
    fn probabilities(&self, name: &str) -> Option<Vec<f32>> {
        let policy = self.evaluators.iter().find(|policy| policy.name == name)?;
        policy.failure.is_none().then(|| policy.probabilities())
    }
}

/// The number of a view among those that are wanted.
fn number_of(view: View, views: &mut Vec<View>) -> usize {
    let known = views.iter().position(|other| *other == view);
    known.unwrap_or_else(|| {
        views.push(view);
        views.len() - 1
    })
}
