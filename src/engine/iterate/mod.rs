//! The phase of iterations.
//!
//! One dispatcher starts iterations as concurrency and rate allow; [`calls`] is what
//! one iteration does; [`window`] puts what is done back into index order.

mod calls;
mod window;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use self::calls::{Calls, Finished, InFlight};
use self::window::Window;
use super::pacing::{Pacer, Slot};
use super::run::{Run, RunError, target_error};
use crate::clock::{Clock, Timestamp};
use crate::protocol::ModelProperties;
use crate::record::{ModelCheck, Progress};
use crate::scenario::plan::{Iterate, Phase};
use crate::target::{CallError, Target};

/// A checkpoint is made every so many iterations.
const CHECKPOINT_INTERVAL: u64 = 256;

/// What the dispatcher waits for.
enum Next {
    Finished(Finished),
    Due,
    AllDone,
}

/// What the phase knows of itself while it runs.
struct Progressing<'p> {
    index: usize,
    phase: &'p Phase,
    settings: &'p Iterate,
    pacer: Pacer,
    window: Window,
    /// When the model was last modified, at the last check.
    last_modified: Timestamp,
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
        let (resolution, now) = (self.clock.resolution(), self.clock.now());
        let pacer = Pacer::new(&settings.arrival, address, resolution, now);
        let mut progressing = Progressing {
            index,
            phase,
            settings,
            window: Window::new(settings.iterations, pacer.most_under_way()),
            pacer,
            last_modified: properties.last_modified_time,
        };
        let clock = self.clock.clone();
        let calls = Calls {
            clock: &clock,
            target: self.target,
            stream: self.stream,
            index,
            phase,
            settings,
        };
        let mut in_flight = FuturesUnordered::new();
        loop {
            let due = self.start_what_may_start(&mut progressing, &calls, &mut in_flight);
            match self.next(&mut in_flight, due).await {
                Next::Finished(Finished::Check { iterations, answer }) => {
                    self.checked(&mut progressing, iterations, answer)?;
                }
                Next::Finished(Finished::Iteration(attempt)) => {
                    progressing.window.finish(*attempt);
                    self.emit_what_is_in_order(&mut progressing, &calls, &in_flight)?;
                }
                Next::Due => {}
                Next::AllDone => return Ok(progressing.window.emitted()),
            }
        }
    }

    /// Starts iterations until no more may be under way, or until none is due; then
    /// returns until when.
    fn start_what_may_start<'f>(
        &self,
        progressing: &mut Progressing<'_>,
        calls: &Calls<'f, C, T>,
        in_flight: &mut InFlight<'f>,
    ) -> Option<Duration> {
        while progressing.window.has_room() && !self.stop.is_asked() {
            let under_way = progressing.window.under_way();
            match progressing.pacer.next(self.clock.now(), under_way) {
                Slot::Start(due) => {
                    in_flight.push(calls.iteration(progressing.window.start(), due));
                }
                Slot::Drop(due) => {
                    progressing.window.drop(|iteration| calls.dropped(iteration, due));
                }
                Slot::NotBefore(until) => return Some(until),
                Slot::Full => return None,
            }
        }
        None
    }

    async fn next(&self, in_flight: &mut InFlight<'_>, due: Option<Duration>) -> Next {
        let is_due = async {
            match due {
                Some(due) => self.clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(finished) = in_flight.next() => Next::Finished(finished),
            () = is_due, if due.is_some() => Next::Due,
            () = self.stop.asked(), if due.is_some() => Next::Due,
            else => Next::AllDone,
        }
    }

    fn emit_what_is_in_order<'f>(
        &mut self,
        progressing: &mut Progressing<'_>,
        calls: &Calls<'f, C, T>,
        in_flight: &InFlight<'f>,
    ) -> Result<(), RunError> {
        while let Some(record) = progressing.window.next_in_order() {
            self.emit(&Progress::Iteration(record))?;
            let emitted = progressing.window.emitted();
            if emitted.is_multiple_of(progressing.settings.model_check_interval) {
                in_flight.push(calls.check(emitted));
            }
            if emitted.is_multiple_of(CHECKPOINT_INTERVAL) {
                self.hand_over_joined(false)?;
            }
        }
        let hopeless = progressing.window.hopeless();
        hopeless.map_or(Ok(()), |error| Err(target_error(&progressing.phase.name, error)))
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
