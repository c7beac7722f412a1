use record::Loss;
use scenario::Plan;

/// The expected reward of every action for every preference, and the regret of choices.
pub(super) struct RegretModel {
    actions: usize,
    /// Row-major, `actions` by `actions`: a row for each preferred action, a column for each
    /// chosen one.
    expected_rewards: Vec<f64>,
    /// The highest expected reward of the actions that may be chosen, by preferred action.
    best: Vec<f64>,
}

impl RegretModel {
    pub(super) fn new(plan: &Plan) -> Self {
        let actions = plan.actions.len();
        let pairs = (0..actions).flat_map(|preferred| (0..actions).map(move |of| (preferred, of)));
        let expected = pairs.map(|(preferred, chosen)| plan.reward.expected(preferred, chosen));
        let expected_rewards: Vec<f64> = expected.collect();
        let may_be_chosen = |action: &usize| {
            let id = &*plan.actions[*action].id;
            !plan.excluded_actions.iter().any(|excluded| **excluded == *id)
        };
        let best = |preferred: usize| {
            let offered = (0..actions).filter(may_be_chosen);
            let rewards = offered.map(|chosen| expected_rewards[preferred * actions + chosen]);
            rewards.fold(f64::NEG_INFINITY, f64::max)
        };
        Self { actions, best: (0..actions).map(best).collect(), expected_rewards }
    }

    /// The loss of a choice where the service ranks `favourite` highest. Arguments are
    /// indices of actions.
    pub(super) fn loss(&self, preferred: usize, chosen: usize, favourite: Option<usize>) -> Loss {
        let expected = |action: usize| self.expected_rewards[preferred * self.actions + action];
        Loss {
            regret: self.best[preferred] - expected(chosen),
            exploration: favourite.map(|favourite| expected(favourite) - expected(chosen)),
        }
    }
}
