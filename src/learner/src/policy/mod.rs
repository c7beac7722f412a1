//! The command line of a learning policy.

mod mismatch;
mod options;
mod parse;
mod tokens;

use std::ops::Range;

pub use mismatch::EventMismatch;
pub use options::{OPTIONS, OptionSpec, Support};
pub(crate) use tokens::{Given, given};

use super::cost::CostType;
use super::features::Hashing;

/// A learning policy: Vowpal Wabbit arguments, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningPolicy {
    arguments: String,
    pub(crate) settings: Settings,
    dropped: Vec<String>,
    model_files: ModelFiles,
    /// Where the value of `--epsilon` stands in the arguments.
    epsilon_span: Option<Range<usize>>,
}

/// What the arguments say, with VW's defaults for the rest.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(super) struct Settings {
    /// `--ccb_explore_adf`
    pub slots: bool,
    /// `--cb_explore`: how many actions there are, known by their number only.
    pub numbered_actions: Option<u32>,
    pub bits: u32,
    pub hashing: Hashing,
    pub constant: bool,
    pub constant_weight: f32,
    pub interactions: Vec<Vec<u8>>,
    pub ignore: Vec<u8>,
    pub keep: Vec<u8>,
    pub ignore_linear: Vec<u8>,
    pub learning_rate: Option<f32>,
    pub power_t: f32,
    pub initial_t: f32,
    pub adaptive: bool,
    pub normalized: bool,
    pub invariant: bool,
    pub coin: bool,
    pub l1: f32,
    pub l2: f32,
    pub min_prediction: Option<f32>,
    pub max_prediction: Option<f32>,
    pub cost_type: CostType,
    pub clip_p: f32,
    pub epsilon: Option<f32>,
    pub first_only: bool,
    pub explorer: Explorer,
    pub lambda: f32,
    /// None, if the arguments do not pin it.
    pub random_seed: Option<u64>,
    pub greedify: bool,
    pub psi: f32,
    pub nounif: bool,
    pub elim: bool,
    pub gamma_scale: f32,
    pub gamma_exponent: f32,
    pub mellowness: Option<f32>,
    pub min_cost: f32,
    pub max_cost: f32,
    pub regcbopt: bool,
    pub rnd_alpha: f32,
    pub rnd_invlambda: f32,
    pub large_action_space: bool,
    pub max_actions: u32,
    pub spanner_c: f32,
}

/// The strategy that the arguments name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Explorer {
    EpsilonGreedy,
    Softmax,
    First(u64),
    Bag(u32),
    Cover(u32),
    SquareCb,
    RegCb,
    Rnd(u32),
}

/// The models that a policy starts from and leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelFiles {
    /// `-i`: the file of the model to start from.
    pub initial: Option<String>,
    /// `-f`: the file that the model is written to in the end.
    pub last: Option<String>,
    /// `-t`: whether nothing is learned.
    pub test_only: bool,
}

/// Something in the arguments that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PolicyError {
    /// The bytes of the arguments that are meant.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl LearningPolicy {
    /// Parses Vowpal Wabbit arguments.
    ///
    /// # Errors
    /// Everything that cannot be used, in the order of the text.
    pub fn parse(arguments: &str) -> Result<Self, Vec<PolicyError>> {
        parse::parse(arguments, false)
    }

    /// The same for `runner evaluate`, where models may be read and written, and actions be
    /// known by their number.
    ///
    /// # Errors
    /// Everything that cannot be used, in the order of the text.
    pub fn parse_for_evaluation(arguments: &str) -> Result<Self, Vec<PolicyError>> {
        parse::parse(arguments, true)
    }

    /// The models that it starts from and leaves.
    #[must_use]
    pub fn model_files(&self) -> &ModelFiles {
        &self.model_files
    }

    /// The arguments, as they were given, trimmed.
    #[must_use]
    pub fn arguments(&self) -> &str {
        &self.arguments
    }

    /// Options that were accepted and have no effect here.
    #[must_use]
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// The value of `--epsilon`, if it is given.
    #[must_use]
    pub fn epsilon(&self) -> Option<f32> {
        self.settings.epsilon
    }

    /// The same policy with another `--epsilon`; unchanged where the arguments have none.
    #[must_use]
    pub fn with_epsilon(&self, epsilon: f32) -> Self {
        let Some(span) = self.epsilon_span.clone() else { return self.clone() };
        let mut policy = self.clone();
        let value = epsilon.to_string();
        policy.epsilon_span = Some(span.start..span.start + value.len());
        policy.arguments.replace_range(span, &value);
        policy.settings.epsilon = Some(epsilon);
        policy
    }

    /// Whether it fills the slots of an event (`--ccb_explore_adf`).
    #[must_use]
    pub fn is_multi_slot(&self) -> bool {
        self.settings.slots
    }

    /// Whether it knows actions by their number only (`--cb_explore N`).
    #[must_use]
    pub fn numbers_actions(&self) -> bool {
        self.settings.numbered_actions.is_some()
    }

    /// How many weights a model has.
    pub(crate) fn weights(&self) -> u64 {
        1 << self.settings.bits
    }

    /// How features become indices under this policy.
    #[must_use]
    pub fn hashing(&self) -> Hashing {
        self.settings.hashing
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: false,
            numbered_actions: None,
            bits: 18,
            hashing: Hashing::default(),
            constant: true,
            constant_weight: 0.0,
            interactions: Vec::new(),
            ignore: Vec::new(),
            keep: Vec::new(),
            ignore_linear: Vec::new(),
            learning_rate: None,
            power_t: 0.5,
            initial_t: 0.0,
            adaptive: true,
            normalized: true,
            invariant: true,
            coin: false,
            l1: 0.0,
            l2: 0.0,
            min_prediction: None,
            max_prediction: None,
            cost_type: CostType::Mtr,
            clip_p: 0.0,
            epsilon: None,
            first_only: false,
            explorer: Explorer::EpsilonGreedy,
            lambda: 1.0,
            random_seed: None,
            greedify: false,
            psi: 1.0,
            nounif: false,
            elim: false,
            gamma_scale: 10.0,
            gamma_exponent: 0.5,
            mellowness: None,
            min_cost: 0.0,
            max_cost: 1.0,
            regcbopt: false,
            rnd_alpha: 0.1,
            rnd_invlambda: 0.1,
            large_action_space: false,
            max_actions: 20,
            spanner_c: 2.0,
        }
    }
}
