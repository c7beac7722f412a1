//! The phase of iterations.
//!
//! One dispatcher starts the iterations of a phase, or of several in parallel, as concurrency and
//! rate allow; [`calls`] holds the calls
//! of one iteration; [`coming`] has the events of the next ones; [`window`] puts finished iterations back into index order;
//! [`circuit_breaker`] decides when to back off from a failing service, and when to stop.

mod answer;
mod calls;
mod circuit_breaker;
mod coming;
mod slots;
mod window;

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Fuse;

pub(crate) use self::answer::read as read_answer;
use self::calls::{Calls, Finished};
use self::circuit_breaker::CircuitBreaker;
use self::coming::Coming;
use self::window::Window;
use super::context::{Iterated, Run, RunError, target_error};
use super::pacing::{Admission, Pacer};
use clock::{Alarm, Clock, Tasks};
use plan::{Arrival, Iterate, Phase};
use protocol::ModelProperties;
use record::{ModelCheck, Progress};
use target::{CallError, Target};
use timestamp::Timestamp;

/// A checkpoint is made every so many iterations.
const CHECKPOINT_INTERVAL: u64 = 256;

/// What the dispatcher waits for.
enum Next {
    Finished(Finished),
    Due,
    AllDone,
}

/// Waits until something under way is done, or something is due.
async fn next<'f>(
    in_flight: &mut impl Tasks<'f, Finished>,
    is_due: bool,
    mut alarm: Pin<&mut impl Future<Output = ()>>,
    mut stopped: Pin<&mut impl Future<Output = ()>>,
) -> Next {
    poll_fn(|context| match in_flight.poll_next(context) {
        Poll::Ready(Some(finished)) => Poll::Ready(Next::Finished(finished)),
        Poll::Ready(None) if !is_due => Poll::Ready(Next::AllDone),
        _ if is_due && alarm.as_mut().poll(context).is_ready() => Poll::Ready(Next::Due),
        _ if is_due && stopped.as_mut().poll(context).is_ready() => Poll::Ready(Next::Due),
        _ => Poll::Pending,
    })
    .await
}

/// A phase of iterations, perhaps beside others.
pub(crate) struct Branch<'p> {
    pub index: usize,
    pub phase: &'p Phase,
    /// What this shard makes of it.
    pub settings: Iterate,
}

/// The state of a phase of iterations.
struct IteratePhase<'p, 'f, C, T> {
    index: usize,
    phase: &'p Phase,
    settings: &'p Iterate,
    calls: Calls<'f, C, T>,
    coming: Coming<'f>,
    /// Whether events are ranked in the order of their iterations, and start in time: where time
    /// is exact, and no other phase ranks meanwhile.
    can_foresee: bool,
    pacer: Pacer,
    /// How many iterations this shard makes.
    own: u64,
    window: Window,
    breaker: CircuitBreaker,
    /// Iterations before this one were announced as [`Progress::MayBeSent`].
    announced: u64,
    /// When the model was last modified, at the last check.
    last_modified: Timestamp,
    /// The first and the last due time, and how many there were.
    due: Option<(Duration, Duration, u64)>,
    /// When its last iteration ended, as far as it is known.
    ended: Duration,
}

impl<C, T> IteratePhase<'_, '_, C, T> {
    /// Whether another iteration may start. When the circuit breaker has tripped, none does,
    /// but what is under way is finished and recorded.
    fn may_start(&self) -> bool {
        self.window.has_room() && self.breaker.tripped().is_none()
    }

    /// Until when no iteration starts after failed connections. An open arrival keeps its
    /// schedule.
    fn backoff(&self, now: Duration) -> Option<Duration> {
        let is_closed = matches!(self.settings.arrival, Arrival::Closed { .. });
        Some(self.breaker.backoff_until()).filter(|until| is_closed && *until > now)
    }

    fn note_due(&mut self, due: Duration) {
        let (first, _, count) = self.due.unwrap_or((due, due, 0));
        self.due = Some((first, due, count + 1));
    }

    /// The rate that the arrival asks for, in iterations per second; for an open one the mean
    /// over its schedule.
    #[expect(clippy::cast_precision_loss, reason = "a phase makes fewer than 2^53 iterations")]
    fn asked_rate(&self) -> Option<f64> {
        match &self.settings.arrival {
            Arrival::Closed { rate, .. } => rate.map(|rate| rate.0),
            Arrival::Open(_) => {
                let (first, last, count) = self.due?;
                let seconds = last.saturating_sub(first).as_secs_f64();
                (seconds > 0.0).then(|| (count - 1) as f64 / seconds)
            }
        }
    }

