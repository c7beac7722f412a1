use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expectation::{NO_TAGS, PhaseScope, Tags};
use super::history::{History, Sums};
use super::latency::{Latencies, LatencySummary, micros};
use super::metric::{Metric, Operation, SlotMetric, Statistic};
use super::off_policy::{Agreement, OffPolicy};
use super::pace::Pace;
use super::punctuality::{Punctuality, is_late};
use super::window::{first_tenth, last_tenth, share_of};
use record::{IterationOutcome, IterationRecord, PhaseRecord, SlotRecord};

/// The counts and sums of one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseTally {
    pub(super) name: String,
    pub(super) planned: Option<u64>,
    pub(super) history: History,
    pub(super) totals: Sums,
    /// The slots of the iterations, if they have slots.
    pub(super) slots: Vec<SlotTally>,
    pub(super) latencies: BTreeMap<Operation, Latencies>,
    pub(super) punctuality: Option<Punctuality>,
    /// Why the latencies of a part of it are not valid.
    pub(super) part_saturation: Option<String>,
    pub(super) pace: Pace,
    /// The rate that was asked for, in iterations per second.
    pub(super) asked_rate: Option<f64>,
    /// How many models the loop exported, if it is known.
    pub(super) model_exports: Option<u64>,
    pub(super) violations: u64,
    /// Choices that were not the logged ones, where a log is replayed.
    pub(super) rejected: u64,
    /// What the log says of the choices, in its twin.
    pub(super) off_policy: Option<OffPolicy>,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) calls: u64,
    pub(super) started: Option<Duration>,
    /// The end of the phase, or of the last call seen.
    pub(super) until: Duration,
    pub(super) is_over: bool,
}

/// The counts and sums of one slot of a phase.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SlotTally {
    pub(super) history: History,
    totals: Sums,
}

impl SlotTally {
    pub(super) fn restore(history: History) -> Self {
        Self { totals: history.over(0..history.len()), history }
    }

    /// Takes in what an iteration got for it, if it got an action.
    fn add(&mut self, slot: Option<&SlotRecord>) {
        self.history.push_slot(slot);
        self.totals.add_slot(slot);
    }

    fn measure(&self, metric: SlotMetric, window: Option<Range<u64>>) -> Option<f64> {
        if window.is_some() && !self.has_windows_of(metric) {
            return None;
        }
        let sums = window.map_or(self.totals, |window| self.history.over(window));
        match metric {
            SlotMetric::SuccessRate => sums.success_rate(),
            SlotMetric::MeanReward => sums.mean_reward(),
            SlotMetric::Regret => sums.regret(),
        }
    }

    fn has_windows_of(&self, metric: SlotMetric) -> bool {
        self.history.has(match metric {
            SlotMetric::SuccessRate => Metric::SuccessRate,
            SlotMetric::MeanReward => Metric::MeanReward,
            SlotMetric::Regret => Metric::Regret,
        })
    }

    fn reduced(self) -> Self {
        Self { history: self.history.reduced(), ..self }
    }
}

/// What is sent in one second depends on when; this is a call of an iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Call {
    pub operation: Operation,
    pub start: Duration,
    pub end: Duration,
    /// From when it was due.
    pub latency: Option<Duration>,
    pub failed: bool,
}

/// The calls of an iteration; none, if it was dropped. A reward of which it is not known when it was sent
/// counts as sent when Rank was answered.
pub(super) fn calls(record: &IterationRecord) -> impl Iterator<Item = Call> {
    let answered = record.rank_start + record.rank_latency.unwrap_or_default();
    let rank = (record.outcome != IterationOutcome::Dropped).then(|| Call {
        operation: Operation::Rank,
        start: record.rank_start,
        end: answered,
        latency: record.rank_response(),
        failed: matches!(record.outcome, IterationOutcome::RankFailed(_)),
    });
    let reward_start = record.reward_start.unwrap_or(answered);
    let reward = record.reward.and(record.reward_latency).map(|latency| Call {
        operation: Operation::Reward,
        start: reward_start,
        end: reward_start + latency,
        latency: Some(latency),
        failed: matches!(record.outcome, IterationOutcome::RewardFailed(_)),
    });
    rank.into_iter().chain(reward)
}

