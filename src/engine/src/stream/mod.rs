//! The simulated users: who turns up in iteration `i`, and what they make of a choice.
//!
//! Both are functions of (seed, phase, iteration). Nothing here waits, and nothing
//! depends on what other iterations did.

mod availability;
mod logged;
mod offer;
mod population_schedule;
mod regret_model;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use self::logged::LoggedChoices;
pub(crate) use self::logged::Verdict;
use self::offer::{Offer, OfferSchedule};
use self::population_schedule::PopulationSchedule;
use self::regret_model::{Best, RegretModel};
use plan::Plan;
use plan::{Chance, Choice, Delay, LogKind, Logged, RewardDelivery, Visitor, Wanted};
use protocol::{EventId, RankRequest, RankableAction};
use record::Loss;
use seed::{Draws, PhaseKey, Purpose, Source};

/// The events of a plan, by their index.
pub(crate) struct Stream<'a> {
    plan: &'a Plan,
    populations: PopulationSchedule<'a>,
    offers: OfferSchedule<'a>,
    regret: RegretModel<'a>,
    action_ids: Vec<Arc<str>>,
    action_indices: HashMap<&'a str, usize>,
    visitors: Source,
    event_ids: Source,
    noise: Source,
    clicks: Source,
    deviations: Source,
    think_times: Source,
    losses: Source,
    repeats: Source,
    replays: Source,
    logged: LoggedChoices,
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
    /// The actions of the request.
    offer: Offer,
    wanted: Wanted<'a>,
    best: Best,
}

impl StreamEvent<'_> {
    /// How many actions the request has.
    #[must_use]
    pub(crate) fn actions(&self) -> usize {
        self.offer.actions.len()
    }

    /// The index in the plan of an action, by its position in the request.
    #[must_use]
    pub(crate) fn index(&self, position: usize) -> usize {
        self.offer.index(position)
    }

    /// The position in the request of an action, by its index in the plan.
    #[must_use]
    pub(crate) fn position(&self, index: usize) -> Option<usize> {
        self.offer.position(index)
    }

    /// The index in the plan of the action that is a success: the one that the visitor prefers,
    /// or that with the highest expected reward.
    #[must_use]
    pub(crate) fn preferred(&self) -> usize {
        match self.wanted {
            Wanted::Action(preferred) => preferred,
            Wanted::Rewards(_) => self.best.action,
        }
    }

    /// The same once an action was chosen, by its position in the request: of several with the
    /// highest expected reward, the chosen one.
    #[must_use]
    pub(crate) fn preferred_to(&self, chosen: usize, loss: Loss) -> usize {
        match self.wanted {
            Wanted::Rewards(_) if loss.regret <= 0.0 => self.index(chosen),
            _ => self.preferred(),
        }
    }
}

