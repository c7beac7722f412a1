use foldhash::HashMap;
use std::cell::RefCell;

use record::Loss;
use scenario::Plan;
use scenario::plan::{Choice, Preference, Visitor};

/// The expected reward of every choice, and the regret of choices.
pub(super) struct RegretModel<'a> {
    plan: &'a Plan,
    /// The indices of the actions that may be chosen.
    offered: Vec<usize>,
    /// The best choice for those who prefer an action, by its index. What it is worth to them
    /// does not depend on who they are, unless a formula says so.
    of_preferred: RefCell<HashMap<usize, Best>>,
}

/// A choice with the highest expected reward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Best {
    /// The index of the action; of several, the first.
    pub action: usize,
    pub expected: f64,
}

impl<'a> RegretModel<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let is_excluded =
            |action: usize| plan.excluded_actions.iter().any(|id| **id == *plan.actions[action].id);
        let offered = (0..plan.actions.len()).filter(|action| !is_excluded(*action)).collect();
        Self { plan, offered, of_preferred: RefCell::default() }
    }

    /// The expected reward of an action.
    fn expected(&self, visitor: &Visitor, index: usize) -> f64 {
        let action = &self.plan.actions[index];
        self.plan.reward.expected(Choice { visitor, index, action })
    }

    /// The best choice for a visitor.
    pub(super) fn best(&self, visitor: &Visitor) -> Best {
        match visitor.preference {
            Preference::Action(preferred) if self.plan.reward.formula.is_none() => {
                let mut known = self.of_preferred.borrow_mut();
                *known.entry(preferred).or_insert_with(|| self.search(visitor))
            }
            _ => self.search(visitor),
        }
    }

    fn search(&self, visitor: &Visitor) -> Best {
        let rewards = self
            .offered
            .iter()
            .map(|&action| Best { action, expected: self.expected(visitor, action) });
        let best =
            rewards.reduce(|best, other| if other.expected > best.expected { other } else { best });
        best.expect("a plan leaves something to choose")
    }

    /// The loss of a choice where the service ranks `favourite` highest. Actions are indices.
    pub(super) fn loss(&self, visitor: &Visitor, chosen: usize, favourite: Option<usize>) -> Loss {
        let of_choice = self.expected(visitor, chosen);
        Loss {
            regret: self.best(visitor).expected - of_choice,
            exploration: favourite.map(|favourite| self.expected(visitor, favourite) - of_choice),
        }
    }
}
