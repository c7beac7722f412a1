//! How long a phase that goes by the machine's time still takes.

use std::time::Duration;

use plan::{Arrival, Iterate};

/// What says how long a phase takes.
#[derive(Debug, Clone, Copy)]
pub enum Eta {
    /// The schedule of an open arrival: this long.
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
                let seconds = schedule.time_of(iterate.iterations as f64);
                Duration::try_from_secs_f64(seconds).map_or(Self::Measured, Self::Scheduled)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use plan::{Delay, Rate, RewardDelivery, Schedule, Stage};

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

    #[test]
    fn a_closed_phase_goes_on_as_it_began() {
        let arrival = Arrival::Closed { concurrency: 1, rate: None };
        let eta = Eta::of(&phase(100, arrival));
        assert_eq!(eta.left(0, 100, Duration::from_secs(3)), None);
        assert_eq!(eta.left(25, 100, Duration::from_secs(3)), Some(Duration::from_secs(9)));
    }
}
