//! Tells a target of the events of coming iterations before they are ranked.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use super::super::pacing::{Forecast, Pacer};
use super::super::stream::{Stream, StreamEvent};
use plan::Iterate;
use seed::PhaseKey;
use shard::Stride;
use target::{CallAddress, Target};

/// The events of a phase, in the order of its iterations.
pub(super) struct Coming<'f> {
    stream: &'f Stream<'f>,
    phase: PhaseKey,
    settings: &'f Iterate,
    stride: Stride,
    /// The next iteration, among those of this shard.
    next: u64,
    /// The first of the next events, which were made to tell the target of them.
    made: VecDeque<StreamEvent<'f>>,
    /// Of so many of these it was told.
    told: usize,
    /// How many iterations started, and how many of these were ranked: a started one that is
    /// neither told nor ranked comes before those that could be told.
    started: u64,
    ranked: &'f Cell<u64>,
    /// When the next are ranked.
    forecast: Option<Forecast>,
}

impl<'f> Coming<'f> {
    pub(super) fn new(
        stream: &'f Stream<'f>,
        (phase, settings): (PhaseKey, &'f Iterate),
        (stride, next): (Stride, u64),
        ranked: &'f Cell<u64>,
    ) -> Self {
        let (made, told, started, forecast) = (VecDeque::new(), 0, 0, None);
        Self { stream, phase, settings, stride, next, made, told, started, ranked, forecast }
    }

    /// The next event, and its iteration.
    pub(super) fn next(&mut self) -> (u64, StreamEvent<'f>) {
        let event = self.made.pop_front().unwrap_or_else(|| self.event(self.next));
        self.told = self.told.saturating_sub(1);
        self.next += 1;
        (self.stride.global(self.next - 1), event)
    }

    /// Tells the target of what it wants to know: of the next event, which is ranked `now`, while
    /// `under_way` others are, and of those after it. So many as there is `room` for can start
    /// before one of the others ends.
    pub(super) fn tell(
        &mut self,
        target: &impl Target,
        pacer: &Pacer,
        (now, under_way): (Duration, usize),
        room: usize,
    ) {
        let Some(foresight) = target.foresight() else { return };
        let mut forecast = match self.forecast.take() {
            Some(forecast) if self.told > 0 => forecast,
            before => Forecast::new(pacer, now, under_way, before),
        };
        let is_in_order = self.told > 0 || self.ranked.get() == self.started;
        let wanted = if is_in_order { foresight.events.min(room - self.told) } else { 0 };
        for _ in 0..wanted {
            let is_certain = forecast.next_start().is_some_and(|start| start < foresight.until);
            if !is_certain || !self.tell_next(target) {
                break;
            }
            forecast.start(self.longest(target, self.next + self.told as u64 - 1));
        }
        if self.told == 0 {
            forecast.start(self.longest(target, self.next));
        }
        self.forecast = Some(forecast);
        self.started += 1;
    }

    /// Tells of the first event that was not told yet. Returns whether the target took it.
    fn tell_next(&mut self, target: &impl Target) -> bool {
        if self.told == self.made.len() {
            self.made.push_back(self.event(self.next + self.told as u64));
        }
        let is_told = target.foresee(&self.made[self.told].request);
        self.told += usize::from(is_told);
        is_told
    }

    /// An iteration takes no longer than this.
    fn longest(&self, target: &impl Target, own: u64) -> Duration {
        let (phase, iteration) = (self.phase, self.stride.global(own));
        let deliveries = self.stream.deliveries(phase, iteration, self.settings.delivery);
        let calls = target.longest_calls(CallAddress { phase, iteration }, deliveries);
        calls.saturating_add(self.stream.think_time(phase, iteration, self.settings.think_time))
    }

    fn event(&self, own: u64) -> StreamEvent<'f> {
        self.stream.event(self.phase, self.stride.global(own))
    }
}
