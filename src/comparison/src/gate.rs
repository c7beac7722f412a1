use super::{Difference, Finding, Group, compare};
use metrics::{Decision, Dimension, Gate};
use statistics::Interval;

/// What became of a gate for one policy.
#[derive(Debug, Clone)]
pub struct GateVerdict {
    /// What was asked for.
    pub gate: Gate,
    /// The base.
    pub base: String,
    /// The policy.
    pub candidate: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What it was judged by; none, where a side has no runs.
    pub difference: Option<Difference>,
}

/// What a gate came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is shown.
    Pass,
    /// The opposite is shown.
    Fail,
    /// Neither is shown, for this reason.
    Inconclusive(String),
    /// It could not be measured, for this reason. This is no pass.
    NotMeasured(String),
}

impl GateVerdict {
    /// Whether it may not pass.
    #[must_use]
    pub fn fails(&self) -> bool {
        matches!(self.outcome, Outcome::Fail | Outcome::NotMeasured(_))
    }

    /// Whether it is undecided and may not be.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self.outcome, Outcome::Inconclusive(_)) && self.gate.inconclusive_fails
    }
}

/// Judges a policy by a gate.
///
/// Every gate decides by an interval of its own. All must pass, so that the chance to let
/// a worse policy through is that of one gate (an intersection–union test; Berger 1982).
#[must_use]
pub fn judge(gate: &Gate, base: &Group, candidate: &Group) -> GateVerdict {
    let comparison = compare(&gate.term, base, &[candidate], gate.confidence);
    let difference = comparison.candidates.into_iter().next();
    let missing = difference.iter().flat_map(|of| &of.estimate.missing);
    let missing: Vec<&String> = comparison.base.missing.iter().chain(missing).collect();
    let outcome = match (&missing[..], &difference) {
        ([first, ..], _) => Outcome::NotMeasured((*first).clone()),
        ([], Some(difference)) => decide(gate, difference, comparison.base.runs),
        ([], None) => Outcome::NotMeasured("there are no runs".to_owned()),
    };
    GateVerdict {
        gate: gate.clone(),
        base: base.name.clone(),
        candidate: candidate.name.clone(),
        outcome,
        difference,
    }
}

fn decide(gate: &Gate, difference: &Difference, base_runs: u64) -> Outcome {
    let own = difference.estimate.runs;
    let runs = difference.pairs.unwrap_or(own.min(base_runs));
    if own == 0 || base_runs == 0 {
        return Outcome::NotMeasured("there are no runs".to_owned());
    }
    if runs < gate.min_seeds {
        let seeds = if runs == 1 { "seed" } else { "seeds" };
        return Outcome::Inconclusive(format!("{runs} {seeds}, {} are asked for", gate.min_seeds));
    }
    let Some(interval) = interval(difference) else {
        return Outcome::Inconclusive("one run each: no inference".to_owned());
    };
    match gate.decide(interval) {
        Decision::Pass => Outcome::Pass,
        Decision::Fail => Outcome::Fail,
        Decision::Inconclusive => Outcome::Inconclusive(undecided(difference, gate)),
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
