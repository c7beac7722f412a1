/// The actions that remain for each slot.
///
/// It keeps a complete assignment at all times (at first the baselines), so that no choice
/// leaves a later slot without an action.
pub(crate) struct Assignment {
    /// Whether a slot may show an action, by slot and action.
    allowed: Vec<Vec<bool>>,
    /// The action of each slot in the complete assignment.
    taken: Vec<usize>,
}

impl Assignment {
    /// `taken` is a complete assignment.
    pub fn new(allowed: Vec<Vec<bool>>, taken: Vec<usize>) -> Self {
        Self { allowed, taken }
    }

    /// The actions that a slot may show once all before it are filled; that of the complete
    /// assignment first.
    pub fn choices(&self, slot: usize) -> Vec<usize> {
        let own = self.taken[slot];
        let others = (0..self.allowed[slot].len()).filter(|action| *action != own);
        let is_possible = |action: &usize| self.clone_with(slot, *action).is_some();
        std::iter::once(own).chain(others.filter(is_possible)).collect()
    }

    /// Fills a slot.
    pub fn assign(&mut self, slot: usize, action: usize) {
        self.taken = self.clone_with(slot, action).expect("one of the choices");
    }

    /// A complete assignment that gives `action` to `slot` and keeps the slots before it.
    fn clone_with(&self, slot: usize, action: usize) -> Option<Vec<usize>> {
        if !self.allowed[slot][action] || self.taken[..slot].contains(&action) {
            return None;
        }
        let mut taken = self.taken.clone();
        let rival = (slot + 1..taken.len()).find(|later| taken[*later] == action);
        taken[slot] = action;
        let Some(rival) = rival else { return Some(taken) };
        let mut seen: Vec<bool> =
            (0..self.allowed[slot].len()).map(|action| taken[..=slot].contains(&action)).collect();
        self.place(rival, slot + 1, &mut taken, &mut seen).then_some(taken)
    }

    /// Finds another action for a slot from `first` on, reassigning later slots if necessary
    /// (an augmenting path).
    fn place(&self, slot: usize, first: usize, taken: &mut [usize], seen: &mut [bool]) -> bool {
        for action in 0..seen.len() {
            if !self.allowed[slot][action] || std::mem::replace(&mut seen[action], true) {
                continue;
            }
            let holder =
                (first..taken.len()).find(|other| *other != slot && taken[*other] == action);
            let free = holder.is_none_or(|holder| self.place(holder, first, taken, seen));
            if free {
                taken[slot] = action;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_slot_needs_is_kept_for_it() {
        let allowed =
            vec![vec![true, true, true], vec![true, true, true], vec![true, false, false]];
        let mut left = Assignment::new(allowed, vec![1, 2, 0]);
        assert_eq!(left.choices(0), [1, 2]);
        left.assign(0, 2);
        assert_eq!(left.choices(1), [1]);
        left.assign(1, 1);
        assert_eq!(left.choices(2), [0]);
    }

    #[test]
    fn without_exclusions_everything_is_left_but_what_was_chosen() {
        let mut left = Assignment::new(vec![vec![true; 4]; 3], vec![0, 1, 2]);
        assert_eq!(left.choices(0), [0, 1, 2, 3]);
        left.assign(0, 1);
        assert_eq!(left.choices(1).len(), 3);
        left.assign(1, 0);
        let mut last = left.choices(2);
        last.sort_unstable();
        assert_eq!(last, [2, 3]);
    }

    proptest::proptest! {
        #[test]
        fn every_slot_gets_an_action_of_its_own(
            forbidden in proptest::collection::vec(proptest::collection::vec(proptest::bool::ANY, 6), 1..6),
            picks in proptest::collection::vec(0..6_usize, 6),
        ) {
            let allowed: Vec<Vec<bool>> = forbidden.iter().enumerate().map(|(slot, row)| {
                row.iter().enumerate().map(|(action, no)| action == slot || !no).collect()
            }).collect();
            let slots = allowed.len();
            let mut left = Assignment::new(allowed.clone(), (0..slots).collect());
            for slot in 0..slots {
                let choices = left.choices(slot);
                left.assign(slot, choices[picks[slot] % choices.len()]);
            }
            let mut used = left.taken.clone();
            proptest::prop_assert!((0..slots).all(|slot| allowed[slot][left.taken[slot]]));
            used.sort_unstable();
            used.dedup();
            proptest::prop_assert_eq!(used.len(), slots);
        }
    }
}
