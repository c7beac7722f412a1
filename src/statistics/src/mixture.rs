//! A capital that is spread over bets.

use super::real;

/// After the first observations so much of a bet's capital, divided by their number, goes back
/// to all bets.
const SHARE: f64 = 0.1;

/// Observations after which less is shared.
const BURN_IN: f64 = 10.0;

/// An e-process: the capital of a gambler who spreads it over bets that are fair or worse if
/// the null hypothesis holds. The capital ever reaches `1 / level` with a probability of at
/// most `level` (Ville 1939).
///
/// A bet is a factor with a mean of at most one given the past. After each observation a
/// share of the capital, which falls with their number, is spread anew as at the start, so that
/// what begins late is found too (Herbster and Warmuth 1998, "Tracking the best expert"; the
/// share is known beforehand, so the capital stays an e-process).
#[derive(Debug, Clone)]
pub(crate) struct Mixture {
    /// The logarithm of the capital.
    log_capital: f64,
    /// How the capital was spread before the last sharing; the first bet is to make none.
    weights: Vec<f64>,
    /// By what the weights are multiplied, and how much of the prior is added.
    spread: (f64, f64),
    prior: Vec<f64>,
    observations: u64,
}

impl Mixture {
    /// Half of the capital makes no bet, the other half is spread in proportion to `bets`.
    pub(crate) fn new(bets: &[f64]) -> Self {
        let total: f64 = bets.iter().sum();
        let bet = |weight: &f64| weight / total / 2.0;
        let prior: Vec<f64> = std::iter::once(0.5).chain(bets.iter().map(bet)).collect();
        Self {
            log_capital: 0.0,
            weights: prior.clone(),
            spread: (1.0, 0.0),
            prior,
            observations: 0,
        }
    }

    /// Multiplies each bet by its factor; `idle` is that of no bet.
    pub(crate) fn observe(&mut self, idle: f64, factors: &[f64]) {
        let Self { spread: (kept, share), weights, prior, .. } = self;
        let mut total = 0.0;
        // One pass: the capital of the last observation is spread when the next one needs it.
        let mut multiply = |weight: &mut f64, prior: f64, factor: f64| {
            *weight = (*weight * *kept + *share * prior) * factor;
            total += *weight;
        };
        multiply(&mut weights[0], prior[0], idle);
        for index in 0..factors.len() {
            multiply(&mut weights[index + 1], prior[index + 1], factors[index]);
        }
        self.log_capital += libm::log(total);
        let share = SHARE / (BURN_IN + real(self.observations));
        self.observations += 1;
        self.spread = ((1.0 - share) / total, share);
    }

    /// The logarithm of the e-value.
    pub(crate) fn log_e(&self) -> f64 {
        self.log_capital
    }

    /// The bet that holds the most capital, among those that are bets.
    pub(crate) fn best(&self) -> usize {
        let bets = self.weights.iter().skip(1).enumerate();
        bets.max_by(|left, right| left.1.total_cmp(right.1)).map_or(0, |(best, _)| best)
    }
}
