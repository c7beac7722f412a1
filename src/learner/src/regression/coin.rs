//! Coin betting (`ftrl.cc`; Orabona and Pál 2016, Orabona and Tommasi 2017).

use serde::{Deserialize, Serialize};

use super::{LabelRange, OnlineState, Places};
use crate::features::Term;

/// `--ftrl_alpha` with `--coin`.
const ALPHA: f32 = 4.0;

/// `--ftrl_beta` with `--coin`.
const BETA: f32 = 1.0;

/// The bets on the weights.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Coin {
    #[serde(with = "super::sparse")]
    blocks: Vec<Bet>,
    pub(super) range: LabelRange,
    weighted_norm: f64,
    weights: f64,
    /// Counted for the models of VW; rates do not depend on it.
    t: f64,
    /// `--l2`, which matters to bounds only.
    l2: f32,
}

/// What stands at one index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Bet {
    weight: f32,
    /// Minus the sum of gradients.
    sum: f32,
    /// Σ |gradient|
    magnitude: f32,
    largest_feature: f32,
    wealth: f32,
    largest_gradient: f32,
}

impl Bet {
    /// The weight that the wealth bets.
    fn stake(&self) -> f32 {
        let bound = self.largest_gradient * self.largest_feature;
        if bound > 0.0 {
            (ALPHA + self.wealth) / (bound * (bound + self.magnitude)) * self.sum
        } else {
            0.0
        }
    }
}

/// How many numbers a bet is.
pub(super) const WEIGHT_WIDTH: usize = 6;

impl Coin {
    pub(super) fn online_state(&self) -> OnlineState {
        OnlineState {
            initial_t: 0.0,
            weighted_norm: self.weighted_norm,
            total_weight: self.weights,
            t: self.t,
            lowest: self.range.lowest,
            highest: self.range.highest,
            gravity: 0.0,
            contraction: 1.0,
        }
    }

    pub(super) fn set_online_state(&mut self, state: &OnlineState) {
        (self.weighted_norm, self.weights, self.t) =
            (state.weighted_norm, state.total_weight, state.t);
        (self.range.lowest, self.range.highest) = (state.lowest, state.highest);
    }

    pub(super) fn each_weight(&self, with: &mut dyn FnMut(usize, &[f32])) {
        for (index, bet) in self.blocks.iter().enumerate() {
            let Bet { weight, sum, magnitude, largest_feature, wealth, largest_gradient } = *bet;
            with(index, &[weight, sum, magnitude, largest_feature, wealth, largest_gradient]);
        }
    }

    pub(super) fn set_weight(&mut self, index: usize, weight: &[f32]) -> bool {
        let Some(bet) = self.blocks.get_mut(index) else { return false };
        let value = |position: usize| weight.get(position).copied().unwrap_or(0.0);
        *bet = Bet {
            weight: value(0),
            sum: value(1),
            magnitude: value(2),
            largest_feature: value(3),
            wealth: value(4),
            largest_gradient: value(5),
        };
        true
    }

    pub(super) fn finish_event(&mut self, weight: f32) {
        self.t += f64::from(weight);
    }

    pub fn new(bits: u32, l2: f32, prediction_range: Option<(f32, f32)>) -> Self {
        let (lowest, highest) = prediction_range.unwrap_or((0.0, 0.0));
        Self {
            blocks: vec![Bet::default(); 1 << bits],
            range: LabelRange { lowest, highest, frozen: prediction_range.is_some() },
            weighted_norm: 0.0,
            weights: 0.0,
            t: 0.0,
            l2,
        }
    }

    /// Whether it can stand in the place of a blank one.
    pub fn is_compatible(&self, blank: &Self) -> bool {
        self.blocks.len() == blank.blocks.len()
    }

    fn places(&self, model: u32) -> Places {
        Places::new(model, self.blocks.len())
    }

    pub fn score(&self, terms: &[Term], model: u32) -> f32 {
        let places = self.places(model);
        let product = |term: &Term| self.blocks[places.of(*term)].weight * term.value;
        terms.iter().map(product).fold(0.0, |sum, product| sum + product)
    }

    /// How uncertain the weights are, of which VW makes the sensitivity of a prediction; the
    /// expression is that of the proximal rule, whatever the rule (`ftrl.cc`).
    pub fn sensitivity(&self, terms: &[Term]) -> f32 {
        let certain = |term: &Term| {
            let bet = self.blocks[term.index as usize];
            let sign = if term.value <= 0.0 { -1.0 } else { 1.0 };
            let uncertainty = (BETA + bet.magnitude.sqrt()) / ALPHA + self.l2;
            1.0 / uncertainty * sign
        };
        terms.iter().map(certain).fold(0.0, |sum, certain| sum + certain)
    }

    pub fn learn(&mut self, terms: &[Term], model: u32, label: f32, weight: f32) -> f32 {
        let (score, norm) = self.bet(terms, model);
        self.weighted_norm += f64::from(weight) * f64::from(norm);
        self.weights += f64::from(weight);
        #[expect(clippy::cast_possible_truncation, reason = "VW narrows it to f32")]
        let average = ((self.weighted_norm + 1e-6) / self.weights) as f32;
        let prediction = self.range.clip(score / average);
        let update = 2.0 * (prediction - label) * weight;
        self.settle(terms, model, update, average);
        prediction
    }

    /// The prediction of the current bets, and the norm of the features.
    fn bet(&self, terms: &[Term], model: u32) -> (f32, f32) {
        let (mut score, mut norm) = (0.0, 0.0);
        let places = self.places(model);
        for term in terms {
            let mut bet = self.blocks[places.of(*term)];
            bet.largest_feature = bet.largest_feature.max(term.value.abs());
            score += bet.stake() * term.value;
            if bet.largest_feature > 0.0 {
                let relative = term.value / bet.largest_feature;
                norm += relative * relative;
            }
        }
        (score, norm)
    }

    fn settle(&mut self, terms: &[Term], model: u32, update: f32, average: f32) {
        let places = self.places(model);
        for term in terms {
            let bet = &mut self.blocks[places.of(*term)];
            let gradient = update * term.value;
            bet.largest_feature = bet.largest_feature.max(term.value.abs());
            if update.abs() > bet.largest_gradient {
                bet.largest_gradient = update.abs().max(BETA);
            }
            bet.weight = bet.stake();
            bet.sum -= gradient;
            bet.magnitude += gradient.abs();
            bet.wealth += -gradient * bet.weight;
            bet.weight /= average;
        }
    }
}
