//! A ranking in the answer to Rank: a list, or an object by action.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Value as Json;

use super::path::SingularPath;
use super::value::{
    Lookup, Probability, TakeError, found, json, kind, probability, score, violates,
};
use record::Violation;

/// How far the sum of probabilities may be from one.
const SUM_TOLERANCE: f64 = 0.01;

/// Which action of a ranking is chosen, where the answer does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    /// The best.
    Best,
    /// One that is drawn by the probabilities.
    Draw,
}

impl Pick {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_best(&self) -> bool {
        *self == Self::Best
    }
}

/// Where a ranking is; paths within it begin at an item.
#[derive(Debug, Clone, Serialize)]
pub struct Ranking {
    /// Where it is in the answer.
    pub path: SingularPath,
    /// Where an item gives its action.
    pub action: Item,
    /// Where an item gives its probability.
    pub probability: Option<Probability<SingularPath>>,
    /// Where an item gives its score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<SingularPath>,
    /// Where an item gives its cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<SingularPath>,
    #[serde(skip_serializing_if = "Pick::is_best")]
    /// Which of its actions is chosen.
    pub choose: Pick,
    /// Which action stands for what.
    pub lookup: Lookup,
}

/// Where an item of a ranking gives its action.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// Its name in an object, or its place in a list. The places are those of the actions, unless
    /// `by` says what they stand for.
    Key {
        /// Whether it is a place in a list.
        #[serde(skip)]
        is_place: bool,
    },
    /// At a path within the item.
    #[serde(untagged)]
    Path(SingularPath),
}

/// An action of a ranking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    action: usize,
    probability: Option<f64>,
    score: Option<f64>,
}

