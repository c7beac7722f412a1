//! The proof of a twin: what it must give back of the events that it was not fitted on.

use std::collections::BTreeMap;

use crate::dependence::dimension;
use crate::model::{Examples, Model};
use crate::thinning::Thinning;
use crate::tokens::Token;
use crate::{RewardKind, real};

/// What a proof found.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// How many events the model was fitted on.
    pub fitted: usize,
    /// How many events were held out.
    pub held_out: usize,
    /// The mean reward of the held-out events.
    pub logged: f64,
    /// What the twin says that it is.
    pub twin: f64,
    /// Half of the 95 % interval of the difference.
    pub half_width: f64,
    /// How many tests were made.
    pub tests: usize,
    /// The least of their p's, corrected for all of them (Holm).
    pub least_p: f64,
    /// What is not given back, the surest first.
    pub deviations: Vec<Deviation>,
}

/// A part of the log that the twin does not give back.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// Which part.
    pub part: String,
    /// How many held-out events it has.
    pub events: usize,
    /// Their mean reward.
    pub logged: f64,
    /// What the twin says that it is.
    pub twin: f64,
    /// Half of the 95 % interval of the difference.
    pub half_width: f64,
    /// The p of the difference, corrected for all tests (Holm).
    pub p: f64,
}

/// An honest log is refused with this probability at most, as far as the tests are exact.
const LEVEL: f64 = 0.005;

/// So many windows the held-out events are cut into, in the order of time.
const WINDOWS: usize = 10;

/// A group is tested if chance moves the sum of its rewards by so many clicks, squared (then the
/// normal law holds well enough), or if it has so many events.
const LEAST_VARIANCE: f64 = 10.0;
const FEWEST: usize = 30;

/// Contexts that turn up more seldom are seen by their parts only.
const MOST_CONTEXTS: usize = 200;

/// Half of the width of a 95 % interval, in standard errors.
const WIDTH: f64 = 1.96;

/// Sums over one half of the events of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    events: usize,
    /// How many events these stand for.
    count: f64,
    reward: f64,
    twin: f64,
    /// How many of the rewards are the higher of two.
    hits: f64,
    /// The variance of the sum of rewards.
    variance: f64,
}

/// A group of events: those that the model was fitted on, and those held out.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    fitted: Sums,
    held_out: Sums,
}

impl Group {
    fn difference(&self) -> f64 {
        (self.held_out.reward - self.held_out.twin) / self.held_out.count.max(1.0)
    }

    /// The standard error of the difference: of the held-out mean, and of what the model could
    /// learn of the group.
    fn error(&self) -> f64 {
        let of = |sums: &Sums| sums.variance / (sums.count * sums.count);
        libm::sqrt(of(&self.held_out) + of(&self.fitted))
    }

    fn z(&self) -> f64 {
        self.difference() / self.error()
    }

    /// The group as it is tested; none, if chance could not be told from a deviation. If the model
    /// is sure of all of its clicks, chance is that of draws with the mean of the group.
    fn settled(mut self, click: Option<Click>) -> Option<Self> {
        if let Some(Click { square, thinning }) = click {
            let least = LEAST_VARIANCE * square * thinning.step(self.mean()).powi(2);
            let halves = [self.fitted, self.held_out];
            if halves.iter().any(|sums| sums.variance < least) {
                let mean = self.mean();
                for sums in [&mut self.fitted, &mut self.held_out] {
                    let factor = thinning.factor(mean);
                    sums.variance = sums.count * factor * mean * (1.0 - mean) * square;
                }
            }
            if self.fitted.variance < least || self.held_out.variance < least {
                return None;
            }
        }
        let is_large = self.fitted.events >= FEWEST && self.held_out.events >= FEWEST;
        (is_large && self.error() > 0.0).then_some(self)
    }

    /// The share of clicks.
    fn mean(&self) -> f64 {
        (self.fitted.hits + self.held_out.hits) / (self.fitted.count + self.held_out.count).max(1.0)
    }
}

/// Rewards that are clicks.
#[derive(Clone, Copy)]
struct Click {
    /// The range of rewards, squared.
    square: f64,
    thinning: Thinning,
}

/// A test, and the group that shows it best.
struct Test {
    part: String,
    group: Group,
    p: f64,
}

