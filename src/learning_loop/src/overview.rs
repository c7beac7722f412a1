//! The figures of the loop for the status page and for monitors.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::LearningLoop;
use super::dsjson::LineWriter;
use super::event_log::LoggedEvents;
use super::interaction::Interaction;
use super::joined::Joined;
use protocol::{EventId, LearningMode, ModelProperties, PolicyContract};
use timestamp::Timestamp;

/// Counters of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoopState {
    /// Events ever logged.
    pub ranked: u64,
    /// Rewards received inside their windows.
    pub rewarded: u64,
    /// Events whose reward windows are open.
    pub waiting: u64,
    /// Joined events in the log.
    pub logged: u64,
    /// When the model was exported.
    pub model: ModelProperties,
}

/// About how many bytes of memory events take. It depends on what they share in this process,
/// so that it may change at a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventBytes {
    /// Those in the log.
    pub logged: u64,
    /// Those whose reward windows are open.
    pub open: u64,
}

/// The content of the status page.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    #[serde(flatten)]
    state: LoopState,
    learning_mode: LearningMode,
    policy: PolicyContract,
    #[serde(skip_serializing_if = "Option::is_none")]
    apprentice: Option<Apprenticeship>,
    /// Batches of the last events, the oldest first.
    history: Vec<Batch>,
    /// The last events, the newest first.
    recent: Vec<RecentEvent>,
}

/// How well the model imitates the baseline, over the last thousand events.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Apprenticeship {
    events: usize,
    /// The mean reward of what was served.
    baseline_average_reward: f64,
    /// Events for which the model would have chosen as the baseline did.
    imitated: usize,
    /// The mean reward of those.
    imitated_average_reward: f64,
    /// The share of the baseline's rewards that those have.
    reward_achieved: f64,
}

/// Consecutive events.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    from: Timestamp,
    events: usize,
    mean_reward: f64,
    /// The share of events with a reward above zero.
    success: f64,
}

/// An event on the status page.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecentEvent {
    event_id: EventId,
    time: Timestamp,
    action: Arc<str>,
    probability: f32,
    reward: f64,
}

const IMITATED: usize = 1000;
const SHOWN: usize = 10_000;
/// The history has at most this many batches, of at least [`BATCH`] events.
const BATCHES: usize = 100;
const BATCH: usize = 20;
const RECENT: usize = 20;

/// The events of the loop at one instant.
#[derive(Debug)]
pub struct LogSnapshot {
    logged: LoggedEvents,
    /// Those whose windows were open.
    open: Vec<Joined>,
}

impl LogSnapshot {
    /// The number of events.
    pub fn len(&self) -> usize {
        self.logged.len() + self.open.len()
    }

    /// Whether the log was empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines of the events in `range`, for `vw --dsjson`.
    pub fn lines(&self, range: Range<usize>) -> Vec<u8> {
        let (mut writer, mut lines) = (LineWriter::default(), Vec::new());
        for index in range {
            match index.checked_sub(self.logged.len()) {
                Some(open) => writer.push(&self.open[open], &mut lines),
                None => writer.push(&self.logged.joined(index), &mut lines),
            }
        }
        lines
    }
}

impl LearningLoop {
    /// The joined events, in the order in which they were learned; with `open` also those
    /// whose windows are open, with the rewards so far.
    pub fn events(&mut self, open: bool, now: Timestamp) -> LogSnapshot {
        self.advance(now);
        let configuration = &self.configuration;
        let joined = |event: &Interaction| Joined::new(event.clone(), configuration);
        let open = if open { self.joiner.iter().map(joined).collect() } else { Vec::new() };
        LogSnapshot { logged: self.log.snapshot(|_| true), open }
    }

    /// Counters of the loop.
    pub fn state(&mut self, now: Timestamp) -> LoopState {
        self.advance(now);
        self.last_state()
    }

    /// Counters of the loop after its last call.
    pub fn last_state(&self) -> LoopState {
        LoopState {
            ranked: self.ranked,
            rewarded: self.rewarded,
            waiting: self.joiner.len() as u64,
            logged: self.log.len() as u64,
            model: self.trainer.properties(),
        }
    }

    /// The memory of the events after the last call.
    pub fn event_bytes(&self) -> EventBytes {
        EventBytes { logged: self.log.bytes(), open: self.joiner.bytes() }
    }

    /// The content of the status page.
    pub fn overview(&mut self, now: Timestamp) -> Overview {
        let state = self.state(now);
        let last = self.log.iter().rev().take(SHOWN).map(|event| event.joined());
        let mut last: Vec<Joined> = last.collect();
        let recent = last.iter().take(RECENT).map(recent).collect();
        let apprentice = apprenticeship(&last);
        last.reverse();
        Overview {
            state,
            learning_mode: self.mode(),
            policy: self.policy_contract(),
            apprentice,
            history: last.chunks(last.len().div_ceil(BATCHES).max(BATCH)).map(batch).collect(),
            recent,
        }
    }
}

fn recent(joined: &Joined) -> RecentEvent {
    let interaction = &joined.interaction;
    RecentEvent {
        event_id: interaction.event_id.clone(),
        time: interaction.time,
        action: interaction.actions[interaction.chosen()].id.clone(),
        probability: interaction.probability(),
        reward: joined.reward.original,
    }
}

fn batch(events: &[Joined]) -> Batch {
    let rewards = events.iter().map(|joined| joined.reward.original);
    Batch {
        from: events[0].interaction.time,
        events: events.len(),
        mean_reward: mean(rewards.clone()),
        success: mean(rewards.map(|reward| f64::from(u8::from(reward > 0.0)))),
    }
}

/// Of events, the newest first; `None` if none of them is an apprentice's.
fn apprenticeship(events: &[Joined]) -> Option<Apprenticeship> {
    let is_apprentice = |joined: &&Joined| joined.interaction.mode == LearningMode::Apprentice;
    let all: Vec<_> = events.iter().filter(is_apprentice).take(IMITATED).collect();
    let imitated: Vec<_> =
        all.iter().filter(|joined| joined.interaction.imitates_baseline()).collect();
    let of = |joined: &Joined| joined.reward.original;
    let total: f64 = all.iter().map(|joined| of(joined)).sum();
    let achieved: f64 = imitated.iter().map(|joined| of(joined)).sum();
    (!all.is_empty()).then(|| Apprenticeship {
        events: all.len(),
        baseline_average_reward: mean(all.iter().map(|joined| of(joined))),
        imitated: imitated.len(),
        imitated_average_reward: mean(imitated.iter().map(|joined| of(joined))),
        reward_achieved: if total == 0.0 { 0.0 } else { achieved / total },
    })
}

/// The mean; zero for no value.
#[expect(clippy::cast_precision_loss, reason = "there are at most ten thousand")]
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}
