use super::cost::{CostModel, CostType, Scored};
use super::explore::{
    Bag, CostRange, Cover, EpsilonGreedy, Exploration, First, RegCb, Rnd, Softmax, SquareCb, Stage,
};
use super::features::{
    DEFAULT_SLOT, Event, EventTerms, Interactions, Label, PLACE_NUMBER_SLOT, PLACE_SLOT, Places,
    TermMaker, WholeIndices,
};
use super::policy::{Explorer, LearningPolicy, Settings};
use super::regression::{Coin, Gd, GdOptions, Regression};
use super::slots::Slots;

/// A model under a learning policy.
#[derive(Debug, Clone)]
pub struct Learner {
    policy: LearningPolicy,
    pub(super) event: EventTerms,
    pub(super) costs: CostModel,
    pub(super) exploration: Exploration,
    pub(super) slots: Slots,
    ranked: Vec<Scored>,
}

/// What a learner makes of an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// The probability of each action, in the order of the event.
    pub pmf: Vec<f32>,
    /// The indices of the actions that may be chosen, best first: the order in which the
    /// service samples.
    pub ranking: Vec<usize>,
    /// The cost that the model expects of each action, in the order of the event.
    pub scores: Vec<f32>,
}

/// `--epsilon` of epsilon-greedy where it is not given.
const DEFAULT_EPSILON: f32 = 0.05;

/// `--learning_rate` where it is not given.
const DEFAULT_LEARNING_RATE: f32 = 0.5;

/// `--mellowness` where it is not given.
const SQUARECB_MELLOWNESS: f32 = 0.001;
const REGCB_MELLOWNESS: f32 = 0.1;

/// The learning rate where those of features are not both adaptive and normalized.
const PLAIN_LEARNING_RATE: f32 = 10.0;

impl Learner {
    /// A blank model.
    #[must_use]
    pub fn new(policy: &LearningPolicy) -> Self {
        let settings = &policy.settings;
        let models = models(settings);
        let regression = regression(settings, models);
        Self {
            policy: policy.clone(),
            event: EventTerms::new(term_maker(settings, models)),
            costs: CostModel::new(settings.cost_type, settings.clip_p, regression, models as usize),
            exploration: exploration(settings, models),
            slots: Slots::new(settings.slots, settings.hashing, settings.random_seed),
            ranked: Vec::new(),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &LearningPolicy {
        &self.policy
    }

    /// Predicts into `prediction`, whose buffers are used again; of an event with slots,
    /// the choice for the first.
    pub fn predict(&mut self, event: &Event, prediction: &mut Prediction) {
        if self.slots.concern(event) {
            return self.predict_first_slot(event, prediction);
        }
        self.predict_one(event, prediction);
    }

    /// Learns from one labelled event; from one with slots, what came of each of them.
    pub fn learn(&mut self, event: &Event, label: &Label) {
        if event.slots.is_some() {
            return self.learn_slots(event);
        }
        if self.slots.concern(event) {
            return self.learn_slot(event, label);
        }
        self.learn_one(event, label);
        self.costs.regression.finish_event(label.weight);
    }

    /// Predicts one choice.
    pub(super) fn predict_one(&mut self, event: &Event, prediction: &mut Prediction) {
        self.event.turn_to(event);
        let Self { event, costs, exploration, ranked, .. } = self;
        exploration.predict(&mut Stage { costs, event, ranked }, prediction);
    }

    /// Learns from one choice.
    pub(super) fn learn_one(&mut self, event: &Event, label: &Label) {
        self.event.turn_to(event);
        let Self { event, costs, exploration, ranked, .. } = self;
        exploration.learn(&mut Stage { costs, event, ranked }, label);
    }

    /// A copy that can [catch up](Self::catch_up) with this learner.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self {
            policy: self.policy.clone(),
            event: self.event.clone(),
            costs: self.costs.fork(),
            exploration: self.exploration.clone(),
            slots: self.slots.clone(),
            ranked: Vec::new(),
        }
    }

    /// Becomes as `ahead` is, at the cost of what it has learned since. This learner must
    /// be its latest fork.
    pub fn catch_up(&mut self, ahead: &mut Self) {
        self.costs.catch_up(&mut ahead.costs);
        self.exploration.clone_from(&ahead.exploration);
        self.take_slots(&ahead.slots);
    }

    /// What learning changes.
    pub(super) fn parts(&self) -> (&CostModel, &Exploration, &Slots) {
        (&self.costs, &self.exploration, &self.slots)
    }

    /// The same learner with other experience.
    pub(super) fn with_parts(self, costs: CostModel, exploration: Exploration) -> Self {
        Self { costs, exploration, ..self }
    }

    /// Puts the score of each action into `scores`; lower is better. Slots do not count.
    pub fn scores(&mut self, event: &Event, scores: &mut Vec<f32>) {
        self.event.turn_to(event);
        scores.clear();
        for action in 0..self.event.len() {
            scores.push(self.costs.regression.score(self.event.of(action), 0));
        }
    }
}

