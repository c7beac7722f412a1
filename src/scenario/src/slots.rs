//! Phases with slots: what they need of the world, of the service and of the learning policy.

use std::borrow::Cow;

use super::data::Data;
use super::format::Placed;
use super::model::{PhaseItem, StepFile};
use ::policy::Policy;
use diagnostic::{Diagnostic, Report};
use plan::{Apply, Catalogue, Evaluate, Phase, Population, Step, TargetPlan};
use protocol::DEFAULT_SLOTS_POLICY;

/// Refuses phases with slots that could not fill them.
pub(super) fn check(
    (items, phases): (&[PhaseItem], &[Phase]),
    data: &Data,
    catalogue: Option<&Catalogue>,
    target: Option<&TargetPlan>,
    report: &mut Report,
) {
    let mut policy = target.and_then(TargetPlan::start).map(|(_, policy)| Cow::Borrowed(policy));
    for phase in phases {
        match &phase.step {
            Step::ApplyPolicy(named) => policy = Some(Cow::Borrowed(&named.policy)),
            Step::Evaluate(evaluate) => policy = after(evaluate, policy),
            Step::Iterate(_) => {
                let item = items.iter().find(|item| item.name == phase.name);
                let Some(slots) = item.and_then(slots) else { continue };
                refuse_log(data, slots, report);
                refuse_policy(policy.as_deref(), slots, report);
                let iterations = phases.iter().filter_map(|phase| phase.scope().iterations).sum();
                refuse_offer(
                    data,
                    data.populations(phases),
                    (catalogue, iterations),
                    slots,
                    report,
                );
            }
            Step::Wait(_) | Step::Pause(_) | Step::Configure(_) | Step::Reset => {}
        }
    }
}

/// The `slots` of a phase as they are written.
pub(super) fn slots(item: &PhaseItem) -> Option<&Placed<usize>> {
    match &item.step {
        Some(StepFile::Iterate(iterate)) => iterate.slots.as_ref(),
        _ => None,
    }
}

/// The online policy after an evaluation, if it is certain.
fn after<'p>(evaluate: &'p Evaluate, online: Option<Cow<'p, Policy>>) -> Option<Cow<'p, Policy>> {
    match &evaluate.apply {
        Apply::None => online,
        Apply::Named(name) => {
            let named = evaluate.policies.iter().find(|of| of.name.eq_ignore_ascii_case(name))?;
            Some(Cow::Borrowed(&named.policy))
        }
        Apply::Best | Apply::Safest | Apply::Optimal => None,
    }
}

fn refuse_log(data: &Data, slots: &Placed<usize>, report: &mut Report) {
    if data.log.is_some() {
        let message = "a log says what came of one choice an event, and `slots` makes several";
        let help = "leave `slots` out";
        report.push(Diagnostic::error(message).at(&slots.key).help(help));
    }
}

fn refuse_policy(policy: Option<&Policy>, slots: &Placed<usize>, report: &mut Report) {
    let Some(policy) = policy.filter(|policy| !policy.is_multi_slot()) else { return };
    let message = format!("the learning policy fills no slots: `{}`", policy.arguments());
    let help = format!(
        "`slots` needs Vowpal Wabbit with `--ccb_explore_adf`, such as `{DEFAULT_SLOTS_POLICY}`"
    );
    report.push(Diagnostic::error(message).at(&slots.key).help(help));
}

/// Refuses a number of slots that is larger than the number of actions of some event.
fn refuse_offer<'a>(
    data: &Data,
    populations: impl Iterator<Item = &'a Population>,
    (catalogue, iterations): (Option<&Catalogue>, u64),
    slots: &Placed<usize>,
    report: &mut Report,
) {
    let presence = catalogue.map_or(&[][..], |catalogue| &catalogue.presence);
    let all: Vec<usize> = (0..data.actions.len()).collect();
    let excludes = |action: &&usize| {
        data.template.excluded.iter().any(|id| **id == *data.actions[**action].id)
    };
    let own = populations.flat_map(|of| &of.rows).filter_map(|row| row.actions.as_deref());
    let of_offer = |actions: &[usize]| {
        let never = actions.iter().filter(excludes).count();
        least_available(actions, presence, iterations).saturating_sub(never)
    };
    let least = own.map(of_offer).fold(of_offer(&all), usize::min);
    let candidates = catalogue.and_then(|of| of.candidates).map_or(usize::MAX, |(least, _)| least);
    let least = least.min(candidates);
    if slots.value > least {
        let count = if least == 1 { "1 action".to_owned() } else { format!("{least} actions") };
        let message = format!("{} slots, and an event may offer {count}", slots.value);
        let help = "each slot gets another action: ask for fewer slots, or offer more actions";
        report.push(Diagnostic::error(message).at(&slots.place).help(help));
    }
}

/// How many of the actions are available at least, over so many iterations of the run.
fn least_available(actions: &[usize], presence: &[(u64, u64)], iterations: u64) -> usize {
    if presence.is_empty() {
        return actions.len();
    }
    let spans = actions.iter().map(|action| presence[*action]);
    let (mut arrivals, mut departures): (Vec<u64>, Vec<u64>) =
        spans.filter(|(from, until)| from < until).unzip();
    arrivals.sort_unstable();
    departures.sort_unstable();
    let begun = |times: &[u64], at: u64| times.partition_point(|time| *time <= at);
    let available = |at: u64| begun(&arrivals, at) - begun(&departures, at);
    let later = departures.iter().copied().filter(|at| *at < iterations);
    later.chain([0]).map(available).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::least_available;

    #[test]
    fn the_fewest_actions_are_counted_at_the_worst_moment() {
        let presence = [(0, 10), (5, 20), (0, u64::MAX), (30, 30)];
        assert_eq!(least_available(&[0, 1, 2, 3], &presence, 100), 1);
        assert_eq!(least_available(&[0, 1, 2], &presence, 20), 2);
        assert_eq!(least_available(&[1, 2], &presence, 5), 1);
        assert_eq!(least_available(&[1], &presence, 5), 0);
        assert_eq!(least_available(&[0, 1], &[], 5), 2);
        for at in 0..40 {
            // An oracle that looks at each iteration.
            let count = |now: u64| {
                presence.iter().filter(|(from, until)| (*from..*until).contains(&now)).count()
            };
            let least = (0..=at).map(count).min().unwrap();
            assert_eq!(least_available(&[0, 1, 2, 3], &presence, at + 1), least, "{at}");
        }
    }
}
