use super::{Difference, Finding, Group, compare};
use metrics::{Decision, Dimension, Gate};
use statistics::Interval;

/// The judgement of a gate for one policy.
#[derive(Debug, Clone)]
pub struct GateVerdict {
    /// The gate.
    pub gate: Gate,
    /// The base.
    pub base: String,
    /// The policy.
    pub candidate: String,
    /// The outcome.
    pub outcome: GateOutcome,
    /// The difference that it was judged by; none where a side has no runs.
    pub difference: Option<Difference>,
}

/// The outcome of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateOutcome {
    /// The requirement is shown to hold.
    Pass,
    /// The requirement is shown not to hold.
    Fail,
    /// Neither is shown, for this reason.
    Inconclusive(String),
    /// The gate could not be judged, for this reason. This is not a pass.
    NotMeasured(String),
}

impl GateVerdict {
    /// Whether the gate failed or could not be judged.
    #[must_use]
    pub fn fails(&self) -> bool {
        matches!(self.outcome, GateOutcome::Fail | GateOutcome::NotMeasured(_))
    }

    /// Whether the gate is inconclusive, and the gate says that this is a failure.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self.outcome, GateOutcome::Inconclusive(_)) && self.gate.inconclusive_fails
    }
}

/// Judges the policies of one experiment against its base: the policy that the gate names,
/// or the one called `base`, or the first.
#[must_use]
pub fn judge_within(gates: &[Gate], groups: &[Group], base: Option<&str>) -> Vec<GateVerdict> {
    let judged = gates.iter().flat_map(|gate| {
        let base = gate.against.as_deref().or(base);
        let base = base.map_or(groups.first(), |name| groups.iter().find(|of| of.name == name));
        base.into_iter().flat_map(move |base| {
            let others = groups.iter().filter(|group| group.name != base.name);
            others.filter(|group| names(gate, &group.name)).map(|group| judge(gate, base, group))
        })
    });
    judged.collect()
}

/// Judges a policy of one folder against the same policy of other folders. Gates with
/// `against` compare policies of one experiment, and do not apply here.
#[must_use]
pub fn judge_between(
    gates: &[Gate],
    policy: &str,
    base: &Group,
    candidates: &[Group],
) -> Vec<GateVerdict> {
    let applies = |gate: &&Gate| gate.against.is_none() && names(gate, policy);
    let judged = gates.iter().filter(applies);
    judged
        .flat_map(|gate| candidates.iter().map(move |candidate| judge(gate, base, candidate)))
        .collect()
}

fn names(gate: &Gate, policy: &str) -> bool {
    gate.policies.is_empty() || gate.policies.iter().any(|name| name == policy)
}

/// Judges a policy by a gate.
///
/// Each gate decides by its own interval. All gates must pass, so the chance to let a worse
/// policy through is that of one gate (an intersection–union test; Berger 1982).
fn judge(gate: &Gate, base: &Group, candidate: &Group) -> GateVerdict {
    let comparison = compare(&gate.term, base, &[candidate], gate.confidence);
    let difference = comparison.candidates.into_iter().next();
    let missing = difference.iter().flat_map(|of| &of.estimate.missing);
    let missing: Vec<&String> = comparison.base.missing.iter().chain(missing).collect();
    let outcome = match (&missing[..], &difference) {
        ([first, ..], _) => GateOutcome::NotMeasured((*first).clone()),
        ([], Some(difference)) => decide(gate, difference, comparison.base.runs),
        ([], None) => GateOutcome::NotMeasured("there are no runs".to_owned()),
    };
    GateVerdict {
        gate: gate.clone(),
        base: base.name.clone(),
        candidate: candidate.name.clone(),
        outcome,
        difference,
    }
}

fn decide(gate: &Gate, difference: &Difference, base_runs: u64) -> GateOutcome {
    let own = difference.estimate.runs;
    let runs = difference.pairs.unwrap_or(own.min(base_runs));
    if own == 0 || base_runs == 0 {
        return GateOutcome::NotMeasured("there are no runs".to_owned());
    }
    if runs < gate.min_seeds {
        let seeds = if runs == 1 { "seed" } else { "seeds" };
        return GateOutcome::Inconclusive(format!(
            "{runs} {seeds}, {} are asked for",
            gate.min_seeds
        ));
    }
    let Some(interval) = interval(difference) else {
        return GateOutcome::Inconclusive("one run each: no inference".to_owned());
    };
    match gate.decide(interval) {
        Decision::Pass => GateOutcome::Pass,
        Decision::Fail => GateOutcome::Fail,
        Decision::Inconclusive => GateOutcome::Inconclusive(undecided(difference, gate)),
    }
}

/// The interval of the difference. Runs that all differ by the same amount have no
/// spread: the amount is all there is.
fn interval(difference: &Difference) -> Option<Interval> {
    let test = difference.test.as_ref()?;
    if difference.finding == Finding::NoInference {
        return None;
    }
    Some(test.interval.unwrap_or(Interval { lower: test.difference, upper: test.difference }))
}

fn undecided(difference: &Difference, gate: &Gate) -> String {
    let dimension: Dimension = gate.term.definition().dimension;
    let could = difference.detectable.map(|value| metrics::Quantity { value, dimension });
    let could = could.map_or(String::new(), |value| format!("; so many runs could show ±{value}"));
    format!("the interval holds both{could}")
}
