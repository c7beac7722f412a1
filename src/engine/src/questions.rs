//! Rank alone: one context, asked again and again under fresh event ids.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::Fuse;

use super::iterate::read_answer;
use super::pacing::{Admission, Pacer};
use super::stop::Stop;
use super::stream::{Stream, StreamEvent};
use clock::{Clock, Tasks};
use plan::Plan;
use plan::{Arrival, Phase, Step, Visitor};
use protocol::RankedAction;
use seed::PhaseKey;
use shard::Shard;
use target::{CallAddress, CallError, RankAnswer, Target};

/// Questions to a target, at the concurrency and the rate of the first phase that iterates. No
/// answer is rewarded.
pub struct Questions<'a, C, T> {
    clock: C,
    target: &'a T,
    stop: Stop,
    stream: Stream<'a>,
    phase: PhaseKey,
    pacer: Pacer,
    /// How many were asked.
    asked: u64,
}

/// What Rank decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The index of the chosen action.
    pub action: usize,
    /// The probability with which it was chosen, if the service gives it.
    pub probability: Option<f32>,
    /// The probability of each action, in the order of the plan, if the service gives those of
    /// all.
    pub probabilities: Option<Vec<f64>>,
}

impl<'a, C: Clock, T: Target> Questions<'a, C, T> {
    /// No question yet. `None` if no phase of the plan iterates.
    #[must_use]
    pub fn new(plan: &'a Plan, clock: C, target: &'a T, stop: Stop) -> Option<Self> {
        let arrival = paced(&plan.phases)?;
        let phase = PhaseKey::new("questions");
        let all = (Shard::WHOLE.stride(), u64::MAX);
        let (resolution, now) = (clock.resolution(), clock.now());
        Some(Self {
            pacer: Pacer::new(&arrival, (plan.seed, phase), all, resolution, now),
            clock,
            target,
            stop,
            stream: Stream::new(plan),
            phase,
            asked: 0,
        })
    }

    /// Asks `times` times what to choose for a visitor, and returns the answers in the order of
    /// the questions; fewer if the run is stopped. With `in_turn`, each question waits for the
    /// answer to the one before, so that the service sees the questions in order.
    pub async fn ask(
        &mut self,
        visitor: &'a Visitor,
        times: u64,
        in_turn: bool,
    ) -> Vec<Result<Decision, CallError>> {
        let clock = self.clock.clone();
        let end = self.asked + times;
        let mut in_flight = clock.tasks();
        let (mut answers, mut under_way) = (Vec::new(), 0);
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.asked().fuse());
        let mut alarm = pin!(Fuse::terminated());
        loop {
            let mut due = None;
            let is_free = |under_way| !in_turn || under_way == 0;
            while self.asked < end && due.is_none() && is_free(under_way) && !stop.is_asked() {
                match self.pacer.next(clock.now(), under_way) {
                    Admission::Start(_) | Admission::Drop(_) => {
                        let (at, event) = self.event(visitor);
                        self.asked += 1;
                        let question = question(&self.stream, self.target, at, event);
                        in_flight.push(Box::pin(question));
                        under_way += 1;
                    }
                    Admission::NotBefore(time) => due = Some(time),
                    Admission::Full => break,
                }
            }
            alarm.set(due.map_or_else(Fuse::terminated, |due| clock.sleep_until(due).fuse()));
            let answered = poll_fn(|context| match in_flight.poll_next(context) {
                Poll::Ready(Some(answered)) => Poll::Ready(Some(answered)),
                Poll::Ready(None) if due.is_none() => Poll::Ready(None),
                _ if due.is_some() && alarm.as_mut().poll(context).is_ready() => Poll::Ready(None),
                _ if due.is_some() && stopped.as_mut().poll(context).is_ready() => {
                    Poll::Ready(None)
                }
                _ => Poll::Pending,
            });
            match answered.await {
                Some(answer) => {
                    under_way -= 1;
                    answers.push(answer);
                }
                None if due.is_none() => break,
                None => {}
            }
        }
        answers.sort_by_key(|(iteration, _)| *iteration);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// The next event. It is not activated, so that a service that honours the key does not
    /// learn from it.
    fn event(&self, visitor: &'a Visitor) -> (CallAddress, StreamEvent<'a>) {
        let at = CallAddress { phase: self.phase, iteration: self.asked };
        let mut event = self.stream.question(at.phase, at.iteration, visitor);
        event.request.defer_activation = true;
        (at, event)
    }
}

async fn question<T: Target>(
    stream: &Stream<'_>,
    target: &T,
    at: CallAddress,
    event: StreamEvent<'_>,
) -> (u64, Result<Decision, CallError>) {
    let answer = target.rank(at, &event.request).await;
    let decision = answer.and_then(|answer| {
        let probabilities = all_probabilities(stream, &event, &answer);
        let read = read_answer(stream, &event, answer)?;
        let action = event.index(read.chosen);
        Ok(Decision { action, probability: read.probability, probabilities })
    });
    target.forget(&event.event_id);
    (at.iteration, decision)
}

fn all_probabilities(
    stream: &Stream<'_>,
    event: &StreamEvent<'_>,
    answer: &RankAnswer,
) -> Option<Vec<f64>> {
    let ranking = match answer {
        RankAnswer::Taken { probabilities, .. } => return probabilities.clone(),
        RankAnswer::Decided(decision) => decision.ranking.clone(),
        RankAnswer::Contract(response) => {
            let ranked = response.ranking.iter();
            let place = |ranked: &RankedAction| {
                Some((stream.position(event, &ranked.id)?, ranked.probability))
            };
            ranked.map(place).collect::<Option<_>>()?
        }
    };
    let mut probabilities = vec![0.0; stream.actions()];
    for (position, probability) in &ranking {
        probabilities[event.index(*position)] = f64::from(*probability);
    }
    (!ranking.is_empty()).then_some(probabilities)
}

/// The pace of the first phase that iterates. A schedule becomes the highest of its rates.
fn paced(phases: &[Phase]) -> Option<Arrival> {
    let arrival = phases.iter().find_map(|phase| match &phase.step {
        Step::Iterate(iterate) => Some(&iterate.arrival),
        _ => None,
    })?;
    Some(match arrival {
        Arrival::Closed { .. } => arrival.clone(),
        Arrival::Open(schedule) => {
            let rates = schedule.stages.iter().map(|stage| stage.to).chain(schedule.start);
            let rate = rates.max_by(|left, right| left.0.total_cmp(&right.0));
            Arrival::Closed { concurrency: schedule.max_in_flight, rate }
        }
    })
}
