//! The twin of a log as a world: fitted, proved, or refused with the reason.

use twin::{Deviation, Indifference, LoggedEvent, Proof, Refusal, RewardKind, Twin, TwinVisitor};

use super::{Offers, PlayedLog, owned, thinned, values};
use diagnostic::{Diagnostic, Place, Report};
use plan::{ActionRewards, LogKind, LogWorld, Logged, Population, Preference, RewardRule, Visitor};

/// The twin, if it is proved.
pub(super) fn played(
    events: &[LoggedEvent],
    dimensions: &[&str],
    place: &Place,
    report: &mut Report,
) -> Option<PlayedLog> {
    let twin = match Twin::of(events) {
        Ok(twin) => twin,
        Err(refusal) => {
            report.push(refused(&refusal).at(place));
            return None;
        }
    };
    let offers = Offers { actions: twin.actions.into() };
    let (rule, scale): (_, Box<dyn Fn(f64) -> f64>) = match twin.kind {
        RewardKind::Click { hit, miss } => {
            let rule = RewardRule { matched: hit, otherwise: miss, ..RewardRule::default() };
            let range = if hit > miss { hit - miss } else { 1.0 };
            (rule, Box::new(move |reward| (reward - miss) / range))
        }
        RewardKind::Varying(deviation) => {
            let rule = RewardRule { deviation: Some(deviation), ..RewardRule::default() };
            (rule, Box::new(|reward| reward))
        }
    };
    let visitor = |visitor: &TwinVisitor| {
        let rewards = visitor.indices.iter().zip(&visitor.rewards);
        let rewards = rewards.map(|(action, reward)| (*action, scale(*reward))).collect();
        let offer = offers.of_visitor(&visitor.offered, &visitor.indices);
        Visitor {
            context: values(&visitor.context, dimensions),
            features: visitor.context.clone(),
            preference: Preference::Rewards(ActionRewards::new(rewards)),
            actions: offer.indices,
            weight: visitor.events,
            offered: offer.features,
            logged: Some(Logged::Choices(visitor.choices.as_slice().into())),
        }
    };
    let rows = twin.visitors.iter().map(visitor).collect();
    Some(PlayedLog {
        population: Population { dimensions: owned(dimensions), rows },
        actions: offers.actions,
        reward: rule,
        log: LogWorld {
            kind: LogKind::Twin,
            notes: [proved(&twin.proof)].into_iter().chain(thinned(events)).collect(),
        },
    })
}

/// What a proof has shown.
fn proved(proof: &Proof) -> String {
    let Proof { fitted, held_out, logged, twin, half_width, tests, least_p, .. } = proof;
    format!(
        "the twin is fitted on {fitted} events and proved on {held_out} others: their reward is \
         {logged:.4}, the twin says {twin:.4} ± {half_width:.4}; {tests} parts of the log agree, \
         the least p is {least_p:.2}"
    )
}

/// Why there is no twin.
fn refused(refusal: &Refusal) -> Diagnostic {
    match refusal {
        Refusal::TooFew(events) => {
            let fewest = twin::FEWEST_EVENTS;
            let message = format!("{events} events prove no twin, at least {fewest} are needed");
            Diagnostic::error(message).help("use more of the log, or `play: replay`")
        }
        Refusal::Unusable(event) => {
            let message = format!("event {} has no valid probability or choice", event + 1);
            Diagnostic::error(message).help("leave it out of the log")
        }
        Refusal::TooLarge(rewards) => {
            let message = format!(
                "the twin would have {rewards} expected rewards, one for each context and action: \
                 at most {} are kept",
                twin::MOST_REWARDS
            );
            Diagnostic::error(message).help("use less of the log, or `play: replay`")
        }
        Refusal::Deviates(proof) => deviates(proof),
        Refusal::Indifferent(of) => indifferent(of),
    }
}

/// The twin is not its log.
fn deviates(Proof { deviations, tests, held_out, .. }: &Proof) -> Diagnostic {
    /// So many deviations are shown.
    const SHOWN: usize = 3;
    let message = format!(
        "the twin does not give back its log: {} of {tests} parts of the {held_out} held-out \
         events deviate",
        deviations.len()
    );
    let shown = |of: &Deviation| {
        let Deviation { part, events, logged, twin, half_width, p } = of;
        format!(
            "{part}: the log has {logged:.4} in {events} events, the twin {twin:.4} ± \
             {half_width:.4} (corrected p {p:.1e})"
        )
    };
    let shown: Vec<String> = deviations.iter().take(SHOWN).map(shown).collect();
    Diagnostic::error(message).help(
        shown.join("; ")
            + "; does it change in the course of the log, or were rewards joined to other events? \
               `play: replay` needs no twin",
    )
}

/// In a part of the log, nothing follows from what is chosen.
fn indifferent(of: &Indifference) -> Diagnostic {
    let Indifference { by, contexts, count, share, others, typical, at_most } = of;
    let message = format!(
        "rewards do not follow the action in {count} parts of the log by {by}, which have {:.0} % \
         of its events",
        100.0 * share
    );
    let help = format!(
        "there, as in `{}`, actions explain at most {:.1} % of the variance of rewards, in \
         {others} others {:.1} %: were rewards joined to other events? leave these events out",
        contexts.join("` and `"),
        100.0 * at_most,
        100.0 * typical
    );
    Diagnostic::error(message).help(help)
}
