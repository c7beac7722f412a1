//! Several actions for one visitor: an action for each slot, none twice.
//!
//! A slot is filled from what earlier slots have left. So its best action is the best of those,
//! and its regret is against it. The regret of the whole assignment is against the best one, which
//! is at most the sum of the regrets of its slots: with rewards that do not depend on the slot, the
//! same actions in another order earn as much.

use std::sync::Arc;

use super::{Stream, StreamEvent};
use plan::Wanted;
use protocol::{EventId, MultiSlotRankRequest, SlotRequest, SlotReward};
use record::{Loss, SlotRecord};
use seed::PhaseKey;

/// What came of the actions for the slots of an event.
pub(crate) struct Assignment {
    pub slots: Box<[SlotRecord]>,
    /// The actions of the best assignment; where none is better, those that were chosen.
    pub preferred: Arc<str>,
    pub chosen: Arc<str>,
    /// Against the best assignment.
    pub loss: Loss,
    /// The sum over the slots.
    pub reward: f64,
}

impl Assignment {
    /// The rewards of the slots.
    pub fn rewards(&self) -> Vec<SlotReward> {
        let reward = |(slot, number): (&SlotRecord, usize)| SlotReward {
            slot_id: slot_id(number),
            value: slot.reward,
        };
        self.slots.iter().zip(0..).map(reward).collect()
    }
}

/// The best action for a slot, by its position in the request, and what it is expected to earn.
#[derive(Clone, Copy)]
struct BestLeft {
    position: usize,
    expected: f64,
}

/// The id of a slot, by its number.
fn slot_id(number: usize) -> String {
    format!("slot-{}", number + 1)
}

impl Stream<'_> {
    /// The request for the slots of an event. Without the service, each would show one of the
    /// first actions, in their order.
    #[must_use]
    pub(crate) fn slots_request(
        &self,
        event: &StreamEvent<'_>,
        slots: usize,
    ) -> MultiSlotRankRequest {
        let excluded = &self.plan.excluded_actions;
        let actions = event.offer.actions.iter().map(|action| &*action.id);
        let baselines = actions.filter(|id| excluded.iter().all(|excluded| excluded != id));
        let slot = |(number, baseline): (usize, &str)| SlotRequest {
            id: slot_id(number),
            features: Vec::new(),
            excluded_actions: excluded.clone(),
            baseline_action: baseline.to_owned(),
        };
        MultiSlotRankRequest {
            context_features: Arc::clone(&event.request.context_features),
            actions: Arc::clone(&event.request.actions),
            slots: baselines.take(slots).enumerate().map(slot).collect(),
            event_id: Some(EventId::clone(&event.event_id)),
            defer_activation: event.request.defer_activation,
        }
    }

    /// What comes of an assignment: the positions in the request of the actions that are chosen,
    /// slot by slot, none twice.
    #[must_use]
    pub(crate) fn assignment(
        &self,
        (phase, iteration): (PhaseKey, u64),
        event: &StreamEvent<'_>,
        chosen: &[usize],
    ) -> Assignment {
        let StreamEvent { visitor, offer, .. } = event;
        let mut left = self.choosable(event);
        let mut earned = Vec::with_capacity(chosen.len());
        let slot = |(number, position): (usize, &usize)| {
            let wanted = self.regret.wanted_of(visitor, offer, &left);
            let best = self.best_left(event, wanted, &left);
            let expected = self.regret.expected(wanted, visitor, offer, *position);
            let regret = best.expected - expected;
            let preferred = if regret > 0.0 { best.position } else { *position };
            left.retain(|other| other != position);
            earned.push(expected);
            SlotRecord {
                chosen: self.id(event, *position),
                preferred: self.id(event, preferred),
                reward: self.reward_for(wanted, (phase, iteration, number), event, *position),
                regret: regret.max(0.0),
            }
        };
        let slots: Box<[SlotRecord]> = chosen.iter().enumerate().map(slot).collect();
        let best = self.best_assignment(event, chosen.len());
        let regret = surplus(best.iter().map(|best| best.expected).collect(), earned);
        let chosen = joined(slots.iter().map(|slot| Arc::clone(&slot.chosen)));
        let preferred = if regret > 0.0 { self.join(event, &best) } else { Arc::clone(&chosen) };
        let reward = slots.iter().map(|slot| slot.reward).sum();
        let loss = Loss { regret, exploration: None };
        Assignment { slots, preferred, chosen, loss, reward }
    }

    /// Each slot filled with the best action that is left.
    fn best_assignment(&self, event: &StreamEvent<'_>, slots: usize) -> Vec<BestLeft> {
        let mut left = self.choosable(event);
        let best = |_| {
            let wanted = self.regret.wanted_of(event.visitor, &event.offer, &left);
            let best = self.best_left(event, wanted, &left);
            left.retain(|other| *other != best.position);
            best
        };
        (0..slots).map(best).collect()
    }

    /// The actions of the best assignment for an event whose slots are not filled yet.
    #[must_use]
    pub(crate) fn preferred_of_slots(&self, event: &StreamEvent<'_>, slots: usize) -> Arc<str> {
        self.join(event, &self.best_assignment(event, slots))
    }

    /// The positions in the request of the best actions for the slots.
    #[must_use]
    pub(crate) fn best_positions(&self, event: &StreamEvent<'_>, slots: usize) -> Vec<usize> {
        self.best_assignment(event, slots).iter().map(|best| best.position).collect()
    }

    /// The positions in the request of the actions that a slot may show.
    fn choosable(&self, event: &StreamEvent<'_>) -> Vec<usize> {
        let excluded = &self.plan.excluded_actions;
        let is_allowed =
            |position: &usize| excluded.iter().all(|id| **id != *event.offer.actions[*position].id);
        (0..event.actions()).filter(is_allowed).collect()
    }

    fn best_left(&self, event: &StreamEvent<'_>, wanted: Wanted<'_>, left: &[usize]) -> BestLeft {
        let of = |position: &usize| BestLeft {
            position: *position,
            expected: self.regret.expected(wanted, event.visitor, &event.offer, *position),
        };
        let better = |best: BestLeft, other: BestLeft| {
            if other.expected > best.expected { other } else { best }
        };
        left.iter().map(of).reduce(better).expect("a plan has an action for each slot")
    }

    fn join(&self, event: &StreamEvent<'_>, best: &[BestLeft]) -> Arc<str> {
        joined(best.iter().map(|best| self.id(event, best.position)))
    }

    fn id(&self, event: &StreamEvent<'_>, position: usize) -> Arc<str> {
        Arc::clone(self.action_id(event.index(position)))
    }
}

/// Actions as one text: `a | b | c`.
fn joined(actions: impl Iterator<Item = Arc<str>>) -> Arc<str> {
    actions.collect::<Vec<_>>().join(" | ").into()
}

/// How much more one list of numbers holds than another of the same length, the largest against
/// the largest: lists of the same numbers in another order differ by nothing.
fn surplus(mut more: Vec<f64>, mut less: Vec<f64>) -> f64 {
    more.sort_by(f64::total_cmp);
    less.sort_by(f64::total_cmp);
    more.iter().zip(&less).map(|(more, less)| more - less).sum::<f64>().max(0.0)
}
