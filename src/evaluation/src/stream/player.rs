use std::collections::BTreeMap;

use super::Candidate;
use super::batch::{Batch, Row};
use super::sums::{Scored, Sums};
use crate::{Aggregate, window};
use learner::{Label, Learner, LearningPolicy, Prediction};

/// Where a policy came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It wrote the log.
    Online,
    /// It always takes the first action.
    FirstAction,
    /// It takes every action with the same probability.
    AnyAction,
    /// It was given.
    Given,
    /// It was searched for and found.
    Discovered,
}

/// A policy, what it did on the last batch, and the sums of what it did so far.
pub struct Player {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub source: Source,
    /// The sums over all labelled events.
    pub whole: Sums,
    /// Those over the events held out.
    pub held_out: Sums,
    /// By windows of five minutes since 1970, where times are wanted.
    pub windows: BTreeMap<i64, Aggregate>,
    learned: Option<Learned>,
    /// For each row, the probability of the action taken; zero without label.
    probabilities: Vec<f32>,
}

/// A policy that learns.
struct Learned {
    learner: Learner,
    /// Which of a row's events is hashed for it.
    hashing: usize,
    prediction: Prediction,
    /// For each row, the reward expected of the policy and of the action taken.
    expected: Vec<(f64, f64)>,
    /// Whole distributions, row after row, if they are wanted.
    pmfs: Option<Vec<Vec<f32>>>,
}

impl Player {
    /// The policies that do not learn, as the service names them.
    pub fn fixed() -> Vec<Self> {
        let player = |name: &str, source| Self::new(name.to_owned(), source, None);
        vec![
            player("online", Source::Online),
            player("baseline1", Source::FirstAction),
            player("baselineRand", Source::AnyAction),
        ]
    }

    /// A policy that learns; `hashing` says which of a row's events is for it.
    pub fn learning(candidate: Candidate, hashing: usize, keeps_pmfs: bool) -> Self {
        let learned = Learned {
            learner: Learner::new(&candidate.policy),
            hashing,
            prediction: Prediction::default(),
            expected: Vec::new(),
            pmfs: keeps_pmfs.then(Vec::new),
        };
        Self::new(candidate.name, candidate.source, Some(learned))
    }

    fn new(name: String, source: Source, learned: Option<Learned>) -> Self {
        let sums = Sums::new(learned.is_some(), false);
        let (whole, held_out) = (sums.clone(), sums);
        let (windows, probabilities) = (BTreeMap::new(), Vec::new());
        Self { name, source, whole, held_out, windows, learned, probabilities }
    }

    /// Whether to compare with a baseline as well.
    pub fn compare(&mut self, has_baseline: bool) {
        self.whole = Sums::new(self.learned.is_some(), has_baseline);
        self.held_out = self.whole.clone();
    }

    /// The policy, if it learns.
    #[must_use]
    pub fn policy(&self) -> Option<&LearningPolicy> {
        self.learned.as_ref().map(|learned| learned.learner.policy())
    }

    /// The model as it stands, if it learns.
    #[must_use]
    pub fn learner(&self) -> Option<&Learner> {
        self.learned.as_ref().map(|learned| &learned.learner)
    }

    /// For each row of the last batch, the distribution over the actions before the event
    /// was learned; none for policies that do not learn, or if nobody wanted them.
    #[must_use]
    pub fn pmfs(&self) -> Option<&[Vec<f32>]> {
        self.learned.as_ref()?.pmfs.as_deref()
    }

    /// For each row of the last batch, the probability of the action taken.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Predicts and then learns each event of a batch.
    pub fn replay(&mut self, batch: &Batch) {
        self.probabilities.clear();
        if let Some(learned) = &mut self.learned {
            learned.replay(&batch.rows, &mut self.probabilities);
        } else {
            let source = self.source;
            self.probabilities.extend(batch.rows.iter().map(|row| fixed(source, row)));
        }
    }

    /// Adds what was replayed to the sums.
    pub fn judge(&mut self, batch: &Batch, baseline: Option<&[f32]>, held_out_from: Option<u64>) {
        for (position, row) in batch.rows.iter().enumerate() {
            let Some(label) = &row.label else { continue };
            let scored = self.scored(position, label, baseline);
            self.whole.add(&scored);
            if let Some(time) = row.time {
                let Scored { probability, logged, reward, .. } = scored;
                self.windows.entry(window(time)).or_default().add(probability, logged, reward);
            }
            if held_out_from.is_some_and(|first| row.labelled >= first) {
                self.held_out.add(&scored);
            }
        }
    }

    fn scored(&self, position: usize, label: &Label, baseline: Option<&[f32]>) -> Scored {
        let expected = self.learned.as_ref().map(|learned| learned.expected[position]);
        Scored {
            probability: f64::from(self.probabilities[position]),
            logged: f64::from(label.probability),
            reward: -f64::from(label.cost),
            baseline: baseline.map(|baseline| f64::from(baseline[position])),
            expected,
        }
    }
}

/// With which probability a policy that does not learn takes the action taken.
fn fixed(source: Source, row: &Row) -> f32 {
    let Some(label) = &row.label else { return 0.0 };
    match source {
        Source::FirstAction => f32::from(u8::from(label.action == 0)),
        #[expect(clippy::cast_precision_loss, reason = "a number of actions")]
        Source::AnyAction => 1.0 / row.events[0].choices() as f32,
        _ => label.probability,
    }
}

impl Learned {
    fn replay(&mut self, rows: &[Row], probabilities: &mut Vec<f32>) {
        self.expected.clear();
        if let Some(pmfs) = &mut self.pmfs {
            pmfs.clear();
        }
        for row in rows {
            let event = &row.events[self.hashing];
            self.learner.predict(event, &mut self.prediction);
            if let Some(pmfs) = &mut self.pmfs {
                pmfs.push(self.prediction.pmf.clone());
            }
            let Some(label) = &row.label else {
                probabilities.push(0.0);
                self.expected.push((0.0, 0.0));
                self.learner.learn_slots(event);
                continue;
            };
            probabilities.push(self.prediction.pmf[label.action]);
            self.expected.push(self.expected_reward(label));
            self.learner.learn(event, label);
        }
    }

    /// What the model expects of the policy and of the action taken. Its scores are costs.
    fn expected_reward(&self, label: &Label) -> (f64, f64) {
        let Prediction { pmf, scores, .. } = &self.prediction;
        let pairs = pmf.iter().zip(scores);
        let cost: f64 = pairs.map(|(p, score)| f64::from(*p) * f64::from(*score)).sum();
        (-cost, -f64::from(scores[label.action]))
    }
}
