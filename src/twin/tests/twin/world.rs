//! Worlds whose rewards are known, and loggers of them.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::sync::Arc;

use protocol::{FeatureObject, FeatureValue, RankableAction};
use seed::{Draws, PhaseKey, Purpose, Seed};
use twin::LoggedEvent;

/// What a visitor of a world wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Four actions in twelve contexts of two features, each context with its own probabilities.
    Clicks,
    /// The same, and each context has one action that is always rewarded; the others never are.
    Certain,
    /// Thirty actions of which one in two hundred views is a click.
    Rare,
    /// Rewards of any size, which vary about a sum of effects.
    Amounts,
    /// Clicks, where the second feature of the context makes no difference to the actions.
    OneFeature,
}

/// Which policy wrote the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logger {
    /// Each action as often as any other.
    Uniform,
    /// The best action with a probability that grows from that of the others to nine tenths.
    Learning,
}

pub struct World {
    pub kind: Kind,
    pub actions: Arc<[RankableAction]>,
    /// The expected reward, by context and action.
    pub expected: Vec<Vec<f64>>,
}

const FIRST: usize = 4;
const SECOND: usize = 3;
pub const CONTEXTS: usize = FIRST * SECOND;

fn draws(seed: u64, name: &str, number: usize) -> Draws {
    Seed(seed).draws(PhaseKey::new(name), number as u64, Purpose::World)
}

impl World {
    pub fn new(kind: Kind, seed: u64) -> Self {
        let count = if kind == Kind::Rare { 30 } else { 4 };
        let text = |text: String| FeatureValue::Text(text);
        let action = |number: usize| RankableAction {
            id: format!("a{number}").into(),
            features: [FeatureObject(vec![
                ("name".to_owned(), text(format!("a{number}"))),
                ("group".to_owned(), text(format!("g{}", number % 3))),
            ])]
            .into(),
        };
        let mut draw = draws(seed, "world", 0);
        let effect = |draw: &mut Draws| draw.normal();
        let by_first: Vec<Vec<f64>> =
            (0..FIRST).map(|_| (0..count).map(|_| effect(&mut draw)).collect()).collect();
        let by_second: Vec<Vec<f64>> =
            (0..SECOND).map(|_| (0..count).map(|_| effect(&mut draw)).collect()).collect();
        let expected = (0..CONTEXTS).map(|context| {
            let preferred = usize::try_from(draw.below(count as u64)).unwrap();
            (0..count)
                .map(|action| {
                    let (first, second) =
                        (by_first[context / SECOND][action], by_second[context % SECOND][action]);
                    match kind {
                        Kind::Clicks => 0.05 + 0.85 * draw.unit(),
                        Kind::Certain => f64::from(u8::from(action == preferred)),
                        Kind::Rare => 0.003 + 0.004 * draw.unit(),
                        Kind::Amounts => 5.0 + first + second,
                        Kind::OneFeature => 0.5 + 0.4 * libm::tanh(first),
                    }
                })
                .collect()
        });
        let expected = expected.collect();
        Self { kind, actions: (0..count).map(action).collect(), expected }
    }

    pub fn best(&self, context: usize) -> usize {
        let of = &self.expected[context];
        (0..of.len()).max_by(|one, other| of[*one].total_cmp(&of[*other])).unwrap()
    }

    pub fn log(&self, logger: Logger, events: usize, seed: u64) -> Vec<LoggedEvent> {
        let contexts: Vec<Arc<[FeatureObject]>> = (0..CONTEXTS).map(context).collect();
        let count = self.actions.len();
        let event = |number: usize| {
            let mut draw = draws(seed, "log", number);
            let at = usize::try_from(draw.below(CONTEXTS as u64)).unwrap();
            let progress = number as f64 / events as f64;
            let greedy = match logger {
                Logger::Uniform => 0.0,
                Logger::Learning => 0.9 * progress,
            };
            let rest = (1.0 - greedy) / count as f64;
            let best = self.best(at);
            let chosen = if draw.unit() < greedy {
                best
            } else {
                usize::try_from(draw.below(count as u64)).unwrap()
            };
            let probability = |action: usize| rest + if action == best { greedy } else { 0.0 };
            let expected = self.expected[at][chosen];
            let reward = match self.kind {
                Kind::Amounts => expected + 1.5 * draw.normal(),
                _ => f64::from(u8::from(draw.unit() < expected)),
            };
            LoggedEvent {
                context: contexts[at].clone(),
                actions: self.actions.clone(),
                chosen,
                probability: probability(chosen),
                distribution: None,
                reward,
                count: 1.0,
            }
        };
        (0..events).map(event).collect()
    }
}

fn context(number: usize) -> Arc<[FeatureObject]> {
    let text =
        |name: &str, value: usize| (name.to_owned(), FeatureValue::Text(format!("{name}{value}")));
    [FeatureObject(vec![text("first", number / SECOND), text("second", number % SECOND)])].into()
}

/// The number of a context.
pub fn number(context: &[FeatureObject]) -> usize {
    let digit = |index: usize| match &context[0].0[index].1 {
        FeatureValue::Text(text) => text[text.len() - 1..].parse::<usize>().unwrap(),
        _ => panic!("a text"),
    };
    digit(0) * SECOND + digit(1)
}

/// The log of which three in four events with less than the middle reward are left out; the others
/// stand for them.
pub fn thinned(log: &[LoggedEvent], seed: u64) -> Vec<LoggedEvent> {
    let rewards = || log.iter().map(|event| event.reward);
    let middle = rewards().fold(f64::INFINITY, f64::min).midpoint(rewards().fold(0.0, f64::max));
    let kept = |(number, event): (usize, &LoggedEvent)| {
        let share = if event.reward < middle { 0.25 } else { 1.0 };
        let is_kept = draws(seed, "thinning", number).unit() < share;
        is_kept.then(|| LoggedEvent { count: 1.0 / share, ..event.clone() })
    };
    log.iter().enumerate().filter_map(kept).collect()
}

/// The same log, in which the rewards of every second context were shuffled among its events.
pub fn shuffled(mut log: Vec<LoggedEvent>, seed: u64) -> Vec<LoggedEvent> {
    let events: Vec<usize> =
        (0..log.len()).filter(|event| number(&log[*event].context).is_multiple_of(2)).collect();
    let mut rewards: Vec<f64> = events.iter().map(|event| log[*event].reward).collect();
    let mut draw = draws(seed, "shuffle", 0);
    for at in (1..rewards.len()).rev() {
        let other = usize::try_from(draw.below(at as u64 + 1)).unwrap();
        rewards.swap(at, other);
    }
    events.iter().zip(rewards).for_each(|(event, reward)| log[*event].reward = reward);
    log
}
