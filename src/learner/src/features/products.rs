//! Which features are multiplied with which.
//!
//! The products of an event depend on how many features each namespace has, not on what they
//! are. They are worked out once for a [`Layout`], as a flat list of steps, because the
//! loops over the few features of a namespace cost more than the products.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Term, WeightIndexing};

/// The namespaces of an action and how their features lie one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The namespaces.
    pub letters: Vec<u8>,
    /// The features of a namespace end where those of the next begin; one more than namespaces.
    pub starts: Vec<u32>,
    /// The namespaces behind the first so many count in interactions only.
    pub linear: usize,
}

/// The terms of a layout.
#[derive(Debug, Default)]
pub struct Products {
    /// Products of features that further features are multiplied with. The first is one;
    /// each of the others extends one before it.
    partials: Vec<Step>,
    terms: Vec<Step>,
}

/// A partial product times a feature.
#[derive(Debug, Clone, Copy)]
struct Step {
    partial: u32,
    feature: u32,
}

/// A feature, or a product of features: its hash, and its value.
///
/// Interactions hash with FNV over the indices; as the factors between models and
/// the stride of a weight are powers of two, 32 bits of the unscaled hash are enough
/// to find any weight of any model.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    pub hash: u32,
    pub value: f32,
}

/// The products of the layouts seen before.
#[derive(Debug, Clone, Default)]
pub struct ProductCache {
    known: HashMap<Layout, Arc<Products>>,
    last: Option<(Layout, Arc<Products>)>,
    steps: usize,
}

/// So many steps are remembered.
const CAPACITY: usize = 1 << 20;

/// The prime of FNV (`interactions_predict.h`).
pub const FNV_PRIME: u32 = 16_777_619;

impl Layout {
    /// Where the features of the namespace at `position` lie.
    pub fn range(&self, position: usize) -> std::ops::Range<u32> {
        self.starts[position]..self.starts[position + 1]
    }

    /// The namespaces whose features count by themselves, with their positions.
    pub fn linear_letters(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        self.letters[..self.linear].iter().copied().enumerate()
    }

    /// Where the features of the namespace `letter` lie: nowhere, if it is not there.
    fn range_of(&self, letter: u8) -> std::ops::Range<u32> {
        let position = self.letters.iter().position(|present| *present == letter);
        position.map_or(0..0, |position| self.range(position))
    }
}

impl Products {
    /// The features of the namespaces that are `linear` as they are, namespace by namespace, and then the
    /// products of `interactions`.
    pub fn new(layout: &Layout, linear: impl Fn(u8) -> bool, interactions: &[Vec<u8>]) -> Self {
        let mut products = Self::default();
        for (position, letter) in layout.linear_letters() {
            if linear(letter) {
                let alone = |feature| Step { partial: 0, feature };
                products.terms.extend(layout.range(position).map(alone));
            }
        }
        for interaction in interactions {
            products.nest(layout, interaction, None, 0);
        }
        products
    }

    /// Nested loops over namespaces. A namespace that repeats the one around it starts where that one
    /// stands: combinations with repetition.
    fn nest(&mut self, layout: &Layout, namespaces: &[u8], outer: Option<(u8, u32)>, partial: u32) {
        let Some((letter, inner)) = namespaces.split_first() else { return };
        let all = layout.range_of(*letter);
        let start = outer.filter(|(around, _)| around == letter).map_or(all.start, |(_, at)| at);
        for feature in start..all.end {
            let step = Step { partial, feature };
            if inner.is_empty() {
                self.terms.push(step);
            } else {
                self.partials.push(step);
                let partial = u32::try_from(self.partials.len()).expect("fewer than 2^32 products");
                self.nest(layout, inner, Some((*letter, feature)), partial);
            }
        }
    }

    /// Multiplies the features of an action. `partials` is room to work in.
    pub fn multiply(
        &self,
        features: &[Product],
        places: WeightIndexing,
        partials: &mut Vec<Product>,
        terms: &mut Vec<Term>,
    ) {
        partials.clear();
        // One times a feature is that feature, to the last bit.
        partials.push(Product { hash: 0, value: 1.0 });
        for step in &self.partials {
            let Product { hash, value } = step.times(features, partials);
            partials.push(Product { hash: FNV_PRIME.wrapping_mul(hash), value });
        }
        terms.clear();
        terms.extend(self.terms.iter().map(|step| places.of(step.times(features, partials))));
    }

    fn steps(&self) -> usize {
        self.partials.len() + self.terms.len()
    }
}

impl Step {
    #[inline]
    fn times(self, features: &[Product], partials: &[Product]) -> Product {
        let partial = partials[self.partial as usize];
        let feature = features[self.feature as usize];
        Product { hash: partial.hash ^ feature.hash, value: partial.value * feature.value }
    }
}

impl ProductCache {
    /// The products of a layout, made if they are not known.
    pub fn of(&mut self, layout: &Layout, make: impl FnOnce() -> Products) -> &Products {
        if self.last.as_ref().is_none_or(|(last, _)| last != layout) {
            self.reset_to(layout, make);
        }
        &self.last.as_ref().expect("the layout was turned to").1
    }

    fn reset_to(&mut self, layout: &Layout, make: impl FnOnce() -> Products) {
        if self.steps > CAPACITY {
            self.known.clear();
            self.steps = 0;
        }
        let products = self.known.entry(layout.clone()).or_insert_with(|| {
            let products = make();
            self.steps += products.steps();
            Arc::new(products)
        });
        self.last = Some((layout.clone(), products.clone()));
    }
}
