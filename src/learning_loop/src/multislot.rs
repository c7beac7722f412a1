//! Several slots of one event.
//!
//! A learning policy for slots (`--ccb_explore_adf`) fills them one after the other from the
//! remaining actions. An event with slots is one event of the log; its choice and its reward,
//! which evaluations use, are those of its first slot.

use std::collections::HashSet;
use std::sync::Arc;

use super::assignment::Assignment;
use super::decision::{Decider, Logged};
use super::interaction::{Choice, FilledSlot, Interaction};
use super::learning_loop::check_reward;
use super::limits::LoopLimits;
use super::log_entry::Operation;
use super::{LearningLoop, rank_rules, sampling};
use learner::{Event, Prediction};
use policy::hashed_slot;
use protocol::{
    DEFAULT_SLOTS_POLICY, Digits, ErrorCode, EventId, LearningMode, MOST_REWARDS,
    MultiSlotRankRequest, MultiSlotRankResponse, RankRequest, RankableAction, ServiceError,
    SlotRequest, SlotResponse, SlotReward,
};
use timestamp::Timestamp;

impl LearningLoop {
    /// `POST /multislot/rank`: an action for each slot, none twice.
    ///
    /// # Errors
    /// `InvalidMultiSlotApiAccess`, if the policy of the loop has no slots, or automatic
    /// optimization is enabled; `InvalidRankRequest`, if the request breaks a rule.
    pub fn rank_slots(
        &mut self,
        request: &MultiSlotRankRequest,
        now: Timestamp,
    ) -> Result<MultiSlotRankResponse, ServiceError> {
        self.advance(now);
        let (now, number) = (self.now, self.ranked + 1);
        let (answer, interaction) = self.decider().rank_slots(request, number, now)?;
        self.observe(interaction);
        Ok(answer)
    }

    /// `POST /multislot/events/{eventId}/reward`. Unknown events and slots, and late
    /// rewards, are ignored.
    ///
    /// # Errors
    /// `InvalidRewardRequest`, if a reward is not a finite `f32`, or the id of a slot is empty
    /// or too long.
    pub fn reward_slots(
        &mut self,
        event_id: &EventId,
        rewards: &[SlotReward],
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.advance(now);
        check_slot_rewards(rewards)?;
        for reward in rewards {
            self.reward_slot(event_id, reward);
        }
        Ok(())
    }

    pub(crate) fn reward_slot(&mut self, event_id: &EventId, reward: &SlotReward) {
        let Some(interaction) = self.joiner.event(event_id, self.now) else { return };
        let slot = interaction.slots.iter_mut().find(|slot| slot.id == reward.slot_id);
        let Some(slot) = slot.filter(|slot| slot.rewards.len() < MOST_REWARDS) else { return };
        slot.rewards.push(reward.value);
        self.rewarded += 1;
        self.joiner.count_reward(event_id);
        let event_id = || event_id.clone();
        self.log_operation(|| Operation::SlotRewarded {
            event_id: event_id(),
            reward: reward.clone(),
        });
    }
}

