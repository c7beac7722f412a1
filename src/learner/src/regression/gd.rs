//! Gradient descent on squared loss, adaptive, normalized and invariant (`gd.cc`).
//!
//! Adaptive: Duchi, Hazan, Singer, JMLR 12 (2011). Normalized: Ross, Mineiro, Langford,
//! UAI 2013. Invariant: Karampatziakis, Langford, UAI 2011.

use serde::{Deserialize, Serialize};

use super::changes::Changes;
use super::power::{Half, Other, Power, Zero};
use super::{LabelRange, Lesson, Places};
use crate::features::{CONSTANT_INDEX, Term, Terms};

/// The smallest magnitude of a feature that counts (`gd.cc`, `x_min`).
const SMALLEST_FEATURE: f32 = 1.084_202e-19;

/// What the options say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GdOptions {
    pub bits: u32,
    pub learning_rate: f32,
    pub power_t: f32,
    pub initial_t: f32,
    pub adaptive: bool,
    pub normalized: bool,
    pub invariant: bool,
    pub l1: f32,
    pub l2: f32,
    pub constant: f32,
    pub prediction_range: Option<(f32, f32)>,
}

/// The weights of gradient descent, and what it keeps beside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gd {
    pub(super) options: GdOptions,
    #[serde(with = "super::sparse")]
    pub(super) blocks: Vec<Block>,
    /// What was changed since a fork caught up, if there is one.
    #[serde(skip)]
    changes: Option<Changes>,
    learning_rate: f32,
    pub(super) range: LabelRange,
    pub(super) t: f64,
    /// What a model of VW says of `--initial_t`, which has had its effect.
    pub(super) initial_t: f32,
    pub(super) gravity: f64,
    pub(super) contraction: f64,
    /// Σ weight · norm and Σ weight, a model.
    pub(super) norms: Vec<Norm>,
    /// The factor of the last update, kept for an update without gradient.
    multiplier: f32,
}

/// What stands at one index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) weight: f32,
    /// Σ g² x²
    pub(super) gradient: f32,
    /// The largest |x|.
    pub(super) scale: f32,
    /// The rate of the update under way.
    pub(super) rate: f32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Norm {
    pub(super) weighted: f64,
    pub(super) weights: f64,
}

/// Where a pass over the features adds up.
#[derive(Default)]
struct Pass {
    prediction_per_update: f32,
    norm: f32,
}

impl Gd {
    pub fn new(options: GdOptions, models: usize) -> Self {
        let plain = !options.adaptive && !options.normalized;
        let t = if plain && options.initial_t == 0.0 { 1.0 } else { options.initial_t };
        let decay = if plain { t.powf(options.power_t) } else { 1.0 };
        let blank = Block {
            gradient: if options.adaptive { options.initial_t } else { 0.0 },
            ..Block::default()
        };
        let (lowest, highest) = options.prediction_range.unwrap_or((0.0, 0.0));
        let mut norms = vec![Norm { weighted: 0.0, weights: 0.0 }; models];
        norms[0] =
            Norm { weighted: f64::from(options.initial_t), weights: f64::from(options.initial_t) };
        let mut gd = Self {
            blocks: vec![blank; 1 << options.bits],
            changes: None,
            learning_rate: options.learning_rate * decay,
            range: LabelRange { lowest, highest, frozen: options.prediction_range.is_some() },
            t: f64::from(t),
            initial_t: t,
            gravity: 0.0,
            contraction: 1.0,
            norms,
            multiplier: 1.0,
            options,
        };
        let constant = CONSTANT_INDEX as usize & (gd.blocks.len() - 1);
        gd.blocks[constant].weight = gd.options.constant;
        gd
    }

    /// Whether it can stand in the place of a blank one.
    pub fn is_compatible(&self, blank: &Self) -> bool {
        self.options == blank.options
            && self.blocks.len() == blank.blocks.len()
            && self.norms.len() == blank.norms.len()
    }

    fn places(&self, model: u32) -> Places {
        Places::new(model, self.blocks.len())
    }

    pub fn score(&self, terms: &[Term], model: u32) -> f32 {
        let score = if self.options.l1 > 0.0 {
            self.truncated_score(terms, model)
        } else {
            plain_score(0.0, terms, &self.blocks, self.places(model))
        };
        score * narrow(self.contraction)
    }