impl PhaseTally {
    pub(super) fn new(phase: PhaseScope<'_>) -> Self {
        Self {
            name: phase.name.to_owned(),
            planned: phase.iterations,
            history: History::default(),
            totals: Sums::default(),
            slots: Vec::new(),
            latencies: BTreeMap::new(),
            punctuality: None,
            part_saturation: None,
            pace: Pace::default(),
            asked_rate: None,
            model_exports: None,
            violations: 0,
            rejected: 0,
            off_policy: None,
            errors: BTreeMap::new(),
            calls: 0,
            started: None,
            until: Duration::ZERO,
            is_over: false,
        }
    }

    pub(super) fn start(&mut self, at: Duration) {
        self.started = Some(at);
        self.until = at;
    }

    pub(super) fn end(&mut self, ended: &PhaseRecord) {
        self.started = Some(ended.started);
        self.until = ended.ended;
        self.asked_rate = ended.asked_rate;
        self.model_exports = ended.model_exports;
        self.is_over = true;
    }

    pub(super) fn add(&mut self, record: &IterationRecord) {
        self.add_slots(record);
        self.history.push(record);
        self.totals.add_record(record);
        self.violations += u64::from(record.breaks_the_contract());
        self.rejected += u64::from(record.outcome == IterationOutcome::Rejected);
        if let Some(logged) = &record.logged {
            self.off_policy.get_or_insert_default().add(logged);
        }
        if record.has_failed() {
            *self.errors.entry(outcome_label(&record.outcome)).or_default() += 1;
        }
        if record.outcome != IterationOutcome::Dropped {
            self.add_start(record);
        }
        self.pace.add_due(record.due);
        calls(record).for_each(|call| self.add_call(call));
    }

    /// To be called before the record is in the history.
    fn add_slots(&mut self, record: &IterationRecord) {
        let slots = record.slots.as_deref().unwrap_or_default();
        while self.slots.len() < slots.len() {
            let mut slot = SlotTally::default();
            (0..self.history.len()).for_each(|_| slot.add(None));
            self.slots.push(slot);
        }
        for (slot, number) in self.slots.iter_mut().zip(0..) {
            slot.add(slots.get(number));
        }
    }

    /// To be called before the latency is taken in.
    fn add_start(&mut self, record: &IterationRecord) {
        if self.punctuality.is_none() && is_late(record) {
            let ranks = self.latencies.get(&Operation::Rank);
            self.punctuality = Some(Punctuality::after(ranks));
        }
        if let Some(punctuality) = &mut self.punctuality {
            punctuality.add(record);
        }
    }

    fn add_call(&mut self, call: Call) {
        self.calls += 1;
        self.pace.add_call(&call);
        self.until = self.until.max(call.end);
        if let Some(latency) = call.latency {
            self.latencies.entry(call.operation).or_default().record(latency);
        }
    }

