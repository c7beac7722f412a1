//! Audits of simulated services, honest ones and liars.

use proptest::prelude::*;

use super::*;
use seed::{Draws, PhaseKey, Purpose, Seed};

const CONTEXTS: usize = 12;

/// A simulated service: its claims by context and call, and what it draws.
struct Simulated {
    draws: Draws,
    /// Whether only the probability of the drawn action is told.
    tells_chosen: bool,
}

impl Simulated {
    fn new(world: u64, tells_chosen: bool) -> Self {
        Self { draws: Seed(world).draws(PhaseKey::new("audit"), 0, Purpose::Flip), tells_chosen }
    }

    fn claim(&self, claims: &[f64], action: usize) -> Claim {
        if self.tells_chosen { Claim::Chosen(claims[action]) } else { Claim::All(claims.to_vec()) }
    }
}

/// The action at `unit` of the cumulative probabilities.
fn at(probabilities: &[f64], unit: f64) -> usize {
    let mut left = unit;
    for (action, probability) in probabilities.iter().enumerate() {
        left -= probability;
        if left < 0.0 {
            return action;
        }
    }
    probabilities.len() - 1
}

/// An ε-greedy law whose favourite depends on the context.
fn greedy(context: usize, actions: usize, favourite: f64) -> Vec<f64> {
    let rest = (1.0 - favourite) / real(actions as u64 - 1);
    (0..actions).map(|action| if action == context % actions { favourite } else { rest }).collect()
}

fn design(contexts: usize, actions: usize) -> AuditDesign {
    AuditDesign { contexts, actions, level: 0.05, within: 0.05 }
}

/// Audits what `answer` decides for a context and a call until it is sure, or for so many calls.
fn audited(
    design: AuditDesign,
    budget: u64,
    mut answer: impl FnMut(usize, u64) -> (usize, Claim),
) -> (AuditVerdict, u64) {
    let mut audit = PropensityAudit::new(design);
    while audit.calls() < budget {
        let context = audit.next_context();
        for _ in 0..PropensityAudit::ROUND {
            let (action, claim) = answer(context, audit.calls());
            audit.observe(context, action, &claim);
            if audit.has_caught() {
                return (audit.verdict(), audit.calls());
            }
        }
        if matches!(audit.verdict(), AuditVerdict::Certified(_)) {
            break;
        }
    }
    (audit.verdict(), audit.calls())
}

#[test]
fn honest_services_are_caught_no_more_often_than_the_level() {
    let mut caught = 0;
    for world in 0..200 {
        let tells_chosen = world % 2 == 1;
        let mut service = Simulated::new(world, tells_chosen);
        let actions = 2 + usize::try_from(world % 5).unwrap();
        let favourite = [0.3, 0.5, 0.85, 0.97][usize::try_from(world % 4).unwrap()];
        let (verdict, _) = audited(design(3, actions), 1_536, |context, call| {
            // Every third service learns while it is asked.
            let learned = if world % 3 == 0 { real(call) / 20_000.0 } else { 0.0 };
            let claims = greedy(
                context,
                actions,
                (favourite + learned).max(1.0 / real(actions as u64)).min(0.99),
            );
            let action = at(&claims, service.draws.unit());
            (action, service.claim(&claims, action))
        });
        caught += u64::from(matches!(verdict, AuditVerdict::Caught(_)));
    }
    // 5 % of 200 are 10; E-values are conservative, so that far fewer are expected.
    assert!(caught <= 10, "{caught}");
}

#[test]
fn a_share_of_80_claimed_as_85_in_one_context_of_twelve_is_caught_within_20_000_calls() {
    for (world, actions) in (0..12).zip([2, 3, 4].into_iter().cycle()) {
        let liar = usize::try_from(world).unwrap() % CONTEXTS;
        let mut service = Simulated::new(1_000 + world, world % 4 == 3);
        let (verdict, calls) = audited(design(CONTEXTS, actions), 20_000, |context, _| {
            let claims = greedy(context, actions, 0.85);
            let drawn = greedy(context, actions, if context == liar { 0.80 } else { 0.85 });
            let action = at(&drawn, service.draws.unit());
            (action, service.claim(&claims, action))
        });
        let AuditVerdict::Caught(lies) = verdict else { panic!("{world}: {verdict:?}") };
        let [Lie::Share { context, drawn, .. }] = &lies[..] else { panic!("{lies:?}") };
        assert_eq!(*context, liar);
        let truth = greedy(liar, actions, 0.80)[drawn.action];
        assert!(drawn.interval.holds(truth), "{drawn:?}");
        assert!(calls <= 20_000);
    }
}

