//! Whether draws repeat, or avoid, earlier ones.

use std::collections::VecDeque;

use super::super::real;
use crate::mixture::Mixture;

/// A draw is compared with so many before it.
pub const LONGEST_LAG: usize = 1024;

/// The odds of what was drawn some calls ago are bet to be so many times what is claimed.
const ODDS: [f64; 2] = [4.5, 0.5];

/// Tests draws against those before them: after an honest draw the next is as likely as
/// claimed whatever came before.
#[derive(Debug, Clone)]
pub(super) struct Dependence {
    /// The draws before, the last one first.
    earlier: VecDeque<Symbol>,
    bets: Mixture,
    /// Those of the bets, at the last draw.
    factors: Vec<f64>,
    /// By lag, from 1.
    lags: Vec<Repeats>,
}

/// What a draw is to others: the action, and the most probable one at that time.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    action: usize,
    favourite: usize,
}

/// How often a draw was like the one so many calls ago.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repeats {
    pub pairs: u64,
    pub repeated: u64,
    /// How often it would have been, as claimed.
    pub expected: f64,
}

impl Dependence {
    pub(super) fn new() -> Self {
        // What is near is more likely to repeat, and what is far still has a chance.
        let weight = |bet: usize| 1.0 / real((bet / ODDS.len() + 1) as u64);
        let bets: Vec<f64> = (0..LONGEST_LAG * ODDS.len()).map(weight).collect();
        Self {
            earlier: VecDeque::with_capacity(LONGEST_LAG),
            factors: vec![1.0; bets.len()],
            bets: Mixture::new(&bets),
            lags: vec![Repeats::default(); LONGEST_LAG],
        }
    }

    /// Observes a draw with these claims; `idle` is the factor of what was claimed against what
    /// was forecast.
    pub(super) fn observe(&mut self, claims: &[f64], action: usize, idle: f64) {
        let favourite = favourite(claims);
        let drawn = Symbol { action, favourite };
        self.factors.fill(idle);
        for (index, earlier) in self.earlier.iter().enumerate() {
            let (probability, is_repeated) = repeats(*earlier, drawn, claims);
            let lag = &mut self.lags[index];
            lag.pairs += 1;
            lag.repeated += u64::from(is_repeated);
            lag.expected += probability;
            for (place, odds) in ODDS.iter().enumerate() {
                let gain = if is_repeated { *odds } else { 1.0 };
                self.factors[index * ODDS.len() + place] =
                    idle * gain / (1.0 + probability * (odds - 1.0));
            }
        }
        self.bets.observe(idle, &self.factors);
        self.earlier.truncate(LONGEST_LAG - 1);
        self.earlier.push_front(drawn);
    }

    /// The logarithm of the e-value.
    pub(super) fn log_e(&self) -> f64 {
        self.bets.log_e()
    }

    /// The lag that speaks most against independence, and what was seen at it.
    pub(super) fn worst(&self) -> (usize, Repeats) {
        let index = self.bets.best() / ODDS.len();
        (index + 1, self.lags[index])
    }
}

/// Whether a draw is like an earlier one, and how probable that was. Where the same action is
/// the favourite, it is the same action that is alike; elsewhere, that both are the favourite,
/// or neither.
fn repeats(earlier: Symbol, drawn: Symbol, claims: &[f64]) -> (f64, bool) {
    if earlier.favourite == drawn.favourite {
        return (claims[earlier.action], drawn.action == earlier.action);
    }
    let of_favourite = claims[drawn.favourite];
    let (was, is) = (earlier.action == earlier.favourite, drawn.action == drawn.favourite);
    (if was { of_favourite } else { 1.0 - of_favourite }, was == is)
}

fn favourite(claims: &[f64]) -> usize {
    let first =
        |best: usize, action: usize| if claims[action] > claims[best] { action } else { best };
    (0..claims.len()).fold(0, first)
}
