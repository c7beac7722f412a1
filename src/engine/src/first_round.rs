//! The first iteration of a plan, for those who look at it without a run.

use super::iterate::read_answer;
use super::stream::{Stream, StreamEvent};
use plan::Plan;
use plan::{Phase, Step};
use protocol::{EventId, MultiSlotRankRequest, RankRequest, SlotReward};
use target::{CallAddress, CallError, RankAnswer};

/// The first iteration of a plan.
pub struct FirstRound<'a> {
    phase: &'a Phase,
    stream: Stream<'a>,
    event: StreamEvent<'a>,
}

/// What Rank decided in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The index of the chosen action.
    pub action: usize,
    /// The probability with which it was chosen, if the service gives it.
    pub probability: Option<f32>,
}

impl<'a> FirstRound<'a> {
    /// The first iteration of the first phase that makes some.
    #[must_use]
    pub fn of(plan: &'a Plan) -> Option<Self> {
        let phase = plan.phases.iter().find(|phase| matches!(phase.step, Step::Iterate(_)))?;
        let stream = Stream::new(plan);
        let event = stream.event(phase.key, 0);
        Some(Self { phase, stream, event })
    }

    /// Which iteration it is.
    #[must_use]
    pub fn address(&self) -> CallAddress {
        CallAddress { phase: self.phase.key, iteration: 0 }
    }

    /// The name of its phase.
    #[must_use]
    pub fn phase(&self) -> &str {
        &self.phase.name
    }

    /// The request of Rank.
    #[must_use]
    pub fn request(&self) -> &RankRequest {
        &self.event.request
    }

    /// The request of Rank and the rewards of the best assignment, if its phase has slots.
    #[must_use]
    pub fn slots(&self) -> Option<(MultiSlotRankRequest, Vec<SlotReward>)> {
        let slots = self.phase.step.slots()?;
        let request = self.stream.slots_request(&self.event, slots);
        let best = self.stream.best_positions(&self.event, slots);
        let assignment = self.stream.assignment((self.phase.key, 0), &self.event, &best);
        Some((request, assignment.rewards()))
    }

    /// The id of the event.
    #[must_use]
    pub fn event_id(&self) -> &EventId {
        &self.event.event_id
    }

    /// The values of the visitor, in the order of the dimensions.
    #[must_use]
    pub fn context(&self) -> &[String] {
        &self.event.visitor.context
    }

    /// The index of the best action for the visitor.
    #[must_use]
    pub fn preferred(&self) -> usize {
        self.event.preferred()
    }

    /// The reward of the visitor for an action that is offered, by its index.
    #[must_use]
    pub fn reward(&self, action: usize) -> f64 {
        let position = self.event.position(action).unwrap_or_default();
        self.stream.reward(self.phase.key, 0, &self.event, position)
    }

    /// Reads the answer to Rank as a run does.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub fn read(&self, answer: RankAnswer) -> Result<Decided, CallError> {
        let answer = read_answer(&self.stream, &self.event, answer)?;
        Ok(Decided { action: self.event.index(answer.chosen), probability: answer.probability })
    }
}