impl Ranking {
    /// The ranked actions, the best first.
    pub(super) fn read(&self, answer: &Json) -> Result<Vec<Ranked>, TakeError> {
        let path = &self.path;
        let (items, has_order): (Vec<(Cow<'_, Json>, &Json)>, bool) = match found(answer, path)? {
            Json::Array(items) => (
                items.iter().enumerate().map(|(at, item)| (Cow::Owned(at.into()), item)).collect(),
                true,
            ),
            Json::Object(items) if matches!(self.action, Item::Key { .. }) => {
                let named = items.iter();
                (
                    named.map(|(name, item)| (Cow::Owned(name.as_str().into()), item)).collect(),
                    false,
                )
            }
            other => {
                let message = format!("`{}` is {}, not a list", path.text(), kind(other));
                return Err(json(message));
            }
        };
        let ranked = items.iter().map(|(key, item)| self.item(key, item));
        let mut ranked = ranked.collect::<Result<Vec<_>, _>>()?;
        if ranked.is_empty() {
            return Err(violates(Violation::Action, format!("`{}` is empty", path.text())));
        }
        self.check(&ranked)?;
        // Names of an object have no order.
        if self.score.is_some() || self.cost.is_some() {
            ranked.sort_by(|left, right| descending(left.score, right.score));
        } else if !has_order {
            ranked.sort_by(|left, right| descending(left.probability, right.probability));
        }
        Ok(ranked)
    }

    fn item(&self, key: &Json, item: &Json) -> Result<Ranked, TakeError> {
        let action = match &self.action {
            Item::Key { is_place: true } if key.is_u64() => self.place(key)?,
            Item::Key { .. } => self.lookup.index(key, self.path.text())?,
            Item::Path(path) => self.lookup.index(found(item, path)?, path.text())?,
        };
        let of_item = self.probability.as_ref().map(|Probability { source, scale }| {
            probability(found(item, source)?, *scale, source.text())
        });
        Ok(Ranked { action, probability: of_item.transpose()?, score: self.score(item)? })
    }

    /// The score of an item: the lower its cost, the better it is.
    fn score(&self, item: &Json) -> Result<Option<f64>, TakeError> {
        let read = |path: &SingularPath, what| score(found(item, path)?, path.text(), what);
        match (&self.score, &self.cost) {
            (Some(path), _) => read(path, "a score").map(Some),
            (None, Some(path)) => read(path, "a cost").map(|cost| Some(-cost)),
            (None, None) => Ok(None),
        }
    }

    /// The action at a place.
    fn place(&self, place: &Json) -> Result<usize, TakeError> {
        let index = place.as_u64().and_then(|index| usize::try_from(index).ok());
        index.filter(|index| *index < self.lookup.actions()).ok_or_else(|| {
            let sent = self.lookup.actions();
            let message =
                format!("`{}` has an item {place}, {sent} actions were sent", self.path.text());
            violates(Violation::Action, message)
        })
    }

    /// The action that is chosen where nothing else says it.
    pub(super) fn chosen(
        &self,
        ranked: &[Ranked],
        draw: impl FnOnce() -> f64,
    ) -> Result<usize, TakeError> {
        match self.choose {
            Pick::Best => Ok(ranked[0].action),
            Pick::Draw => {
                let all = all_probabilities(ranked, self.lookup.actions()).ok_or_else(|| {
                    let message = "the probabilities to draw by do not add up to 1".to_owned();
                    violates(Violation::Probability, message)
                })?;
                Ok(drawn(&all, draw()))
            }
        }
    }

    /// No action comes twice. Probabilities of all actions add up to one, those of some to no
    /// more.
    fn check(&self, ranked: &[Ranked]) -> Result<(), TakeError> {
        let mut seen = vec![false; self.lookup.actions()];
        for Ranked { action, .. } in ranked {
            if std::mem::replace(&mut seen[*action], true) {
                let message = "an action is ranked twice".to_owned();
                return Err(violates(Violation::Action, message));
            }
        }
        if self.probability.is_none() {
            return Ok(());
        }
        let sum: f64 = ranked.iter().filter_map(|ranked| ranked.probability).sum();
        let is_whole = ranked.len() == seen.len();
        if sum > 1.0 + SUM_TOLERANCE || (is_whole && sum < 1.0 - SUM_TOLERANCE) {
            let message = format!("the probabilities add up to {sum}");
            return Err(violates(Violation::Probability, message));
        }
        Ok(())
    }
}

/// The order of two numbers, the higher first.
fn descending(left: Option<f64>, right: Option<f64>) -> Ordering {
    right.unwrap_or_default().total_cmp(&left.unwrap_or_default())
}

/// The action that a number from 0 to 1 falls on.
pub(super) fn drawn(probabilities: &[f64], number: f64) -> usize {
    let mut rest = number * probabilities.iter().sum::<f64>();
    for (action, probability) in probabilities.iter().enumerate() {
        rest -= probability;
        if rest < 0.0 {
            return action;
        }
    }
    // Rounding: the last that can be drawn.
    probabilities.iter().rposition(|probability| *probability > 0.0).unwrap_or_default()
}

pub(super) fn chosen_probability(
    ranked: &[Ranked],
    action: usize,
) -> Result<Option<f64>, TakeError> {
    let of_choice = ranked.iter().find(|ranked| ranked.action == action);
    let probability = of_choice.map(|ranked| ranked.probability);
    probability.ok_or_else(|| {
        let message = "the chosen action is not ranked".to_owned();
        violates(Violation::Action, message)
    })
}

/// The most probable action, if probabilities are given; of several, the one ranked first.
pub(super) fn favourite(ranked: &[Ranked]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for Ranked { action, probability, .. } in ranked {
        let probability = (*probability)?;
        if best.is_none_or(|(_, most)| probability > most) {
            best = Some((*action, probability));
        }
    }
    best.map(|(action, _)| action)
}

/// The probability of each action, in their order, if the answer gives those of all. What is not
/// ranked is never chosen where the others leave nothing.
pub(super) fn all_probabilities(ranked: &[Ranked], actions: usize) -> Option<Vec<f64>> {
    let mut probabilities = vec![0.0; actions];
    for Ranked { action, probability, .. } in ranked {
        probabilities[*action] = (*probability)?;
    }
    let sum: f64 = probabilities.iter().sum();
    ((sum - 1.0).abs() <= SUM_TOLERANCE).then_some(probabilities)
}
