use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::super::stream::{Stream, StreamEvent, Verdict};
use super::answer;
use clock::{Clock, Task};
use plan::{Iterate, Phase};
use protocol::ModelProperties;
use record::{IterationOutcome, IterationRecord};
use target::{CallAddress, CallError, Delivery, Target};

/// A call or an iteration that is done.
pub(super) enum Finished {
    Iteration(Box<Attempt>),
    Check { phase: usize, iterations: u64, answer: Result<ModelProperties, CallError> },
}

/// An iteration, and the error that ended it.
pub(super) struct Attempt {
    pub record: IterationRecord,
    pub error: Option<CallError>,
}

/// What the calls of a phase need.
pub(super) struct Calls<'f, C, T> {
    pub clock: &'f C,
    pub target: &'f T,
    pub stream: &'f Stream<'f>,
    pub index: usize,
    pub phase: &'f Phase,
    pub settings: &'f Iterate,
    /// How many events were ranked.
    pub ranked: &'f Cell<u64>,
    /// Iterations before this one may have been sent by an earlier process.
    pub maybe_sent: u64,
}

impl<C, T> Clone for Calls<'_, C, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, T> Copy for Calls<'_, C, T> {}

impl<'f, C: Clock, T: Target> Calls<'f, C, T> {
    /// Asks for the age of the model, after so many iterations.
    pub(crate) fn check(self, iterations: u64) -> Task<'f, Finished> {
        Box::pin(async move {
            let answer = self.target.model_properties().await;
            Finished::Check { phase: self.index, iterations, answer }
        })
    }

    /// One iteration, due at `due`, or when it starts.
    pub(crate) fn iteration(
        self,
        (iteration, event): (u64, StreamEvent<'f>),
        due: Option<Duration>,
    ) -> Task<'f, Finished> {
        Box::pin(async move {
            let mut attempt = Box::new(self.pending(&event, iteration, due));
            let outcome = match self.settings.slots {
                Some(slots) => self.call_slots(&event, slots.get(), &mut attempt.record).await,
                None => self.call(&event, &mut attempt.record).await,
            };
            attempt.error = outcome.err();
            self.target.forget(&attempt.record.event_id);
            Finished::Iteration(attempt)
        })
    }

    /// An iteration that could not start when it was due.
    pub(crate) fn dropped(
        &self,
        (iteration, event): (u64, StreamEvent<'_>),
        due: Duration,
    ) -> Attempt {
        let mut attempt = self.pending(&event, iteration, Some(due));
        attempt.record.outcome = IterationOutcome::Dropped;
        attempt
    }

    fn pending(&self, event: &StreamEvent<'_>, iteration: u64, due: Option<Duration>) -> Attempt {
        let now = self.clock.now();
        let record = IterationRecord {
            phase: self.index,
            iteration,
            event_id: event.event_id.clone(),
            context: Arc::clone(&event.visitor.context),
            preferred: match self.settings.slots {
                _ if self.stream.is_replay() => Arc::from(""),
                Some(slots) => self.stream.preferred_of_slots(event, slots.get()),
                None => Arc::clone(self.stream.action_id(event.preferred())),
            },
            chosen: None,
            probability: None,
            reward: None,
            loss: None,
            outcome: IterationOutcome::Completed,
            due: due.unwrap_or(now),
            rank_start: now,
            rank_latency: None,
            reward_start: None,
            reward_latency: None,
            again: iteration < self.maybe_sent,
            logged: None,
            slots: None,
        };
        Attempt { record, error: None }
    }

    /// Rank → compare with the known preference → Reward.
    async fn call(
        &self,
        event: &StreamEvent<'_>,
        record: &mut IterationRecord,
    ) -> Result<(), CallError> {
        let chosen = self.rank(event, record).await.inspect_err(|error| {
            record.outcome = IterationOutcome::RankFailed(error.kind);
        })?;
        self.think(record).await;
        let at = self.address(record);
        let reward = match self.stream.verdict(at.phase, at.iteration, event, chosen) {
            Some(Verdict::Rejected) => {
                record.outcome = IterationOutcome::Rejected;
                return Ok(());
            }
            Some(Verdict::Accepted(reward)) => {
                self.accept(event, reward, record).await.inspect_err(|error| {
                    record.outcome = IterationOutcome::RewardFailed(error.kind);
                })?;
                reward
            }
            Some(Verdict::OfTwin(logged)) => {
                record.logged = Some(logged);
                self.stream.reward(at.phase, at.iteration, event, chosen)
            }
            None => self.stream.reward(at.phase, at.iteration, event, chosen),
        };
        self.reward(event, reward, record).await.inspect_err(|error| {
            record.outcome = IterationOutcome::RewardFailed(error.kind);
        })
    }

    /// Waits for as long as the visitor takes to answer.
    pub(super) async fn think(&self, record: &IterationRecord) {
        let at = self.address(record);
        let think_time = self.stream.think_time(at.phase, at.iteration, self.settings.think_time);
        if !think_time.is_zero() {
            self.clock.sleep_until(self.clock.now() + think_time).await;
        }
    }

    /// Returns the position of the chosen action in the request.
    async fn rank(
        &self,
        event: &StreamEvent<'_>,
        record: &mut IterationRecord,
    ) -> Result<usize, CallError> {
        self.ranked.set(self.ranked.get() + 1);
        let answer = self.target.rank(self.address(record), &event.request).await;
        record.rank_latency = Some(self.clock.now().saturating_sub(record.rank_start));
        let answer = answer::read(self.stream, event, answer?)?;
        record.chosen = Some(Arc::clone(self.stream.action_id(event.index(answer.chosen))));
        record.probability = answer.probability;
        if self.stream.is_replay() {
            return Ok(answer.chosen);
        }
        let loss = self.stream.loss(event, answer.chosen, answer.favourite);
        let preferred = event.preferred_to(answer.chosen, loss);
        record.preferred = Arc::clone(self.stream.action_id(preferred));
        record.loss = Some(loss);
        Ok(answer.chosen)
    }

    /// Lets the service learn of a choice that is the logged one: of others it never hears more.
    /// It is a success if its reward is above zero; what else could have been earned is not known.
    async fn accept(
        &self,
        event: &StreamEvent<'_>,
        reward: f64,
        record: &mut IterationRecord,
    ) -> Result<(), CallError> {
        if let Some(chosen) = record.chosen.as_ref().filter(|_| reward > 0.0) {
            record.preferred = Arc::clone(chosen);
        }
        self.target.activate(&event.event_id).await
    }

    async fn reward(
        &self,
        event: &StreamEvent<'_>,
        reward: f64,
        record: &mut IterationRecord,
    ) -> Result<(), CallError> {
        record.reward = Some(reward);
        let at = self.address(record);
        self.deliver(record, || self.target.reward(at, &event.event_id, reward)).await
    }

    /// Sends a reward as often as it arrives.
    pub(super) async fn deliver<F>(
        &self,
        record: &mut IterationRecord,
        send: impl Fn() -> F,
    ) -> Result<(), CallError>
    where
        F: Future<Output = Result<Delivery, CallError>>,
    {
        let (start, at) = (self.clock.now(), self.address(record));
        let deliveries = self.stream.deliveries(at.phase, at.iteration, self.settings.delivery);
        if deliveries == 0 {
            return Ok(());
        }
        let answer = send().await;
        if answer != Ok(Delivery::NotSent) {
            record.reward_start = Some(start);
            record.reward_latency = Some(self.clock.now().saturating_sub(start));
        }
        answer?;
        for _ in 1..deliveries {
            send().await?;
        }
        Ok(())
    }

    pub(super) fn address(&self, record: &IterationRecord) -> CallAddress {
        CallAddress { phase: self.phase.key, iteration: record.iteration }
    }
}
