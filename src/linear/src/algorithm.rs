//! The settings of the algorithms.

use serde::{Deserialize, Serialize};

use crate::terms::{Letter, Term};

/// How actions share what is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// One model for all actions, over features of context and action.
    Shared,
    /// A model for each action, by its id.
    Disjoint,
}

/// An algorithm with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Upper confidence bounds of a linear model.
    LinUcb(LinUcb),
    /// Thompson sampling from the posterior of a linear model.
    LinTs(LinTs),
    /// Upper confidence bounds of the means of actions.
    Ucb1(Ucb1),
    /// Thompson sampling from beta posteriors of the means of actions.
    Thompson(Thompson),
}

/// `lin_ucb`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinUcb {
    /// The width of the bound, in standard deviations.
    pub alpha: f64,
    /// How actions share what is learned.
    pub model: Sharing,
    /// The features of the model; none for the default of `model`.
    pub features: Option<Vec<Term>>,
    /// The penalty of the squared weights.
    pub l2: f64,
    /// The share of events that explore uniformly.
    pub epsilon: Option<f32>,
}

/// `lin_ts`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinTs {
    /// The factor of the covariance of the weights.
    pub v: f64,
    /// How actions share what is learned.
    pub model: Sharing,
    /// The features of the model; none for the default of `model`.
    pub features: Option<Vec<Term>>,
    /// The penalty of the squared weights.
    pub l2: f64,
    /// How many draws of the weights an event has. The probability of an action is the share
    /// of draws in which it is the best.
    pub samples: u32,
    /// The share of events that explore uniformly.
    pub epsilon: Option<f32>,
}

/// `ucb1`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ucb1 {
    /// The factor of the bound.
    pub alpha: f64,
    /// The share of events that explore uniformly.
    pub epsilon: Option<f32>,
}

/// `thompson`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thompson {
    /// How many draws of the means an event has. The probability of an action is the share of
    /// draws in which it is the best.
    pub samples: u32,
    /// The share of events that explore uniformly.
    pub epsilon: Option<f32>,
}

/// With so many draws the probability of an action is known to a tenth or so, and actions that
/// are chosen now and then have one above zero.
const SAMPLES: u32 = 32;

impl Default for LinUcb {
    fn default() -> Self {
        Self { alpha: 1.0, model: Sharing::Shared, features: None, l2: 1.0, epsilon: None }
    }
}

impl Default for LinTs {
    fn default() -> Self {
        let (features, epsilon) = (None, None);
        Self { v: 1.0, model: Sharing::Shared, features, l2: 1.0, samples: SAMPLES, epsilon }
    }
}

impl Default for Ucb1 {
    fn default() -> Self {
        Self { alpha: 1.0, epsilon: None }
    }
}

impl Default for Thompson {
    fn default() -> Self {
        Self { samples: SAMPLES, epsilon: None }
    }
}

impl Algorithm {
    /// The share of events that explore uniformly, if it is given.
    pub fn epsilon(&self) -> Option<f32> {
        match self {
            Self::LinUcb(LinUcb { epsilon, .. })
            | Self::LinTs(LinTs { epsilon, .. })
            | Self::Ucb1(Ucb1 { epsilon, .. })
            | Self::Thompson(Thompson { epsilon, .. }) => *epsilon,
        }
    }

    /// The same algorithm with another share; unchanged where none is given.
    #[must_use]
    pub fn with_epsilon(&self, share: f32) -> Self {
        let mut changed = self.clone();
        match &mut changed {
            Self::LinUcb(LinUcb { epsilon, .. })
            | Self::LinTs(LinTs { epsilon, .. })
            | Self::Ucb1(Ucb1 { epsilon, .. })
            | Self::Thompson(Thompson { epsilon, .. }) => {
                *epsilon = epsilon.map(|_| share);
            }
        }
        changed
    }

    /// What is out of range, in words.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), String> {
        let at_least = |name: &str, value: f64, least: f64| {
            let is_valid = value.is_finite() && value >= least;
            let message =
                || format!("`{name}` must be a number of at least {least}, found {value}");
            is_valid.then_some(()).ok_or_else(message)
        };
        let above_zero = |name: &str, value: f64| {
            let message = || format!("`{name}` must be above zero, found {value}");
            (value.is_finite() && value > 0.0).then_some(()).ok_or_else(message)
        };
        let samples = |samples: u32| {
            let message = || format!("`samples` must be from 1 to 10000, found {samples}");
            (1..=10_000).contains(&samples).then_some(()).ok_or_else(message)
        };
        match self {
            Self::LinUcb(LinUcb { alpha, l2, .. }) => {
                at_least("alpha", *alpha, 0.0)?;
                above_zero("l2", *l2)?;
            }
            Self::LinTs(LinTs { v, l2, samples: count, .. }) => {
                at_least("v", *v, 0.0)?;
                above_zero("l2", *l2)?;
                samples(*count)?;
            }
            Self::Ucb1(Ucb1 { alpha, .. }) => at_least("alpha", *alpha, 0.0)?,
            Self::Thompson(Thompson { samples: count, .. }) => samples(*count)?,
        }
        let share = self.epsilon().unwrap_or(0.0);
        let message = || format!("`epsilon` must be from 0 to 1, found {share}");
        (0.0..=1.0).contains(&share).then_some(()).ok_or_else(message)
    }

    /// How actions share a linear model, and its features; none without a context.
    pub(crate) fn linear(&self) -> Option<(Sharing, Vec<Term>)> {
        match self {
            Self::LinUcb(LinUcb { model, features, .. })
            | Self::LinTs(LinTs { model, features, .. }) => {
                let terms = features.clone().unwrap_or_else(|| default_terms(*model));
                Some((*model, terms))
            }
            Self::Ucb1(_) | Self::Thompson(_) => None,
        }
    }

    /// The penalty of the squared weights.
    pub(crate) fn l2(&self) -> f64 {
        match self {
            Self::LinUcb(LinUcb { l2, .. }) | Self::LinTs(LinTs { l2, .. }) => *l2,
            Self::Ucb1(_) | Self::Thompson(_) => 1.0,
        }
    }
}

/// Shared, as in coba: a constant, the action, and the action with the context. Disjoint, where
/// the action is known: a constant and the context.
fn default_terms(model: Sharing) -> Vec<Term> {
    use Letter::{Action, Context};
    match model {
        Sharing::Shared => {
            vec![Term::CONSTANT, Term::of(&[Action]), Term::of(&[Action, Context])]
        }
        Sharing::Disjoint => vec![Term::CONSTANT, Term::of(&[Context])],
    }
}
