use super::{Comparison, Description, Difference, Finding, Group};
use super::{compare, is_same_trace};
use metrics::{Decision, Dimension, Gate, Quantity};
use statistics::{Confidence, FEWEST_RUNS, Interval, Look, Sequential};

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

/// The confidence levels of some gates, each with its sequential design; empty for a number of
/// seeds that was fixed in advance.
#[derive(Debug, Clone, Default)]
pub struct Designs(Vec<(Confidence, Sequential)>);

impl Designs {
    /// The designs of gates that are looked at after each round, up to `at_most` seeds.
    #[must_use]
    pub fn until_decided(gates: &[Gate], at_most: u64) -> Self {
        let mut designs: Vec<(Confidence, Sequential)> = Vec::new();
        for confidence in gates.iter().map(|gate| gate.confidence) {
            if designs.iter().all(|(known, _)| *known != confidence) {
                designs.push((confidence, Sequential::new(at_most, confidence)));
            }
        }
        Self(designs)
    }

    /// After how many seeds the gates are looked at.
    #[must_use]
    pub fn looks(&self) -> Vec<u64> {
        let looks = self.0.first().map_or(&[][..], |(_, design)| design.looks());
        looks.iter().map(|look| look.pairs).collect()
    }

    fn of(&self, confidence: Confidence) -> Option<&Sequential> {
        let design = self.0.iter().find(|(known, _)| *known == confidence);
        design.map(|(_, design)| design)
    }
}

/// Judges the policies of one experiment against its base: the policy that the gate names,
/// or the one called `base`, or the first.
///
/// Where no policy made a choice that another did not make in any run, nothing could differ,
/// and a gate whose metric is the same everywhere is not measured.
#[must_use]
pub fn judge_within(
    gates: &[Gate],
    groups: &[Group],
    base: Option<&str>,
    designs: &Designs,
) -> Vec<GateVerdict> {
    let judged = gates.iter().flat_map(|gate| {
        let base = gate.against.as_deref().or(base);
        let base = base.map_or(groups.first(), |name| groups.iter().find(|of| of.name == name));
        base.into_iter().flat_map(move |base| {
            let others = groups.iter().filter(|group| group.name != base.name);
            others
                .filter(|group| names(gate, &group.name))
                .map(|group| judge(gate, base, group, designs))
        })
    });
    let mut verdicts: Vec<GateVerdict> = judged.collect();
    if are_indistinguishable(groups) {
        verdicts.iter_mut().for_each(refuse_identical);
    }
    verdicts
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
    let judge = |gate| {
        let fixed = Designs::default();
        candidates.iter().map(move |candidate| judge(gate, base, candidate, &fixed))
    };
    judged.flat_map(judge).collect()
}

fn names(gate: &Gate, policy: &str) -> bool {
    gate.policies.is_empty() || gate.policies.iter().any(|name| name == policy)
}

/// Whether all of several policies made the same choices in every run: no model was applied
/// before the phases ended, or the policies are one.
#[must_use]
pub fn are_indistinguishable(groups: &[Group]) -> bool {
    let Some((first, others)) = groups.split_first() else { return false };
    let same = |group: &Group| {
        group.samples.iter().all(|sample| {
            let other = first.sample(sample.seed);
            other.is_some_and(|other| is_same_trace(other, sample))
        })
    };
    !others.is_empty() && !first.samples.is_empty() && others.iter().all(same)
}

/// A gate says nothing of policies that could not differ.
pub fn refuse_identical(verdict: &mut GateVerdict) {
    let finding = verdict.difference.as_ref().map(|difference| difference.finding);
    if finding == Some(Finding::Identical) {
        let why = "every policy made the same choices in every run: nothing could differ; \
                   was a model exported before the phase ended?";
        verdict.outcome = GateOutcome::NotMeasured(why.to_owned());
    }
}

