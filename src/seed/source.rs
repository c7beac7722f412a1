use std::cell::RefCell;

use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use super::address::generator;
use super::{Draws, PhaseKey, Purpose, Seed};

/// The draws of one purpose: those of [`Seed::draws`], at a third less where one phase is
/// asked for again and again.
#[derive(Debug)]
pub struct Source {
    seed: Seed,
    purpose: Purpose,
    /// The generator of the phase asked for last.
    prepared: RefCell<Option<(PhaseKey, ChaCha8Rng)>>,
}

impl Source {
    /// The draws of a seed for one purpose.
    #[must_use]
    pub fn new(seed: Seed, purpose: Purpose) -> Self {
        Self { seed, purpose, prepared: RefCell::new(None) }
    }

    /// The draws at one address.
    #[must_use]
    pub fn draws(&self, phase: PhaseKey, iteration: u64) -> Draws {
        let mut prepared = self.prepared.borrow_mut();
        let of_phase = prepared.take_if(|(prepared, _)| *prepared == phase);
        let (_, generator) = prepared
            .insert(of_phase.unwrap_or_else(|| (phase, generator(self.seed, phase, self.purpose))));
        Draws::at(generator.clone(), iteration)
    }

    /// A version 4 UUID made of the bits at one address.
    #[must_use]
    pub fn uuid(&self, phase: PhaseKey, iteration: u64) -> Uuid {
        let mut draws = self.draws(phase, iteration);
        let bytes = (u128::from(draws.bits()) << 64) | u128::from(draws.bits());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
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
            let (mut own, mut other) =
                (source.draws(phase, iteration), seed.draws(phase, iteration, purpose));
            for _ in 0..40 {
                assert_eq!(own.bits(), other.bits());
            }
        }
    }
}