impl Decider<'_> {
    /// `POST /multislot/rank`. An event without an id gets one made of `number` and `now`.
    pub(crate) fn rank_slots(
        &mut self,
        request: &MultiSlotRankRequest,
        number: u64,
        now: Timestamp,
    ) -> Result<(MultiSlotRankResponse, Interaction), ServiceError> {
        self.check_access()?;
        self.checker.check(&whole(request), &self.limits, self.actions)?;
        let left = check_slots(request, &self.limits)
            .map_err(|message| ServiceError::new(ErrorCode::InvalidRankRequest, message))?;
        let event_id = self.event_id(request.event_id.as_ref(), number, now);
        let slots = self.fill(request, &event_id, left)?;
        let answer = self.shown(request, &event_id, &slots);
        let logged = Logged {
            event_id,
            context: &request.context_features,
            actions: request.actions.clone(),
            is_deferred: request.defer_activation,
            choice: Arc::new(slots[0].choice.clone()),
            slots,
        };
        Ok((answer, self.interaction(logged, now)))
    }

    fn check_access(&self) -> Result<(), ServiceError> {
        let message = if !self.policy.is_multi_slot() {
            format!(
                "the learning policy has no slots: start the service with `--multi-slot`, or set a \
                 policy with `--ccb_explore_adf` by PUT /configurations/policy, such as \
                 `{DEFAULT_SLOTS_POLICY}`"
            )
        } else if self.optimizes {
            "multi-slot calls exclude automatic optimization: set `isAutoOptimizationEnabled` to \
             false by PUT /configurations/service"
                .to_owned()
        } else {
            return Ok(());
        };
        Err(ServiceError::new(ErrorCode::InvalidMultiSlotApiAccess, message))
    }

    /// Fills the slots according to the learning mode. The logged action of a slot is not
    /// offered to later ones.
    fn fill(
        &mut self,
        request: &MultiSlotRankRequest,
        event_id: &EventId,
        mut left: Assignment,
    ) -> Result<Vec<FilledSlot>, ServiceError> {
        let actions = request.actions.len();
        let event = self.event_with_slots(request)?;
        let mut slots = Vec::with_capacity(request.slots.len());
        for (number, slot) in request.slots.iter().enumerate() {
            let mut offered = left.choices(number);
            offered.sort_unstable();
            let baseline = place(&request.actions, &slot.baseline_action);
            let seed = sampling::slot_seed(event_id.text(&mut Digits::default()), &slot.id);
            let mut choice = self.choose_for_slot(event.as_ref(), number, &offered, actions, seed);
            if self.mode == LearningMode::LoggingOnly {
                choice.put_first(baseline);
            }
            left.assign(number, choice.chosen());
            let is_all = offered.len() + number == actions;
            slots.push(FilledSlot {
                id: slot.id.clone(),
                features: slot.features.clone().into(),
                included: if is_all { Vec::new() } else { offered },
                baseline,
                choice,
                rewards: Vec::new(),
            });
        }
        Ok(slots)
    }

    /// The hashed event; `None` before the first model.
    fn event_with_slots(
        &mut self,
        request: &MultiSlotRankRequest,
    ) -> Result<Option<Event>, ServiceError> {
        if self.served.is_none() && !self.limits.bound_work() {
            return Ok(None);
        }
        let Some(policy) = self.policy.vowpal_wabbit() else { return Ok(None) };
        let hashing = policy.hashing();
        let (context, actions) = (&request.context_features, &request.actions);
        let event = self.features.event(hashing, context, actions, self.actions);
        let slots = request.slots.iter();
        let slots = slots.map(|slot| hashed_slot(hashing, &slot.features)).collect();
        let event = Event { slots: Some(slots), ..event.clone() };
        self.limits.check_work(policy, &event)?;
        Ok(Some(event))
    }

    fn choose_for_slot(
        &mut self,
        event: Option<&Event>,
        number: usize,
        offered: &[usize],
        actions: usize,
        seed: u64,
    ) -> Choice {
        let mut prediction = Prediction::uniform(offered, actions);
        let model = self.served.as_mut().and_then(|model| model.vowpal_wabbit());
        if let (Some(event), Some(model)) = (event, model) {
            model.predict_slot(event, number, offered, &mut prediction);
        }
        prediction.draw(seed);
        Choice::from(&prediction)
    }

    /// The answer: the choices, or the baselines unless the learning mode is online.
    fn shown(
        &self,
        request: &MultiSlotRankRequest,
        event_id: &EventId,
        slots: &[FilledSlot],
    ) -> MultiSlotRankResponse {
        let online = self.mode == LearningMode::Online;
        let shown = |slot: &FilledSlot| {
            let action = if online { slot.choice.chosen() } else { slot.baseline };
            let reward_action_id = request.actions[action].id.clone();
            SlotResponse { id: slot.id.clone(), reward_action_id }
        };
        let slots = slots.iter().map(shown).collect();
        MultiSlotRankResponse { slots, event_id: event_id.clone() }
    }
}

/// Refuses too many rewards, rewards out of range and ids that no slot has.
pub(crate) fn check_slot_rewards(rewards: &[SlotReward]) -> Result<(), ServiceError> {
    let found = rewards.len();
    let check_count = || {
        let message = || format!("there may be {MOST_REWARDS} rewards at most, found {found}");
        (found <= MOST_REWARDS).then_some(()).ok_or_else(message)
    };
    let check = |SlotReward { slot_id, value }: &SlotReward| {
        rank_rules::check_id("a slot", slot_id)?;
        check_reward(*value)
    };
    let invalid = |message| ServiceError::new(ErrorCode::InvalidRewardRequest, message);
    check_count().and_then(|()| rewards.iter().try_for_each(check)).map_err(invalid)
}

/// The request without its slots.
fn whole(request: &MultiSlotRankRequest) -> RankRequest {
    RankRequest {
        context_features: request.context_features.clone(),
        actions: request.actions.clone(),
        excluded_actions: Vec::new(),
        event_id: request.event_id.clone(),
        defer_activation: request.defer_activation,
    }
}

/// Checks the slots, and returns the actions that each may show.
fn check_slots(request: &MultiSlotRankRequest, limits: &LoopLimits) -> Result<Assignment, String> {
    let (slots, actions) = (&request.slots, &request.actions);
    if slots.is_empty() || slots.len() > actions.len() {
        let (found, most) = (slots.len(), actions.len());
        return Err(format!(
            "there must be from 1 slot to as many as actions ({most}), found {found}"
        ));
    }
    let (mut ids, mut baselines) = (HashSet::new(), HashSet::new());
    let (mut taken, mut values) = (Vec::new(), 0);
    for slot in slots {
        rank_rules::check_id("a slot", &slot.id)?;
        values += rank_rules::check_features(&slot.features)?;
        rank_rules::check_values(values, limits)?;
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

/// The index of the baseline of a slot among the actions.
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
