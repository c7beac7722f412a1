//! Whether rewards follow actions.
//!
//! Rewards that were joined to the wrong events are those of a world in which the action makes no
//! difference, and no test against the log itself can tell the two apart. But where the action
//! matters in some contexts, much of the log in which it does not matter at all is a join that
//! went wrong, and such a log is refused.

use std::collections::BTreeMap;

use crate::model::Examples;
use crate::proof::chi_squared_tail;
use crate::real;
use crate::tokens::Token;

/// A log whose rewards follow the action in some contexts only.
#[derive(Debug, Clone, PartialEq)]
pub struct Indifference {
    /// By what contexts are told apart.
    pub by: String,
    /// Contexts in which the action makes no difference, some of them.
    pub contexts: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// The share of the log's events that they have.
    pub share: f64,
    /// In how many contexts it makes one.
    pub others: usize,
    /// The share of the rewards' variance that actions explain there, in the middle.
    pub typical: f64,
    /// The most that they can explain in the contexts without a difference, together.
    pub at_most: f64,
}

/// A difference that is there, and one that is not.
const SHOWN: f64 = 1e-4;
const NOT_SHOWN: f64 = 0.01;

/// What actions explain at most, where they make no difference, of what they explain elsewhere.
const SHARE_OF_TYPICAL: f64 = 0.1;

/// A log with a smaller share of such events is not refused.
const LEAST_SHARE: f64 = 0.3;

/// The share of honest contexts in which the actions are worth nearly the same by chance, in worlds
/// of two actions (one degree of freedom), of three, and of more. If effects are normal, their
/// strength is below a seventh of the typical one with about this probability.
const BY_CHANCE: [f64; 3] = [0.15, 0.05, 0.015];

/// More contexts without a difference than honest logs have with this probability refuse the log.
const LEVEL: f64 = 0.01;

/// An upper bound stands so many standard errors above.
const UPPER: f64 = 3.0;

const MOST_CONTEXTS: usize = 200;
const SHOWN_CONTEXTS: usize = 3;

/// Events by the words of their contexts.
type Parts = BTreeMap<Vec<Token>, Vec<usize>>;

/// The feature of a word.
pub fn dimension(word: &str) -> &str {
    let end = word.find('=').or_else(|| word.find(" in quarter ")).unwrap_or(word.len());
    &word[..end]
}

/// How much of the rewards' variance actions explain in one context.
struct Effect {
    name: String,
    events: usize,
    freedom: usize,
    p: f64,
    explained: f64,
    /// The χ² beyond what chance makes of it, and its variance.
    beyond: f64,
    variance: f64,
}

/// Where rewards do not follow actions, if there is much of it beside others where they do.
pub fn indifference(examples: &Examples) -> Option<Indifference> {
    let mut partitions: Vec<(String, Parts)> = Vec::new();
    let mut whole: Parts = BTreeMap::new();
    let mut by_feature: BTreeMap<&str, Parts> = BTreeMap::new();
    for (event, context) in examples.contexts.iter().enumerate() {
        whole.entry(context.clone()).or_default().push(event);
        for token in context {
            let name = dimension(examples.vocabulary.word(*token));
            by_feature.entry(name).or_default().entry(vec![*token]).or_default().push(event);
        }
    }
    if whole.len() <= MOST_CONTEXTS {
        // What actions are worth may cancel out where only a part of the context is looked at.
        partitions.push(("the context".to_owned(), whole));
    } else {
        let by_feature = by_feature.into_iter();
        partitions.extend(by_feature.map(|(name, parts)| (format!("`{name}`"), parts)));
    }
    let found = partitions.into_iter().filter_map(|(by, parts)| within(examples, by, &parts));
    found.max_by(|one, other| one.share.total_cmp(&other.share))
}

