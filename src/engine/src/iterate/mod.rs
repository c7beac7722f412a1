//! The phase of iterations.
//!
//! One dispatcher starts iterations as concurrency and rate allow; [`calls`] is what
//! one iteration does; [`window`] puts what is done back into index order.

mod answer;
mod calls;
mod patience;
mod window;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Fuse;

use self::calls::{Calls, Finished};
use self::patience::Patience;
use self::window::Window;
use super::pacing::{Pacer, Slot};
use super::run::{Run, RunError, target_error};
use clock::{Clock, Tasks};
use protocol::ModelProperties;
use record::{ModelCheck, Progress};
use scenario::plan::{Arrival, Iterate, Phase};
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

/// What the phase knows of itself while it runs.
struct Progressing<'p> {
    index: usize,
    phase: &'p Phase,
    settings: &'p Iterate,
    pacer: Pacer,
    /// How many iterations are made here.
    own: u64,
    window: Window,
    patience: Patience,
    /// Iterations before this one were said to be sent.
    announced: u64,
    /// When the model was last modified, at the last check.
    last_modified: Timestamp,
}

impl Progressing<'_> {
    /// Whether another iteration may start. A service that is given up gets no more, but
    /// what is under way is finished and recorded.
    fn goes_on(&self) -> bool {
        self.window.has_room() && self.patience.given_up().is_none()
    }

    /// Until when nothing is to start. An open arrival keeps its schedule.
    fn holds_back(&self, now: Duration) -> Option<Duration> {
        let is_closed = matches!(self.settings.arrival, Arrival::Closed { .. });
        Some(self.patience.hold_until()).filter(|until| is_closed && *until > now)
    }

    fn end(&self) -> Result<u64, RunError> {
        match self.patience.given_up() {
            Some(error) => Err(target_error(&self.phase.name, error)),
            None => Ok(self.window.emitted()),
        }
    }
}

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Rank and Reward, over and over; returns how often.
    pub(super) async fn iterate(
        &mut self,
        index: usize,
        phase: &Phase,
        settings: &Iterate,
    ) -> Result<u64, RunError> {
        let properties = self.target.model_properties().await;
        let properties = properties.map_err(|error| target_error(&phase.name, &error))?;
        let address = (self.plan.seed, phase.key);
        let (resolution, start) = (self.clock.resolution(), self.moment());
        let stride = self.plan.stride();
        let own = stride.count(settings.iterations);
        let beginning = Some(self.beginning.clone()).filter(|from| from.phase == index);
        let beginning = beginning.unwrap_or_default();
        let all = (stride, settings.iterations);
        let mut pacer = Pacer::new(&settings.arrival, address, all, resolution, start);
        pacer.resume(beginning.iteration);
        let mut progressing = Progressing {
            index,
            phase,
            settings,
            window: Window::new(beginning.iteration..own, pacer.most_under_way(), stride),
            own,
            pacer,
            patience: Patience::new(address, settings),
            last_modified: properties.last_modified_time,
            announced: beginning.iteration,
        };
        let clock = self.clock.clone();
        let calls = Calls {
            clock: &clock,
            target: self.target,
            stream: self.stream,
            index,
            phase,
            settings,
            maybe_sent: stride.global(beginning.maybe_sent),
        };
        let mut in_flight = clock.tasks();
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.asked().fuse());
        let mut alarm = pin!(Fuse::terminated());
        let mut set_for = None;
        loop {
            let due = self.start_what_may_start(&mut progressing, &calls, &mut in_flight)?;
            if due != set_for {
                set_for = due;
                alarm.set(due.map_or_else(Fuse::terminated, |due| clock.sleep_until(due).fuse()));
            }
            match next(&mut in_flight, due.is_some(), alarm.as_mut(), stopped.as_mut()).await {
                Next::Finished(Finished::Check { iterations, answer }) => {
                    self.checked(&mut progressing, iterations, answer)?;
                }
                Next::Finished(Finished::Iteration(attempt)) => {
                    progressing.patience.take_in(&attempt, self.clock.now());
                    progressing.window.finish(attempt);
                    self.emit_what_is_in_order(&mut progressing, &calls, &mut in_flight)?;
                }
                Next::Due => {}
                Next::AllDone => {
                    self.wait_for_other_shards(&progressing.pacer).await;
                    return progressing.end();
                }
            }
        }
    }

    /// Starts iterations until no more may be under way, or until none is due; then
    /// returns until when.
    fn start_what_may_start<'f>(
        &mut self,
        progressing: &mut Progressing<'_>,
        calls: &Calls<'f, C, T>,
        in_flight: &mut C::Tasks<'f, Finished>,
    ) -> Result<Option<Duration>, RunError> {
        while progressing.goes_on() && !self.stop.is_asked() {
            let now = self.clock.now();
            if let Some(until) = progressing.holds_back(now) {
                return Ok(Some(until));
            }
            self.announce(progressing)?;
            let under_way = progressing.window.under_way();
            match progressing.pacer.next(now, under_way) {
                Slot::Start(due) => {
                    in_flight.push(calls.iteration(progressing.window.start(), due));
                }
                Slot::Drop(due) => {
                    progressing.window.drop(|iteration| calls.dropped(iteration, due));
                }
                Slot::NotBefore(until) => return Ok(Some(until)),
                Slot::Full => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Says which iterations may be sent before one is, so that a run that is killed knows
    /// which it may have sent.
    fn announce(&mut self, progressing: &mut Progressing<'_>) -> Result<(), RunError> {
        if progressing.window.next() < progressing.announced {
            return Ok(());
        }
        let until = progressing.window.next() + CHECKPOINT_INTERVAL;
        let until = until.min(progressing.own);
        progressing.announced = until;
        self.emit(&Progress::MayBeSent { phase: progressing.index, until })
    }

    /// The schedule of an open arrival ends for all shards at one moment, so that what comes
    /// next begins together.
    async fn wait_for_other_shards(&mut self, pacer: &Pacer) {
        if let (Some(_), Some(end)) = (self.plan.shard, pacer.end()) {
            self.wait_until(end).await;
        }
    }

    fn emit_what_is_in_order<'f>(
        &mut self,
        progressing: &mut Progressing<'_>,
        calls: &Calls<'f, C, T>,
        in_flight: &mut C::Tasks<'f, Finished>,
    ) -> Result<(), RunError> {
        while let Some(record) = progressing.window.next_in_order() {
            self.emit(&Progress::Iteration(record))?;
            let emitted = progressing.window.emitted();
            if emitted.is_multiple_of(progressing.settings.model_check_interval) {
                in_flight.push(calls.check(self.plan.stride().global(emitted)));
            }
            if emitted.is_multiple_of(CHECKPOINT_INTERVAL) {
                self.hand_over_joined(false)?;
            }
        }
        Ok(())
    }

    /// Says how old the model is.
    fn checked(
        &mut self,
        progressing: &mut Progressing<'_>,
        iterations: u64,
        answer: Result<ModelProperties, CallError>,
    ) -> Result<(), RunError> {
        let last_modified = match answer {
            Ok(properties) => properties.last_modified_time,
            Err(error) => {
                return self.emit(&Progress::Notice(format!("the model was not checked: {error}")));
            }
        };
        let changed = last_modified != progressing.last_modified;
        progressing.last_modified = last_modified;
        let (phase, at) = (progressing.index, self.clock.now());
        self.emit(&Progress::ModelChecked(ModelCheck {
            phase,
            iterations,
            at,
            last_modified,
            changed,
        }))
    }
}