/// Groups of events by one property.
type Groups<K> = BTreeMap<K, Group>;

struct Prover<'a> {
    examples: &'a Examples,
    /// The expected reward of each event's choice.
    expected: Vec<f64>,
    variances: Vec<f64>,
    is_held_out: Vec<bool>,
    /// What rewards are, where they are clicks.
    click: Option<Click>,
    tests: Vec<Test>,
}

/// Holds a model against the events that it was not fitted on.
pub fn prove(examples: &Examples, model: &Model, fitted: &[usize], held_out: &[usize]) -> Proof {
    let expected: Vec<f64> = (0..examples.len()).map(|event| model.of(examples, event)).collect();
    let mut is_held_out = vec![false; examples.len()];
    held_out.iter().for_each(|event| is_held_out[*event] = true);
    let events = expected.iter().enumerate();
    let variances = events.map(|(event, expected)| examples.variance(event, *expected)).collect();
    let click = match examples.kind {
        RewardKind::Click { hit, miss } => {
            Some(Click { square: (hit - miss).powi(2), thinning: examples.thinning })
        }
        RewardKind::Varying(_) => None,
    };
    let tests = Vec::new();
    let mut prover = Prover { examples, expected, variances, is_held_out, click, tests };
    let all = prover.everything();
    prover.in_time(held_out);
    prover.by_action();
    prover.by_context();
    let p: Vec<f64> = prover.tests.iter().map(|test| test.p).collect();
    let corrected = statistics::holm(&p);
    let mut deviations: Vec<Deviation> = prover
        .tests
        .iter()
        .zip(&corrected)
        .filter(|(_, p)| **p < LEVEL)
        .map(|(test, p)| deviation(test, *p))
        .collect();
    deviations.sort_by(|one, other| one.p.total_cmp(&other.p));
    let events = all.held_out.count.max(1.0);
    Proof {
        fitted: fitted.len(),
        held_out: held_out.len(),
        logged: all.held_out.reward / events,
        twin: all.held_out.twin / events,
        half_width: WIDTH * all.error(),
        tests: p.len(),
        least_p: corrected.iter().copied().fold(1.0, f64::min),
        deviations,
    }
}

fn deviation(Test { part, group, .. }: &Test, p: f64) -> Deviation {
    let events = group.held_out.count.max(1.0);
    Deviation {
        part: part.clone(),
        events: group.held_out.events,
        logged: group.held_out.reward / events,
        twin: group.held_out.twin / events,
        half_width: WIDTH * group.error(),
        p,
    }
}

