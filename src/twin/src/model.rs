//! The reward model of a twin.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use protocol::RankableAction;

use crate::regression::{Columns, RowSums, predict};
use crate::thinning::Thinning;
use crate::tokens::{Side, Token, Vocabulary};
use crate::{LoggedEvent, RewardKind};

/// The events of a log as examples.
pub struct Examples {
    pub vocabulary: Vocabulary,
    /// The words of the context of each event.
    pub contexts: Vec<Vec<Token>>,
    /// The words of the action that was chosen, its identity first.
    pub chosen: Vec<Vec<Token>>,
    /// Its index among all actions.
    pub chosen_index: Vec<usize>,
    pub rewards: Vec<f64>,
    /// How many events each stands for.
    pub counts: Vec<f64>,
    /// One over the probability of the choice.
    pub weights: Vec<f64>,
    /// Every action, by its id, as it first could be chosen.
    pub actions: Vec<RankableAction>,
    pub index: HashMap<Arc<str>, usize>,
    pub kind: RewardKind,
    pub thinning: Thinning,
    pub lowest: f64,
    pub highest: f64,
}

impl Examples {
    pub fn of(events: &[LoggedEvent]) -> Self {
        let features = events.iter().flat_map(|event| {
            let action = &event.actions[event.chosen];
            [(Side::Context, &*event.context), (Side::Action, &*action.features)]
        });
        let mut vocabulary = Vocabulary::of(features);
        let (mut actions, mut index) = (Vec::new(), HashMap::new());
        let mut last: Option<&Arc<[RankableAction]>> = None;
        for event in events {
            // Most events offer the same list.
            if last.is_some_and(|last| Arc::ptr_eq(last, &event.actions)) {
                continue;
            }
            last = Some(&event.actions);
            for action in event.actions.iter() {
                if !index.contains_key(&action.id) {
                    index.insert(action.id.clone(), actions.len());
                    actions.push(action.clone());
                }
            }
        }
        let contexts = events.iter().map(|event| vocabulary.tokens(Side::Context, &event.context));
        let contexts = contexts.collect();
        let chosen =
            events.iter().map(|event| of_action(&mut vocabulary, &event.actions[event.chosen]));
        let chosen = chosen.collect();
        let chosen_index = events.iter().map(|event| index[&event.actions[event.chosen].id]);
        let chosen_index = chosen_index.collect();
        let rewards: Vec<f64> = events.iter().map(|event| event.reward).collect();
        let lowest = rewards.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = rewards.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let are_two = rewards.iter().all(|reward| *reward == lowest || *reward == highest);
        let kind = if are_two {
            RewardKind::Click { hit: highest, miss: lowest }
        } else {
            RewardKind::Varying(0.0)
        };
        let counts = events.iter().map(|event| event.count).collect();
        let weights = events.iter().map(|event| 1.0 / event.probability).collect();
        let thinning =
            Thinning::of(events.iter().map(|event| (event.count, event.reward >= highest)));
        Self {
            vocabulary,
            contexts,
            chosen,
            chosen_index,
            rewards,
            counts,
            weights,
            actions,
            index,
            kind,
            thinning,
            lowest,
            highest,
        }
    }

    /// How much chance moves the reward of an event, times its count. That of a click follows from
    /// its probability; any other is as far from what is expected as this one was.
    pub fn variance(&self, event: usize, expected: f64) -> f64 {
        let (reward, count) = (self.rewards[event], self.counts[event]);
        match self.kind {
            // All rewards are the same.
            RewardKind::Click { hit, miss } if hit <= miss => 0.0,
            RewardKind::Click { hit, miss } => {
                let factor = self.thinning.factor((expected - miss) / (hit - miss));
                count * factor * ((expected - miss) * (hit - expected))
            }
            RewardKind::Varying(_) => (count * (reward - expected)).powi(2),
        }
    }

    pub fn len(&self) -> usize {
        self.rewards.len()
    }
}

/// The words of an action: its identity, then its features.
pub fn of_action(vocabulary: &mut Vocabulary, action: &RankableAction) -> Vec<Token> {
    let identity = vocabulary.token(format!("action {}", action.id));
    let mut tokens = vec![identity];
    let features = vocabulary.tokens(Side::Action, &action.features);
    tokens.extend(features.into_iter().filter(|token| *token != identity));
    tokens
}

