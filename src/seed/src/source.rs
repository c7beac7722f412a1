use std::cell::RefCell;

use super::{Draws, PhaseKey, Purpose, Seed};

/// The draws of one purpose: those of [`Seed::draws`], at half of the cost where one phase
/// is asked for again and again.
#[derive(Debug)]
pub struct Source {
    seed: Seed,
    purpose: Purpose,
    /// Those of the phase that was asked for last.
    prepared: RefCell<Option<(PhaseKey, Draws)>>,
}

impl Source {
    /// The draws of a seed for one purpose.
    #[must_use]
    pub fn new(seed: Seed, purpose: Purpose) -> Self {
        Self { seed, purpose, prepared: RefCell::new(None) }
    }

    /// Makes something of the draws at one address.
    pub fn at<T>(&self, phase: PhaseKey, iteration: u64, make: impl FnOnce(&mut Draws) -> T) -> T {
        let mut prepared = self.prepared.borrow_mut();
        match &mut *prepared {
            Some((of, draws)) if *of == phase => {
                draws.turn_to(iteration);
                make(draws)
            }
            other => {
                let draws = self.seed.draws(phase, iteration, self.purpose);
                make(&mut other.insert((phase, draws)).1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_draws_what_its_seed_draws() {
        let (seed, purpose) = (Seed(42), Purpose::Visitor);
        let source = Source::new(seed, purpose);
        for (name, iteration) in [("a", 0), ("a", 7), ("b", 7), ("a", 0), ("b", u64::MAX >> 20)] {
            let phase = PhaseKey::new(name);
            let mut expected = seed.draws(phase, iteration, purpose);
            source.at(phase, iteration, |draws| {
                (0..40).for_each(|_| assert_eq!(draws.bits(), expected.bits()));
            });
        }
    }
}
