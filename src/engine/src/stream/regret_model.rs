use std::cell::RefCell;

use foldhash::HashMap;

use super::offer::Offer;
use plan::Plan;
use plan::{ActionState, Catalogue, Choice, Preference, Visitor, Wanted};
use record::Loss;

/// The expected reward of every choice, and the regret of choices.
pub(super) struct RegretModel<'a> {
    plan: &'a Plan,
    /// The traits of all actions; `None` if some action changes during the run.
    traits: Option<Traits>,
    /// The indices of the actions that are not excluded.
    included: Vec<usize>,
    /// The best choice for those who prefer an action, by its index, where everything is offered.
    of_preferred: RefCell<HashMap<usize, Best>>,
}

/// The traits of actions that never change, in one list without gaps: an event reads those of each of
/// its candidates, and neighbours in memory cost fewer cache misses.
struct Traits {
    /// Where those of each action end.
    ends: Vec<u32>,
    numbers: Vec<u32>,
}

impl Traits {
    /// Those of a catalogue whose actions have one state each.
    fn of(catalogue: &Catalogue) -> Self {
        let narrow = |number: usize| u32::try_from(number).expect("fewer than 2^32 traits");
        let mut numbers = Vec::new();
        let end = |states: &Vec<ActionState>| {
            let traits = states.iter().flat_map(|state| &state.traits);
            numbers.extend(traits.map(|number| narrow(*number)));
            narrow(numbers.len())
        };
        Self { ends: catalogue.states.iter().map(end).collect(), numbers }
    }

    fn at(&self, index: usize) -> impl Iterator<Item = usize> {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before));
        let (start, end) = (start.unwrap_or(&0), self.ends.get(index).unwrap_or(&0));
        self.numbers[*start as usize..*end as usize].iter().map(|number| *number as usize)
    }
}

/// How much traits are liked in sum.
fn sum(liking: &[f64], traits: impl Iterator<Item = usize>) -> f64 {
    traits.map(|number| liking[number]).sum()
}

/// A choice with the highest expected reward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Best {
    /// The index of the action; of several, the first.
    pub action: usize,
    pub expected: f64,
}

impl<'a> RegretModel<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let is_excluded =
            |action: usize| plan.excluded_actions.iter().any(|id| **id == *plan.actions[action].id);
        let included = (0..plan.actions.len()).filter(|action| !is_excluded(*action)).collect();
        let catalogue = plan.catalogue.as_deref();
        let traits = catalogue.filter(|catalogue| catalogue.is_constant()).map(Traits::of);
        Self { plan, traits, included, of_preferred: RefCell::default() }
    }

    /// What a visitor wants of the actions that are offered.
    pub(super) fn wanted<'v>(&self, visitor: &'v Visitor, offer: &Offer) -> Wanted<'v> {
        match &visitor.preference {
            Preference::Action(preferred) => Wanted::Action(*preferred),
            Preference::Rewards(rewards) => Wanted::Rewards(rewards),
            Preference::Liking(liking) => {
                Wanted::Action(self.most_liked(liking, offer, 0..offer.actions.len()))
            }
        }
    }

    /// What a visitor wants of some of the actions that are offered, by their positions.
    pub(super) fn wanted_of<'v>(
        &self,
        visitor: &'v Visitor,
        offer: &Offer,
        positions: &[usize],
    ) -> Wanted<'v> {
        match &visitor.preference {
            Preference::Liking(liking) => {
                Wanted::Action(self.most_liked(liking, offer, positions.iter().copied()))
            }
            _ => self.wanted(visitor, offer),
        }
    }

    /// The action whose traits are liked most in sum; of several, the first of them.
    fn most_liked(
        &self,
        liking: &[f64],
        offer: &Offer,
        positions: impl Iterator<Item = usize>,
    ) -> usize {
        let catalogue = self.plan.catalogue.as_deref();
        let of_action = |position: usize| {
            let index = offer.index(position);
            if let Some(traits) = &self.traits {
                return (position, sum(liking, traits.at(index)));
            }
            let state = catalogue.and_then(|of| of.state(index, offer.at));
            let traits = state.into_iter().flat_map(|state| &state.traits);
            (position, sum(liking, traits.copied()))
        };
        let best = positions
            .map(of_action)
            .reduce(|best, other| if other.1 > best.1 { other } else { best });
        offer.index(best.expect("an event offers something").0)
    }

    /// The expected reward of an action that is offered.
    pub(super) fn expected(
        &self,
        wanted: Wanted<'_>,
        visitor: &Visitor,
        offer: &Offer,
        at: usize,
    ) -> f64 {
        let (index, action) = (offer.index(at), &offer.actions[at]);
        self.plan.reward.expected(Choice { wanted, context: &visitor.features, index, action })
    }

    /// The best choice for a visitor.
    pub(super) fn best(&self, wanted: Wanted<'_>, visitor: &Visitor, offer: &Offer) -> Best {
        match wanted {
            Wanted::Action(action) if self.plan.reward.formula.is_none() => {
                if offer.indices.is_some() {
                    return self.search(wanted, visitor, offer);
                }
                let mut known = self.of_preferred.borrow_mut();
                *known.entry(action).or_insert_with(|| self.search(wanted, visitor, offer))
            }
            _ => self.search(wanted, visitor, offer),
        }
    }

    fn search(&self, wanted: Wanted<'_>, visitor: &Visitor, offer: &Offer) -> Best {
        let best = |at: usize| Best {
            action: offer.index(at),
            expected: self.expected(wanted, visitor, offer, at),
        };
        let better =
            |one: Best, other: Best| if other.expected > one.expected { other } else { one };
        let found = match offer.indices {
            Some(_) => (0..offer.actions.len()).map(best).reduce(better),
            None => self.included.iter().map(|index| best(*index)).reduce(better),
        };
        found.expect("a plan leaves something to choose")
    }

    /// The loss of a choice where the service ranks `favourite` highest. Actions are positions
    /// in the offer.
    pub(super) fn loss(
        &self,
        (wanted, best): (Wanted<'_>, Best),
        visitor: &Visitor,
        offer: &Offer,
        chosen: usize,
        favourite: Option<usize>,
    ) -> Loss {
        let expected = |at: usize| self.expected(wanted, visitor, offer, at);
        let of_choice = expected(chosen);
        Loss {
            regret: best.expected - of_choice,
            exploration: favourite.map(|favourite| expected(favourite) - of_choice),
        }
    }
}
