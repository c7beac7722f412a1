use std::ops::Range;

use super::column::Column;
use super::metric::Metric;
use record::{IterationOutcome, IterationRecord, SlotRecord};

const ANSWERED: u8 = 1;
const SUCCESSFUL: u8 = 2;
const FAILED: u8 = 4;
const REWARDED: u8 = 8;
const DROPPED: u8 = 16;
const RANKED: u8 = 32;

/// One entry per iteration of a phase, so that any window of it can be summed: 4 to 25 bytes an
/// iteration.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    pub flags: Column<u8>,
    pub rewards: Column<f64>,
    pub regrets: Column<f64>,
    pub explorations: Column<f64>,
}

/// A reduced history has at most so many bits an iteration, or its flags alone.
const REDUCED_BITS: u32 = 4;

/// What is recorded of one iteration.
#[derive(Debug, Clone, Copy)]
struct IterationFacts {
    flags: u8,
    reward: f64,
    regret: f64,
    exploration: f64,
}

/// Sums over a window of iterations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Iterations.
    pub iterations: u64,
    /// Iterations that got an action.
    pub events: u64,
    /// Iterations that got the preferred action.
    pub successes: u64,
    /// Iterations of which a call failed.
    pub errors: u64,
    /// Iterations that could not start when they were due.
    pub dropped: u64,
    /// Iterations with a reward.
    pub rewards: u64,
    /// The sum of the rewards.
    pub reward_sum: f64,
    /// The sum of the regrets.
    pub regret_sum: f64,
    /// Iterations of which it is known what exploration cost.
    pub ranked: u64,
    /// What it cost.
    pub exploration_sum: f64,
}

impl History {
    pub fn push(&mut self, record: &IterationRecord) {
        self.push_facts(IterationFacts::of(record));
    }

    /// Takes in a slot of an iteration; none, where the iteration got no action for it.
    pub fn push_slot(&mut self, slot: Option<&SlotRecord>) {
        self.push_facts(IterationFacts::of_slot(slot));
    }

    fn push_facts(&mut self, facts: IterationFacts) {
        self.flags.push(facts.flags);
        self.rewards.push(facts.reward);
        self.regrets.push(facts.regret);
        self.explorations.push(facts.exploration);
    }

    pub fn len(&self) -> u64 {
        self.flags.len() as u64
    }

    /// Sums over the iterations of `range` that there are.
    pub fn over(&self, range: Range<u64>) -> Sums {
        let mut sums = Sums::default();
        self.indices(range).for_each(|index| sums.add(self.at(index)));
        sums
    }

    /// The sums that a metric is made of.
    pub fn sums(&self, metric: Metric, range: Range<u64>) -> Sums {
        match metric {
            Metric::MeanReward | Metric::Regret | Metric::ExplorationCost => self.over(range),
            _ => self.counts(range),
        }
    }

    /// The same without what is summed of rewards, regrets and explorations.
    pub fn counts(&self, range: Range<u64>) -> Sums {
        let mut sums = Sums::default();
        self.indices(range).for_each(|index| sums.count(self.flag(index)));
        sums
    }

    fn indices(&self, range: Range<u64>) -> Range<usize> {
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(self.flags.len());
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
        start..end
    }

    fn at(&self, index: usize) -> IterationFacts {
        IterationFacts {
            flags: self.flag(index),
            reward: self.rewards.get(index).unwrap_or_default(),
            regret: self.regrets.get(index).unwrap_or_default(),
            exploration: self.explorations.get(index).unwrap_or_default(),
        }
    }

    /// Whether windows of a metric can be summed.
    pub fn has(&self, metric: Metric) -> bool {
        !match metric {
            Metric::MeanReward => self.rewards.is_absent(),
            Metric::Regret => self.regrets.is_absent(),
            Metric::ExplorationCost => self.explorations.is_absent(),
            _ => false,
        }
    }

    fn flag(&self, index: usize) -> u8 {
        self.flags.get(index).unwrap_or_default()
    }

    /// The same in at most [`REDUCED_BITS`]: what takes more is left out.
    pub fn reduced(self) -> Self {
        let Self { flags, rewards, regrets, explorations } = self;
        let mut bits = flags.width().unwrap_or_default();
        let mut reduced = |column: Column<f64>| match column.width() {
            Some(width) if bits + width <= REDUCED_BITS => {
                bits += width;
                column.packed()
            }
            _ => column.absent(),
        };
        let (rewards, regrets) = (reduced(rewards), reduced(regrets));
        let explorations = reduced(explorations);
        Self { flags: flags.packed(), rewards, regrets, explorations }
    }