    /// The scores of four actions. Additions of one sum wait for each other, those of four
    /// sums do not.
    pub fn scores(&self, terms: [&[Term]; 4], model: u32) -> [f32; 4] {
        if self.options.l1 > 0.0 {
            return terms.map(|terms| self.score(terms, model));
        }
        let common = terms.map(<[Term]>::len).into_iter().min().unwrap_or(0);
        let [a, b, c, d] = terms.map(|terms| &terms[..common]);
        let (blocks, places) = (self.blocks.as_slice(), self.places(model));
        let mut sums = [0.0; 4];
        for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
            for (sum, term) in sums.iter_mut().zip([*a, *b, *c, *d]) {
                *sum += product(term, blocks, places);
            }
        }
        let mut rest = terms.into_iter();
        sums.map(|sum| {
            let rest = rest.next().map_or(&[][..], |terms| &terms[common..]);
            plain_score(sum, rest, blocks, places) * narrow(self.contraction)
        })
    }

    /// With l1, weights within the gravity count as none.
    fn truncated_score(&self, terms: &[Term], model: u32) -> f32 {
        let (gravity, places) = (narrow(self.gravity), self.places(model));
        let product =
            |term: &Term| truncate(self.blocks[places.of(*term)].weight, gravity) * term.value;
        terms.iter().map(product).fold(0.0, |sum, product| sum + product)
    }

    pub fn learn(&mut self, terms: &Terms, model: u32, lesson: Lesson) -> f32 {
        let Lesson { label, weight, score } = lesson;
        let score = score.unwrap_or_else(|| self.score(&terms.terms, model));
        let prediction = self.range.clip(score);
        if self.range.loss(prediction, label) > 0.0 {
            self.mark(&terms.terms, model);
            let update = self.update(terms, model, prediction, label, weight);
            self.apply(&terms.terms, model, update);
            self.fold_regularization();
        }
        prediction
    }

    fn mark(&mut self, terms: &[Term], model: u32) {
        let places = self.places(model);
        if let Some(changes) = &mut self.changes {
            terms.iter().for_each(|term| changes.mark(places.of(*term)));
        }
    }

    pub fn fork(&mut self) -> Self {
        self.changes = None;
        let fork = self.clone();
        self.changes = Some(Changes::none(self.blocks.len()));
        fork
    }

    /// Copies the weights that were changed, which are few, and everything else.
    pub fn catch_up(&mut self, ahead: &mut Self) {
        let (theirs, changes) = (std::mem::take(&mut ahead.blocks), ahead.changes.take());
        let mut mine = std::mem::take(&mut self.blocks);
        *self = ahead.clone();
        match changes {
            Some(mut changes) => {
                changes.copy(&theirs, &mut mine);
                ahead.changes = Some(changes);
            }
            None => mine.clone_from(&theirs),
        }
        (self.blocks, ahead.blocks) = (mine, theirs);
    }

    pub fn finish_event(&mut self, weight: f32) {
        self.t += f64::from(weight);
    }

    /// How far the weights move (`compute_update`).
    fn update(
        &mut self,
        terms: &Terms,
        model: u32,
        prediction: f32,
        label: f32,
        weight: f32,
    ) -> f32 {
        let gradient = weight * (4.0 * (prediction - label) * (prediction - label));
        let per_update = self.prediction_per_update(terms, model, gradient, weight);
        let mut scale = self.learning_rate * weight;
        if !self.options.adaptive {
            let t = narrow(self.t + f64::from(weight));
            scale *= t.powf(-self.options.power_t);
        }
        let update = self.step(prediction, label, scale, per_update);
        let update = self.regularize(update, prediction, label);
        if update.is_nan() { 0.0 } else { update }
    }

    /// The step that importance-weight invariance allows (`get_update`).
    fn step(&self, prediction: f32, label: f32, scale: f32, per_update: f32) -> f32 {
        if !self.options.invariant || f64::from(scale * per_update) < 1e-6 {
            return 2.0 * (label - prediction) * scale;
        }
        (label - prediction) * (1.0 - (-2.0 * scale * per_update).exp()) / per_update
    }

    fn regularize(&mut self, update: f32, prediction: f32, label: f32) -> f32 {
        let is_regularized = self.options.l1 > 0.0 || self.options.l2 > 0.0;
        // What is not a number is not large enough.
        let is_large = f64::from(update.abs()) > 1e-8;
        if !(is_regularized && is_large) {
            return update;
        }
        let derivative = 2.0 * (self.range.clip(prediction) - label);
        let mut eta_bar = 0.0;
        if f64::from(derivative.abs()) > 1e-8 {
            eta_bar = f64::from(-update) / f64::from(derivative);
            self.contraction *= 1.0 - f64::from(self.options.l2) * eta_bar;
        }
        self.gravity += eta_bar * f64::from(self.options.l1);
        update / narrow(self.contraction)
    }

    /// How much the prediction moves with the update, and the rate of each feature
    /// (`get_pred_per_update`).
    fn prediction_per_update(
        &mut self,
        terms: &Terms,
        model: u32,
        gradient: f32,
        weight: f32,
    ) -> f32 {
        if !self.options.adaptive && !self.options.normalized {
            return terms.squared_norm;
        }
        if gradient == 0.0 {
            return 1.0;
        }
        let terms = terms.terms.as_slice();
        let mut pass = match self.options.power_t {
            0.5 => self.pass(Half, terms, model, gradient),
            0.0 => self.pass(Zero, terms, model, gradient),
            power_t => self.pass(Other(power_t), terms, model, gradient),
        };
        if self.options.normalized {
            let norm = &mut self.norms[model as usize];
            norm.weighted += f64::from(weight) * f64::from(pass.norm);
            norm.weights += f64::from(weight);
            self.multiplier = self.options.average_norm(*norm);
            pass.prediction_per_update *= self.multiplier;
        }
        pass.prediction_per_update
    }

    /// The pass over the features before an update.
    fn pass(&mut self, power: impl Power, terms: &[Term], model: u32, gradient: f32) -> Pass {
        match (self.options.adaptive, self.options.normalized) {
            (true, true) => self.pass_as::<true, true>(power, terms, model, gradient),
            (true, false) => self.pass_as::<true, false>(power, terms, model, gradient),
            _ => self.pass_as::<false, true>(power, terms, model, gradient),
        }
    }

    fn pass_as<const ADAPTIVE: bool, const NORMALIZED: bool>(
        &mut self,
        power: impl Power,
        terms: &[Term],
        model: u32,
        gradient: f32,
    ) -> Pass {
        let mut pass = Pass::default();
        let places = self.places(model);
        let Self { options, blocks, .. } = self;
        for term in terms {
            let block = &mut blocks[places.of(*term)];
            options.visit::<ADAPTIVE, NORMALIZED>(power, block, term.value, gradient, &mut pass);
        }
        pass
    }

    /// The same on copies: the rate of weight 1 times the prediction per update.
    pub fn sensitivity(&self, terms: &Terms, weight: f32, prediction: f32, label: f32) -> f32 {
        let gradient = weight * (4.0 * (prediction - label) * (prediction - label));
        let mut scale = self.learning_rate;
        if !self.options.adaptive {
            scale *= narrow(self.t + 1.0).powf(-self.options.power_t);
        }
        scale * self.unlearned_prediction_per_update(terms, weight, gradient)
    }

    fn unlearned_prediction_per_update(&self, terms: &Terms, weight: f32, gradient: f32) -> f32 {
        if !self.options.adaptive && !self.options.normalized {
            return terms.squared_norm;
        }
        let terms = terms.terms.as_slice();
        let mut pass = match self.options.power_t {
            0.5 => self.unlearned_pass(Half, terms, gradient),
            0.0 => self.unlearned_pass(Zero, terms, gradient),
            power_t => self.unlearned_pass(Other(power_t), terms, gradient),
        };
        if self.options.normalized {
            let norm = self.norms[0];
            let weighted = f64::from(narrow(norm.weighted) + weight * pass.norm);
            let weights = f64::from(narrow(norm.weights) + weight);
            pass.prediction_per_update *= self.options.average_norm(Norm { weighted, weights });
        }
        pass.prediction_per_update
    }

    fn unlearned_pass(&self, power: impl Power, terms: &[Term], gradient: f32) -> Pass {
        let visit = match (self.options.adaptive, self.options.normalized) {
            (true, true) => GdOptions::visit::<true, true>,
            (true, false) => GdOptions::visit::<true, false>,
            _ => GdOptions::visit::<false, true>,
        };
        let mut pass = Pass::default();
        for term in terms {
            let mut block = self.blocks[term.index as usize];
            visit(&self.options, power, &mut block, term.value, gradient, &mut pass);
        }
        pass
    }

    fn apply(&mut self, terms: &[Term], model: u32, update: f32) {
        if update == 0.0 {
            return;
        }
        let update = if self.options.normalized { update * self.multiplier } else { update };
        let has_rate = self.options.adaptive || self.options.normalized;
        let places = self.places(model);
        let blocks = self.blocks.as_mut_slice();
        for term in terms.iter().filter(|term| term.value.is_finite()) {
            let block = &mut blocks[places.of(*term)];
            let step = if has_rate { term.value * block.rate } else { term.value };
            block.weight += update * step;
        }
    }

    /// Moves what was put off into the weights before it loses precision.
    fn fold_regularization(&mut self) {
        let is_due = self.contraction < 1e-9 || self.gravity > 1e3;
        // What is not a number is never due.
        if is_due {
            self.materialize();
        }
    }

    /// Moves what regularization put off into the weights (`sync_weights`).
    pub(super) fn materialize(&mut self) {
        if self.gravity == 0.0 && self.contraction == 1.0 {
            return;
        }
        if let Some(changes) = &mut self.changes {
            changes.mark_all();
        }
        let (gravity, contraction) = (narrow(self.gravity), narrow(self.contraction));
        for block in &mut self.blocks {
            block.weight = truncate(block.weight, gravity) * contraction;
        }
        (self.gravity, self.contraction) = (0.0, 1.0);
    }
}

