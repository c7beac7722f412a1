//! What a log says nothing about.

use std::collections::BTreeMap;

use crate::LoggedEvent;
use crate::model::Examples;
use crate::tokens::Token;

/// An action that was taken more seldom is covered nowhere.
const FEWEST: u64 = 5;

/// How often each action was taken, in all and in each part of the contexts.
pub struct Coverage {
    of_action: Vec<u64>,
    of_part: BTreeMap<(Token, usize), u64>,
}

impl Coverage {
    pub fn of(examples: &Examples) -> Self {
        let mut of_action = vec![0; examples.actions.len()];
        let mut of_part = BTreeMap::new();
        for (context, action) in examples.contexts.iter().zip(&examples.chosen_index) {
            of_action[*action] += 1;
            for token in context {
                *of_part.entry((*token, *action)).or_insert(0) += 1;
            }
        }
        Self { of_action, of_part }
    }

    /// Whether the log says something of an action in the context of an event. Where the event has
    /// the distribution of the logging policy, that decides; else the action must have been taken,
    /// at least once in every part of the context.
    pub fn covers(
        &self,
        event: &LoggedEvent,
        position: usize,
        context: &[Token],
        action: usize,
    ) -> bool {
        if let Some(distribution) = &event.distribution {
            return distribution.get(position).is_some_and(|p| *p > 0.0);
        }
        self.of_action[action] >= FEWEST
            && context.iter().all(|token| self.of_part.contains_key(&(*token, action)))
    }
}
