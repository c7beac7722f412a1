//! How long a phase that goes by the machine's time still takes.

use std::time::Duration;

use plan::{Arrival, Delay, Iterate, Schedule};

/// What says how long a phase takes.
#[derive(Debug, Clone, Copy)]
pub enum Eta {
    /// An open arrival: the duration of its schedule, and the time until its last reward.
    Scheduled(Duration),
    /// The iterations made so far.
    Measured,
}

impl Eta {
    /// That of a phase.
    pub fn of(iterate: &Iterate) -> Self {
        match &iterate.arrival {
            Arrival::Closed { .. } => Self::Measured,
            Arrival::Open(schedule) => {
                #[expect(clippy::cast_precision_loss, reason = "at most a billion")]
                let due = schedule.time_of(iterate.iterations as f64);
                let all = due + last_reward(iterate.think_time, rate_at(schedule, due));
                Duration::try_from_secs_f64(all).map_or(Self::Measured, Self::Scheduled)
            }
        }
    }

    /// What is left of the phase, after `done` of `total` iterations in this time; nothing, if it
    /// cannot be known yet.
    pub fn left(self, done: u64, total: u64, elapsed: Duration) -> Option<Duration> {
        match self {
            Self::Scheduled(all) => Some(all.saturating_sub(elapsed)),
            Self::Measured if done == 0 => None,
            #[expect(clippy::cast_precision_loss, reason = "at most a billion")]
            Self::Measured => {
                Some(elapsed.mul_f64(total.saturating_sub(done) as f64 / done as f64))
            }
        }
    }
}

/// How many iterations fall due in the second before a time.
#[expect(clippy::cast_precision_loss, reason = "at most a billion")]
fn rate_at(schedule: &Schedule, seconds: f64) -> f64 {
    let within = |seconds: f64| {
        Duration::try_from_secs_f64(seconds).map_or(0, |time| schedule.count_within(time))
    };
    let before = (seconds - 1.0).max(0.0);
    (within(seconds) - within(before)) as f64 / (seconds - before).max(f64::MIN_POSITIVE)
}

/// How many seconds after the last iteration was due the last reward is sent, half of the time: of
/// iterations at this rate so many rewards are sent later that there is none with a probability of one
/// half (Poisson).
fn last_reward(delay: Delay, rate: f64) -> f64 {
    let later = |seconds: f64| rate * delay.excess(seconds);
    let (mut low, mut high) = (0.0, delay.mean().max(1e-3));
    while later(high) > std::f64::consts::LN_2 {
        high *= 2.0;
    }
    while high - low > high * 1e-3 {
        let middle = f64::midpoint(low, high);
        *(if later(middle) > std::f64::consts::LN_2 { &mut low } else { &mut high }) = middle;
    }
    high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use plan::{Rate, RewardDelivery, Stage};
    use seed::{PhaseKey, Purpose, Seed};

    fn phase(iterations: u64, arrival: Arrival) -> Iterate {
        Iterate {
            iterations,
            arrival,
            error_budget: None,
            model_check_interval: 0,
            think_time: Delay::Constant(Duration::ZERO),
            delivery: RewardDelivery::default(),
            users: None,
            slots: None,
            drift: None,
        }
    }

    proptest! {
        /// After a tenth of an open phase with any ramps, the estimate of the time left is right
        /// within a factor of 1.2; the phase ends when its last iteration is due.
        #[test]
        fn a_tenth_of_an_open_phase_tells_how_long_the_rest_takes(
            start in 1_u32..500,
            stages in prop::collection::vec((1_u32..500, 1_u64..120), 0..4),
            iterations in 100_u32..100_000,
        ) {
            let rate = |rate: u32| Rate(f64::from(rate));
            let stage = |&(to, over): &(u32, u64)| Stage {
                to: rate(to),
                over: Duration::from_secs(over),
            };
            let schedule = Schedule {
                start: Some(rate(start)),
                stages: stages.iter().map(stage).collect(),
                poisson: false,
                max_in_flight: 100,
            };
            let due = |count: u32| schedule.time_of(f64::from(count));
            let tenth = iterations / 10;
            let truth = due(iterations) - due(tenth);
            let eta = Eta::of(&phase(iterations.into(), Arrival::Open(schedule.clone())));
            let elapsed = Duration::from_secs_f64(due(tenth));
            let left = eta.left(tenth.into(), iterations.into(), elapsed).unwrap().as_secs_f64();
            prop_assert!(left < truth * 1.2 && left * 1.2 > truth, "{left} and {truth}");
        }
    }

    /// Rewards that visitors take their time for are sent after the last iteration was due.
    #[test]
    fn the_last_reward_ends_an_open_phase() {
        let seconds = Duration::from_secs_f64;
        for (rate, iterations, median, p99) in
            [(400.0, 4_800, 0.2, 2.0), (500.0, 10_000, 0.2, 2.0), (50.0, 1_000, 3.0, 5.0)]
        {
            let schedule = Schedule {
                start: Some(Rate(rate)),
                stages: Vec::new(),
                poisson: false,
                max_in_flight: 1_000,
            };
            let delay = Delay::LogNormal { median: seconds(median), p99: seconds(p99) };
            let sent = |index: u32| {
                let draw =
                    || Seed(7).draws(PhaseKey::new("p"), index.into(), Purpose::ThinkTime).normal();
                f64::from(index) / rate + delay.sampler().sample(draw).as_secs_f64()
            };
            let end = (0..iterations).map(sent).fold(0.0, f64::max);
            let tenth = f64::from(iterations / 10) / rate;
            let open = phase(iterations.into(), Arrival::Open(schedule));
            let eta = Eta::of(&Iterate { think_time: delay, ..open });
            let left = eta.left((iterations / 10).into(), iterations.into(), seconds(tenth));
            let (left, truth) = (left.unwrap().as_secs_f64(), end - tenth);
            assert!(left < truth * 1.2 && left * 1.2 > truth, "{left} and {truth}");
        }
    }

    #[test]
    fn a_closed_phase_goes_on_as_it_began() {
        let arrival = Arrival::Closed { concurrency: 1, rate: None };
        let eta = Eta::of(&phase(100, arrival));
        assert_eq!(eta.left(0, 100, Duration::from_secs(3)), None);
        assert_eq!(eta.left(25, 100, Duration::from_secs(3)), Some(Duration::from_secs(9)));
    }
}