impl GdOptions {
    /// One feature of the pass before an update (`pred_per_update_feature`).
    #[inline]
    fn visit<const ADAPTIVE: bool, const NORMALIZED: bool>(
        &self,
        power: impl Power,
        block: &mut Block,
        value: f32,
        gradient: f32,
        pass: &mut Pass,
    ) {
        let (mut magnitude, mut x2) = (value.abs(), value * value);
        if x2 < SMALLEST_FEATURE * SMALLEST_FEATURE {
            (magnitude, x2) = smallest();
        }
        let mut rate = 1.0;
        if ADAPTIVE {
            block.gradient += gradient * x2;
            rate = power.of_gradients(block.gradient);
        }
        if NORMALIZED && magnitude == 1.0 && block.scale == 1.0 {
            // So are most features; what follows would divide and multiply by one.
            pass.norm += 1.0;
        } else if NORMALIZED {
            if magnitude > block.scale {
                self.rescale(block, magnitude);
            }
            pass.norm += if x2 > f32::MAX { 1.0 } else { x2 / (block.scale * block.scale) };
            rate *= power.of_scale(block.scale, ADAPTIVE);
        }
        block.rate = rate;
        pass.prediction_per_update += x2 * rate;
    }

    /// A feature larger than before shrinks its weight.
    #[cold]
    fn rescale(&self, block: &mut Block, magnitude: f32) {
        if block.scale > 0.0 {
            if self.power_t == 0.5 {
                let ratio = block.scale / magnitude;
                block.weight *= if self.adaptive { ratio } else { ratio * ratio };
            } else {
                let ratio = magnitude / block.scale;
                block.weight *= (ratio * ratio).powf(self.power_t - 1.0);
            }
        }
        block.scale = magnitude;
    }

