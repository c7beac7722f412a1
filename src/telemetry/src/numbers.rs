use std::collections::BTreeMap;
use std::time::Duration;

use super::family::{Family, Kind, Labels, Point, Value};
use super::histogram::Histogram;
use metrics::{Expectation, Holds, PhaseScope, Summary, Verdict, judge};
use record::{IterationOutcome, IterationRecord, Progress};

/// So many kinds of failures are counted apart in a phase; the others are `other`.
const MOST_KINDS: usize = 64;

/// The numbers of a run; it observes the run, and can be read at any time.
pub struct Telemetry {
    phases: Vec<PhaseNumbers>,
    expectations: Vec<Expectation>,
    /// What the expectations are judged by, after each phase.
    summary: Summary,
    verdicts: Vec<Verdict>,
    is_over: bool,
}

#[derive(Debug, Clone, Default)]
struct PhaseNumbers {
    /// The phase, and its tags.
    labels: Labels,
    is_running: bool,
    started: Duration,
    until: Duration,
    iterations: u64,
    dropped: u64,
    choices: u64,
    successes: u64,
    rewards: u64,
    reward_sum: f64,
    regret: f64,
    exports: u64,
    errors: BTreeMap<(&'static str, String), u64>,
    rank: Histogram,
    reward: Histogram,
}

impl Telemetry {
    /// The numbers of a run of these phases, in which nothing has happened yet.
    #[must_use]
    pub fn new<'a>(
        phases: impl IntoIterator<Item = PhaseScope<'a>> + Clone,
        expectations: &[Expectation],
    ) -> Self {
        let summary = Summary::new(phases.clone());
        let phase = |scope: PhaseScope<'_>| PhaseNumbers {
            labels: labels(scope),
            ..PhaseNumbers::default()
        };
        Self {
            phases: phases.into_iter().map(phase).collect(),
            expectations: expectations.to_vec(),
            verdicts: judge(expectations, &summary),
            summary,
            is_over: false,
        }
    }

    /// Takes in what happened.
    pub fn observe(&mut self, progress: &Progress) {
        self.summary.observe(progress);
        match progress {
            Progress::PhaseStarted(started) => self.of(started.phase, |phase| {
                (phase.is_running, phase.started, phase.until) = (true, started.at, started.at);
            }),
            Progress::Iteration(record) => self.of(record.phase, |phase| phase.add(record)),
            Progress::ModelExported(export) => {
                self.of(export.phase, |phase| phase.exports += export.models);
            }
            Progress::PhaseEnded(ended) => {
                self.of(ended.phase, |phase| {
                    (phase.is_running, phase.until) = (false, ended.ended);
                });
                self.verdicts = judge(&self.expectations, &self.summary);
            }
            _ => {}
        }
    }

    /// The run is over: nothing follows.
    pub fn end(&mut self) {
        self.is_over = true;
        self.phases.iter_mut().for_each(|phase| phase.is_running = false);
    }

    fn of(&mut self, phase: usize, change: impl FnOnce(&mut PhaseNumbers)) {
        if let Some(phase) = self.phases.get_mut(phase) {
            change(phase);
        }
    }

    /// Every number at this moment.
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        vec![
            self.state(),
            self.gauge("phase_running", "whether the phase is under way", |phase| {
                f64::from(u8::from(phase.is_running))
            }),
            self.counter("iterations", "iterations that ended", |phase| phase.iterations),
            self.gauge("iterations_per_second", "iterations, by the time of the phase", rate),
            self.errors(),
            self.counter(
                "dropped",
                "iterations that could not start when they were due",
                |phase| phase.dropped,
            ),
            self.counter("choices", "iterations in which an action was chosen", |phase| {
                phase.choices
            }),
            self.counter("successes", "choices of the preferred action", |phase| phase.successes),
            self.counter("rewards", "rewards that were sent", |phase| phase.rewards),
            self.gauge("reward_sum", "the sum of the rewards that were sent", |phase| {
                phase.reward_sum
            }),
            self.gauge("regret", "expected reward lost against the best choices", |phase| {
                phase.regret
            }),
            self.counter("model_exports", "models that the loop exported", |phase| phase.exports),
            self.histogram("rank_latency", "Rank, from when it was due to its answer", |phase| {
                &phase.rank
            }),
            self.histogram("reward_latency", "Reward, from when it was sent to its answer", |it| {
                &it.reward
            }),
            self.expectations(),
        ]
    }

    fn state(&self) -> Family {
        let value = Value::Number(f64::from(u8::from(!self.is_over)));
        let points = vec![Point { labels: Vec::new(), value }];
        Family {
            name: "running",
            help: "whether the run lasts",
            unit: None,
            kind: Kind::Gauge,
            points,
        }
    }

    fn counter(
        &self,
        name: &'static str,
        help: &'static str,
        count: impl Fn(&PhaseNumbers) -> u64,
    ) -> Family {
        let points = self.points(|phase| Value::Count(count(phase)));
        Family { name, help, unit: None, kind: Kind::Counter, points }
    }

    fn gauge(
        &self,
        name: &'static str,
        help: &'static str,
        number: impl Fn(&PhaseNumbers) -> f64,
    ) -> Family {
        let points = self.points(|phase| Value::Number(number(phase)));
        Family { name, help, unit: None, kind: Kind::Gauge, points }
    }

    fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        of: impl Fn(&PhaseNumbers) -> &Histogram,
    ) -> Family {
        let points = self.points(|phase| Value::Buckets(of(phase).clone()));
        Family { name, help, unit: Some("seconds"), kind: Kind::Histogram, points }
    }

    fn points(&self, value: impl Fn(&PhaseNumbers) -> Value) -> Vec<Point> {
        let point =
            |phase: &PhaseNumbers| Point { labels: phase.labels.clone(), value: value(phase) };
        self.phases.iter().map(point).collect()
    }

    fn errors(&self) -> Family {
        let of_phase = |phase: &PhaseNumbers| {
            let point = |((operation, kind), count): (&(&'static str, String), &u64)| {
                let of_kind =
                    [("operation".into(), (*operation).to_owned()), ("kind".into(), kind.clone())];
                let labels = phase.labels.iter().cloned().chain(of_kind).collect();
                Point { labels, value: Value::Count(*count) }
            };
            phase.errors.iter().map(point).collect::<Vec<_>>()
        };
        let points = self.phases.iter().flat_map(of_phase).collect();
        let help = "calls that failed, by kind";
        Family { name: "errors", help, unit: None, kind: Kind::Counter, points }
    }

    /// Only what is judged: an expectation without samples has no point.
    fn expectations(&self) -> Family {
        let point = |verdict: &Verdict| {
            let held = match verdict.holds {
                Holds::Held => 1.0,
                Holds::Failed => 0.0,
                Holds::NoSamples => return None,
            };
            let labels = vec![("expectation".into(), verdict.text.clone())];
            Some(Point { labels, value: Value::Number(held) })
        };
        let mut points: Vec<Point> = self.verdicts.iter().filter_map(point).collect();
        points.sort_by(|left, right| left.labels.cmp(&right.labels));
        points.dedup_by(|left, right| left.labels == right.labels);
        let help = "whether the expectation holds, of phases that are over";
        Family { name: "expectation_held", help, unit: None, kind: Kind::Gauge, points }
    }
}

