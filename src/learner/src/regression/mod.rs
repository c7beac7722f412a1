//! The linear model: one vector of weights, shared by the models of a policy.
//!
//! `learn` is VW's scorer on top of an update rule: it widens the range of labels and
//! leaves alone what has no weight.

mod changes;
mod coin;
mod gd;
mod gd_state;
mod power;
mod sparse;

pub use coin::Coin;
pub use gd::{Gd, GdOptions};

use serde::{Deserialize, Serialize};

use crate::features::{Term, Terms};

/// A linear model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Regression {
    rule: Rule,
    /// Another whenever scores may be others.
    #[serde(skip)]
    version: u64,
}

/// A linear model, by its update rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Rule {
    /// Gradient descent.
    Gd(Gd),
    /// Coin betting.
    Coin(Coin),
}

/// What is learned of the features of an example.
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    pub label: f32,
    pub weight: f32,
    /// The raw score of the features by the model that learns, if it is known.
    pub score: Option<f32>,
}

/// What stands before the weights of a saved [`Regression`], and how many these are: it can be
/// read without taking memory for them.
#[derive(Debug, Deserialize)]
pub enum SavedLength {
    /// Of gradient descent.
    Gd { _options: GdOptions, weights: u32 },
    /// Of coin betting.
    Coin { weights: u32 },
}

impl SavedLength {
    /// The number of weights.
    pub fn weights(&self) -> u64 {
        let (Self::Gd { weights, .. } | Self::Coin { weights }) = self;
        u64::from(*weights)
    }
}

/// What the regression goes on from beside the weights; the sums are those of its first model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnlineState {
    pub initial_t: f32,
    /// Σ weight · norm
    pub weighted_norm: f64,
    pub total_weight: f64,
    pub t: f64,
    pub lowest: f32,
    pub highest: f32,
    pub gravity: f64,
    pub contraction: f64,
}

/// The range of labels seen, which predictions used for learning are clipped to
/// (`scorer.cc`, `shared_data.h`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelRange {
    pub lowest: f32,
    pub highest: f32,
    /// Given by `--min_prediction` or `--max_prediction`: labels do not widen it.
    pub frozen: bool,
}

impl LabelRange {
    /// Takes in the label of an example, as the scorer does before it predicts.
    pub fn take_in(&mut self, label: f32) {
        if !self.frozen {
            self.lowest = self.lowest.min(label);
            self.highest = self.highest.max(label);
        }
    }

    /// The prediction within the range (`gd.cc`, `finalize_prediction`).
    pub fn clip(&self, prediction: f32) -> f32 {
        if prediction.is_nan() {
            0.0
        } else if prediction > self.highest {
            self.highest
        } else if prediction < self.lowest {
            self.lowest
        } else {
            prediction
        }
    }

    /// The squared loss, linear outside the range (`loss_functions.cc`).
    pub fn loss(&self, prediction: f32, label: f32) -> f32 {
        if prediction <= self.highest && prediction >= self.lowest {
            (prediction - label) * (prediction - label)
        } else if prediction < self.lowest {
            if label == self.lowest {
                return 0.0;
            }
            let distance = label - self.lowest;
            distance * distance + 2.0 * distance * (self.lowest - prediction)
        } else {
            if label == self.highest {
                return 0.0;
            }
            let distance = self.highest - label;
            distance * distance + 2.0 * distance * (prediction - self.highest)
        }
    }
}

/// Where the weights of a model are, among a power of two of them: they begin anew at the end,
/// so that with fewer weights than models some share.
#[derive(Debug, Clone, Copy)]
struct Places {
    first: usize,
    mask: usize,
}

impl Places {
    fn new(model: u32, weights: usize) -> Self {
        Self { first: model as usize, mask: weights - 1 }
    }

    #[inline]
    fn of(self, term: Term) -> usize {
        (self.first + term.index as usize) & self.mask
    }
}

impl From<Gd> for Regression {
    fn from(gd: Gd) -> Self {
        Self { rule: Rule::Gd(gd), version: 0 }
    }
}

impl From<Coin> for Regression {
    fn from(coin: Coin) -> Self {
        Self { rule: Rule::Coin(coin), version: 0 }
    }
}

impl Regression {
    /// The version of the scores: of one model and those that caught up with it, scores of
    /// the same version are the same.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether it can stand in the place of a blank one.
    pub fn is_compatible(&self, blank: &Self) -> bool {
        match (&self.rule, &blank.rule) {
            (Rule::Gd(gd), Rule::Gd(blank)) => gd.is_compatible(blank),
            (Rule::Coin(coin), Rule::Coin(blank)) => coin.is_compatible(blank),
            _ => false,
        }
    }

    /// The raw score of model `model`.
    pub fn score(&self, terms: &Terms, model: u32) -> f32 {
        match &self.rule {
            Rule::Gd(gd) => gd.score(&terms.terms, model),
            Rule::Coin(coin) => coin.score(&terms.terms, model),
        }
    }