#[test]
fn random_numbers_that_are_used_again_are_caught_within_20_000_calls() {
    let pool = |size: u64, world: u64| -> Vec<f64> {
        let mut draws = Seed(world).draws(PhaseKey::new("pool"), 0, Purpose::Flip);
        let unit = |index: u64| (real(index) + draws.unit()) / real(size);
        let mut pool: Vec<f64> = (0..size).map(unit).collect();
        // In any order, but with the right shares.
        for index in (1..pool.len()).rev() {
            pool.swap(index, usize::try_from(draws.below(index as u64 + 1)).unwrap());
        }
        pool
    };
    // (how many numbers there are, how often each is used in a row, whether all claims are told)
    for (size, times, tells_chosen) in
        [(16, 1, false), (100, 1, true), (257, 1, false), (1_000, 1, true), (40_000, 2, false)]
    {
        let numbers = pool(size, size);
        let (verdict, calls) = audited(design(CONTEXTS, 4), 20_000, |context, call| {
            let claims = greedy(context, 4, 0.85);
            let number = numbers[usize::try_from((call / times) % size).unwrap()];
            let action = at(&claims, number);
            (action, Simulated::new(0, tells_chosen).claim(&claims, action))
        });
        let AuditVerdict::Caught(lies) = verdict else { panic!("{size}: {verdict:?}") };
        let is_dependence = |lie: &Lie| matches!(lie, Lie::Dependence { .. });
        assert!(lies.iter().any(is_dependence), "{size}: {lies:?} after {calls}");
    }
}

#[test]
fn the_same_number_for_every_call_is_caught() {
    let (verdict, calls) = audited(design(CONTEXTS, 4), 20_000, |context, _| {
        let claims = greedy(context, 4, 0.85);
        (at(&claims, 0.5), Claim::All(claims))
    });
    assert!(matches!(verdict, AuditVerdict::Caught(_)), "{verdict:?}");
    assert!(calls < 500, "{calls}");
}

#[test]
fn an_honest_service_is_certified_and_the_certificate_is_true() {
    for world in 0..4 {
        let mut service = Simulated::new(2_000 + world, world % 2 == 1);
        let (verdict, calls) = audited(design(CONTEXTS, 4), 20_000, |context, _| {
            let claims = greedy(context, 4, 0.85);
            let action = at(&claims, service.draws.unit());
            (action, service.claim(&claims, action))
        });
        let AuditVerdict::Certified(widest) = verdict else { panic!("{verdict:?}") };
        assert!(widest.deviation <= 0.05 && widest.certified == CONTEXTS, "{widest:?}");
        assert!(calls < 20_000, "{calls}");
    }
}

#[test]
fn a_lie_that_begins_late_is_found() {
    let mut service = Simulated::new(5, false);
    let design = AuditDesign { within: 0.001, ..design(2, 3) };
    let (verdict, calls) = audited(design, 20_000, |context, call| {
        let claims = greedy(context, 3, 0.7);
        let drawn = if call < 5_000 { 0.7 } else { 0.5 };
        (at(&greedy(context, 3, drawn), service.draws.unit()), Claim::All(claims))
    });
    assert!(matches!(verdict, AuditVerdict::Caught(_)), "{verdict:?}");
    assert!((5_000..6_500).contains(&calls), "{calls}");
}

#[test]
fn changing_claims_of_the_chosen_action_alone_are_not_certified() {
    let mut service = Simulated::new(6, true);
    let (verdict, _) = audited(design(1, 2), 20_000, |context, call| {
        let claims = greedy(context, 2, if call % 2 == 0 { 0.7 } else { 0.8 });
        let action = at(&claims, service.draws.unit());
        (action, service.claim(&claims, action))
    });
    let AuditVerdict::Undecided(widest) = verdict else { panic!("{verdict:?}") };
    assert!(widest.claims_vary);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Means that change from draw to draw: the interval covers their mean at all times, but
    /// for one sequence in twenty.
    #[test]
    fn intervals_cover_the_mean_of_changing_probabilities(base in 0.05..0.9_f64, swing in 0.0..0.1_f64) {
        let missed = (0..40_u64).filter(|world| {
            let mut draws = Seed(*world).draws(PhaseKey::new("cover"), 0, Purpose::Flip);
            let (mut share, mut sum) = (share::Share::default(), 0.0);
            (1..=400).any(|call| {
                let mean = base + swing * f64::from(call % 2);
                sum += mean;
                share.calls += 1;
                share.drawn += u64::from(draws.chance(mean));
                let covers = || share.interval(0.05).holds(sum / f64::from(call));
                call % 40 == 0 && !covers()
            })
        });
        prop_assert!(missed.count() <= 6);
    }
}
