//! Actions that are known by their number only: each has a copy of the features of the context,
//! with weights of its own (`cb_to_cb_adf.cc`; `cbify.cc`, `copy_example_to_adf`).
//!
//! VW copies the namespaces that an event has, and leaves the others as they were: interactions
//! multiply with what an earlier event had in a namespace that this one lacks.

use super::example::{Example, Feature, NamespaceFeatures};
use super::products::Product;
use super::terms::WholeIndices;

/// Where the copies have their weights: the low bits of an index become those of the action.
#[derive(Debug, Clone)]
pub struct Numbering {
    /// What the events so far had in each namespace, the last of them.
    seen: Example,
    /// From the weight of one feature to that of the next.
    factor: u32,
    /// From the weight of one action to that of the next.
    step: u32,
    /// The low bits.
    low: u32,
}

impl Numbering {
    /// For so many actions, and so many models of each.
    pub fn new(actions: u32, models: u32) -> Self {
        // As many bits as the number has, which are one too many for a power of two.
        let bits = u32::BITS - (actions * models).leading_zeros();
        let seen = Example::default();
        Self { seen, factor: models.next_power_of_two(), step: models, low: (1 << bits) - 1 }
    }

    /// Keeps what an event has.
    pub fn see(&mut self, shared: &Example) {
        for namespace in &shared.namespaces {
            let known = &mut self.seen.namespaces;
            match known.iter_mut().find(|known| known.letter == namespace.letter) {
                Some(known) => known.clone_from(namespace),
                None => known.push(namespace.clone()),
            }
        }
    }

    pub fn seen(&self) -> &[NamespaceFeatures] {
        &self.seen.namespaces
    }

    /// Moves features to the weights of an action.
    pub fn place(&self, features: &mut [Product], action: usize) {
        let own = self.own(action);
        for feature in features {
            feature.hash = (feature.hash.wrapping_mul(self.factor) & !self.low).wrapping_add(own);
        }
    }

    /// The same for indices of 64 bits, which VW masks here; gives how they are read from then on.
    pub fn place_whole(
        &self,
        features: &mut [Feature],
        action: usize,
        whole: WholeIndices,
    ) -> WholeIndices {
        let stride = whole.scale / u64::from(self.factor);
        let mask = (stride << whole.bits) - 1;
        let low = u64::from(self.low + 1) * stride - 1;
        for feature in features {
            let placed = (whole.of(feature) & !low) + u64::from(self.own(action)) * stride;
            (feature.index, feature.masked) = (placed & mask, false);
        }
        WholeIndices { scale: 1, ..whole }
    }

    #[expect(clippy::cast_possible_truncation, reason = "an action of at most a thousand")]
    fn own(&self, action: usize) -> u32 {
        action as u32 * self.step
    }
}