/// Judges a policy by a gate.
///
/// Each gate decides by its own interval. All gates must pass, so the chance to let a worse
/// policy through is that of one gate (an intersection–union test; Berger 1982).
fn judge(gate: &Gate, base: &Group, candidate: &Group, designs: &Designs) -> GateVerdict {
    let Some(design) = designs.of(gate.confidence) else {
        return judge_once(gate, base, candidate, None);
    };
    let available = base.samples.len().min(candidate.samples.len()) as u64;
    let (first, looks) = (design.looks()[0], design.looks().iter());
    let mut verdict = judge_once(gate, base, candidate, Some(first));
    for look in looks.filter(|look| look.pairs <= available) {
        let [base, candidate] = [base, candidate].map(|group| group.first_runs(look.pairs));
        verdict = judge_once(gate, &base, &candidate, Some(*look));
        if !matches!(verdict.outcome, GateOutcome::Inconclusive(_)) {
            // The first decision stands; a later look would be one too many.
            break;
        }
    }
    verdict
}

/// Judges a policy by a gate, once, or at a look of a sequential design.
fn judge_once(gate: &Gate, base: &Group, candidate: &Group, look: Option<Look>) -> GateVerdict {
    let Comparison { base: base_estimate, candidates } =
        compare(&gate.term, base, &[candidate], gate.confidence);
    let mut difference = candidates.into_iter().next();
    if let (Some(difference), Some(look)) = (&mut difference, look) {
        repeat(difference, look);
    }
    let fewest = look.map_or(FEWEST_RUNS, |look| look.pairs);
    let missing = difference.iter().flat_map(|of| &of.estimate.missing);
    let missing = base_estimate.missing.iter().chain(missing).next();
    let unproved = [base, candidate].into_iter().find_map(|group| unproved(gate, group));
    let outcome = match (missing.or(unproved.as_ref()), &difference) {
        (Some(reason), _) => GateOutcome::NotMeasured(reason.clone()),
        (None, Some(difference)) => decide(gate, difference, fewest),
        (None, None) => GateOutcome::NotMeasured("there are no runs".to_owned()),
    };
    GateVerdict {
        gate: gate.clone(),
        base: base.name.clone(),
        candidate: candidate.name.clone(),
        outcome,
        difference,
    }
}

/// Why the runs of a group say nothing of the world that their twin was made of, if so: the log does
/// not agree with the twin about what this policy earned in the phase of the gate.
fn unproved(gate: &Gate, group: &Group) -> Option<String> {
    let agreement = group.agreement(gate.term.phase()).filter(|agreement| !agreement.agrees)?;
    Some(format!("{}: {}", group.name, agreement.words()))
}

/// Replaces the interval by the repeated one of this look.
fn repeat(difference: &mut Difference, look: Look) {
    let Some(test) = &mut difference.test else { return };
    let half_width = test.standard_error.map(|error| look.critical * error);
    test.interval = half_width.map(|half| Interval::around(test.difference, half));
}

fn decide(gate: &Gate, difference: &Difference, fewest: u64) -> GateOutcome {
    let Some(test) = &difference.test else {
        return GateOutcome::NotMeasured("there are no runs".to_owned());
    };
    let (runs, needed) = (difference.observations, gate.min_seeds.max(fewest));
    if runs < needed {
        let seeds = if runs == 1 { "seed" } else { "seeds" };
        return GateOutcome::Inconclusive(format!("{runs} {seeds}, {needed} are needed"));
    }
    let interval = match (difference.finding, test.interval) {
        (Finding::Identical, _) => Interval { lower: 0.0, upper: 0.0 },
        (Finding::Description(Description::NoSpread), _) => {
            let why = "all runs differ by the same amount: there is no spread to judge it by";
            return GateOutcome::Inconclusive(why.to_owned());
        }
        (_, Some(interval)) => interval,
        (_, None) => return GateOutcome::Inconclusive("the spread is unknown".to_owned()),
    };
    match gate.decide(interval) {
        Decision::Pass => GateOutcome::Pass,
        Decision::Fail => GateOutcome::Fail,
        Decision::Inconclusive => GateOutcome::Inconclusive(undecided(difference, gate)),
    }
}

fn undecided(difference: &Difference, gate: &Gate) -> String {
    let dimension: Dimension = gate.term.definition().dimension;
    let could = difference.detectable.map(|value| Quantity { value, dimension });
    let could = could.map_or(String::new(), |value| format!("; so many runs could show ±{value}"));
    format!("the interval holds both{could}")
}
