//! Those who turn up in a twin: the contexts of the held-out events.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use protocol::{FeatureObject, RankableAction};

use crate::coverage::Coverage;
use crate::model::{Examples, Model, of_action};
use crate::tokens::Token;
use crate::{LoggedEvent, MOST_REWARDS, Refusal};

/// A context of the log.
#[derive(Debug, Clone)]
pub struct TwinVisitor {
    /// The context.
    pub context: Arc<[FeatureObject]>,
    /// The actions that can be chosen, as they were offered.
    pub offered: Arc<[RankableAction]>,
    /// The index of each among all actions.
    pub indices: Vec<usize>,
    /// The expected reward of each.
    pub rewards: Vec<f64>,
    /// Of how many events it is: those of the log, as many as each stands for.
    pub events: f64,
    /// What the log says of each action in this context.
    pub choices: Vec<LoggedChoices>,
}

/// What the held-out half of a log says of an action in a context.
///
/// Over a run, the mean of `residual` is what the log adds to the twin's rewards to make of them
/// the doubly robust estimate of the policy that played (Dudík, Langford, Li, 2011, equation 1):
/// zero, where the twin is right.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct LoggedChoices {
    /// Whether the log says something of this choice at all.
    pub is_covered: bool,
    /// `Σ (reward - expected) / probability`, over the events in which it was taken, per event of
    /// the context.
    pub residual: f64,
    /// How much chance moves that sum, where the twin is right: its variance.
    pub residual_variance: f64,
    /// `Σ 1 / probability`, in the same way.
    pub weight: f64,
    /// The sum of the squares of these terms.
    pub weight_squares: f64,
}

/// The visitors of the held-out events. Events with the same context and the same actions are one.
pub fn visitors(
    events: &[LoggedEvent],
    examples: &mut Examples,
    model: &Model,
    coverage: &Coverage,
    held_out: &[usize],
) -> Result<Vec<TwinVisitor>, Refusal> {
    let mut of_key: HashMap<String, usize> = HashMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut lists: HashMap<*const RankableAction, String> = HashMap::new();
    for event in held_out {
        let LoggedEvent { context, actions, .. } = &events[*event];
        let list = lists.entry(actions.as_ptr()).or_insert_with(|| json(&**actions));
        let key = json(&**context) + list;
        let at = *of_key.entry(key).or_insert(members.len());
        if at == members.len() {
            members.push(Vec::new());
        }
        members[at].push(*event);
    }
    let rewards: usize = members.iter().map(|own| events[own[0]].actions.len()).sum();
    if rewards > MOST_REWARDS {
        return Err(Refusal::TooLarge(rewards));
    }
    let mut words: HashMap<*const RankableAction, Arc<[Vec<Token>]>> = HashMap::new();
    let visitors = members.iter().map(|own| {
        let first = &events[own[0]];
        let words = words.entry(first.actions.as_ptr()).or_insert_with(|| {
            first.actions.iter().map(|action| of_action(&mut examples.vocabulary, action)).collect()
        });
        visitor(events, examples, model, coverage, own, words)
    });
    Ok(visitors.collect())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    // Features have keys of text only.
    serde_json::to_string(value).unwrap_or_default()
}

fn visitor(
    events: &[LoggedEvent],
    examples: &Examples,
    model: &Model,
    coverage: &Coverage,
    own: &[usize],
    words: &[Vec<Token>],
) -> TwinVisitor {
    let first = &events[own[0]];
    let context = &examples.contexts[own[0]];
    let indices: Vec<usize> =
        first.actions.iter().map(|action| examples.index[&action.id]).collect();
    let rewards: Vec<f64> = words.iter().map(|action| model.reward(context, action)).collect();
    let all: f64 = own.iter().map(|event| events[*event].count).sum();
    let mut choices = vec![LoggedChoices::default(); rewards.len()];
    for event in own {
        for (position, (choice, action)) in choices.iter_mut().zip(&indices).enumerate() {
            let logged = &events[*event];
            choice.is_covered |= coverage.covers(logged, position, context, *action);
        }
        let LoggedEvent { chosen, reward, probability, count, .. } = events[*event];
        let inverse = 1.0 / (probability * all);
        let weight = count * inverse;
        let residual = weight * (reward - rewards[chosen]);
        let choice = &mut choices[chosen];
        choice.is_covered = true;
        choice.residual += residual;
        let variance = examples.variance(*event, rewards[chosen]);
        choice.residual_variance += inverse * inverse * variance;
        choice.weight += weight;
        choice.weight_squares += weight * weight;
    }
    TwinVisitor {
        context: first.context.clone(),
        offered: first.actions.clone(),
        indices,
        rewards,
        events: all,
        choices,
    }
}
