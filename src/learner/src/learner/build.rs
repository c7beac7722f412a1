//! From the settings of a policy to the parts of its learner.

use crate::cost::CostType;
use crate::explore::{
    ActionFilter, Bag, CostRange, Cover, EpsilonGreedy, Exploration, First, RegCb, Rnd, Softmax,
    SquareCb,
};
use crate::features::{
    DEFAULT_NAMESPACE, Expansion, Interactions, NormRule, Numbering, SLOT_INDEX_NAMESPACE,
    SLOT_NAMESPACE, TermMaker, WeightIndexing, WholeIndices,
};
use crate::policy::{Explorer, Settings};
use crate::regression::{Coin, Gd, GdOptions, Regression};

/// `--epsilon` of epsilon-greedy where it is not given.
const DEFAULT_EPSILON: f32 = 0.05;

/// `--learning_rate` where it is not given.
const DEFAULT_LEARNING_RATE: f32 = 0.5;

/// `--mellowness` where it is not given.
const SQUARECB_MELLOWNESS: f32 = 0.001;
const REGCB_MELLOWNESS: f32 = 0.1;

/// The learning rate where those of features are not both adaptive and normalized.
const PLAIN_LEARNING_RATE: f32 = 10.0;

/// How many models of the regression a policy takes (`vw` counts them the same way, as
/// more models make more features collide).
pub(super) fn models(settings: &Settings) -> u32 {
    let each = settings.cost_type.models();
    match settings.explorer {
        Explorer::Bag(members) => members * each,
        Explorer::Cover(policies) if settings.cost_type == CostType::Ips => policies + 1,
        Explorer::Cover(policies) => (policies + 1) * 2,
        Explorer::Rnd(predictors) => (predictors + 1) * each,
        _ => each,
    }
}

pub(super) fn regression(settings: &Settings, models: u32) -> Regression {
    if settings.coin {
        return Coin::new(settings.bits, settings.l2, prediction_range(settings)).into();
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

pub(super) fn term_maker(settings: &Settings, models: u32) -> TermMaker {
    let mut ignored = table(&settings.ignore);
    if !settings.keep.is_empty() {
        ignored = table(&settings.keep);
        ignored.iter_mut().for_each(|kept| *kept = !*kept);
    }
    // They are ignored by the names that they have when they are read.
    ignored[usize::from(SLOT_NAMESPACE)] = ignored[usize::from(DEFAULT_NAMESPACE)];
    ignored[usize::from(SLOT_INDEX_NAMESPACE)] = false;
    let interactions = Interactions::new(settings.interactions.clone());
    let norm_rule = norm_rule(settings);
    let numbering = settings.numbered_actions.map(|actions| Numbering::new(actions, models));
    // Numbered actions have their features in place already.
    let factor = if numbering.is_some() { 1 } else { models.next_power_of_two() };
    let places = WeightIndexing::new(settings.bits, factor);
    TermMaker::new(
        interactions,
        ignored,
        table(&settings.ignore_linear),
        settings.constant,
        places,
        norm_rule,
        numbering,
    )
}

/// The rates that need the squared norm of features, and how VW comes by it.
fn norm_rule(settings: &Settings) -> Option<NormRule> {
    let is_wanted = !settings.coin && !settings.adaptive && !settings.normalized;
    // `learn_returns_prediction`
    let learning_predicts = match settings.explorer {
        Explorer::EpsilonGreedy => settings.cost_type != CostType::Mtr,
        Explorer::Cover(_) => true,
        _ => false,
    };
    let has_bounds = settings.explorer == Explorer::RegCb || settings.elim;
    is_wanted.then_some(NormRule {
        merged_before: !settings.slots && !learning_predicts,
        expansion: match (has_bounds, settings.slots) {
            (false, _) => Expansion::Always,
            (true, false) => Expansion::WithContext,
            (true, true) => Expansion::Never,
        },
    })
}

fn table(letters: &[u8]) -> Box<[bool; 256]> {
    let mut table = Box::new([false; 256]);
    letters.iter().for_each(|letter| table[usize::from(*letter)] = true);
    table
}

pub(super) fn exploration(settings: &Settings, models: u32, seed: u64) -> Exploration {
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
            random_state: seed,
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
            first_only: settings.first_only,
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
            random_state: seed,
        }),
    }
}

/// `--large_action_space`; its first random number is no other's.
pub(super) fn action_filter(settings: &Settings, seed: &mut u64) -> Option<ActionFilter> {
    let most = settings.large_action_space.then_some(settings.max_actions as usize)?;
    let stride = stride(settings);
    Some(ActionFilter {
        most,
        approximation: settings.spanner_c,
        shrinks: settings.explorer == Explorer::SquareCb,
        seed: ActionFilter::seed(seed),
        stride,
        mask: (stride << settings.bits) - 1,
        picked: vec![0; most],
    })
}

/// How many floats stand at one index (`gd.cc`, `ftrl.cc`).
pub(super) fn stride(settings: &Settings) -> u64 {
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