fn within(examples: &Examples, by: String, parts: &Parts) -> Option<Indifference> {
    let effects: Vec<Effect> = parts
        .iter()
        .filter_map(|(context, events)| {
            let words: Vec<&str> =
                context.iter().map(|token| examples.vocabulary.word(*token)).collect();
            effect(examples, words.join(", "), events)
        })
        .collect();
    let mut live: Vec<&Effect> = effects.iter().filter(|effect| effect.p < SHOWN).collect();
    live.sort_by(|one, other| one.explained.total_cmp(&other.explained));
    let middle = live.get(live.len() / 2)?;
    let typical = middle.explained;
    let by_chance = BY_CHANCE[(middle.freedom - 1).min(BY_CHANCE.len() - 1)];
    let none: Vec<&Effect> = effects.iter().filter(|effect| effect.p > NOT_SHOWN).collect();
    let events: usize = none.iter().map(|effect| effect.events).sum();
    let beyond: f64 = none.iter().map(|effect| effect.beyond).sum();
    let variance: f64 = none.iter().map(|effect| effect.variance).sum();
    let at_most = (beyond.max(0.0) + UPPER * libm::sqrt(variance)) / real(events.max(1));
    let share = real(events) / real(examples.len().max(1));
    let is_chance = binomial_tail(none.len(), effects.len(), by_chance) >= LEVEL;
    let is_less = at_most < SHARE_OF_TYPICAL * typical;
    (share >= LEAST_SHARE && is_less && !is_chance).then(|| Indifference {
        by,
        contexts: none.iter().take(SHOWN_CONTEXTS).map(|effect| effect.name.clone()).collect(),
        count: none.len(),
        share,
        others: live.len(),
        typical,
        at_most,
    })
}

/// The probability of so many or more of `all`, each with probability `p`.
fn binomial_tail(count: usize, all: usize, p: f64) -> f64 {
    let mut term = libm::pow(1.0 - p, real(all));
    let mut below = 0.0;
    for number in 0..count {
        below += term;
        term *= real(all - number) / real(number + 1) * p / (1.0 - p);
    }
    1.0 - below
}

/// What actions explain in these events: the χ² of their mean rewards. Actions of which less than
/// one reward that differs is expected count as one.
fn effect(examples: &Examples, name: String, events: &[usize]) -> Option<Effect> {
    let (rewards, counts) = (&examples.rewards, &examples.counts);
    let count: f64 = events.iter().map(|event| counts[*event]).sum();
    let mean = events.iter().map(|event| counts[*event] * rewards[*event]).sum::<f64>() / count;
    let squares = |event: &usize| counts[*event] * (rewards[*event] - mean).powi(2);
    let variance = events.iter().map(squares).sum::<f64>() / count;
    if variance <= 0.0 {
        return None;
    }
    let range = examples.highest - examples.lowest;
    let fewest = (range * range / variance).max(5.0);
    // What an event adds to the sums below: its difference, for as many events as it stands for.
    let difference = |event: &usize| counts[*event] * (rewards[*event] - mean);
    let lines = real(events.len());
    let variance = events.iter().map(|event| difference(event).powi(2)).sum::<f64>() / lines;
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for event in events {
        let sum = sums.entry(examples.chosen_index[*event]).or_default();
        *sum = (sum.0 + 1.0, sum.1 + difference(event));
    }
    let (common, rare): (Vec<_>, Vec<_>) = sums.into_values().partition(|of| of.0 >= fewest);
    let rest = rare.iter().fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    let groups: Vec<(f64, f64)> =
        common.into_iter().chain(Some(rest).filter(|rest| rest.0 >= fewest)).collect();
    if groups.len() < 2 {
        return None;
    }
    let statistic: f64 =
        groups.iter().map(|(count, sum)| sum * sum / count).sum::<f64>() / variance;
    let freedom = real(groups.len() - 1);
    let beyond = statistic - freedom;
    Some(Effect {
        name,
        events: events.len(),
        freedom: groups.len() - 1,
        p: chi_squared_tail(statistic, freedom),
        explained: beyond / lines,
        beyond,
        variance: 2.0 * (freedom + 2.0 * beyond.max(0.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_sum_of_its_terms() {
        // 1 - 0.85^12 - 12 · 0.15 · 0.85^11, and 0.5^3.
        assert!((binomial_tail(2, 12, 0.15) - 0.556_540).abs() < 1e-5);
        assert!((binomial_tail(3, 3, 0.5) - 0.125).abs() < 1e-12);
        assert!((binomial_tail(0, 3, 0.5) - 1.0).abs() < 1e-12);
    }
}