    /// The name of the phase.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What expectations may say of it.
    #[must_use]
    pub fn scope(&self) -> PhaseScope<'_> {
        PhaseScope {
            name: &self.name,
            iterations: self.planned,
            slots: self.slots.len(),
            tags: &NO_TAGS,
        }
    }

    /// How many iterations were made.
    #[must_use]
    pub fn iterations(&self) -> u64 {
        self.totals.iterations
    }

    /// How long calls took, failed ones included; nothing without calls.
    #[must_use]
    pub fn latencies(&self, operation: Operation) -> Option<&Latencies> {
        self.latencies.get(&operation)
    }

    /// How many iterations of a window got the preferred action, of how many that got an
    /// action.
    #[must_use]
    pub fn successes(&self, window: Range<u64>) -> (u64, u64) {
        let sums = self.history.counts(window);
        (sums.successes, sums.events)
    }

    /// The same in little memory: with whole phases, and with those windows for which
    /// [`Self::has_windows_of`] is still true.
    #[must_use]
    pub fn reduced(mut self) -> Self {
        self.compact();
        Self {
            history: self.history.reduced(),
            slots: self.slots.into_iter().map(SlotTally::reduced).collect(),
            ..self
        }
    }

    /// Keeps latencies in little memory, until some are added.
    pub(super) fn compact(&mut self) {
        self.latencies.values_mut().for_each(Latencies::compact);
        if let Some(punctuality) = &mut self.punctuality {
            punctuality.compact();
        }
    }

    /// Whether a metric is known of windows, and not only of the whole phase.
    #[must_use]
    pub fn has_windows_of(&self, metric: Metric) -> bool {
        match metric {
            Metric::Slot(number, metric) => {
                let slot = usize::from(number).checked_sub(1).and_then(|at| self.slots.get(at));
                slot.is_none_or(|slot| slot.has_windows_of(metric))
            }
            _ => self.history.has(metric),
        }
    }

    /// A metric of the phase, or of a window of it; nothing without samples, and of windows of
    /// which it is not known.
    #[must_use]
    pub fn measure(&self, metric: Metric, window: Option<Range<u64>>) -> Option<f64> {
        if let Metric::Slot(number, metric) = metric {
            return self.measure_slot(usize::from(number), metric, window);
        }
        if window.is_some() && !self.has_windows_of(metric) {
            return None;
        }
        let sums = window.map_or(self.totals, |window| self.history.sums(metric, window));
        match metric {
            Metric::Iterations => count(sums.iterations, &sums),
            Metric::Errors => count(sums.errors, &sums),
            Metric::Dropped => count(sums.dropped, &sums),
            Metric::Violations => count(self.violations(), &sums),
            Metric::ErrorRate => sums.error_rate(),
            Metric::SuccessRate => sums.success_rate(),
            Metric::MeanReward => sums.mean_reward(),
            Metric::Regret => sums.regret(),
            Metric::ExplorationCost => sums.exploration_cost(),
            Metric::IterationsTo | Metric::Slot(..) => None,
            Metric::Rate => self.pace.calls_per_second(),
            Metric::Latency(operation, statistic) => self.latency(operation, statistic),
            Metric::Service(statistic) => self.service(statistic),
            Metric::Lag(statistic) => self.lag(statistic),
            Metric::Extrapolation => self.off_policy.as_ref().and_then(OffPolicy::extrapolation),
        }
    }

    /// A metric of a slot by its number, from 1.
    fn measure_slot(
        &self,
        number: usize,
        metric: SlotMetric,
        window: Option<Range<u64>>,
    ) -> Option<f64> {
        self.slots.get(number.checked_sub(1)?)?.measure(metric, window)
    }

    /// After how many iterations the phase first had this success rate, over a trailing
    /// twentieth of its iterations, twenty at least; nothing, if it never had.
    #[must_use]
    pub fn iterations_to(&self, success_rate: f64) -> Option<u64> {
        let planned = self.planned.unwrap_or(self.totals.iterations);
        self.history.first_reached(success_rate, share_of(planned, 0.05).max(20))
    }

    fn latency(&self, operation: Operation, statistic: Statistic) -> Option<f64> {
        self.latencies(operation)?.measure(statistic)
    }

    fn service(&self, statistic: Statistic) -> Option<f64> {
        match &self.punctuality {
            Some(punctuality) => punctuality.service().measure(statistic),
            None => self.latency(Operation::Rank, statistic),
        }
    }

    fn lag(&self, statistic: Statistic) -> Option<f64> {
        match &self.punctuality {
            Some(punctuality) => punctuality.lag().measure(statistic),
            None => self.latency(Operation::Rank, statistic).map(|_| 0.0),
        }
    }

    /// Why the latencies say nothing of the service, if they do not: the runner itself
    /// was late, or one of the runners that shared the load.
    #[must_use]
    pub fn saturation(&self) -> Option<String> {
        let own = || self.punctuality.as_ref().and_then(Punctuality::saturation);
        self.part_saturation.clone().or_else(own)
    }

    /// What the log says of the choices, in its twin.
    #[must_use]
    pub fn agreement(&self) -> Option<Agreement> {
        self.off_policy.as_ref().and_then(OffPolicy::agreement)
    }

    /// How many choices were not the logged ones, where a log is replayed.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// What is to be known of the choices where the world is a log, in a sentence.
    #[must_use]
    pub fn log_note(&self) -> Option<String> {
        if let Some(agreement) = self.agreement() {
            return Some(format!("phase `{}`: {}", self.name, agreement.words()));
        }
        (self.rejected > 0).then(|| {
            let (events, used) = (self.totals.iterations, self.totals.events);
            format!("phase `{}` used {used} of {events} logged events", self.name)
        })
    }

    /// That every reward was the same, in a sentence: no policy learns from such.
    pub(super) fn reward_note(&self) -> Option<String> {
        const FEWEST: u64 = 100;
        let is_enough =
            self.totals.rewards == self.totals.iterations && self.totals.rewards >= FEWEST;
        let only = self.history.rewards.only_value().filter(|_| is_enough)?;
        let name = &self.name;
        Some(format!("phase `{name}`: every reward was {only}; nothing can be learned from that"))
    }

    /// How many iterations could not start when they were due.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.totals.dropped
    }

    /// How many answers broke the contract.
    #[must_use]
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// The rate asked for and the rate reached, in iterations per second, if the second is
    /// more than 5 % below the first.
    #[must_use]
    pub fn missed_rate(&self) -> Option<(f64, f64)> {
        const TOLERANCE: f64 = 0.05;
        let (asked, reached) = (self.asked_rate?, self.pace.iterations_per_second()?);
        (reached < (1.0 - TOLERANCE) * asked).then_some((asked, reached))
    }

    /// The numbers, as they stand in `summary.json`.
    #[must_use]
    pub fn summary(&self) -> PhaseSummary {
        self.summary_with(&[])
    }

    /// The same, with these percentiles of latencies.
    #[must_use]
    pub fn summary_with(&self, percentiles: &[f64]) -> PhaseSummary {
        let tenth = |window: Range<u64>| self.history.counts(window).success_rate();
        let of = |latencies: &Latencies| latencies.summary_with(percentiles);
        let latency = |operation| self.latencies(operation).and_then(of);
        PhaseSummary {
            name: self.name.clone(),
            tags: Tags::new(),
            planned_iterations: self.planned,
            iterations: self.totals.iterations,
            started_us: self.started.map(micros),
            ended_us: self.is_over.then(|| micros(self.until)),
            successes: self.totals.successes,
            success_rate: self.totals.success_rate(),
            first_tenth_success_rate: tenth(first_tenth(self.history.len())),
            last_tenth_success_rate: tenth(last_tenth(self.history.len())),
            mean_reward: self.totals.mean_reward(),
            regret: self.totals.regret(),
            exploration_cost: self.totals.exploration_cost(),
            errors: self.errors.clone(),
            dropped: self.totals.dropped,
            rejected: self.rejected,
            off_policy: self.agreement(),
            slots: self.slots.iter().map(SlotSummary::of).collect(),
            calls: self.calls,
            asked_iterations_per_second: self.asked_rate,
            missed_rate: self.missed_rate().is_some(),
            iterations_per_second: self.pace.iterations_per_second(),
            calls_per_second: self.pace.calls_per_second(),
            model_exports: self.model_exports,
            rank: latency(Operation::Rank),
            reward: latency(Operation::Reward),
            rank_service: self.punctuality.as_ref().and_then(|p| of(p.service())),
            lag: self.punctuality.as_ref().and_then(|p| of(p.lag())),
            saturation: self.saturation(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A count of nothing is not a sample.
#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn count(count: u64, sums: &Sums) -> Option<f64> {
    (sums.iterations > 0).then_some(count as f64)
}

/// How an iteration ended: `completed`, or which call failed and why, such as
/// `rank.timeout`.
#[must_use]
pub fn outcome_label(outcome: &IterationOutcome) -> String {
    match outcome {
        IterationOutcome::Completed => "completed".to_owned(),
        IterationOutcome::RankFailed(kind) => format!("rank.{kind}"),
        IterationOutcome::RewardFailed(kind) => format!("reward.{kind}"),
        IterationOutcome::Dropped => "dropped".to_owned(),
        IterationOutcome::Rejected => "rejected".to_owned(),
    }
}

/// The results of one slot of a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlotSummary {
    /// Iterations in which no better action was left for it, of those that got one.
    pub success_rate: Option<f64>,
    /// The same over the first tenth of the iterations.
    pub first_tenth_success_rate: Option<f64>,
    /// The same over the last tenth of the iterations.
    pub last_tenth_success_rate: Option<f64>,
    /// The mean of its rewards.
    pub mean_reward: Option<f64>,
    /// Expected reward lost against the best actions that were left for it.
    pub regret: Option<f64>,
}

impl SlotSummary {
    fn of(slot: &SlotTally) -> Self {
        let made = slot.history.len();
        let success_rate = |window| slot.measure(SlotMetric::SuccessRate, window);
        Self {
            success_rate: success_rate(None),
            first_tenth_success_rate: success_rate(Some(first_tenth(made))),
            last_tenth_success_rate: success_rate(Some(last_tenth(made))),
            mean_reward: slot.measure(SlotMetric::MeanReward, None),
            regret: slot.measure(SlotMetric::Regret, None),
        }
    }
}

/// The results of one phase. A value that was not measured is absent, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseSummary {
    /// The name of the phase.
    pub name: String,
    /// What its numbers are tagged with.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// How many iterations it was to make; absent in a phase that makes none.
    pub planned_iterations: Option<u64>,
    /// How many it made.
    pub iterations: u64,
    /// When it began, in microseconds of the run; absent if it did not.
    pub started_us: Option<u64>,
    /// When it ended; absent if it did not.
    pub ended_us: Option<u64>,
    /// Iterations with the preferred action.
    pub successes: u64,
    /// Successes per iteration that got an action.
    pub success_rate: Option<f64>,
    /// The same over the first tenth of the iterations.
    pub first_tenth_success_rate: Option<f64>,
    /// The same over the last tenth of the iterations.
    pub last_tenth_success_rate: Option<f64>,
    /// The mean of the rewards that were sent.
    pub mean_reward: Option<f64>,
    /// Expected reward lost against the best choices.
    pub regret: Option<f64>,
    /// Expected reward lost against the choices that the service thought best.
    pub exploration_cost: Option<f64>,
    /// Iterations that failed, by the call and the kind of failure.
    pub errors: BTreeMap<String, u64>,
    /// Iterations that could not start when they were due.
    pub dropped: u64,
    /// Choices that were not the logged ones, where a log is replayed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected: u64,
    /// What the log says of the rewards, in its twin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_policy: Option<Agreement>,
    /// The slots, in the order in which they are filled; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<SlotSummary>,
    /// Calls of both kinds.
    pub calls: u64,
    /// The rate that was asked for, in iterations per second; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_iterations_per_second: Option<f64>,
    /// Whether the rate reached is more than 5 % below it.
    #[serde(skip)]
    pub missed_rate: bool,
    /// Iterations started per second, from the first to the last due time.
    pub iterations_per_second: Option<f64>,
    /// Calls sent per second, over the same time.
    pub calls_per_second: Option<f64>,
    /// Models that the loop exported; absent if the target does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_exports: Option<u64>,
    /// How long Rank took, from when it was due.
    pub rank: Option<LatencySummary>,
    /// How long Reward took.
    pub reward: Option<LatencySummary>,
    /// How long Rank took, from when it was sent; absent if that is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_service: Option<LatencySummary>,
    /// How late Rank was sent; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<LatencySummary>,
    /// Why the latencies are not valid, if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saturation: Option<String>,
}
