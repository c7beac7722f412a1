//! Several slots of one event.
//!
//! Slots are filled in turn from the actions that are left. Each is an event of its own
//! for the log and the learner, with the slot's features beside the context, so that every
//! single-slot learning policy learns from it. It is not the CCB reduction of VW, whose
//! slots share one example.

use std::collections::HashSet;
use std::sync::Arc;

use super::assignment::Assignment;
use super::{LearningLoop, rank};
use crate::clock::Timestamp;
use crate::protocol::{
    ErrorCode, FeatureObject, FeatureValue, MultiSlotRankRequest, MultiSlotRankResponse,
    RankRequest, RankableAction, RewardRequest, ServiceError, SlotRequest, SlotResponse,
    SlotReward,
};

/// Between the id of an event and the id of its slot. No caller types it.
const SEPARATOR: char = '\u{1f}';

impl LearningLoop {
    /// `POST /multislot/rank`: an action for each slot, none twice.
    ///
    /// # Errors
    /// `InvalidRankRequest`, if the request breaks a rule.
    pub fn rank_slots(
        &mut self,
        request: &MultiSlotRankRequest,
        now: Timestamp,
    ) -> Result<MultiSlotRankResponse, ServiceError> {
        self.advance(now);
        self.checker.check(&whole(request))?;
        let mut left = check_slots(request)
            .map_err(|message| ServiceError::new(ErrorCode::InvalidRankRequest, message))?;
        let event_id = self.event_id(request.event_id.as_ref());
        let mut slots = Vec::new();
        for (number, slot) in request.slots.iter().enumerate() {
            let actions: Arc<[_]> =
                left.choices(number).into_iter().map(|at| request.actions[at].clone()).collect();
            let single = single(request, slot, &actions);
            let shown = self.decide(&single, slot_event(&event_id, &slot.id), actions.clone());
            let reward_action_id = actions[shown.chosen()].id.clone();
            left.assign(number, place(&request.actions, &reward_action_id));
            slots.push(SlotResponse { id: slot.id.clone(), reward_action_id });
        }
        Ok(MultiSlotRankResponse { slots, event_id: event_id.to_string() })
    }

    /// `POST /multislot/events/{eventId}/reward`. Unknown events and slots, and late
    /// rewards, are ignored.
    ///
    /// # Errors
    /// `InvalidRewardRequest`, if a reward is not finite, or a slot has no id.
    pub fn reward_slots(
        &mut self,
        event_id: &str,
        rewards: &[SlotReward],
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        if rewards.iter().any(|reward| reward.slot_id.is_empty()) {
            let message = "the id of a slot must have 1 to 256 characters";
            return Err(ServiceError::new(ErrorCode::InvalidRewardRequest, message));
        }
        for SlotReward { slot_id, value } in rewards {
            self.reward(&slot_event(event_id, slot_id), RewardRequest { value: *value }, now)?;
        }
        Ok(())
    }

    /// `POST /multislot/events/{eventId}/activate`: every slot of the event.
    pub fn activate_slots(&mut self, event_id: &str, now: Timestamp) {
        self.advance(now);
        let prefix = slot_event(event_id, "");
        for slot in self.joiner.ids_of(&prefix) {
            self.give_activation(&slot);
        }
    }
}

fn slot_event(event_id: &str, slot_id: &str) -> Arc<str> {
    format!("{event_id}{SEPARATOR}{slot_id}").into()
}

/// What the request would be without slots.
fn whole(request: &MultiSlotRankRequest) -> RankRequest {
    RankRequest {
        context_features: request.context_features.clone(),
        actions: request.actions.clone(),
        excluded_actions: Vec::new(),
        event_id: request.event_id.clone(),
        defer_activation: request.defer_activation,
    }
}

/// What the request is for one slot, with the actions that are left for it.
fn single(
    request: &MultiSlotRankRequest,
    slot: &SlotRequest,
    actions: &Arc<[RankableAction]>,
) -> RankRequest {
    let id = ("id".to_owned(), FeatureValue::Text(slot.id.clone()));
    let features = slot.features.iter().flat_map(|object| object.0.iter().cloned());
    let known = FeatureObject(std::iter::once(id).chain(features).collect());
    let about = FeatureObject(vec![("slot".to_owned(), FeatureValue::Object(known))]);
    let context = request.context_features.iter().cloned().chain([about]).collect();
    RankRequest { context_features: context, actions: actions.clone(), ..whole(request) }
}

/// Checks the slots; what may be chosen for which.
fn check_slots(request: &MultiSlotRankRequest) -> Result<Assignment, String> {
    let (slots, actions) = (&request.slots, &request.actions);
    if slots.is_empty() || slots.len() > actions.len() {
        let (found, most) = (slots.len(), actions.len());
        return Err(format!(
            "there must be from 1 slot to as many as actions ({most}), found {found}"
        ));
    }
    let (mut ids, mut baselines) = (HashSet::new(), HashSet::new());
    let mut taken = Vec::new();
    for slot in slots {
        rank::check_id("slot", &slot.id)?;
        rank::check_features(&slot.features)?;
        if !ids.insert(&slot.id) {
            return Err(format!("two slots have the id `{}`", slot.id));
        }
        if !baselines.insert(&slot.baseline_action) {
            return Err(format!("two slots have the baseline `{}`", slot.baseline_action));
        }
        taken.push(baseline(slot, actions)?);
    }
    let allowed = |slot: &SlotRequest| {
        let is_excluded =
            |action: &RankableAction| slot.excluded_actions.iter().any(|id| **id == *action.id);
        actions.iter().map(|action| !is_excluded(action)).collect()
    };
    Ok(Assignment::new(slots.iter().map(allowed).collect(), taken))
}

/// Where the baseline of a slot stands among the actions.
fn baseline(slot: &SlotRequest, actions: &[RankableAction]) -> Result<usize, String> {
    let (id, baseline) = (&slot.id, &slot.baseline_action);
    let known = |wanted: &String| actions.iter().position(|action| *action.id == **wanted);
    if let Some(unknown) = slot.excluded_actions.iter().find(|action| known(action).is_none()) {
        return Err(format!("slot `{id}` excludes `{unknown}`, which is none of the actions"));
    }
    if slot.excluded_actions.contains(baseline) {
        return Err(format!("slot `{id}` excludes its baseline `{baseline}`"));
    }
    known(baseline)
        .ok_or_else(|| format!("the baseline `{baseline}` of slot `{id}` is none of the actions"))
}

fn place(actions: &[RankableAction], id: &str) -> usize {
    actions.iter().position(|action| *action.id == *id).expect("it was chosen from them")
}