impl Prover<'_> {
    fn add(&self, group: &mut Group, event: usize) {
        let is_held_out = self.is_held_out[event];
        let sums = if is_held_out { &mut group.held_out } else { &mut group.fitted };
        let (count, reward) = (self.examples.counts[event], self.examples.rewards[event]);
        sums.events += 1;
        sums.count += count;
        sums.reward += count * reward;
        sums.twin += count * self.expected[event];
        sums.hits += if reward >= self.examples.highest { count } else { 0.0 };
        sums.variance += self.variances[event];
    }

    fn groups<K: Ord>(&self, key: impl Fn(usize) -> Option<K>) -> Groups<K> {
        let mut groups = Groups::new();
        for event in 0..self.examples.len() {
            if let Some(key) = key(event) {
                self.add(groups.entry(key).or_default(), event);
            }
        }
        groups
    }

    fn test(&mut self, part: String, group: Group) {
        if let Some(group) = group.settled(self.click) {
            let p = libm::erfc(group.z().abs() / std::f64::consts::SQRT_2);
            self.tests.push(Test { part, group, p });
        }
    }

    /// The logger's own reward.
    fn everything(&mut self) -> Group {
        let all = self.groups(|_| Some(())).remove(&()).unwrap_or_default();
        self.test("all events".to_owned(), all);
        all
    }

    /// Its curve. The model knows no time, so what it was fitted on is all of its half.
    fn in_time(&mut self, held_out: &[usize]) {
        let width = held_out.len().div_ceil(WINDOWS).max(1);
        let fitted = self.groups(|_| Some(())).remove(&()).unwrap_or_default().fitted;
        for (number, window) in held_out.chunks(width).enumerate() {
            let mut group = Group::default();
            window.iter().for_each(|event| self.add(&mut group, *event));
            group.fitted = fitted;
            let (first, last) = (window[0] + 1, window[window.len() - 1] + 1);
            self.test(format!("window {}, events {first} to {last}", number + 1), group);
        }
    }

    fn by_action(&mut self) {
        for (action, group) in self.groups(|event| Some(self.examples.chosen_index[event])) {
            self.test(format!("action `{}`", self.examples.actions[action].id), group);
        }
    }

    /// Each part of the contexts, and how actions fare in the parts.
    fn by_context(&mut self) {
        let examples = self.examples;
        let mut dimensions: BTreeMap<&str, Vec<Token>> = BTreeMap::new();
        let mut known: Vec<Token> = examples.contexts.iter().flatten().copied().collect();
        known.sort_unstable();
        known.dedup();
        for token in known {
            let name = dimension(examples.vocabulary.word(token));
            dimensions.entry(name).or_default().push(token);
        }
        for (name, tokens) in dimensions {
            let own = |event: usize| {
                examples.contexts[event].iter().find(|token| tokens.binary_search(token).is_ok())
            };
            let groups = self.groups(|event| own(event).copied());
            for (token, group) in groups {
                self.test(format!("`{}`", examples.vocabulary.word(token)), group);
            }
            let cells = self.groups(|event| Some((*own(event)?, examples.chosen_index[event])));
            self.together(&format!("`{name}`"), cells, |token| {
                format!("`{}`", examples.vocabulary.word(*token))
            });
        }
        let whole = self.groups(|event| Some(&examples.contexts[event]));
        if whole.len() > 1 && whole.len() <= MOST_CONTEXTS {
            for (context, group) in whole {
                self.test(shown(examples, context), group);
            }
            let cells = self
                .groups(|event| Some((&examples.contexts[event], examples.chosen_index[event])));
            self.together("the context", cells, |context| shown(examples, context));
        }
    }

    /// Tests the actions in each part, and all of these cells together: many small deviations
    /// show in the sum of their squares (Wilson and Hilferty, 1931, give its p).
    fn together<K>(&mut self, by: &str, cells: Groups<(K, usize)>, name: impl Fn(&K) -> String) {
        let tested: Vec<((K, usize), Group)> = cells
            .into_iter()
            .filter_map(|(cell, group)| Some((cell, group.settled(self.click)?)))
            .collect();
        if tested.len() < 2 {
            return;
        }
        let squares: f64 = tested.iter().map(|(_, group)| group.z().powi(2)).sum();
        let part = |(part, action): &(K, usize)| {
            format!("action `{}` in {}", self.examples.actions[*action].id, name(part))
        };
        let worst =
            tested.iter().max_by(|one, other| one.1.z().abs().total_cmp(&other.1.z().abs()));
        let worst = worst.map(|(cell, group)| (part(cell), *group));
        let parts: Vec<(String, Group)> =
            tested.iter().map(|(cell, group)| (part(cell), *group)).collect();
        if let Some((cell, group)) = worst {
            let p = chi_squared_tail(squares, real(tested.len()));
            let part = format!("actions by {by} together, worst {cell}");
            self.tests.push(Test { part, group, p });
        }
        parts.into_iter().for_each(|(part, group)| self.test(part, group));
    }
}

fn shown(examples: &Examples, context: &[Token]) -> String {
    let words: Vec<&str> = context.iter().map(|token| examples.vocabulary.word(*token)).collect();
    format!("`{}`", words.join(", "))
}

/// The probability of a sum of squares beyond `x`.
pub fn chi_squared_tail(x: f64, freedom: f64) -> f64 {
    let unit = 2.0 / (9.0 * freedom);
    let z = (libm::cbrt(x / freedom) - (1.0 - unit)) / libm::sqrt(unit);
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of the table in every statistics book.
    #[test]
    fn the_tail_of_squares_is_that_of_the_tables() {
        for (x, freedom, p) in [(9.488, 4.0, 0.05), (29.588, 10.0, 0.001), (67.505, 50.0, 0.05)] {
            let found = chi_squared_tail(x, freedom);
            assert!((found - p).abs() < 0.05 * p + 5e-4, "{x}, {freedom}: {found}");
        }
    }
}
