//! Which actions an event offers.

use std::cell::{OnceCell, RefCell, RefMut};
use std::sync::Arc;

use foldhash::HashMap;

use super::availability::Availability;
use plan::Plan;
use plan::{Catalogue, Step, Visitor};
use protocol::RankableAction;
use seed::{Draws, PhaseKey, Purpose, Source};

/// The actions that one event offers.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub actions: Arc<[RankableAction]>,
    /// Their indices in the plan; none, if they are all of them, in their order.
    pub indices: Option<Arc<[usize]>>,
    /// When they are offered: the iteration of the run.
    pub at: u64,
    /// The positions by index, once they are asked for where there are many.
    positions: OnceCell<HashMap<usize, usize>>,
}

/// Looking at so many indices costs less than a map of them.
const FEW: usize = 16;

impl Offer {
    fn new(actions: Arc<[RankableAction]>, indices: Option<Arc<[usize]>>, at: u64) -> Self {
        Self { actions, indices, at, positions: OnceCell::new() }
    }

    /// The index in the plan of the action at a position.
    pub fn index(&self, position: usize) -> usize {
        self.indices.as_ref().map_or(position, |indices| indices[position])
    }

    /// The position of an action by its index in the plan.
    pub fn position(&self, index: usize) -> Option<usize> {
        match &self.indices {
            Some(indices) if indices.len() <= FEW => indices.iter().position(|of| *of == index),
            Some(indices) => {
                let map = || indices.iter().copied().zip(0..).collect();
                self.positions.get_or_init(map).get(&index).copied()
            }
            None => (index < self.actions.len()).then_some(index),
        }
    }
}

/// The offers of a plan.
pub(super) struct OfferSchedule<'a> {
    plan: &'a Plan,
    /// Which iteration of the run the first of each phase is.
    first_iterations: HashMap<PhaseKey, u64>,
    availability: RefCell<Availability>,
    /// Whether each action has one state: that of the plan.
    is_constant: bool,
    draws: Source,
    /// The last offer that was not drawn: most events have the same.
    last: RefCell<Option<Offer>>,
}

/// So many draws are made for each candidate, on average, before all actions are looked at
/// instead.
const MOST_MISSES: usize = 32;

impl<'a> OfferSchedule<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let mut first_iterations = HashMap::default();
        let mut passed = 0;
        for phase in &plan.phases {
            if let Step::Iterate(iterate) = &phase.step {
                first_iterations.insert(phase.key, passed);
                passed += iterate.iterations;
            }
        }
        let availability = Availability::of(plan.catalogue.as_deref(), plan.actions.len());
        Self {
            plan,
            first_iterations,
            availability: RefCell::new(availability),
            is_constant: plan.catalogue.as_ref().is_none_or(|catalogue| catalogue.is_constant()),
            draws: Source::new(plan.seed, Purpose::Offer),
            last: RefCell::default(),
        }
    }

    /// The offer of an iteration to a visitor.
    pub fn at(&self, phase: PhaseKey, iteration: u64, visitor: &Visitor) -> Offer {
        let (catalogue, own) = (self.plan.catalogue.as_deref(), visitor.actions.as_deref());
        let at = self.iteration_of_run(phase, iteration);
        if let Some(offered) = &visitor.offered {
            return Offer::new(Arc::clone(offered), visitor.actions.clone(), at);
        }
        if catalogue.is_none() && own.is_none() {
            return Offer::new(Arc::clone(&self.plan.actions), None, at);
        }
        let everything = Catalogue::default();
        let catalogue = catalogue.unwrap_or(&everything);
        match catalogue.candidates {
            Some(sizes) => {
                let draw = |draws: &mut Draws| self.draw(at, own, sizes, draws);
                let indices = self.draws.at(phase, iteration, draw);
                self.offer(catalogue, indices.into(), at)
            }
            None => self.all(catalogue, at, own),
        }
    }

    /// Which iteration of the run one of a phase is.
    pub fn iteration_of_run(&self, phase: PhaseKey, iteration: u64) -> u64 {
        self.first_iterations.get(&phase).copied().unwrap_or(0) + iteration
    }

    /// Every action that is available; the last offer, if that is the same.
    fn all(&self, catalogue: &Catalogue, at: u64, own: Option<&[usize]>) -> Offer {
        let indices = available(&self.available_at(at), self.plan.actions.len(), own);
        let is_same = |offer: &Offer| {
            let same_states = |(action, index): (&RankableAction, &usize)| {
                Arc::ptr_eq(&action.features, &self.action(catalogue, *index, at).features)
            };
            offer.indices.as_deref() == Some(&*indices)
                && offer.actions.iter().zip(&indices).all(same_states)
        };
        let mut last = self.last.borrow_mut();
        match last.as_ref().filter(|offer| is_same(offer)) {
            Some(offer) => Offer { at, ..offer.clone() },
            None => last.insert(self.offer(catalogue, indices.into(), at)).clone(),
        }
    }

    fn offer(&self, catalogue: &Catalogue, indices: Arc<[usize]>, at: u64) -> Offer {
        // Features are shared: an event costs memory by the number of its candidates only.
        let actions = indices.iter().map(|index| self.action(catalogue, *index, at));
        Offer::new(actions.cloned().collect(), Some(indices), at)
    }

    /// The state of an action at an iteration of the run.
    fn action<'c>(&'c self, catalogue: &'c Catalogue, index: usize, at: u64) -> &'c RankableAction {
        let state = if self.is_constant { None } else { catalogue.state(index, at) };
        state.map_or(&self.plan.actions[index], |state| &state.action)
    }

    /// The actions that are available at an iteration of the run.
    fn available_at(&self, at: u64) -> RefMut<'_, Availability> {
        let mut availability = self.availability.borrow_mut();
        availability.go_to(at);
        availability
    }

    /// Draws candidates without replacement, each set as likely as any other of its size.
    fn draw(
        &self,
        at: u64,
        own: Option<&[usize]>,
        (least, most): (usize, usize),
        draws: &mut Draws,
    ) -> Vec<usize> {
        let size = if least < most { least + below(most - least + 1, draws) } else { most };
        let all = self.plan.actions.len();
        let availability = self.available_at(at);
        let count = availability.count();
        let is_dense = size <= count / 2 && all <= count.saturating_mul(MOST_MISSES);
        if own.is_none() && is_dense {
            return draw_among(all, size, |index| availability.has(index), draws);
        }
        let mut pool = available(&availability, all, own);
        let size = size.min(pool.len());
        for position in 0..size {
            let other = position + below(pool.len() - position, draws);
            pool.swap(position, other);
        }
        pool.truncate(size);
        pool
    }
}