    /// Hands over the raw score of model `model` for each of several actions.
    pub fn scores<T: AsRef<[Term]>>(&self, actions: &[T], model: u32, with: impl FnMut(f32)) {
        let mut rest = actions;
        let mut with = with;
        if let Rule::Gd(gd) = &self.rule {
            while let Some((four, others)) = rest.split_first_chunk::<4>() {
                gd.scores(four.each_ref().map(AsRef::as_ref), model)
                    .into_iter()
                    .for_each(&mut with);
                rest = others;
            }
        }
        let score = |terms: &T| match &self.rule {
            Rule::Gd(gd) => gd.score(terms.as_ref(), model),
            Rule::Coin(coin) => coin.score(terms.as_ref(), model),
        };
        rest.iter().map(score).for_each(with);
    }

    /// Learns `label` with `weight`, and returns the clipped prediction from before.
    pub fn learn(&mut self, terms: &Terms, model: u32, label: f32, weight: f32) -> f32 {
        self.learn_lesson(terms, model, Lesson { label, weight, score: None })
    }

    /// The same, where the raw score may be known.
    pub fn learn_lesson(&mut self, terms: &Terms, model: u32, lesson: Lesson) -> f32 {
        let Lesson { label, weight, .. } = lesson;
        self.range_mut().take_in(label);
        if weight > 0.0 {
            self.version += 1;
            match &mut self.rule {
                Rule::Gd(gd) => gd.learn(terms, model, lesson),
                Rule::Coin(coin) => coin.learn(&terms.terms, model, label, weight),
            }
        } else {
            self.clipped_score(terms, model)
        }
    }

    /// How much a prediction moves with the label (`gd.cc` and `ftrl.cc`, `sensitivity`);
    /// nothing is learned.
    pub fn sensitivity(&self, terms: &Terms, weight: f32, prediction: f32, label: f32) -> f32 {
        match &self.rule {
            Rule::Gd(gd) => gd.sensitivity(terms, weight, prediction, label),
            Rule::Coin(coin) => coin.sensitivity(&terms.terms),
        }
    }

    /// The score within the range of labels.
    pub fn clipped_score(&self, terms: &Terms, model: u32) -> f32 {
        self.range().clip(self.score(terms, model))
    }

    /// Counts a labelled event, once it is learned (`finish_example`).
    pub fn finish_event(&mut self, weight: f32) {
        match &mut self.rule {
            Rule::Gd(gd) => gd.finish_event(weight),
            Rule::Coin(coin) => coin.finish_event(weight),
        }
    }

    /// A copy, which can catch up.
    pub fn fork(&mut self) -> Self {
        let rule = match &mut self.rule {
            Rule::Gd(gd) => Rule::Gd(gd.fork()),
            Rule::Coin(coin) => Rule::Coin(coin.clone()),
        };
        Self { rule, version: self.version }
    }

    /// Becomes as `ahead` is, from which it was forked.
    pub fn catch_up(&mut self, ahead: &mut Self) {
        self.version = ahead.version;
        match (&mut self.rule, &mut ahead.rule) {
            (Rule::Gd(gd), Rule::Gd(ahead)) => gd.catch_up(ahead),
            (behind, ahead) => behind.clone_from(ahead),
        }
    }

    /// What it goes on from.
    pub fn online_state(&self) -> OnlineState {
        match &self.rule {
            Rule::Gd(gd) => gd.online_state(),
            Rule::Coin(coin) => coin.online_state(),
        }
    }

    /// Goes on from `state`.
    pub fn set_online_state(&mut self, state: &OnlineState) {
        self.version += 1;
        match &mut self.rule {
            Rule::Gd(gd) => gd.set_online_state(state),
            Rule::Coin(coin) => coin.set_online_state(state),
        }
    }

    /// How many numbers a weight is: itself, and what its rate depends on.
    pub fn weight_width(&self) -> usize {
        match &self.rule {
            Rule::Gd(gd) => gd.weight_width(),
            Rule::Coin(_) => coin::WEIGHT_WIDTH,
        }
    }

    /// Hands over the weights that are not zero, with their indices, ascending.
    pub fn each_weight(&self, mut with: impl FnMut(u32, &[f32])) {
        let numbers = self.weight_width();
        let mut with = |index: usize, weight: &[f32]| {
            if weight[..numbers].iter().any(|value| *value != 0.0) {
                with(u32::try_from(index).expect("at most 2^31 weights"), &weight[..numbers]);
            }
        };
        match &self.rule {
            Rule::Gd(gd) => gd.each_weight(&mut with),
            Rule::Coin(coin) => coin.each_weight(&mut with),
        }
    }

    /// Sets a weight, of which some numbers may be left out; false if there is none at `index`.
    pub fn set_weight(&mut self, index: u32, weight: &[f32]) -> bool {
        self.version += 1;
        match &mut self.rule {
            Rule::Gd(gd) => gd.set_weight(index as usize, weight),
            Rule::Coin(coin) => coin.set_weight(index as usize, weight),
        }
    }

    /// Moves what regularization put off into the weights, as VW does before it only predicts.
    pub fn materialize(&mut self) {
        self.version += 1;
        if let Rule::Gd(gd) = &mut self.rule {
            gd.materialize();
        }
    }

    fn range(&self) -> &LabelRange {
        match &self.rule {
            Rule::Gd(gd) => &gd.range,
            Rule::Coin(coin) => &coin.range,
        }
    }

    fn range_mut(&mut self) -> &mut LabelRange {
        match &mut self.rule {
            Rule::Gd(gd) => &mut gd.range,
            Rule::Coin(coin) => &mut coin.range,
        }
    }
}
