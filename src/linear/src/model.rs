//! The model: what was learned, and the distribution that follows from it.

use std::sync::Arc;

use seed::Draws;
use serde::{Deserialize, Serialize};

use crate::algorithm::{Algorithm, LinTs, LinUcb, Sharing};
use crate::counts::Counts;
use crate::ridge::{Ridge, Sparse, cholesky};
use crate::sampling::{beta, sample};
use crate::terms::{self, Feature, Term};
use crate::vocabulary::Vocabulary;

/// A model with more features is refused: its matrix would take more than 32 MB.
pub const MOST_FEATURES: usize = 2048;

/// The matrices of all actions together have at most so many entries, of 8 bytes.
const MOST_ENTRIES: usize = 1 << 24;

/// Values that differ by a smaller share are equal but for rounding.
const ROUNDING: f64 = 1e-9;

/// An action that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// The key of its id.
    pub id: u64,
    /// Its features for the model.
    features: Vec<Feature>,
}

/// The distribution that a model gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// The probability of each action.
    pub pmf: Vec<f32>,
    /// The score of each action: the value that is compared, or for Thompson sampling the
    /// expected reward.
    pub scores: Vec<f64>,
}

/// The model has too many features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the linear model would have more than {MOST_FEATURES} features, or too many for its actions: \
     use fewer `features`, fewer values of them, or a learning policy of Vowpal Wabbit, which \
     hashes them"
)]
pub struct TooManyFeatures;

/// A model under an algorithm. Clones share the regressions until one of them learns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    algorithm: Algorithm,
    /// The columns of features.
    columns: Vocabulary,
    shared: Arc<Ridge>,
    /// The numbers of actions with a model.
    actions: Vocabulary,
    disjoint: Vec<Arc<Ridge>>,
    counts: Counts,
}