    /// What the average norm makes of the rate (`average_update`).
    fn average_norm(&self, norm: Norm) -> f32 {
        let (weighted, weights) = (narrow(norm.weighted), narrow(norm.weights));
        if self.power_t == 0.5 {
            let ratio = weights / weighted;
            if self.adaptive { ratio.sqrt() } else { ratio }
        } else {
            (weighted / weights).powf(self.power_t - 1.0)
        }
    }
}

/// What counts of a feature that is smaller. A function of its own, so that the others
/// choose nothing.
#[cold]
#[inline(never)]
fn smallest() -> (f32, f32) {
    (SMALLEST_FEATURE, SMALLEST_FEATURE * SMALLEST_FEATURE)
}

fn plain_score(sum: f32, terms: &[Term], blocks: &[Block], places: Places) -> f32 {
    terms.iter().fold(sum, |sum, term| sum + product(*term, blocks, places))
}

#[inline]
fn product(term: Term, blocks: &[Block], places: Places) -> f32 {
    blocks[places.of(term)].weight * term.value
}

/// `trunc_weight` of `gd_predict.h`; the sign of zero is negative.
fn truncate(weight: f32, gravity: f32) -> f32 {
    if gravity < weight.abs() {
        weight - if weight > 0.0 { gravity } else { -gravity }
    } else {
        0.0
    }
}

#[expect(clippy::cast_possible_truncation, reason = "VW narrows these to f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(power_t: f32, adaptive: bool, normalized: bool) -> Gd {
        let options = GdOptions {
            bits: 8,
            learning_rate: 0.5,
            power_t,
            initial_t: 0.0,
            adaptive,
            normalized,
            invariant: true,
            l1: 0.0,
            l2: 0.0,
            constant: 0.0,
            prediction_range: None,
        };
        Gd::new(options, 1)
    }

    proptest::proptest! {
        /// The bounds of `--regcb` and `--squarecb --elim` look ahead at an update: what they
        /// see is what it does, to the last bit.
        #[test]
        fn an_update_that_is_looked_at_is_the_one_that_is_made(
            values in proptest::collection::vec(0.01_f32..20.0, 1..12),
            label in 0.1_f32..9.0,
        ) {
            let terms = (0..).zip(&values).map(|(index, value)| Term { index, value: *value });
            let terms = Terms { terms: terms.collect(), squared_norm: 0.0 };
            for power_t in [0.5, 0.0, 0.3] {
                for (adaptive, normalized) in [(true, true), (true, false), (false, true)] {
                    let mut gd = fresh(power_t, adaptive, normalized);
                    let gradient = 4.0 * label * label;
                    let seen = gd.unlearned_prediction_per_update(&terms, 1.0, gradient);
                    let made = gd.prediction_per_update(&terms, 0, gradient, 1.0);
                    proptest::prop_assert_eq!(seen.to_bits(), made.to_bits());
                }
            }
        }
    }
}
