//! Bandits beside Vowpal Wabbit's: LinUCB (Chu et al., AISTATS 2011; Li et al., WWW 2010), linear
//! Thompson sampling (Agrawal and Goyal, ICML 2013), and without a context UCB1 (Auer et al.,
//! Machine Learning 2002) and Thompson sampling with beta posteriors.
//!
//! From the ground: `ridge` (the linear model), `terms` (features of contexts and actions to
//! those of the model), `algorithm` (the settings), `sampling` (draws of Thompson sampling),
//! `model` (all of them put together), `saved` (a model on disk); beside them `reach` (what the best
//! linear policy of a known world earns).
//!
//! Must not know: JSON, the wire, where rewards come from.

mod algorithm;
mod counts;
mod model;
mod reach;
mod ridge;
mod sampling;
mod saved;
mod terms;
mod vocabulary;

pub use algorithm::{Algorithm, LinTs, LinUcb, Sharing, Thompson, Ucb1};
pub use model::{Arm, Distribution, MOST_FEATURES, Model, TooManyFeatures};
pub use reach::{Visit, linear_reach};
pub use ridge::{Posterior, Ridge, Sparse};
pub use saved::LoadError;
pub use terms::{Feature, Letter, Term, feature_key};