/// Which of all actions, or of those of a visitor, are available.
fn available(availability: &Availability, all: usize, own: Option<&[usize]>) -> Vec<usize> {
    let is_available = |index: &usize| availability.has(*index);
    match own {
        Some(own) => own.iter().copied().filter(is_available).collect(),
        None => (0..all).filter(is_available).collect(),
    }
}

/// Draws different numbers below `all` that are accepted, in the order in which they are drawn.
/// So it takes no time for actions that are not drawn, of which there may be very many.
fn draw_among(
    all: usize,
    size: usize,
    accepts: impl Fn(usize) -> bool,
    draws: &mut Draws,
) -> Vec<usize> {
    const BITS: usize = u64::BITS as usize;
    let mut seen = vec![0_u64; all.div_ceil(BITS)];
    let mut chosen = Vec::with_capacity(size);
    while chosen.len() < size {
        let index = below(all, draws);
        let (word, bit) = (&mut seen[index / BITS], 1 << (index % BITS));
        if *word & bit == 0 && accepts(index) {
            *word |= bit;
            chosen.push(index);
        }
    }
    chosen
}

fn below(bound: usize, draws: &mut Draws) -> usize {
    usize::try_from(draws.below(bound as u64)).expect("it is below a size in memory")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use foldhash::HashSet;

    use super::super::Stream;
    use super::super::availability::tests::is_present;
    use super::*;
    use scenario::LoadOptions;

    fn plan(name: &str) -> Plan {
        let path = Path::new("../scenario/tests/fixtures/valid").join(name);
        let loaded = scenario::load(&path, &LoadOptions::default(), &|_| None);
        loaded.unwrap_or_else(|report| panic!("{}", report.render(false))).0
    }

    /// The offers of all iterations of the run, with the names of their phases.
    fn offers<'p>(plan: &'p Plan, stream: &'p Stream<'p>) -> impl Iterator<Item = Offer> + 'p {
        plan.phases.iter().flat_map(move |phase| {
            let iterations = phase.scope().iterations.unwrap_or(0);
            (0..iterations).map(move |iteration| stream.event(phase.key, iteration).offer)
        })
    }

    #[test]
    fn an_offer_has_so_many_actions_that_are_available_each_once() {
        let plan = plan("turnover.yaml");
        let (stream, again) = (Stream::new(&plan), Stream::new(&plan));
        let catalogue = plan.catalogue.as_deref().unwrap();
        let mut sizes = HashSet::default();
        for (offer, at) in offers(&plan, &stream).zip(0..) {
            assert_eq!(offer.at, at);
            let indices = offer.indices.as_deref().unwrap();
            sizes.insert(indices.len());
            let distinct: HashSet<usize> = indices.iter().copied().collect();
            assert_eq!(distinct.len(), indices.len());
            for (position, index) in indices.iter().enumerate() {
                assert!(is_present(catalogue, *index, at), "{index} at {at}");
                assert_eq!(offer.position(*index), Some(position));
                let state = catalogue.state(*index, at).unwrap();
                assert!(Arc::ptr_eq(&state.action.features, &offer.actions[position].features));
            }
        }
        assert_eq!(sizes.len(), 16, "every size from 5 to 20: {sizes:?}");
        // An event is a function of its address, whatever was asked before.
        let last = plan.phases[1].key;
        let [one, other] = [&stream, &again].map(|stream| stream.event(last, 7).offer.indices);
        assert_eq!(one, other);
    }

    #[test]
    fn candidates_are_drawn_equally_often_whether_few_or_most_are_drawn() {
        for size in [20_usize, 200] {
            let mut plan = plan("turnover.yaml");
            let catalogue = Catalogue { candidates: Some((size, size)), ..Catalogue::default() };
            plan.catalogue = Some(Arc::new(catalogue));
            let stream = Stream::new(&plan);
            let mut counts = [[0_u32; 300]; 2];
            for offer in offers(&plan, &stream) {
                let indices = offer.indices.unwrap();
                assert_eq!(indices.len(), size);
                indices.iter().for_each(|index| counts[0][*index] += 1);
                counts[1][indices[0]] += 1;
            }
            for (counts, share) in counts.iter().zip([f64::from(u32::try_from(size).unwrap()), 1.0])
            {
                let probability = share / 300.0;
                let expected = 2000.0 * probability;
                let chi_square: f64 = counts
                    .iter()
                    .map(|count| (f64::from(*count) - expected).powi(2) / expected)
                    .sum();
                // 299 degrees of freedom; without replacement a little less than that.
                assert!(chi_square < 299.0 + 5.0 * 24.5, "{size}: {chi_square}");
            }
        }
    }

    #[test]
    fn as_many_actions_are_available_at_the_start_as_at_the_end() {
        let plan = plan("turnover.yaml");
        let schedule = OfferSchedule::new(&plan);
        let catalogue = plan.catalogue.as_deref().unwrap();
        // A lifetime of a fifth of the run: 0.2 / (1 + 1.5 * 0.2) of 300.
        for at in [0, 1, 400, 1000, 1500, 1999] {
            let counted = (0..300).filter(|index| is_present(catalogue, *index, at)).count();
            assert_eq!(schedule.available_at(at).count(), counted);
            assert!((28..=66).contains(&counted), "{counted} at {at}");
        }
    }

    #[test]
    fn days_are_iterations_of_the_calendar() {
        let plan = plan("calendar.yaml");
        let stream = Stream::new(&plan);
        let prices = |offer: &Offer, id: &str| {
            let found = offer.actions.iter().find(|action| &*action.id == id)?;
            Some(serde_json::to_value(&found.features).unwrap()[0]["price"].as_u64().unwrap())
        };
        let (mut juice, mut soup) = (Vec::new(), Vec::new());
        for offer in offers(&plan, &stream) {
            juice.extend(prices(&offer, "juice").map(|_| offer.at));
            soup.extend(prices(&offer, "soup").map(|price| (offer.at, price)));
        }
        // The third of ten days begins after a fifth of 1,000 iterations.
        assert!(juice[0] >= 200 && juice.len() > 100, "{juice:?}");
        let expected = |at: u64| [(800, 1), (400, 3), (0, 5)].iter().find(|(from, _)| at >= *from);
        assert!(soup.iter().all(|(at, price)| expected(*at).unwrap().1 == *price), "{soup:?}");
        assert!(soup.iter().any(|(at, _)| *at >= 800));
    }

    #[test]
    fn visitors_are_offered_their_own_actions_and_the_best_of_them_has_no_regret() {
        for name in ["calendar.yaml", "own-actions.yaml", "turnover.yaml"] {
            let plan = plan(name);
            let stream = Stream::new(&plan);
            for phase in &plan.phases {
                for iteration in 0..phase.scope().iterations.unwrap().min(300) {
                    let event = stream.event(phase.key, iteration);
                    let own = event.visitor.actions.as_deref();
                    let offered = (0..event.actions()).map(|position| event.index(position));
                    assert!(
                        offered.clone().all(|index| own.is_none_or(|own| own.contains(&index)))
                    );
                    let best = event.position(event.preferred()).unwrap();
                    let regrets: Vec<f64> = (0..event.actions())
                        .map(|position| stream.loss(&event, position, None).regret)
                        .collect();
                    assert!(regrets.iter().all(|regret| *regret >= 0.0), "{regrets:?}");
                    assert_eq!(regrets[best], 0.0);
                }
            }
        }
    }
}