impl<'a> Stream<'a> {
    /// The events of `plan`.
    #[must_use]
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let source = |purpose| Source::new(plan.seed, purpose);
        Self {
            plan,
            populations: PopulationSchedule::new(plan),
            offers: OfferSchedule::new(plan),
            regret: RegretModel::new(plan),
            action_ids: plan.actions.iter().map(|action| Arc::clone(&action.id)).collect(),
            action_indices: plan.actions.iter().map(|action| &*action.id).zip(0..).collect(),
            visitors: source(Purpose::Visitor),
            event_ids: source(Purpose::EventId),
            noise: source(Purpose::RewardNoise),
            clicks: source(Purpose::Click),
            deviations: source(Purpose::RewardDeviation),
            think_times: source(Purpose::ThinkTime),
            losses: source(Purpose::RewardLoss),
            repeats: source(Purpose::RewardRepeat),
            replays: source(Purpose::Replay),
            logged: LoggedChoices::default(),
        }
    }

    /// The event of one iteration.
    #[must_use]
    pub(crate) fn event(&self, phase: PhaseKey, iteration: u64) -> StreamEvent<'a> {
        let visitor = if self.is_replay() {
            let at = self.offers.iteration_of_run(phase, iteration);
            let rows = &self.plan.population.rows;
            // A plan has an event for each iteration.
            &rows[usize::try_from(at).unwrap_or(usize::MAX).min(rows.len() - 1)]
        } else {
            let draw = self.visitors.at(phase, iteration, Draws::unit);
            self.populations.visitor(phase, iteration, draw)
        };
        let offer = self.offers.at(phase, iteration, visitor);
        self.event_of(visitor, offer, (phase, iteration))
    }

    /// The event of one iteration in which a visitor turns up who is offered the same each time.
    #[must_use]
    pub(crate) fn question(
        &self,
        phase: PhaseKey,
        iteration: u64,
        visitor: &'a Visitor,
    ) -> StreamEvent<'a> {
        self.event_of(visitor, self.offers.at(phase, 0, visitor), (phase, iteration))
    }

    fn event_of(
        &self,
        visitor: &'a Visitor,
        offer: Offer,
        (phase, iteration): (PhaseKey, u64),
    ) -> StreamEvent<'a> {
        let wanted = self.regret.wanted(visitor, &offer);
        let best = self.regret.best(wanted, visitor, &offer);
        let event_id = EventId::from(self.event_ids.at(phase, iteration, Draws::uuid));
        let request = RankRequest {
            context_features: Arc::clone(&visitor.features),
            actions: Arc::clone(&offer.actions),
            excluded_actions: self.plan.excluded_actions.clone(),
            event_id: Some(event_id.clone()),
            defer_activation: self.plan.defer_activation,
        };
        StreamEvent { event_id, visitor, request, offer, wanted, best }
    }

    /// The position of an action in a request, if it was offered.
    #[must_use]
    pub(crate) fn position(&self, event: &StreamEvent<'_>, id: &Arc<str>) -> Option<usize> {
        // The loop inside answers with the ids it was sent: the same, not equal ones.
        let few = event.offer.actions.iter().take(MOST_COMPARED);
        let same = |sent: &RankableAction| Arc::ptr_eq(&sent.id, id);
        few.zip(0..).find(|(sent, _)| same(sent)).map(|(_, position)| position).or_else(|| {
            let index = self.action_indices.get(&**id)?;
            event.offer.position(*index)
        })
    }

    /// How many actions the plan has.
    #[must_use]
    pub(crate) fn actions(&self) -> usize {
        self.action_ids.len()
    }

    /// The id of an action.
    #[must_use]
    pub(crate) fn action_id(&self, index: usize) -> &Arc<str> {
        &self.action_ids[index]
    }

    /// The reward of one iteration for an action, by its position in the request.
    #[must_use]
    pub(crate) fn reward(
        &self,
        phase: PhaseKey,
        iteration: u64,
        event: &StreamEvent<'_>,
        chosen: usize,
    ) -> f64 {
        self.reward_for(event.wanted, (phase, iteration, 0), event, chosen)
    }

    /// The reward of one slot of an iteration. Each slot has draws of its own, the first those of
    /// an event without slots.
    fn reward_for(
        &self,
        wanted: Wanted<'_>,
        (phase, iteration, slot): (PhaseKey, u64, usize),
        event: &StreamEvent<'_>,
        chosen: usize,
    ) -> f64 {
        let rule = &self.plan.reward;
        let draws_click = matches!(wanted, Wanted::Rewards(_)) && rule.deviation.is_none();
        let at = |source: &Source, draw: fn(&mut Draws) -> f64| {
            source.at(phase, iteration, |draws| {
                (0..slot).for_each(|_| _ = draw(draws));
                draw(draws)
            })
        };
        let chance = Chance {
            is_opposite: rule.noise > 0.0 && at(&self.noise, Draws::unit) < rule.noise,
            click: if draws_click { at(&self.clicks, Draws::unit) } else { 0.0 },
            deviation: rule.deviation.map_or(0.0, |_| at(&self.deviations, Draws::normal)),
        };
        let choice = Choice {
            wanted,
            context: &event.visitor.features,
            index: event.index(chosen),
            action: &event.offer.actions[chosen],
        };
        rule.reward(choice, chance)
    }

    /// What it cost to choose an action, where the service thought `favourite` the best. Both are
    /// positions in the request.
    #[must_use]
    pub(crate) fn loss(
        &self,
        event: &StreamEvent<'_>,
        chosen: usize,
        favourite: Option<usize>,
    ) -> Loss {
        let StreamEvent { visitor, offer, wanted, best, .. } = event;
        self.regret.loss((*wanted, *best), visitor, offer, chosen, favourite)
    }

    /// Whether a log is replayed.
    #[must_use]
    pub(crate) fn is_replay(&self) -> bool {
        self.plan.log.as_ref().is_some_and(|log| log.kind == LogKind::Replay)
    }

    /// What a log says of a choice, by its position in the request. Iterations are to be asked in
    /// their order, each once.
    #[must_use]
    pub(crate) fn verdict(
        &self,
        phase: PhaseKey,
        iteration: u64,
        event: &StreamEvent<'_>,
        position: usize,
    ) -> Option<Verdict> {
        match event.visitor.logged.as_ref()? {
            Logged::Event { chosen, reward, keep } => {
                let is_kept = |draws: &mut Draws| draws.chance(*keep);
                let counts =
                    *chosen == event.index(position) && self.replays.at(phase, iteration, is_kept);
                Some(if counts { Verdict::Accepted(*reward) } else { Verdict::Rejected })
            }
            Logged::Choices(choices) => {
                Some(Verdict::OfTwin(self.logged.visit(choices, phase, position)))
            }
        }
    }

    /// How often the reward of one iteration is sent: not at all, if it is lost.
    #[must_use]
    pub(crate) fn deliveries(
        &self,
        phase: PhaseKey,
        iteration: u64,
        delivery: RewardDelivery,
    ) -> u32 {
        let happens = |source: &Source, share: f64| {
            share > 0.0 && source.at(phase, iteration, |draws| draws.chance(share))
        };
        if happens(&self.losses, delivery.lost) {
            0
        } else {
            1 + u32::from(happens(&self.repeats, delivery.repeated))
        }
    }

    /// How long the visitor of one iteration takes to answer.
    #[must_use]
    pub(crate) fn think_time(&self, phase: PhaseKey, iteration: u64, delay: Delay) -> Duration {
        delay.sampler().sample(|| self.think_times.at(phase, iteration, Draws::normal))
    }
}
