//! Whether something happens more often than it may, looked at after every trial.

use super::mixture::Mixture;

/// Evidence that a share is above a limit, valid at any moment.
///
/// Each trial hits or not. While the probability of a hit, given the trials before it, is at most
/// `limit`, the likelihood ratio of a larger share against `limit` is a bet that is fair or worse,
/// and so is a mixture of them. So the evidence ever reaches `1/α` with a probability of at most
/// α, however often it is looked at (Ville 1939; Robbins 1970, "Statistical methods related to the
/// law of the iterated logarithm", section 2). What begins late is found too.
#[derive(Debug, Clone)]
pub struct Excess {
    limit: f64,
    bets: Mixture,
    /// What a hit multiplies the bets by, and what a miss does.
    factors: [Vec<f64>; 2],
    trials: u64,
    hits: u64,
}

/// So many larger shares are compared with the limit: more find small excesses no sooner.
const SHARES: u32 = 12;

impl Excess {
    /// No trials yet. `limit` is in `[0, 1]`.
    #[must_use]
    pub fn new(limit: f64) -> Self {
        let limit = limit.clamp(0.0, 1.0);
        // Odds of 1.3, 1.69, … times those of the limit.
        let share = |power: u32| {
            let odds = limit / (1.0 - limit) * libm::pow(1.3, f64::from(power));
            odds / (1.0 + odds)
        };
        let is_inside = limit > 0.0 && limit < 1.0;
        let shares: Vec<f64> = (1..=SHARES).filter(|_| is_inside).map(share).collect();
        let factors = [
            shares.iter().map(|share| share / limit).collect(),
            shares.iter().map(|share| (1.0 - share) / (1.0 - limit)).collect(),
        ];
        let bets = Mixture::new(&vec![1.0; shares.len()]);
        Self { limit, bets, factors, trials: 0, hits: 0 }
    }

    /// Takes in a trial.
    pub fn add(&mut self, hit: bool) {
        self.trials += 1;
        self.hits += u64::from(hit);
        let factors = &self.factors[usize::from(!hit)];
        if !factors.is_empty() {
            self.bets.observe(1.0, factors);
        }
    }

    /// The logarithm of the evidence against the share being at most the limit: 0 of no trials,
    /// infinite where what must never happen did.
    #[must_use]
    pub fn log_evidence(&self) -> f64 {
        if self.limit <= 0.0 && self.hits > 0 { f64::INFINITY } else { self.bets.log_e() }
    }

    /// How many trials were taken in, and how many of them hit.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.trials, self.hits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seed::{PhaseKey, Purpose, Seed};

    /// Whether a path of so many trials at this share ever crosses, and after how many.
    fn crossing(limit: f64, share: f64, trials: u64, path: u64) -> Option<u64> {
        let mut draws = Seed(path).draws(PhaseKey::new("excess"), 0, Purpose::Flip);
        let mut excess = Excess::new(limit);
        (0..trials).find(|_| {
            excess.add(draws.unit() < share);
            excess.log_evidence() >= libm::log(20.0)
        })
    }

    #[test]
    fn at_the_limit_it_crosses_as_seldom_as_it_may() {
        for limit in [0.01, 0.2, 0.9] {
            let crossed = (0..400).filter(|path| crossing(limit, limit, 2_000, *path).is_some());
            // Of 400 paths, 20 are expected at most; 38 are as likely as 0.01 %.
            assert!(crossed.count() <= 38, "{limit}");
        }
    }

    #[test]
    fn above_the_limit_it_crosses_soon() {
        for (limit, share, within) in [(0.01, 0.05, 1_000), (0.2, 0.3, 1_000), (0.5, 0.9, 100)] {
            let crossed = (0..100).filter_map(|path| crossing(limit, share, within, path));
            assert!(crossed.count() >= 95, "{limit} {share}");
        }
    }

    #[test]
    fn what_begins_late_is_found() {
        let mut draws = Seed(1).draws(PhaseKey::new("late"), 0, Purpose::Flip);
        let mut excess = Excess::new(0.05);
        (0..20_000).for_each(|_| excess.add(draws.unit() < 0.01));
        assert!(excess.log_evidence() < 1.0);
        let found = (0..1_000).find(|_| {
            excess.add(draws.unit() < 0.3);
            excess.log_evidence() > libm::log(1_000.0)
        });
        assert!(found.is_some_and(|after| after < 300), "{found:?}");
    }

    #[test]
    fn what_must_never_happen_is_found_at_once() {
        let mut excess = Excess::new(0.0);
        (0..10).for_each(|_| excess.add(false));
        assert_eq!(excess.log_evidence(), 0.0);
        excess.add(true);
        assert_eq!((excess.log_evidence(), excess.counts()), (f64::INFINITY, (11, 1)));
        let mut all = Excess::new(1.0);
        (0..10).for_each(|_| all.add(true));
        assert_eq!(all.log_evidence(), 0.0);
    }
}
