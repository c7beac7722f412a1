//! The simulated users: who turns up in iteration `i`, and what they make of a choice.
//!
//! Both are functions of (seed, phase, iteration). Nothing here waits, and nothing
//! depends on what other iterations did.

mod population_schedule;
mod regret_model;

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use self::population_schedule::PopulationSchedule;
use self::regret_model::RegretModel;
use protocol::{EventId, RankRequest};
use record::Loss;
use scenario::Plan;
use scenario::plan::{Chance, Choice, Delay, Preference, Visitor};
use seed::{Draws, PhaseKey, Purpose, Source};

/// The events of a plan, by their index.
pub(crate) struct Stream<'a> {
    plan: &'a Plan,
    populations: PopulationSchedule<'a>,
    regret: RegretModel<'a>,
    action_ids: Vec<Arc<str>>,
    action_indices: HashMap<&'a str, usize>,
    visitors: Source,
    event_ids: Source,
    noise: Source,
    clicks: Source,
    deviations: Source,
    think_times: Source,
}

/// Looking at so many pointers costs less than hashing an id.
const MOST_COMPARED: usize = 16;

/// What is sent for one iteration.
pub(crate) struct StreamEvent<'a> {
    /// The id of the event.
    pub event_id: EventId,
    /// Who turned up.
    pub visitor: &'a Visitor,
    /// The Rank request.
    pub request: RankRequest,
}

impl<'a> Stream<'a> {
    /// The events of `plan`.
    #[must_use]
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let source = |purpose| Source::new(plan.seed, purpose);
        Self {
            plan,
            populations: PopulationSchedule::new(plan),
            regret: RegretModel::new(plan),
            action_ids: plan.actions.iter().map(|action| Arc::clone(&action.id)).collect(),
            action_indices: plan.actions.iter().map(|action| &*action.id).zip(0..).collect(),
            visitors: source(Purpose::Visitor),
            event_ids: source(Purpose::EventId),
            noise: source(Purpose::RewardNoise),
            clicks: source(Purpose::Click),
            deviations: source(Purpose::RewardDeviation),
            think_times: source(Purpose::ThinkTime),
        }
    }

    /// The event of one iteration.
    #[must_use]
    pub(crate) fn event(&self, phase: PhaseKey, iteration: u64) -> StreamEvent<'a> {
        let draw = self.visitors.at(phase, iteration, Draws::unit);
        let visitor = self.populations.visitor(phase, iteration, draw);
        let event_id = EventId::from(self.event_ids.at(phase, iteration, Draws::uuid));
        let request = RankRequest {
            context_features: Arc::clone(&visitor.features),
            actions: Arc::clone(&self.plan.actions),
            excluded_actions: self.plan.excluded_actions.clone(),
            event_id: Some(event_id.clone()),
            defer_activation: self.plan.defer_activation,
        };
        StreamEvent { event_id, visitor, request }
    }

    /// The index of an action, if the plan has it.
    #[must_use]
    pub(crate) fn action_index(&self, id: &Arc<str>) -> Option<usize> {
        // The loop inside answers with the ids it was sent: the same, not equal ones.
        let few = self.action_ids.iter().take(MOST_COMPARED);
        let same = |sent: &Arc<str>| Arc::ptr_eq(sent, id);
        few.zip(0..)
            .find(|(sent, _)| same(sent))
            .map(|(_, index)| index)
            .or_else(|| self.action_indices.get(&**id).copied())
    }

    /// How many actions a request has.
    #[must_use]
    pub(crate) fn actions(&self) -> usize {
        self.action_ids.len()
    }

    /// The id of an action.
    #[must_use]
    pub(crate) fn action_id(&self, index: usize) -> &Arc<str> {
        &self.action_ids[index]
    }

    /// The reward of one iteration for the action with index `chosen`.
    #[must_use]
    pub(crate) fn reward(
        &self,
        phase: PhaseKey,
        iteration: u64,
        visitor: &Visitor,
        chosen: usize,
    ) -> f64 {
        let rule = &self.plan.reward;
        let has_rewards = matches!(visitor.preference, Preference::Rewards(_));
        let draws_click = has_rewards && rule.deviation.is_none();
        let at = |source: &Source, draw: fn(&mut Draws) -> f64| source.at(phase, iteration, draw);
        let chance = Chance {
            is_opposite: rule.noise > 0.0 && self.is_noise(phase, iteration),
            click: if draws_click { at(&self.clicks, Draws::unit) } else { 0.0 },
            deviation: rule.deviation.map_or(0.0, |_| at(&self.deviations, Draws::normal)),
        };
        rule.reward(Choice { visitor, index: chosen, action: &self.plan.actions[chosen] }, chance)
    }

    /// The action that is a success for a visitor: the one that they prefer, or that with the
    /// highest expected reward.
    #[must_use]
    pub(crate) fn preferred(&self, visitor: &Visitor) -> usize {
        match visitor.preference {
            Preference::Action(preferred) => preferred,
            Preference::Rewards(_) => self.regret.best(visitor).action,
        }
    }

    /// The same once an action was chosen: of several with the highest expected reward, the
    /// chosen one.
    #[must_use]
    pub(crate) fn preferred_to(&self, visitor: &Visitor, chosen: usize, loss: Loss) -> usize {
        match visitor.preference {
            Preference::Rewards(_) if loss.regret <= 0.0 => chosen,
            _ => self.preferred(visitor),
        }
    }

    /// What it cost to choose an action, where the service thought `favourite` the best.
    #[must_use]
    pub(crate) fn loss(&self, visitor: &Visitor, chosen: usize, favourite: Option<usize>) -> Loss {
        self.regret.loss(visitor, chosen, favourite)
    }

    /// How long the visitor of one iteration takes to answer.
    #[must_use]
    pub(crate) fn think_time(&self, phase: PhaseKey, iteration: u64, delay: Delay) -> Duration {
        delay.sampler().sample(|| self.think_times.at(phase, iteration, Draws::normal))
    }

    fn is_noise(&self, phase: PhaseKey, iteration: u64) -> bool {
        self.noise.at(phase, iteration, |draws| draws.chance(self.plan.reward.noise))
    }
}
