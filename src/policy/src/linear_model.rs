use std::sync::Arc;

use foldhash::HashMap;
use learner::Prediction;
use linear::{Algorithm, Arm, Distribution, Model};
use protocol::{FeatureObject, RankableAction};
use seed::{PhaseKey, Purpose, Seed};

use crate::features::{action_features, action_key, features};
use crate::model::{Outcome, Seen, put};

/// The number of choices whose features are kept; a run shares far fewer.
const CAPACITY: usize = 4096;

/// A linear model, and the features of what it has seen.
#[derive(Debug, Clone)]
pub struct LinearModel {
    model: Model,
    seed: u64,
    failure: Option<String>,
    /// By the addresses of the context and the actions, which are kept alive.
    choices: HashMap<(usize, usize), SeenChoice>,
    distribution: Distribution,
}

#[derive(Debug, Clone)]
struct SeenChoice {
    arms: Arc<[Arm]>,
    _alive: (Arc<[FeatureObject]>, Arc<[RankableAction]>),
}

impl LinearModel {
    /// Nothing learned.
    pub(crate) fn new(algorithm: &Algorithm, seed: u64) -> Self {
        Self::of(Model::new(algorithm), seed)
    }

    fn of(model: Model, seed: u64) -> Self {
        let (choices, distribution) = (HashMap::default(), Distribution::default());
        Self { model, seed, failure: None, choices, distribution }
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &Algorithm {
        self.model.algorithm()
    }

    pub(crate) fn predict(&mut self, event: Seen<'_>, into: &mut Prediction) -> Result<(), String> {
        let arms = self.arms(event);
        let mut draws = Seed(self.seed).draws(PhaseKey::new(event.id), 0, Purpose::Policy);
        let Self { model, distribution, .. } = self;
        if let Err(error) = model.predict(&arms, &mut draws, distribution) {
            return Err(self.failure.insert(error.to_string()).clone());
        }
        // The learner's scores are costs.
        #[expect(clippy::cast_possible_truncation, reason = "scores are kept as f32")]
        let costs = distribution.scores.iter().map(|score| -*score as f32);
        put(&distribution.pmf, costs, into);
        Ok(())
    }

    pub(crate) fn learn(&mut self, event: Seen<'_>, outcome: Outcome) {
        let arms = self.arms(event);
        if let Err(error) = self.model.learn(&arms[outcome.action], outcome.reward, 1.0) {
            self.failure = Some(error.to_string());
        }
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(crate) fn fork(&self) -> Self {
        Self { failure: self.failure.clone(), ..Self::of(self.model.clone(), self.seed) }
    }

    pub(crate) fn catch_up(&mut self, ahead: &Self) {
        self.model.clone_from(&ahead.model);
        self.failure.clone_from(&ahead.failure);
    }

    pub(crate) fn save(&self) -> Vec<u8> {
        self.model.save()
    }

    pub(crate) fn is_saved(bytes: &[u8]) -> bool {
        Model::is_saved(bytes)
    }

    pub(crate) fn load(bytes: &[u8], seed: u64) -> Result<Self, String> {
        let model = Model::load(bytes).map_err(|error| error.to_string())?;
        Ok(Self::of(model, seed))
    }

    fn arms(&mut self, event: Seen<'_>) -> Arc<[Arm]> {
        if self.choices.len() >= CAPACITY {
            self.choices.clear();
        }
        let Seen { context, actions, .. } = event;
        let algorithm = self.model.algorithm();
        let make = || {
            let own: Vec<_> = actions.iter().map(action_features).collect();
            let keyed = actions.iter().zip(&own);
            let keyed = keyed.map(|(action, own)| (action_key(action), own.as_slice()));
            SeenChoice {
                arms: Model::arms(algorithm, &features(context), keyed).into(),
                _alive: (context.clone(), actions.clone()),
            }
        };
        let key =
            (Arc::as_ptr(context).cast::<u8>().addr(), Arc::as_ptr(actions).cast::<u8>().addr());
        self.choices.entry(key).or_insert_with(make).arms.clone()
    }
}
