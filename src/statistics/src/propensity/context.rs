//! The draws of one context against what the service claims.

use super::super::{Interval, real};
use super::Claim;
use super::share::Share;
use crate::mixture::Mixture;

/// The odds of one action are bet to be e to the power of these times what is claimed.
const TILTS: [f64; 8] = [0.15, -0.15, 0.35, -0.35, 0.8, -0.8, 2.0, -2.0];

/// Without all claims, the first draws of a context show what it claims.
const FIRST_DRAWS: u64 = 50;

/// Claims of one action that differ by more are not the same.
const SAME: f64 = 0.005;

/// The draws of one context.
#[derive(Debug, Clone)]
pub(super) struct ContextTest {
    calls: u64,
    actions: Vec<ActionTally>,
    bets: Mixture,
    odds: Vec<f64>,
    /// Those of the bets, at the last draw.
    factors: Vec<f64>,
    /// Whether every answer gave the probabilities of all actions.
    is_complete: bool,
}

#[derive(Debug, Clone, Copy)]
struct ActionTally {
    drawn: u64,
    /// The sum of the claims that were made, and how many there were.
    claimed: (f64, u64),
    last: Option<f64>,
    /// The lowest and the highest claim.
    range: (f64, f64),
}

/// An action: what is claimed of it, and what was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// The index of the action.
    pub action: usize,
    /// The mean of the claims; none, if the action was never drawn and its claim is unknown.
    pub claimed: Option<f64>,
    /// The share of the calls in which it was drawn.
    pub share: f64,
    /// The confidence sequence of the mean of the probabilities with which it was drawn.
    pub interval: Interval,
}

/// What a draw was expected to be: the probability of every action, and the factor of a bettor
/// who believes them against what was claimed.
pub(super) struct Forecast {
    pub claims: Vec<f64>,
    pub idle: f64,
}

impl ContextTest {
    pub(super) fn new(actions: usize) -> Self {
        let none =
            ActionTally { drawn: 0, claimed: (0.0, 0), last: None, range: (f64::INFINITY, 0.0) };
        Self {
            calls: 0,
            actions: vec![none; actions],
            bets: Mixture::new(&vec![1.0; actions * TILTS.len()]),
            factors: vec![1.0; actions * TILTS.len()],
            odds: TILTS.iter().map(|tilt| libm::exp(*tilt)).collect(),
            is_complete: true,
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn log_e(&self) -> f64 {
        self.bets.log_e()
    }

    /// Observes a draw. Returns what it was expected to be, if that was known.
    pub(super) fn observe(&mut self, action: usize, claim: &Claim) -> Option<Forecast> {
        let forecast = self.forecast(action, claim);
        if let Some(Forecast { claims, idle }) = &forecast {
            let bets = self.odds.len();
            for (index, claim) in claims.iter().enumerate() {
                for (place, odds) in self.odds.iter().enumerate() {
                    let gain = if index == action { *odds } else { 1.0 };
                    self.factors[index * bets + place] = idle * gain / (1.0 + claim * (odds - 1.0));
                }
            }
            self.bets.observe(*idle, &self.factors);
        }
        self.calls += 1;
        self.actions[action].drawn += 1;
        match claim {
            Claim::All(claims) => {
                let total: f64 = claims.iter().sum();
                for (tally, claim) in self.actions.iter_mut().zip(claims) {
                    tally.note(claim / total);
                }
            }
            Claim::Chosen(probability) => {
                self.is_complete = false;
                self.actions[action].note(*probability);
            }
        }
        forecast
    }

    /// The probabilities of all actions: as claimed, or, where only that of the chosen one is,
    /// as they were claimed when each was drawn last. Those never drawn share what is left.
    ///
    /// In the second case the draw is bet against a forecast that was made before it: the
    /// forecast divided by the claim has a mean of at most one under honest claims, whatever
    /// the forecast is (the numerator of a likelihood ratio may be any predictable law).
    fn forecast(&self, action: usize, claim: &Claim) -> Option<Forecast> {
        let probability = match claim {
            Claim::All(claims) => {
                let total: f64 = claims.iter().sum();
                let claims = claims.iter().map(|claim| claim / total).collect();
                return Some(Forecast { claims, idle: 1.0 });
            }
            Claim::Chosen(probability) => probability,
        };
        if self.calls < FIRST_DRAWS {
            return None;
        }
        let known: f64 = self.actions.iter().filter_map(|tally| tally.last).sum();
        let unseen = self.actions.iter().filter(|tally| tally.last.is_none()).count();
        let left = (1.0 - known).max(0.0) / real(unseen.max(1) as u64);
        let total = if unseen == 0 { known } else { known.max(1.0) };
        let claims: Vec<f64> =
            self.actions.iter().map(|tally| tally.last.unwrap_or(left) / total).collect();
        let idle = claims[action] / probability;
        Some(Forecast { claims, idle })
    }

    /// Whether what is claimed of an action stays the same, or is given for all actions.
    pub(super) fn claims_are_known(&self) -> bool {
        let is_same = |tally: &ActionTally| tally.range.1 - tally.range.0 <= SAME;
        self.is_complete || self.actions.iter().all(is_same)
    }

    /// By how much a claim may differ from what is drawn, with the action of which that holds:
    /// more is excluded, where each action misses with a probability of at most `miss`.
    pub(super) fn excluded(&self, miss: f64) -> (f64, Drawn) {
        let all = (0..self.actions.len()).map(|action| {
            let drawn = self.drawn(action, miss);
            let (low, high) = match drawn.claimed {
                Some(claimed) => (claimed, claimed),
                None => (0.0, 1.0 - self.known()),
            };
            ((drawn.interval.upper - low).max(high - drawn.interval.lower), drawn)
        });
        all.max_by(|left, right| left.0.total_cmp(&right.0)).expect("a request has actions")
    }

    /// The action whose draws differ most from its claims, by standard errors.
    pub(super) fn worst(&self, miss: f64) -> Drawn {
        let distance = |drawn: &Drawn| {
            let claimed = drawn.claimed.unwrap_or(drawn.share);
            let spread = (claimed * (1.0 - claimed)).max(1.0 / real(self.calls.max(1)));
            (drawn.share - claimed).abs() / libm::sqrt(spread)
        };
        let all = (0..self.actions.len()).map(|action| self.drawn(action, miss));
        all.max_by(|left, right| distance(left).total_cmp(&distance(right)))
            .expect("a request has actions")
    }

    fn known(&self) -> f64 {
        self.actions.iter().filter_map(|tally| tally.last).sum::<f64>().min(1.0)
    }

    fn drawn(&self, action: usize, miss: f64) -> Drawn {
        let tally = self.actions[action];
        let (sum, count) = tally.claimed;
        let share = Share { calls: self.calls, drawn: tally.drawn };
        Drawn {
            action,
            claimed: (count > 0).then(|| sum / real(count)),
            share: share.mean(),
            interval: share.interval(miss),
        }
    }
}

impl ActionTally {
    fn note(&mut self, claim: f64) {
        self.claimed = (self.claimed.0 + claim, self.claimed.1 + 1);
        self.last = Some(claim);
        self.range = (self.range.0.min(claim), self.range.1.max(claim));
    }
}
