//! The calls of an iteration with slots: an action for each, and a reward for each.

use super::super::stream::StreamEvent;
use super::answer;
use super::calls::Calls;
use clock::Clock;
use protocol::SlotReward;
use record::{IterationOutcome, IterationRecord};
use target::{CallError, Target};

impl<C: Clock, T: Target> Calls<'_, C, T> {
    /// Rank for the slots → compare with the best assignment → a reward for each slot.
    pub(super) async fn call_slots(
        &self,
        event: &StreamEvent<'_>,
        slots: usize,
        record: &mut IterationRecord,
    ) -> Result<(), CallError> {
        let rewards = self.rank_slots(event, slots, record).await.inspect_err(|error| {
            record.outcome = IterationOutcome::RankFailed(error.kind);
        })?;
        self.think(record).await;
        let at = self.address(record);
        let send = || self.target.reward_slots(at, &event.event_id, &rewards);
        self.deliver(record, send).await.inspect_err(|error| {
            record.outcome = IterationOutcome::RewardFailed(error.kind);
        })
    }

    /// Returns the rewards of the slots.
    async fn rank_slots(
        &self,
        event: &StreamEvent<'_>,
        slots: usize,
        record: &mut IterationRecord,
    ) -> Result<Vec<SlotReward>, CallError> {
        let (request, at) = (self.stream.slots_request(event, slots), self.address(record));
        let answer = self.target.rank_slots(at, &request).await;
        record.rank_latency = Some(self.clock.now().saturating_sub(record.rank_start));
        let chosen = answer::read_slots(self.stream, event, &request, &answer?)?;
        let assignment = self.stream.assignment((at.phase, at.iteration), event, &chosen);
        let rewards = assignment.rewards();
        record.chosen = Some(assignment.chosen);
        record.preferred = assignment.preferred;
        record.loss = Some(assignment.loss);
        record.reward = Some(assignment.reward);
        record.slots = Some(assignment.slots);
        Ok(rewards)
    }
}
