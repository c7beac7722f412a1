use record::Loss;
use scenario::Plan;

/// What choices are worth: the expected reward of every action for every preference.
pub(super) struct Worth {
    actions: usize,
    /// By the preferred action, then by the chosen one.
    expected: Vec<f64>,
    /// The best that may be chosen, by the preferred action.
    best: Vec<f64>,
}

impl Worth {
    pub fn new(plan: &Plan) -> Self {
        let actions = plan.actions.len();
        let pairs = (0..actions).flat_map(|preferred| (0..actions).map(move |of| (preferred, of)));
        let expected = pairs.map(|(preferred, chosen)| plan.reward.expected(preferred, chosen));
        let expected: Vec<f64> = expected.collect();
        let may_be_chosen = |action: &usize| {
            let id = &*plan.actions[*action].id;
            !plan.excluded_actions.iter().any(|excluded| **excluded == *id)
        };
        let best = |preferred: usize| {
            let offered = (0..actions).filter(may_be_chosen);
            let worth = offered.map(|chosen| expected[preferred * actions + chosen]);
            worth.fold(f64::NEG_INFINITY, f64::max)
        };
        Self { actions, best: (0..actions).map(best).collect(), expected }
    }

    /// What it cost to choose an action, where the service thought another the best.
    pub fn loss(&self, preferred: usize, chosen: usize, favourite: Option<usize>) -> Loss {
        let worth = |action: usize| self.expected[preferred * self.actions + action];
        Loss {
            regret: self.best[preferred] - worth(chosen),
            exploration: favourite.map(|favourite| worth(favourite) - worth(chosen)),
        }
    }
}