/// The name of a phase, and its tags.
fn labels(phase: PhaseScope<'_>) -> Labels {
    let tags = phase.tags.iter().map(|(name, value)| (name.clone().into(), value.clone()));
    std::iter::once(("phase".into(), phase.name.to_owned())).chain(tags).collect()
}

impl PhaseNumbers {
    fn add(&mut self, record: &IterationRecord) {
        self.iterations += 1;
        self.choices += u64::from(record.chosen.is_some());
        self.successes += u64::from(record.is_success());
        if let (Some(reward), Some(_)) = (record.reward, record.reward_start) {
            self.rewards += 1;
            self.reward_sum += reward;
        }
        self.regret += record.loss.map_or(0.0, |loss| loss.regret);
        let answered = record.chosen.is_some();
        if let Some(response) = record.rank_response().filter(|_| answered) {
            self.rank.add(response);
        }
        if let Some(latency) = record.reward_latency {
            self.reward.add(latency);
        }
        let ends = [record.rank_latency.map(|it| record.rank_start + it), record.reward_start];
        self.until = ends.into_iter().flatten().fold(self.until, Duration::max);
        match &record.outcome {
            IterationOutcome::Completed | IterationOutcome::Rejected => {}
            IterationOutcome::Dropped => self.dropped += 1,
            IterationOutcome::RankFailed(kind) => self.fail("rank", kind.to_string()),
            IterationOutcome::RewardFailed(kind) => self.fail("reward", kind.to_string()),
        }
    }

    fn fail(&mut self, operation: &'static str, kind: String) {
        let key = (operation, kind);
        let is_known = self.errors.contains_key(&key) || self.errors.len() < MOST_KINDS;
        let key = if is_known { key } else { (operation, "other".to_owned()) };
        *self.errors.entry(key).or_default() += 1;
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn rate(phase: &PhaseNumbers) -> f64 {
    let seconds = phase.until.saturating_sub(phase.started).as_secs_f64();
    if seconds > 0.0 { phase.iterations as f64 / seconds } else { 0.0 }
}
