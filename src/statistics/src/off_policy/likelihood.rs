use std::collections::BTreeMap;

use super::{Example, Unusable, Weights};
use crate::Sum;
use crate::sum::Sums;

/// The empirical likelihood estimate, which needs every weight again.
///
/// Examples of the same weight stand together. Policies that explore by epsilon have few
/// weights; where there are more than some ten thousands, weights that agree to the first
/// digits stand together at their mean, so that memory is bounded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Likelihood {
    /// By the leading bits of the weight.
    groups: BTreeMap<u64, Group>,
    /// How many of the bits of a weight are left out.
    coarseness: u32,
    spoiled: u64,
}

/// Examples of one weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Group {
    examples: u64,
    /// Σ c, Σ c·w and Σ c·r.
    sums: Sums<3>,
}

/// So many groups are told apart.
const GROUPS: usize = 1 << 14;

impl Group {
    fn weight(&self) -> f64 {
        let [events, weights, _] = self.sums.values();
        weights / events
    }

    fn events(&self) -> f64 {
        self.sums.values()[0]
    }

    fn rewards(&self) -> f64 {
        self.sums.values()[2]
    }

    fn merge(&mut self, other: &Self) {
        self.examples += other.examples;
        self.sums.merge(&other.sums);
    }
}

impl Likelihood {
    /// Adds an example, as [`super::Estimates::add`] does.
    pub fn add(&mut self, example: &Example) {
        let Example { weight, reward, count } = *example;
        if !example.is_sound() {
            self.spoiled += 1;
            return;
        }
        let group = self.groups.entry(weight.to_bits() >> self.coarseness).or_default();
        group.examples += 1;
        group.sums.add([count, count * weight, count * reward]);
        self.bound();
    }

    fn bound(&mut self) {
        while self.groups.len() > GROUPS {
            self.coarsen();
        }
    }

    /// Leaves out one more bit of the weights.
    fn coarsen(&mut self) {
        self.coarseness += 1;
        let mut coarser: BTreeMap<u64, Group> = BTreeMap::new();
        for (bits, group) in &self.groups {
            coarser.entry(bits >> 1).or_default().merge(group);
        }
        self.groups = coarser;
    }

    /// The mean reward under the likeliest reweighting of the log whose weights average
    /// one (Karampatziakis, Langford, Mineiro, NeurIPS 2020, arXiv 1906.03323; `mle` of
    /// vw-estimators). `weights` are widened by the weights seen. A point only: its
    /// usual interval is that of [`super::Estimates::cressie_read`].
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn value(&self, weights: Weights) -> Result<f64, Unusable> {
        self.usable()?;
        let dual = self.dual(weights);
        let n = self.events();
        let mass = |weight: f64| weight / ((weight - 1.0) * dual + n);
        let groups = || self.groups.values().map(|group| (group, mass(group.weight())));
        let used: Sum = groups().map(|(group, mass)| mass * group.events()).collect();
        let earned: Sum = groups().map(|(group, mass)| mass * group.rewards()).collect();
        let logged: Sum = groups().map(|(group, _)| group.rewards()).collect();
        Ok(earned.value() + (1.0 - used.value()).max(0.0) * logged.value() / n)
    }

    fn usable(&self) -> Result<(), Unusable> {
        let matched = self.weights().any(|weight| weight > 0.0);
        let examples = self.groups.values().map(|group| group.examples).sum();
        Unusable::of(examples, matched, self.spoiled)
    }

    /// Σ c
    fn events(&self) -> f64 {
        self.groups.values().map(Group::events).collect::<Sum>().value()
    }

    /// The weights that occur.
    fn weights(&self) -> impl Iterator<Item = f64> + '_ {
        self.groups.values().map(Group::weight)
    }

    /// The dual variable β at which the constraint on the mean weight is met, or the end
    /// of its range that is nearer to meeting it; zero, which leaves the log as it is, where
    /// weights cannot lie on both sides of one.
    fn dual(&self, weights: Weights) -> f64 {
        let highest = self.weights().fold(weights.highest, f64::max);
        let lowest = self.weights().fold(weights.lowest, f64::min);
        if highest <= 1.0 || lowest >= 1.0 {
            return 0.0;
        }
        let [mut lower, mut upper] = self.range(Weights { lowest, highest });
        let (at_lower, at_upper) = (self.gradient(lower), self.gradient(upper));
        if at_lower * at_upper >= 0.0 {
            return if at_lower < 0.0 { lower } else { upper };
        }
        // The gradient falls in β, so halving until neighbours remain finds its zero.
        loop {
            let middle = f64::midpoint(lower, upper);
            if middle <= lower || middle >= upper {
                return middle;
            }
            if self.gradient(middle) * at_lower > 0.0 { lower = middle } else { upper = middle }
        }
    }

    /// Where every example keeps a mass between nothing and all.
    fn range(&self, weights: Weights) -> [f64; 2] {
        let n = self.events();
        let seen = || self.weights();
        let pole = |weight: f64| (n - 1.0) / (1.0 - weight);
        let free = if weights.highest == f64::INFINITY { 0.0 } else { n / (1.0 - weights.highest) };
        let lower = seen().filter(|weight| *weight > 1.0).map(pole).fold(free, f64::max);
        let most = n / (1.0 - weights.lowest);
        let upper = seen().filter(|weight| *weight < 1.0).map(pole).fold(most, f64::min);
        [lower, upper]
    }

    fn gradient(&self, dual: f64) -> f64 {
        let n = self.events();
        let term = |weight: f64| (weight - 1.0) / ((weight - 1.0) * dual + n);
        let terms = self.groups.values().map(|group| group.events() * term(group.weight()));
        terms.collect::<Sum>().value()
    }
}
