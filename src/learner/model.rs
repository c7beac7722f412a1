use super::cost::{CostModel, Scored};
use super::explore::{EpsilonGreedy, Exploration, First, Softmax, Stage};
use super::features::{Event, EventTerms, Interactions, Label, TermMaker};
use super::policy::{Explorer, LearningPolicy, Settings};
use super::regression::{Coin, Gd, GdOptions, Regression};

/// A model under a learning policy.
#[derive(Debug, Clone)]
pub struct Learner {
    policy: LearningPolicy,
    event: EventTerms,
    costs: CostModel,
    exploration: Exploration,
    ranked: Vec<Scored>,
}

/// What a learner makes of an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// The probability of each action, in the order of the event.
    pub pmf: Vec<f32>,
    /// The indices of the actions, best first: the order in which the service samples.
    pub ranking: Vec<usize>,
}

/// `--epsilon` of epsilon-greedy where it is not given.
const DEFAULT_EPSILON: f32 = 0.05;

/// `--learning_rate` where it is not given.
const DEFAULT_LEARNING_RATE: f32 = 0.5;

/// The same, where the rates of features are not both adaptive and normalized.
const PLAIN_LEARNING_RATE: f32 = 10.0;

impl Learner {
    /// A blank model.
    #[must_use]
    pub fn new(policy: &LearningPolicy) -> Self {
        let settings = &policy.settings;
        let models = settings.cost_type.models();
        let regression = regression(settings, models);
        Self {
            policy: policy.clone(),
            event: EventTerms::new(term_maker(settings)),
            costs: CostModel::new(settings.cost_type, settings.clip_p, regression, models as usize),
            exploration: exploration(settings),
            ranked: Vec::new(),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &LearningPolicy {
        &self.policy
    }

    /// Predicts into `prediction`, whose buffers are used again.
    pub fn predict(&mut self, event: &Event, prediction: &mut Prediction) {
        self.event.turn_to(event);
        let Self { event, costs, exploration, ranked, .. } = self;
        exploration.predict(&mut Stage { costs, event, ranked }, prediction);
    }

    /// Learns from one labelled event.
    pub fn learn(&mut self, event: &Event, label: &Label) {
        self.event.turn_to(event);
        let Self { event, costs, exploration, ranked, .. } = self;
        exploration.learn(&mut Stage { costs, event, ranked }, label);
        self.costs.regression.finish_event(1.0);
    }

    /// Puts the score of each action into `scores`; lower is better.
    pub fn scores(&mut self, event: &Event, scores: &mut Vec<f32>) {
        self.event.turn_to(event);
        scores.clear();
        for action in 0..self.event.len() {
            scores.push(self.costs.regression.score(self.event.of(action), 0));
        }
    }
}

fn regression(settings: &Settings, models: u32) -> Regression {
    let factor = models.next_power_of_two();
    if settings.coin {
        return Regression::Coin(Coin::new(settings.bits, factor, prediction_range(settings)));
    }
    let by_feature = settings.adaptive && settings.normalized;
    let default_rate = if by_feature { DEFAULT_LEARNING_RATE } else { PLAIN_LEARNING_RATE };
    let options = GdOptions {
        bits: settings.bits,
        models_factor: factor,
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
    Regression::Gd(Gd::new(options, models as usize))
}

/// Given, the range is frozen, and the end that is missing stays zero.
fn prediction_range(settings: &Settings) -> Option<(f32, f32)> {
    let given = settings.min_prediction.is_some() || settings.max_prediction.is_some();
    let end = |end: Option<f32>| end.unwrap_or(0.0);
    given.then(|| (end(settings.min_prediction), end(settings.max_prediction)))
}

fn term_maker(settings: &Settings) -> TermMaker {
    let mut ignored = table(&settings.ignore);
    if !settings.keep.is_empty() {
        ignored = table(&settings.keep);
        ignored.iter_mut().for_each(|kept| *kept = !*kept);
    }
    let interactions = Interactions::new(settings.interactions.clone());
    TermMaker::new(interactions, ignored, table(&settings.ignore_linear), settings.constant)
}

fn table(letters: &[u8]) -> Box<[bool; 256]> {
    let mut table = Box::new([false; 256]);
    letters.iter().for_each(|letter| table[usize::from(*letter)] = true);
    table
}

fn exploration(settings: &Settings) -> Exploration {
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
    }
}
