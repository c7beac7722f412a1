use std::sync::Arc;

use foldhash::HashMap;

use super::action_numbers::ActionNumbers;
use super::rank_rules::{check_features, check_id, has_feature};
use protocol::RankableAction;

/// The number of actions that are known: a catalogue is kept whole.
const CAPACITY: usize = 1 << 18;

/// Lists of actions, checked by what is known of each action: lists of many are drawn from few.
#[derive(Debug, Clone)]
pub(crate) struct CheckedActions {
    known: ActionNumbers,
    /// By their numbers.
    found: Vec<CheckedAction>,
    /// The numbers of ids.
    ids: HashMap<Arc<str>, u32>,
    /// By the number of an id: the last list that it was in.
    lists: Vec<u64>,
    /// How many lists were checked.
    checked: u64,
    /// The number of actions that are kept.
    capacity: usize,
}

#[derive(Debug, Clone, Copy)]
struct CheckedAction {
    /// The number of its id.
    id: u32,
    /// The number of values of its features.
    values: u32,
}

impl Default for CheckedActions {
    fn default() -> Self {
        Self {
            known: ActionNumbers::default(),
            found: Vec::new(),
            ids: HashMap::default(),
            lists: Vec::new(),
            checked: 0,
            capacity: CAPACITY,
        }
    }
}

impl CheckedActions {
    /// For requests over the wire: lists share no actions.
    pub fn of_wire() -> Self {
        Self { capacity: 0, ..Self::default() }
    }

    /// Refuses lists that break a rule. Returns the number of values.
    pub fn check(&mut self, actions: &[RankableAction]) -> Result<usize, String> {
        if self.known.len().max(self.ids.len()) > self.capacity {
            self.known.clear();
            self.found.clear();
            self.ids.clear();
            self.lists.clear();
        }
        self.checked += 1;
        actions.iter().map(|action| self.check_next(action)).sum()
    }

    /// Checks an action of the list that is looked at, beside those before it.
    fn check_next(&mut self, action: &RankableAction) -> Result<usize, String> {
        let known = self.known.of(action).map(|number| self.found[number]);
        let id = known.map_or_else(|| self.id(&action.id), |known| Ok(known.id))?;
        if std::mem::replace(&mut self.lists[id as usize], self.checked) == self.checked {
            return Err(format!("two actions have the id `{}`", action.id));
        }
        if let Some(CheckedAction { values, .. }) = known {
            return Ok(values as usize);
        }
        let values = check_features(&action.features)?;
        if !action.features.iter().any(has_feature) {
            return Err(format!("action `{}` has no feature", action.id));
        }
        self.known.add(action);
        self.found.push(CheckedAction { id, values: narrow(values) });
        Ok(values)
    }

    /// The number of an id that keeps the rules.
    fn id(&mut self, id: &Arc<str>) -> Result<u32, String> {
        if let Some(number) = self.ids.get(id) {
            return Ok(*number);
        }
        check_id("an action", id)?;
        let number = narrow(self.lists.len());
        self.ids.insert(id.clone(), number);
        self.lists.push(0);
        Ok(number)
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("what is in memory at once is less than 2^32")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn action(id: usize, features: &str) -> RankableAction {
        let features = serde_json::from_str(features).unwrap();
        RankableAction { id: format!("{id}").into(), features }
    }

    proptest::proptest! {
        /// Lists of actions that come again and again, some of which have the id of another.
        #[test]
        fn what_is_known_of_actions_changes_no_answer(
            lists in proptest::collection::vec(proptest::collection::vec(0..12_usize, 1..6), 1..20),
        ) {
            let features = [r#"[{"a":1}]"#, r#"[{"b":[1,2]},{}]"#, "[{}]"];
            let all: Vec<_> =
                (0..12).map(|number| action(number % 8, features[number % 5 % 3])).collect();
            let mut known = CheckedActions::default();
            for list in lists {
                let actions: Vec<_> = list.iter().map(|number| all[*number].clone()).collect();
                let answer = known.check(&actions);
                proptest::prop_assert_eq!(&answer, &CheckedActions::of_wire().check(&actions));
                let ids: HashSet<_> = actions.iter().map(|action| &action.id).collect();
                let has_features = list.iter().all(|number| number % 5 % 3 < 2);
                proptest::prop_assert_eq!(answer.is_ok(), has_features && ids.len() == list.len());
            }
        }
    }
}
