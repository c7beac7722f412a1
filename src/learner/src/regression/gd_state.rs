//! The state of gradient descent, as models of VW hold it.

use super::OnlineState;
use super::gd::{Block, Gd};

impl Gd {
    pub(super) fn online_state(&self) -> OnlineState {
        OnlineState {
            initial_t: self.initial_t,
            weighted_norm: self.norms[0].weighted,
            total_weight: self.norms[0].weights,
            t: self.t,
            lowest: self.range.lowest,
            highest: self.range.highest,
            gravity: self.gravity,
            contraction: self.contraction,
        }
    }

    pub(super) fn set_online_state(&mut self, state: &OnlineState) {
        (self.initial_t, self.t) = (state.initial_t, state.t);
        (self.norms[0].weighted, self.norms[0].weights) = (state.weighted_norm, state.total_weight);
        (self.range.lowest, self.range.highest) = (state.lowest, state.highest);
        (self.gravity, self.contraction) = (state.gravity, state.contraction);
    }

    pub(super) fn weight_width(&self) -> usize {
        1 + usize::from(self.options.adaptive) + usize::from(self.options.normalized)
    }

    pub(super) fn each_weight(&self, with: &mut dyn FnMut(usize, &[f32])) {
        for (index, block) in self.blocks.iter().enumerate() {
            let Block { weight, gradient, scale, .. } = *block;
            let second = if self.options.adaptive { gradient } else { scale };
            with(index, &[weight, second, scale]);
        }
    }

    pub(super) fn set_weight(&mut self, index: usize, weight: &[f32]) -> bool {
        let adaptive = self.options.adaptive;
        let Some(block) = self.blocks.get_mut(index) else { return false };
        let value = |position: usize| weight.get(position).copied().unwrap_or(0.0);
        let (gradient, scale) = if adaptive { (value(1), value(2)) } else { (0.0, value(1)) };
        *block = Block { weight: value(0), gradient, scale, rate: 0.0 };
        true
    }
}
