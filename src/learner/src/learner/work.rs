//! The cost of an event and of a model, known before either is made.

use std::sync::Arc;

use super::build::{models, stride};
use crate::features::{
    DEFAULT_NAMESPACE, Event, EventSlot, Example, SLOT_INDEX_NAMESPACE, SLOT_NAMESPACE,
};
use crate::policy::LearningPolicy;

/// Stands for every namespace.
const WILDCARD: u8 = b':';

/// The number of features of each namespace, by its letter.
type Counts = [u64; 256];

impl LearningPolicy {
    /// The number of multiplications that predicting an event takes: for each action and each
    /// model of the policy, every feature, and every interaction times its order. Repeated
    /// interactions count twice, so it is an upper bound. Saturates at `u64::MAX`.
    ///
    /// An interaction of `k` wildcards over `n` features has `C(n + k - 1, k)` products, as VW
    /// makes combinations with repetition (`interactions.h`).
    #[must_use]
    pub fn work(&self, event: &Event) -> u64 {
        let contexts: Vec<Counts> = match &event.slots {
            None => vec![self.counts(&[&event.shared])],
            Some(slots) => {
                let context = |slot: &EventSlot| {
                    let mut counts = self.counts(&[&event.shared, &slot.features]);
                    counts[usize::from(SLOT_NAMESPACE)] += counts[usize::from(DEFAULT_NAMESPACE)];
                    counts[usize::from(SLOT_INDEX_NAMESPACE)] = 1;
                    counts
                };
                slots.iter().map(context).collect()
            }
        };
        let counts = |action: &Arc<Example>| {
            if self.numbers_actions() { [0; 256] } else { self.counts(&[action.as_ref()]) }
        };
        let actions: Vec<Counts> = event.actions.iter().map(counts).collect();
        let mut work = 0_u64;
        for context in &contexts {
            for action in &actions {
                work = work.saturating_add(self.work_of(&add(context, action)));
            }
        }
        work.saturating_mul(u64::from(models(&self.settings)))
    }

    /// The bytes of the weights of a model.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        let weights = u64::from(models(&self.settings).next_power_of_two()) << self.settings.bits;
        weights.saturating_mul(stride(&self.settings)).saturating_mul(size_of::<f32>() as u64)
    }

    /// The features that are read of some examples, which lie side by side.
    fn counts(&self, examples: &[&Example]) -> Counts {
        let mut counts = [0; 256];
        for namespace in examples.iter().flat_map(|example| &example.namespaces) {
            if self.reads(namespace.letter) {
                counts[usize::from(namespace.letter)] += namespace.features.len() as u64;
            }
        }
        counts
    }

    fn reads(&self, letter: u8) -> bool {
        let settings = &self.settings;
        let ignored = settings.ignore.contains(&letter);
        if settings.keep.is_empty() { !ignored } else { settings.keep.contains(&letter) }
    }

    /// The multiplications of one action.
    fn work_of(&self, counts: &Counts) -> u64 {
        let features: u64 = counts.iter().sum();
        let interactions = &self.settings.interactions;
        let given = interactions.iter().map(|interaction| products(interaction, counts));
        let mut work = given.fold(features, u64::saturating_add);
        if counts[usize::from(SLOT_INDEX_NAMESPACE)] > 0 {
            // Every interaction once more with the number of the slot, which is one feature.
            work = work.saturating_mul(2).saturating_add(2 * features);
        }
        work
    }
}

fn add(one: &Counts, other: &Counts) -> Counts {
    std::array::from_fn(|letter| one[letter] + other[letter])
}

/// The products of an interaction, times its order.
fn products(interaction: &[u8], counts: &Counts) -> u64 {
    let mut letters: Vec<u8> =
        interaction.iter().copied().filter(|letter| *letter != WILDCARD).collect();
    letters.sort_unstable();
    let wildcards = (interaction.len() - letters.len()) as u64;
    let mut total = multisets(counts.iter().sum(), wildcards);
    for same in letters.chunk_by(u8::eq) {
        let products = multisets(counts[usize::from(same[0])], same.len() as u64);
        total = total.saturating_mul(products);
    }
    total.saturating_mul(interaction.len() as u64)
}

/// `C(n + k - 1, k)`: the number of multisets of size `k` over `n` elements, saturating.
fn multisets(n: u64, k: u64) -> u64 {
    if n == 0 {
        return u64::from(k == 0);
    }
    let mut count = 1_u128;
    for step in 1..=k {
        count = count * u128::from(n + step - 1) / u128::from(step);
        if count > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{ExampleBuilder, Learner};

    fn event(policy: &LearningPolicy, context: usize, own: usize, actions: usize) -> Event {
        let example = |namespace: &str, features: usize| {
            let mut example = ExampleBuilder::new(policy.hashing());
            example.open(namespace);
            (0..features).for_each(|number| example.number(format!("f{number}"), 1.0));
            example.close();
            Arc::new(example.finish())
        };
        Event {
            shared: example("FromUrl", context),
            actions: (0..actions).map(|_| example("j", own)).collect(),
            recurs: false,
            slots: None,
            listed: true,
            weight: 1.0,
        }
    }

    #[test]
    fn the_work_bounds_the_terms_that_are_made() {
        for arguments in ["", "-q ::", "-q Fj", "--cubic :::", "--interactions FFjj -q F:", "-q FF"]
        {
            let arguments = format!("--cb_explore_adf {arguments}");
            let policy = LearningPolicy::parse(&arguments).unwrap();
            for (context, own, actions) in [(1, 1, 1), (3, 2, 2), (7, 1, 3), (0, 4, 2)] {
                let event = event(&policy, context, own, actions);
                let mut learner = Learner::new(&policy);
                let made = learner.terms(&event) as u64;
                let work = policy.work(&event);
                let order = 4;
                // The constant is not counted.
                let made = made - actions as u64;
                assert!(made <= work && work <= order * made, "{arguments}: {made} {work}");
            }
        }
    }

    #[test]
    fn work_that_cannot_be_counted_saturates() {
        let colons = ":".repeat(200);
        let policy =
            LearningPolicy::parse(&format!("--cb_explore_adf --interactions {colons}")).unwrap();
        assert!(policy.work(&event(&policy, 2, 2, 1)) > 100_000_000);
        assert_eq!(policy.work(&event(&policy, 4000, 4000, 1)), u64::MAX);
    }

    #[test]
    fn a_model_has_as_many_bytes_as_its_bits_and_models_say() {
        let bytes = |arguments| LearningPolicy::parse(arguments).unwrap().weight_bytes();
        assert_eq!(bytes("--cb_explore_adf"), 1 << 22);
        assert_eq!(bytes("--cb_explore_adf -b 28"), 1 << 32);
        assert_eq!(bytes("--cb_explore_adf --bag 3"), 1 << 24);
    }
}