/// What the reward model is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// How many words of a context stand in a product with those of an action: 0, 1 or 2.
    pub order: usize,
    /// The penalty of squared weights.
    pub penalty: f64,
}

/// The shapes that are tried, the simplest first.
const PENALTIES: [f64; 4] = [128.0, 16.0, 2.0, 0.25];
const ORDERS: [usize; 3] = [0, 1, 2];

/// Contexts with more words have no products of two of them.
const MOST_PAIRED: usize = 12;

/// A more complex shape must be better by this share of the error.
const WORTH: f64 = 1e-4;

/// Cells with fewer events are not corrected.
const FEWEST_IN_CELL: usize = 30;

/// A product of words: two of the context at most, and one of the action at most.
type Product = (Token, Token, Token);
const NONE: Token = Token::MAX;

/// Expected rewards.
pub struct Model {
    pub shape: Shape,
    columns: HashMap<Product, u32>,
    weights: Vec<f64>,
    /// What is added for an action, by its identity.
    corrections: HashMap<Token, f64>,
    lowest: f64,
    highest: f64,
    /// The mean of squared errors on the events that it was fitted on.
    pub residual_variance: f64,
}

impl Model {
    /// Fits a model on some events. Its shape is the one with the least error where each half of
    /// these events is predicted by the other.
    pub fn fit(examples: &Examples, fitted: &[usize]) -> Self {
        let most = examples.contexts.iter().map(Vec::len).max().unwrap_or(0);
        let rows = Rows::of(examples, fitted);
        let all = rows.sums(examples, fitted.iter());
        let halves = [0, 1].map(|half| rows.sums(examples, fitted.iter().skip(half).step_by(2)));
        let range = examples.highest - examples.lowest;
        let mut best: Option<(f64, Self)> = None;
        for order in ORDERS.into_iter().filter(|order| *order < 2 || most <= MOST_PAIRED) {
            let (columns, design) = rows.design(order);
            for penalty in PENALTIES {
                let error_of = |half: usize| {
                    let weights = design.fit(&halves[half], range, penalty);
                    let of_row = |(columns, sums): (&Vec<u32>, &RowSums)| {
                        let predicted = predict(&weights, columns);
                        let predicted = predicted.clamp(examples.lowest, examples.highest);
                        sums.squares + predicted * (sums.count * predicted - 2.0 * sums.reward)
                    };
                    design.of_row.iter().zip(&halves[1 - half]).map(of_row).sum::<f64>()
                };
                let error = error_of(0) + error_of(1);
                if best.as_ref().is_none_or(|(least, _)| error < *least * (1.0 - WORTH)) {
                    let model = Self {
                        shape: Shape { order, penalty },
                        columns: columns.clone(),
                        weights: design.fit(&all, range, penalty),
                        corrections: HashMap::new(),
                        lowest: examples.lowest,
                        highest: examples.highest,
                        residual_variance: 0.0,
                    };
                    best = Some((error, model));
                }
            }
        }
        let mut model = best.expect("at least one shape is tried").1;
        model.correct(examples, fitted);
        let error = |event: &usize| {
            let error = examples.rewards[*event] - model.of(examples, *event);
            examples.counts[*event] * error.powi(2)
        };
        let errors: f64 = fitted.iter().map(error).sum();
        let events: f64 = fitted.iter().map(|event| examples.counts[*event]).sum();
        model.residual_variance = errors / events.max(1.0);
        model
    }

    /// The expected reward of an action in a context.
    pub fn reward(&self, context: &[Token], action: &[Token]) -> f64 {
        let mut sum = 0.0;
        each_product(self.shape.order, context, action, |product| {
            let weight = self.columns.get(&product).map(|column| self.weights[*column as usize]);
            sum += weight.unwrap_or(0.0);
        });
        sum += self.corrections.get(&action[0]).unwrap_or(&0.0);
        sum.clamp(self.lowest, self.highest)
    }

    /// The expected reward of the choice of an event.
    pub fn of(&self, examples: &Examples, event: usize) -> f64 {
        self.reward(&examples.contexts[event], &examples.chosen[event])
    }