impl Model {
    /// Nothing learned.
    #[must_use]
    pub fn new(algorithm: &Algorithm) -> Self {
        Self {
            algorithm: algorithm.clone(),
            columns: Vocabulary::default(),
            shared: Arc::new(Ridge::new(algorithm.l2())),
            actions: Vocabulary::default(),
            disjoint: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// The actions that can be chosen in a context, each given by the key of its id and its
    /// features.
    pub fn arms<'a>(
        algorithm: &Algorithm,
        context: &[Feature],
        actions: impl IntoIterator<Item = (u64, &'a [Feature])>,
    ) -> Vec<Arm> {
        let terms: Vec<Term> = algorithm.linear().map(|(_, terms)| terms).unwrap_or_default();
        let arm = |(id, features): (u64, &[Feature])| Arm {
            id,
            features: terms::cross(&terms, context, features),
        };
        actions.into_iter().map(arm).collect()
    }

    /// The distribution over `arms`.
    ///
    /// # Errors
    /// If the model would have too many features.
    pub fn predict(
        &mut self,
        arms: &[Arm],
        draws: &mut Draws,
        into: &mut Distribution,
    ) -> Result<(), TooManyFeatures> {
        let located = arms.iter().map(|arm| located(&mut self.columns, arm));
        let x: Vec<Sparse> = located.collect::<Result<_, _>>()?;
        let Distribution { pmf, scores } = into;
        scores.clear();
        pmf.clear();
        pmf.resize(arms.len(), 0.0);
        match &self.algorithm {
            Algorithm::LinUcb(LinUcb { alpha, model, .. }) => {
                let value = |(mean, variance): (f64, f64)| mean + alpha * variance.sqrt();
                scores.extend(self.moments(*model, arms, &x).into_iter().map(value));
                add_best(scores, 1.0, pmf);
            }
            Algorithm::LinTs(settings) => {
                let moments = self.moments(settings.model, arms, &x);
                scores.extend(moments.iter().map(|(mean, _)| *mean));
                self.sample(settings, &moments, &x, draws, pmf);
            }
            Algorithm::Ucb1(settings) => {
                scores.extend(arms.iter().map(|arm| self.counts.bound(arm.id, settings.alpha)));
                add_best(scores, 1.0, pmf);
            }
            Algorithm::Thompson(settings) => {
                let posteriors = arms.iter().map(|arm| self.counts.posterior(arm.id));
                let posteriors: Vec<(f64, f64)> = posteriors.collect();
                scores.extend(posteriors.iter().map(|(a, b)| a / (a + b)));
                sample(settings.samples, draws, pmf, |draws, values| {
                    values.extend(posteriors.iter().map(|(a, b)| beta(*a, *b, draws)));
                });
            }
        }
        if let Some(epsilon) = self.algorithm.epsilon() {
            explore(epsilon, pmf);
        }
        Ok(())
    }

    /// Learns the reward of an action, which counts `weight` times.
    ///
    /// # Errors
    /// If the model would have too many features.
    pub fn learn(&mut self, arm: &Arm, reward: f64, weight: f64) -> Result<(), TooManyFeatures> {
        let Some((sharing, _)) = self.algorithm.linear() else {
            self.counts.add(arm.id, reward, weight);
            return Ok(());
        };
        let x = located(&mut self.columns, arm)?;
        match sharing {
            Sharing::Shared => Arc::make_mut(&mut self.shared).learn(&x, reward, weight),
            Sharing::Disjoint => self.ridge_of(arm.id)?.learn(&x, reward, weight),
        }
        Ok(())
    }

    /// The ridge regression of all actions, if they share one.
    #[must_use]
    pub fn shared(&self) -> &Ridge {
        &self.shared
    }

    /// The ridge regression of an action, if it was learned.
    #[must_use]
    pub fn disjoint(&self, id: u64) -> Option<&Ridge> {
        self.disjoint.get(self.actions.get(id)?).map(Arc::as_ref)
    }

    /// The reward of an action that all actions' weights, by column, make.
    ///
    /// # Errors
    /// If the model would have too many features.
    pub fn value(&mut self, arm: &Arm, weights: &[f64]) -> Result<f64, TooManyFeatures> {
        let x = located(&mut self.columns, arm)?;
        Ok(x.iter().map(|(column, value)| value * weights[*column]).sum())
    }

    fn ridge_of(&mut self, id: u64) -> Result<&mut Ridge, TooManyFeatures> {
        let columns = self.columns.len().next_power_of_two();
        let most = MOST_ENTRIES / (columns * columns);
        let number = self.actions.number(id, most).filter(|number| *number < most);
        let number = number.ok_or(TooManyFeatures)?;
        if number == self.disjoint.len() {
            self.disjoint.push(Arc::new(Ridge::new(self.algorithm.l2())));
        }
        Ok(Arc::make_mut(&mut self.disjoint[number]))
    }

    /// The mean and the variance of the expected reward of each action.
    fn moments(&self, sharing: Sharing, arms: &[Arm], x: &[Sparse]) -> Vec<(f64, f64)> {
        let blank = Ridge::new(self.algorithm.l2());
        let moments = |(arm, x): (&Arm, &Sparse)| {
            let ridge = match sharing {
                Sharing::Shared => &self.shared,
                Sharing::Disjoint => self.disjoint(arm.id).unwrap_or(&blank),
            };
            (ridge.mean(x), ridge.covariance(x, x).max(0.0))
        };
        arms.iter().zip(x).map(moments).collect()
    }

    /// Adds the share of draws from the posterior in which each action is the best.
    fn sample(
        &self,
        settings: &LinTs,
        moments: &[(f64, f64)],
        x: &[Sparse],
        draws: &mut Draws,
        pmf: &mut [f32],
    ) {
        let (spread, columns) = (settings.v.sqrt(), self.columns.len());
        match settings.model {
            Sharing::Disjoint => sample(settings.samples, draws, pmf, |draws, values| {
                let value = |(mean, variance): &(f64, f64)| {
                    mean + spread * variance.sqrt() * draws.normal()
                };
                values.extend(moments.iter().map(value));
            }),
            // The expected rewards are normal too, and fewer than the weights.
            Sharing::Shared if moments.len() <= columns => {
                let covariance =
                    |row: usize, other: usize| self.shared.covariance(&x[row], &x[other]);
                let factor = cholesky(moments.len(), covariance);
                sample(settings.samples, draws, pmf, |draws, values| {
                    let z: Vec<f64> = moments.iter().map(|_| draws.normal()).collect();
                    for (row, (mean, _)) in moments.iter().enumerate() {
                        let row = &factor[row * z.len()..][..=row];
                        let sum: f64 = row.iter().zip(&z).map(|(entry, z)| entry * z).sum();
                        values.push(mean + spread * sum);
                    }
                });
            }
            Sharing::Shared => {
                let posterior = self.shared.posterior();
                sample(settings.samples, draws, pmf, |draws, values| {
                    let z: Vec<f64> = (0..columns).map(|_| draws.normal()).collect();
                    let weights = posterior.draw(settings.v, &z);
                    let value = |x: &Sparse| {
                        x.iter().map(|(column, value)| value * weights[*column]).sum::<f64>()
                    };
                    values.extend(x.iter().map(value));
                });
            }
        }
    }

    /// What is wrong with a model that was read.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.algorithm.check()?;
        let is_small = |ridge: &Arc<Ridge>| ridge.columns() <= self.columns.len();
        let is_consistent = std::iter::once(&self.shared)
            .chain(&self.disjoint)
            .all(|ridge| ridge.is_consistent() && is_small(ridge))
            && self.columns.len() <= MOST_FEATURES
            && self.disjoint.len() == self.actions.len()
            && self.counts.is_consistent();
        is_consistent.then_some(()).ok_or_else(|| "its parts do not belong together".to_owned())
    }
}

/// The columns of the features of an action.
fn located(columns: &mut Vocabulary, arm: &Arm) -> Result<Sparse, TooManyFeatures> {
    let column = |(key, value): &Feature| {
        let column = columns.number(*key, MOST_FEATURES).ok_or(TooManyFeatures)?;
        Ok((column, *value))
    };
    arm.features.iter().map(column).collect()
}

/// Divides a share between the actions with the highest value.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "probabilities are kept as f32, and there are few actions"
)]
pub(crate) fn add_best(values: &[f64], share: f64, pmf: &mut [f32]) {
    let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_near = |value: f64| best.is_finite() && best - value <= ROUNDING * best.abs();
    let is_best = |value: f64| value == best || is_near(value);
    let count = values.iter().filter(|value| is_best(**value)).count();
    let share = (share / count as f64) as f32;
    for (probability, value) in pmf.iter_mut().zip(values) {
        if is_best(*value) {
            *probability += share;
        }
    }
}

/// Mixes a distribution with the uniform one.
#[expect(clippy::cast_precision_loss, reason = "counts of actions")]
fn explore(epsilon: f32, pmf: &mut [f32]) {
    let floor = epsilon / pmf.len() as f32;
    pmf.iter_mut().for_each(|probability| *probability = (1.0 - epsilon) * *probability + floor);
}