/// How many models of the regression a policy takes (`vw` counts them the same way, as
/// more models make more features collide).
fn models(settings: &Settings) -> u32 {
    let each = settings.cost_type.models();
    match settings.explorer {
        Explorer::Bag(members) => members * each,
        Explorer::Cover(policies) if settings.cost_type == CostType::Ips => policies + 1,
        Explorer::Cover(policies) => (policies + 1) * 2,
        Explorer::Rnd(predictors) => (predictors + 1) * each,
        _ => each,
    }
}

fn regression(settings: &Settings, models: u32) -> Regression {
    if settings.coin {
        return Coin::new(settings.bits, prediction_range(settings)).into();
    }
    let by_feature = settings.adaptive && settings.normalized;
    let default_rate = if by_feature { DEFAULT_LEARNING_RATE } else { PLAIN_LEARNING_RATE };
    let options = GdOptions {
        bits: settings.bits,
        learning_rate: settings.learning_rate.unwrap_or(default_rate),
        power_t: settings.power_t,
        initial_t: settings.initial_t,
        adaptive: settings.adaptive,
        normalized: settings.normalized,
        invariant: settings.invariant,
        l1: settings.l1,
        l2: settings.l2,
        constant: settings.constant_weight,
        prediction_range: prediction_range(settings),
    };
    Gd::new(options, models as usize).into()
}

/// Given, the range is frozen, and the end that is missing stays zero.
fn prediction_range(settings: &Settings) -> Option<(f32, f32)> {
    let given = settings.min_prediction.is_some() || settings.max_prediction.is_some();
    let end = |end: Option<f32>| end.unwrap_or(0.0);
    given.then(|| (end(settings.min_prediction), end(settings.max_prediction)))
}

fn term_maker(settings: &Settings, models: u32) -> TermMaker {
    let mut ignored = table(&settings.ignore);
    if !settings.keep.is_empty() {
        ignored = table(&settings.keep);
        ignored.iter_mut().for_each(|kept| *kept = !*kept);
    }
    // They are ignored by the names that they have when they are read.
    ignored[usize::from(PLACE_SLOT)] = ignored[usize::from(DEFAULT_SLOT)];
    ignored[usize::from(PLACE_NUMBER_SLOT)] = false;
    let interactions = Interactions::new(settings.interactions.clone());
    let places = Places::new(settings.bits, models.next_power_of_two());
    TermMaker::new(interactions, ignored, table(&settings.ignore_linear), settings.constant, places)
}

fn table(letters: &[u8]) -> Box<[bool; 256]> {
    let mut table = Box::new([false; 256]);
    letters.iter().for_each(|letter| table[usize::from(*letter)] = true);
    table
}

fn exploration(settings: &Settings, models: u32) -> Exploration {
    let epsilon = settings.epsilon;
    match settings.explorer {
        Explorer::EpsilonGreedy => Exploration::EpsilonGreedy(EpsilonGreedy {
            epsilon: epsilon.unwrap_or(DEFAULT_EPSILON),
            first_only: settings.first_only,
        }),
        Explorer::Softmax => Exploration::Softmax(Softmax {
            epsilon: epsilon.unwrap_or(0.0),
            lambda: settings.lambda,
        }),
        Explorer::First(remaining) => {
            Exploration::First(First { epsilon: epsilon.unwrap_or(0.0), remaining })
        }
        Explorer::Bag(members) => Exploration::Bag(Bag {
            members,
            epsilon: epsilon.unwrap_or(0.0),
            first_only: settings.first_only,
            greedify: settings.greedify,
            random_state: settings.random_seed,
        }),
        Explorer::Cover(policies) => Exploration::Cover(Cover {
            policies,
            epsilon,
            psi: settings.psi,
            nounif: settings.nounif,
            first_only: settings.first_only,
            learned: 0,
        }),
        Explorer::SquareCb => Exploration::SquareCb(SquareCb {
            epsilon: epsilon.unwrap_or(0.0),
            gamma_scale: settings.gamma_scale,
            gamma_exponent: settings.gamma_exponent,
            elimination: settings.elim.then(|| cost_range(settings, SQUARECB_MELLOWNESS)),
            learned: 0,
        }),
        Explorer::RegCb => Exploration::RegCb(RegCb {
            range: cost_range(settings, REGCB_MELLOWNESS),
            optimistic: settings.regcbopt,
            learned: 0,
        }),
        Explorer::Rnd(predictors) => Exploration::Rnd(Rnd {
            predictors,
            epsilon: epsilon.unwrap_or(0.0),
            alpha: settings.rnd_alpha,
            inverse_lambda: settings.rnd_invlambda,
            whole: WholeIndices {
                bits: settings.bits,
                scale: u64::from(models.next_power_of_two()) * stride(settings),
            },
            stride: stride(settings),
            random_state: settings.random_seed,
        }),
    }
}

/// How many floats stand at one index (`gd.cc`, `ftrl.cc`).
fn stride(settings: &Settings) -> u64 {
    match (settings.coin, settings.adaptive || settings.normalized) {
        (true, _) => 8,
        (false, true) => 4,
        (false, false) => 1,
    }
}

fn cost_range(settings: &Settings, mellowness: f32) -> CostRange {
    CostRange {
        lowest: settings.min_cost,
        highest: settings.max_cost,
        mellowness: settings.mellowness.unwrap_or(mellowness),
    }
}
