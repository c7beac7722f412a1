//! Which actions of a catalogue are available at an iteration of the run.

use plan::Catalogue;

const BITS: usize = u64::BITS as usize;

/// The actions that are available at one moment, a bit for each: an event looks at some thousands
/// of a large catalogue, and the bits of all of them stay in the nearest cache.
#[derive(Debug)]
pub(super) struct Availability {
    /// When each action arrives and leaves: it is available after one of both, and not before
    /// and after them.
    changes: Vec<(u64, usize)>,
    /// How many of the changes have happened.
    happened: usize,
    bits: Vec<u64>,
    count: usize,
}

impl Availability {
    /// Of so many actions, before the first has arrived.
    pub fn of(catalogue: Option<&Catalogue>, actions: usize) -> Self {
        let presence = catalogue.map_or(&[][..], |catalogue| &catalogue.presence);
        let changes = presence.iter().zip(0..);
        let mut changes: Vec<(u64, usize)> = changes
            .flat_map(|((from, until), action)| [(*from, action), (*until, action)])
            .collect();
        changes.sort_unstable();
        let is_always = presence.is_empty();
        let bits = vec![if is_always { u64::MAX } else { 0 }; actions.div_ceil(BITS)];
        Self { changes, happened: 0, bits, count: if is_always { actions } else { 0 } }
    }

    /// Moves to an iteration of the run, forwards or backwards.
    pub fn go_to(&mut self, at: u64) {
        while let Some((time, action)) = self.changes.get(self.happened).copied()
            && time <= at
        {
            self.happened += 1;
            self.change(action);
        }
        while let Some(last) = self.happened.checked_sub(1)
            && self.changes[last].0 > at
        {
            self.happened = last;
            self.change(self.changes[last].1);
        }
    }

    fn change(&mut self, action: usize) {
        let (word, bit) = (&mut self.bits[action / BITS], 1 << (action % BITS));
        *word ^= bit;
        if *word & bit == 0 {
            self.count -= 1;
        } else {
            self.count += 1;
        }
    }

    /// Whether an action is available.
    pub fn has(&self, action: usize) -> bool {
        self.bits[action / BITS] & 1 << (action % BITS) != 0
    }

    /// How many actions are available.
    pub fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a catalogue says of an action, without anything that was counted before.
    pub fn is_present(catalogue: &Catalogue, action: usize, at: u64) -> bool {
        catalogue.presence.get(action).is_none_or(|(from, until)| (*from..*until).contains(&at))
    }

    proptest::proptest! {
        /// Whatever order iterations are asked in, as the catalogue says.
        #[test]
        fn actions_are_available_between_arrival_and_departure(
            presence in proptest::collection::vec((0..30_u64, 0..30_u64), 1..150),
            iterations in proptest::collection::vec(0..40_u64, 1..20),
        ) {
            let presence = presence.iter().map(|(from, length)| (*from, from + length)).collect();
            let catalogue = Catalogue { presence, ..Catalogue::default() };
            let actions = catalogue.presence.len();
            let mut availability = Availability::of(Some(&catalogue), actions);
            for at in iterations {
                availability.go_to(at);
                let expected: Vec<bool> =
                    (0..actions).map(|action| is_present(&catalogue, action, at)).collect();
                let found: Vec<bool> = (0..actions).map(|action| availability.has(action)).collect();
                proptest::prop_assert_eq!(&found, &expected);
                let count = expected.iter().filter(|is_available| **is_available).count();
                proptest::prop_assert_eq!(availability.count(), count);
            }
        }
    }

    #[test]
    fn actions_are_always_available_where_nothing_is_said() {
        let mut availability = Availability::of(None, 70);
        availability.go_to(7);
        assert!((0..70).all(|action| availability.has(action)) && availability.count() == 70);
    }
}
