//! The squared norm of an action's features, as VW sums it up (`example.cc`,
//! `calculate_total_sum_features_squared`; `interactions.cc`).
//!
//! Rates that are neither adaptive nor normalized need it. VW does not sum over the features
//! as they are used, but multiplies sums of namespaces: other last bits.

use super::terms::Parts;
use super::{CONSTANT_NAMESPACE, Event, NamespaceFeatures, TermMaker};

/// The squares of the features of an action, namespace by namespace.
struct Squares<'a> {
    parts: Parts<'a>,
    ignored: &'a [bool; 256],
    constant: bool,
    /// Whether the context was merged into the action before, and taken out again.
    merged_before: bool,
}

impl TermMaker {
    /// The squared norm of an action with `interactions`.
    pub(super) fn squared_norm(
        &self,
        event: &Event,
        action: usize,
        interactions: &[Vec<u8>],
        merged_before: bool,
    ) -> f32 {
        let (ignored, constant) = (&*self.ignored, self.constant);
        let parts = self.parts(event, action);
        let squares = Squares { parts, ignored, constant, merged_before };
        squares.linear() + squares.interacting(interactions)
    }
}

impl Squares<'_> {
    fn linear(&self) -> f32 {
        let letters = |features: &[NamespaceFeatures]| features.iter().map(|n| n.letter).collect();
        let (own, shared): (Vec<u8>, Vec<u8>) =
            (letters(self.parts.own), letters(self.parts.shared));
        let constant = self.constant.then_some(CONSTANT_NAMESPACE);
        let shared = shared.into_iter().filter(|letter| !own.contains(letter));
        let letters = own.iter().copied().chain(constant).chain(shared);
        letters.fold(0.0, |sum, letter| sum + self.of(letter))
    }

    /// The sum of a namespace.
    fn of(&self, letter: u8) -> f32 {
        if letter == CONSTANT_NAMESPACE {
            return f32::from(u8::from(self.constant));
        }
        let is_read = !self.ignored[usize::from(letter)];
        let sum = |features: &[NamespaceFeatures]| {
            let found = features.iter().find(|namespace| is_read && namespace.letter == letter);
            found.map_or(0.0, |namespace| namespace.squares)
        };
        let (own, shared) = (sum(self.own(letter)), sum(self.parts.shared));
        let own = if self.merged_before { own + shared - shared } else { own };
        own + shared
    }

    /// The action's own features, or those that were seen before.
    fn own(&self, letter: u8) -> &[NamespaceFeatures] {
        let Parts { own, seen, .. } = self.parts;
        if own.iter().any(|own| own.letter == letter) { own } else { seen }
    }

    fn values<'e>(
        &self,
        features: &'e [NamespaceFeatures],
        letter: u8,
    ) -> impl Iterator<Item = f32> + use<'e> {
        let is_read = !self.ignored[usize::from(letter)];
        let found = features.iter().filter(move |n| is_read && n.letter == letter);
        found.flat_map(|namespace| namespace.features.iter().map(|feature| feature.value))
    }

    /// A namespace that repeats interacts with itself, in combinations with repetition
    /// (`calculate_count_and_sum_ft_sq_for_combinations`).
    fn interacting(&self, interactions: &[Vec<u8>]) -> f32 {
        let product = |interaction: &Vec<u8>| {
            let mut product = 1.0;
            for run in interaction.chunk_by(|a, b| a == b) {
                product *=
                    if run.len() == 1 { self.of(run[0]) } else { self.combined(run[0], run.len()) };
                if product == 0.0 {
                    break;
                }
            }
            product
        };
        interactions.iter().map(product).fold(0.0, |sum, product| sum + product)
    }

    fn combined(&self, letter: u8, order: usize) -> f32 {
        let mut sums = vec![0.0_f32; order];
        let constant = (letter == CONSTANT_NAMESPACE && self.constant).then_some(1.0);
        let own = self.values(self.own(letter), letter);
        for value in own.chain(self.values(self.parts.shared, letter)).chain(constant) {
            let square = value * value;
            sums[0] += square;
            for higher in 1..order {
                sums[higher] += sums[higher - 1] * square;
            }
        }
        sums[order - 1]
    }
}