    /// After how many iterations the success rate of the last `width` of them is `share`
    /// for the first time.
    pub fn first_reached(&self, share: f64, width: u64) -> Option<u64> {
        let width = usize::try_from(width).ok()?.max(1);
        let mut sums = Trailing::default();
        for index in 0..self.flags.len() {
            sums.take_in(self.flag(index));
            if let Some(oldest) = index.checked_sub(width) {
                sums.give_up(self.flag(oldest));
            }
            let is_full = index + 1 >= width;
            if is_full && ratio(sums.successes, sums.events).is_some_and(|rate| rate >= share) {
                return Some(index as u64 + 1);
            }
        }
        None
    }
}

/// Sums over the last iterations.
#[derive(Default)]
struct Trailing {
    events: u64,
    successes: u64,
}

impl Trailing {
    fn take_in(&mut self, flags: u8) {
        self.events += u64::from(flags & ANSWERED != 0);
        self.successes += u64::from(flags & SUCCESSFUL != 0);
    }

    fn give_up(&mut self, flags: u8) {
        self.events -= u64::from(flags & ANSWERED != 0);
        self.successes -= u64::from(flags & SUCCESSFUL != 0);
    }
}

impl IterationFacts {
    fn of(record: &IterationRecord) -> Self {
        let loss = record.loss;
        let exploration = loss.and_then(|loss| loss.exploration);
        Self {
            flags: flags(record) | if exploration.is_some() { RANKED } else { 0 },
            reward: record.reward.unwrap_or_default(),
            regret: loss.map_or(0.0, |loss| loss.regret),
            exploration: exploration.unwrap_or_default(),
        }
    }

    fn of_slot(slot: Option<&SlotRecord>) -> Self {
        let success = slot.is_some_and(SlotRecord::is_success);
        Self {
            flags: slot.map_or(0, |_| ANSWERED | REWARDED) | if success { SUCCESSFUL } else { 0 },
            reward: slot.map_or(0.0, |slot| slot.reward),
            regret: slot.map_or(0.0, |slot| slot.regret),
            exploration: 0.0,
        }
    }
}

fn flags(record: &IterationRecord) -> u8 {
    let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
    let counts = record.outcome != IterationOutcome::Rejected;
    flag(record.chosen.is_some() && counts, ANSWERED)
        | flag(record.is_success() && counts, SUCCESSFUL)
        | flag(record.has_failed(), FAILED)
        | flag(record.reward.is_some(), REWARDED)
        | flag(record.outcome == IterationOutcome::Dropped, DROPPED)
}

impl Sums {
    /// Adds a slot of an iteration; none, where the iteration got no action for it.
    pub fn add_slot(&mut self, slot: Option<&SlotRecord>) {
        self.add(IterationFacts::of_slot(slot));
    }

    pub fn add_record(&mut self, record: &IterationRecord) {
        self.add(IterationFacts::of(record));
    }

    fn add(&mut self, IterationFacts { flags, reward, regret, exploration }: IterationFacts) {
        self.count(flags);
        self.reward_sum += reward;
        self.regret_sum += regret;
        self.exploration_sum += exploration;
    }

    /// Adds the sums of other iterations.
    pub fn add_sums(&mut self, other: &Self) {
        self.iterations += other.iterations;
        self.events += other.events;
        self.successes += other.successes;
        self.errors += other.errors;
        self.dropped += other.dropped;
        self.rewards += other.rewards;
        self.reward_sum += other.reward_sum;
        self.regret_sum += other.regret_sum;
        self.ranked += other.ranked;
        self.exploration_sum += other.exploration_sum;
    }

    fn count(&mut self, flags: u8) {
        self.iterations += 1;
        self.events += u64::from(flags & ANSWERED != 0);
        self.successes += u64::from(flags & SUCCESSFUL != 0);
        self.errors += u64::from(flags & FAILED != 0);
        self.dropped += u64::from(flags & DROPPED != 0);
        self.rewards += u64::from(flags & REWARDED != 0);
        self.ranked += u64::from(flags & RANKED != 0);
    }

    pub fn regret(&self) -> Option<f64> {
        (self.events > 0).then_some(self.regret_sum)
    }

    pub fn exploration_cost(&self) -> Option<f64> {
        (self.ranked > 0).then_some(self.exploration_sum)
    }

    pub fn success_rate(&self) -> Option<f64> {
        ratio(self.successes, self.events)
    }

    pub fn error_rate(&self) -> Option<f64> {
        ratio(self.errors, self.iterations)
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
    pub fn mean_reward(&self) -> Option<f64> {
        (self.rewards > 0).then(|| self.reward_sum / self.rewards as f64)
    }
}

/// A share of something; of nothing there is none.
#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
