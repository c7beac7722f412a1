use super::{SuccessBatch, SuccessChart};
use crate::chart::nice_ceiling;

/// The most dots in a phase, two for each unit of the widest.
const MOST_DOTS: usize = 1500;

/// How much is put together, the same in all phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Smoothing {
    /// The number of iterations that make a point of the curve.
    pub window: u64,
    /// The number of batches that make a dot.
    pub batches_per_dot: usize,
}

impl Smoothing {
    /// A round number of iterations, about a 25th of all: few enough to follow a curve,
    /// enough to read it. At least a batch.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of iterations"
    )]
    pub(crate) fn of(chart: &SuccessChart) -> Self {
        let all: u64 = chart.phases.iter().map(|phase| phase.iterations).sum();
        let batch = chart.phases.iter().find_map(|phase| phase.batches.first());
        let window = nice_ceiling(all.max(1) as f64 / 25.0) as u64;
        let most = chart.phases.iter().map(|phase| phase.batches.len()).max().unwrap_or(0);
        Self {
            window: window.max(batch.map_or(1, SuccessBatch::len)),
            batches_per_dot: most.div_ceil(MOST_DOTS).max(1),
        }
    }
}

/// A success rate, and between which rates the true one lies in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Rate {
    /// The rate of so many successes with the interval of Wilson (1927); nothing where
    /// there are no events.
    #[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
    pub(crate) fn of(successes: u64, events: u64) -> Option<Self> {
        const Z: f64 = 1.959_963_984_540_054;
        let rate = share(successes, events)?;
        let events = events as f64;
        let pulled = (rate + Z * Z / (2.0 * events)) / (1.0 + Z * Z / events);
        let spread = (rate * (1.0 - rate) / events + Z * Z / (4.0 * events * events)).sqrt();
        let half = Z * spread / (1.0 + Z * Z / events);
        Some(Self { value: rate, low: (pulled - half).max(0.0), high: (pulled + half).min(1.0) })
    }
}

/// The success rate around each batch: over the batches whose middle is at most half a
/// window away. At both ends of the phase the window is cut off, not shifted.
pub(super) fn centred_rate(batches: &[SuccessBatch], window: u64) -> Vec<Option<Rate>> {
    let (mut from, mut to) = (0, 0);
    let mut sums = (0, 0);
    let rate = |batch: &SuccessBatch| {
        // Twice the middle, so that it is whole.
        let middle = batch.first_iteration + batch.last_iteration;
        let is_before =
            |other: &SuccessBatch| other.first_iteration + other.last_iteration + window < middle;
        let is_within =
            |other: &SuccessBatch| other.first_iteration + other.last_iteration <= middle + window;
        while to < batches.len() && is_within(&batches[to]) {
            sums = (sums.0 + batches[to].successes, sums.1 + batches[to].events);
            to += 1;
        }
        while is_before(&batches[from]) {
            sums = (sums.0 - batches[from].successes, sums.1 - batches[from].events);
            from += 1;
        }
        Rate::of(sums.0, sums.1)
    };
    batches.iter().map(rate).collect()
}

/// Every so many neighbouring batches as one.
pub(super) fn coarsen(batches: &[SuccessBatch], size: usize) -> Vec<SuccessBatch> {
    let sum = |chunk: &[SuccessBatch]| SuccessBatch {
        first_iteration: chunk[0].first_iteration,
        last_iteration: chunk[chunk.len() - 1].last_iteration,
        events: chunk.iter().map(|batch| batch.events).sum(),
        successes: chunk.iter().map(|batch| batch.successes).sum(),
    };
    batches.chunks(size.max(1)).map(sum).collect()
}

/// Successes per event.
#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
pub(super) fn share(successes: u64, events: u64) -> Option<f64> {
    (events > 0).then(|| successes as f64 / events as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batches(counts: &[(u64, u64)]) -> Vec<SuccessBatch> {
        let batch = |(index, (events, hits)): (u64, &(u64, u64))| SuccessBatch {
            first_iteration: 10 * index,
            last_iteration: 10 * index + 9,
            events: *events,
            successes: *hits.min(events),
        };
        (0..).zip(counts).map(batch).collect()
    }

    #[test]
    fn a_window_of_nothing_is_the_batch_itself() {
        let batches = batches(&[(10, 3), (0, 0), (10, 10)]);
        let rates = centred_rate(&batches, 0);
        let rates: Vec<_> = rates.into_iter().map(|rate| rate.map(|rate| rate.value)).collect();
        assert_eq!(rates, [Some(0.3), None, Some(1.0)]);
    }

    /// Newcombe (1998), table I, method 3.
    #[test]
    fn intervals_are_those_of_the_literature() {
        for (successes, events, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let rate = Rate::of(successes, events).unwrap();
            assert!((rate.low - low).abs() < 5e-5 && (rate.high - high).abs() < 5e-5, "{rate:?}");
        }
    }

    proptest! {
        /// The sums that slide along equal sums made anew.
        #[test]
        fn a_rate_is_that_of_the_batches_around(
            counts in prop::collection::vec((0_u64..12, 0_u64..12), 1..60),
            window in 0_u64..400,
        ) {
            let batches = batches(&counts);
            for (rate, batch) in centred_rate(&batches, window).into_iter().zip(&batches) {
                let near = |other: &&SuccessBatch| {
                    2 * other.first_iteration.abs_diff(batch.first_iteration) <= window
                };
                let sum = |count: fn(&SuccessBatch) -> u64| batches.iter().filter(near).map(count).sum();
                prop_assert_eq!(rate, Rate::of(sum(|b| b.successes), sum(|b| b.events)));
            }
        }

        #[test]
        fn coarse_batches_lose_nothing(
            counts in prop::collection::vec((0_u64..12, 0_u64..12), 0..60),
            size in 1_usize..20,
        ) {
            let fine = batches(&counts);
            let coarse = coarsen(&fine, size);
            prop_assert_eq!(coarse.len(), fine.len().div_ceil(size));
            let sum = |batches: &[SuccessBatch]| batches.iter().map(|b| (b.events, b.successes)).fold((0, 0), |l, r| (l.0 + r.0, l.1 + r.1));
            prop_assert_eq!(sum(&fine), sum(&coarse));
        }
    }
}