    /// Adds the doubly robust residuals: what the model is off by for each action, weighted by one
    /// over the probability of the choice. Each is shrunk by what chance explains of it (James and
    /// Stein, 1961), so noise is left alone.
    fn correct(&mut self, examples: &Examples, fitted: &[usize]) {
        let mut cells: HashMap<Token, Vec<Residual>> = HashMap::new();
        for event in fitted {
            let expected = self.of(examples, *event);
            let error = examples.rewards[*event] - expected;
            let inverse = examples.weights[*event];
            let cell = cells.entry(examples.chosen[*event][0]).or_default();
            cell.push(Residual {
                weight: inverse * examples.counts[*event],
                error,
                variance: inverse * inverse * examples.variance(*event, expected),
            });
        }
        let corrected = cells.into_iter().filter_map(|(cell, of)| Some((cell, shrunk_mean(&of)?)));
        self.corrections = corrected.collect();
    }
}

/// What a model is off by for one event, and how much chance moves `weight · error`.
struct Residual {
    weight: f64,
    error: f64,
    variance: f64,
}

/// The weighted mean, shrunk towards zero; `None` if it is within three standard errors of zero.
fn shrunk_mean(events: &[Residual]) -> Option<f64> {
    if events.len() < FEWEST_IN_CELL {
        return None;
    }
    let total: f64 = events.iter().map(|of| of.weight).sum();
    let mean = events.iter().map(|of| of.weight * of.error).sum::<f64>() / total;
    let variance: f64 = events.iter().map(|of| of.variance).sum();
    // Three errors of the mean, squared: a cell is one of many.
    let chance = 9.0 * variance / (total * total);
    (mean * mean > chance).then(|| mean * (1.0 - chance / (mean * mean)))
}

/// Events that are the same to a model.
struct Rows<'a> {
    /// The words of the context and of the action.
    words: Vec<(&'a [Token], &'a [Token])>,
    of_event: HashMap<usize, usize>,
}

impl<'a> Rows<'a> {
    fn of(examples: &'a Examples, events: &[usize]) -> Self {
        let (mut words, mut of_event) = (Vec::new(), HashMap::new());
        let mut numbers: HashMap<(&[Token], &[Token]), usize> = HashMap::new();
        for event in events {
            let key = (&*examples.contexts[*event], &*examples.chosen[*event]);
            let row = *numbers.entry(key).or_insert(words.len());
            if row == words.len() {
                words.push(key);
            }
            of_event.insert(*event, row);
        }
        Self { words, of_event }
    }

    fn sums<'e>(
        &self,
        examples: &Examples,
        events: impl Iterator<Item = &'e usize>,
    ) -> Vec<RowSums> {
        let mut rows = vec![RowSums::default(); self.words.len()];
        for event in events {
            let (count, reward) = (examples.counts[*event], examples.rewards[*event]);
            let row = &mut rows[self.of_event[event]];
            row.count += count;
            row.reward += count * reward;
            row.squares += count * (reward * reward);
        }
        rows
    }

    /// The columns of all rows, and their numbers.
    fn design(&self, order: usize) -> (HashMap<Product, u32>, Columns) {
        let mut columns: HashMap<Product, u32> = HashMap::new();
        let mut next = 0;
        let of_row = self.words.iter().map(|(context, action)| {
            let mut own = Vec::new();
            each_product(order, context, action, |product| {
                own.push(*columns.entry(product).or_insert_with(|| {
                    next += 1;
                    next - 1
                }));
            });
            own
        });
        let of_row = of_row.collect();
        let count = columns.len();
        (columns, Columns::new(of_row, count))
    }
}

fn each_product(order: usize, context: &[Token], action: &[Token], mut with: impl FnMut(Product)) {
    let mut times_action = |one: Token, other: Token| {
        with((one, other, NONE));
        action.iter().for_each(|word| with((one, other, *word)));
    };
    times_action(NONE, NONE);
    if order == 0 {
        return;
    }
    for (at, word) in context.iter().enumerate() {
        times_action(*word, NONE);
        if order > 1 {
            context[at + 1..].iter().for_each(|other| times_action(*word, *other));
        }
    }
}