    fn result(&self, is_alone: bool) -> Iterated {
        let (iterations, asked_rate) = (self.window.emitted(), self.asked_rate());
        Iterated { iterations, asked_rate, ended: (!is_alone).then_some(self.ended) }
    }
}

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Makes the iterations of phases that begin at one moment. When the service of one is given
    /// up, no other starts an iteration: it is the same service.
    pub(super) async fn iterate(
        &mut self,
        branches: &[Branch<'_>],
    ) -> Result<Vec<Iterated>, RunError> {
        let Some(first) = branches.first() else { return Ok(Vec::new()) };
        let properties = self.target.model_properties().await;
        let properties = properties.map_err(|error| target_error(&first.phase.name, &error))?;
        let (clock, start) = (self.clock.clone(), self.phase_time());
        let (is_alone, ranked) = (branches.len() == 1, Cell::new(0));
        let start = (start, properties.last_modified_time);
        let begin = |branch| self.begin(branch, is_alone, (&clock, &ranked), start);
        let mut states: Vec<_> = branches.iter().map(begin).collect();
        let is_open = |branch: &Branch<'_>| matches!(branch.settings.arrival, Arrival::Open(_));
        let timer = clock.alarm(branches.iter().any(is_open));
        let mut in_flight = clock.tasks();
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.asked().fuse());
        let mut alarm = pin!(Fuse::terminated());
        let mut set_for = None;
        loop {
            let due = self.start_due_of_all(&mut states, &mut in_flight)?;
            if due != set_for {
                set_for = due;
                alarm.set(due.map_or_else(Fuse::terminated, |due| timer.until(due).fuse()));
            }
            match next(&mut in_flight, due.is_some(), alarm.as_mut(), stopped.as_mut()).await {
                Next::Finished(Finished::Check { phase, iterations, answer }) => {
                    self.checked(of_phase(&mut states, phase), iterations, answer)?;
                }
                Next::Finished(Finished::Iteration(attempt)) => {
                    let state = of_phase(&mut states, attempt.record.phase);
                    state.ended = self.clock.now();
                    state.breaker.record(&attempt, state.ended);
                    state.window.finish(attempt);
                    self.emit_in_order(state, &mut in_flight)?;
                }
                Next::Due => {}
                Next::AllDone => {
                    self.wait_for_other_shards(&states).await;
                    let tripped = states.iter().find_map(|state| {
                        Some(target_error(&state.phase.name, state.breaker.tripped()?))
                    });
                    let results = states.iter().map(|state| state.result(is_alone));
                    return tripped.map_or_else(|| Ok(results.collect()), Err);
                }
            }
        }
    }

    /// A phase before its first iteration.
    fn begin<'p, 'f>(
        &self,
        branch: &'p Branch<'p>,
        is_alone: bool,
        (clock, ranked): (&'f C, &'f Cell<u64>),
        (start, last_modified): (Duration, Timestamp),
    ) -> IteratePhase<'p, 'f, C, T>
    where
        'p: 'f,
        Self: 'f,
    {
        let Branch { index, phase, settings } = branch;
        let address = (self.plan.seed, phase.key);
        let stride = self.plan.stride();
        let own = stride.count(settings.iterations);
        let from = self.start.made.get(index).copied().unwrap_or_default();
        let all = (stride, settings.iterations);
        let mut pacer = Pacer::new(&settings.arrival, address, all, self.clock.resolution(), start);
        pacer.resume(from.iteration);
        let calls = Calls {
            clock,
            target: self.target,
            stream: self.stream,
            index: *index,
            phase,
            settings,
            ranked,
            maybe_sent: stride.global(from.maybe_sent),
        };
        IteratePhase {
            index: *index,
            phase,
            settings,
            calls,
            coming: Coming::new(
                self.stream,
                (phase.key, settings),
                (stride, from.iteration),
                ranked,
            ),
            can_foresee: is_alone && settings.slots.is_none() && self.clock.resolution().is_zero(),
            window: Window::new(from.iteration..own, pacer.most_under_way(), stride),
            own,
            pacer,
            breaker: CircuitBreaker::new(address, settings),
            last_modified,
            due: None,
            announced: from.iteration,
            ended: start,
        }
    }

    /// Starts iterations of every phase; returns when the next is due.
    fn start_due_of_all<'f>(
        &mut self,
        states: &mut [IteratePhase<'_, 'f, C, T>],
        in_flight: &mut C::Tasks<'f, Finished>,
    ) -> Result<Option<Duration>, RunError> {
        let mut earliest = None;
        for at in 0..states.len() {
            if states.iter().any(|state| state.breaker.tripped().is_some()) {
                return Ok(None);
            }
            let due = self.start_due(&mut states[at], in_flight)?;
            earliest = earliest.into_iter().chain(due).min();
        }
        Ok(earliest)
    }

    /// Starts iterations until no more may be under way, or until none is due; then returns
    /// when the next is due.
    fn start_due<'f>(
        &mut self,
        state: &mut IteratePhase<'_, 'f, C, T>,
        in_flight: &mut C::Tasks<'f, Finished>,
    ) -> Result<Option<Duration>, RunError> {
        while state.may_start() && !self.stop.is_asked() {
            let now = self.clock.now();
            if let Some(until) = state.backoff(now) {
                return Ok(Some(until));
            }
            self.announce(state)?;
            let under_way = state.window.under_way();
            match state.pacer.next(now, under_way) {
                Admission::Start(due) => {
                    if state.can_foresee {
                        let room = state.window.room();
                        state.coming.tell(self.target, &state.pacer, (now, under_way), room);
                    }
                    state.window.start();
                    in_flight.push(state.calls.iteration(state.coming.next(), due));
                }
                Admission::Drop(due) => {
                    state.window.drop(state.calls.dropped(state.coming.next(), due));
                    state.ended = now;
                }
                Admission::NotBefore(until) => return Ok(Some(until)),
                Admission::Full => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Announces iterations before they are sent, so that a run that is resumed after a kill
    /// knows which may have been sent.
    fn announce(&mut self, state: &mut IteratePhase<'_, '_, C, T>) -> Result<(), RunError> {
        if state.window.next() < state.announced {
            return Ok(());
        }
        let until = state.window.next() + CHECKPOINT_INTERVAL;
        let until = until.min(state.own);
        state.announced = until;
        self.emit(&Progress::MayBeSent { phase: state.index, until })
    }

    /// The schedule of an open arrival ends for all shards at one moment, so that the next
    /// phase starts together.
    async fn wait_for_other_shards(&mut self, states: &[IteratePhase<'_, '_, C, T>]) {
        let end = states.iter().filter_map(|state| state.pacer.end()).max();
        if let (Some(_), Some(end)) = (self.plan.shard, end) {
            self.wait_until(end).await;
        }
    }

    fn emit_in_order<'f>(
        &mut self,
        state: &mut IteratePhase<'_, 'f, C, T>,
        in_flight: &mut C::Tasks<'f, Finished>,
    ) -> Result<(), RunError> {
        while let Some(record) = state.window.next_in_order() {
            let started = self.plan.stride().global(state.window.emitted() - 1);
            self.emit_exports((state.index, started), record.rank_start)?;
            state.note_due(record.due);
            self.emit(&Progress::Iteration(record))?;
            let emitted = state.window.emitted();
            if emitted.is_multiple_of(state.settings.model_check_interval) {
                in_flight.push(state.calls.check(self.plan.stride().global(emitted)));
            }
            if emitted.is_multiple_of(CHECKPOINT_INTERVAL) {
                self.checkpoint(false)?;
            }
        }
        Ok(())
    }

    /// Emits a check of the model.
    fn checked(
        &mut self,
        state: &mut IteratePhase<'_, '_, C, T>,
        iterations: u64,
        answer: Result<ModelProperties, CallError>,
    ) -> Result<(), RunError> {
        let last_modified = match answer {
            Ok(properties) => properties.last_modified_time,
            Err(error) => {
                return self.emit(&Progress::Notice(format!("model check failed: {error}")));
            }
        };
        let changed = last_modified != state.last_modified;
        state.last_modified = last_modified;
        let (phase, at) = (state.index, self.clock.now());
        self.emit(&Progress::ModelChecked(ModelCheck {
            phase,
            iterations,
            at,
            last_modified,
            changed,
        }))
    }
}

/// The state of the phase to which a call belongs.
fn of_phase<'s, 'p, 'f, C, T>(
    states: &'s mut [IteratePhase<'p, 'f, C, T>],
    phase: usize,
) -> &'s mut IteratePhase<'p, 'f, C, T> {
    let state = states.iter_mut().find(|state| state.index == phase);
    state.expect("only phases that run make calls")
}
