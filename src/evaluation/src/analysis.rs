//! From sums to what is reported of each policy: estimates, paired differences, and whether
//! the log supports a verdict.

use super::run::{Ablation, Evaluated, Judged, LogSummary, Origin, PolicyEvaluator, PolicySums};
use std::fmt::{Display, Formatter};

use statistics::off_policy::{
    Against, Bounds, Compared, Difference, Estimate, Overlap, Unusable, Weights,
};
use statistics::{Confidence, Interval, holm};

/// How sums are read.
#[derive(Debug, Clone, Copy)]
pub struct Analysis {
    /// How sure the intervals are.
    pub confidence: Confidence,
    /// The ranges of rewards and of weights π(a)/p(a).
    pub bounds: Bounds,
    /// Whether the logged probabilities cannot be right: nothing is judged then.
    pub probabilities_are_off: bool,
    /// Whether the log has no probabilities, and they were estimated: nothing is judged then.
    pub probabilities_are_estimated: bool,
}

/// What the logs show of one policy.
#[derive(Debug, Clone)]
pub struct PolicyReport {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub origin: Origin,
    /// Its arguments, if it learns.
    pub arguments: Option<String>,
    /// On all events.
    pub whole: Findings,
    /// On the events that were held out, if any were.
    pub held_out: Option<Findings>,
}

/// What some events show of one policy, in reward per event.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The number of events.
    pub events: u64,
    /// The number of events that those stand for: Σ 1/(1 - `pdrop`).
    pub represented: f64,
    /// Inverse propensity scores.
    pub ips: Result<Estimate, Unusable>,
    /// The same, self-normalised.
    pub snips: Result<Estimate, Unusable>,
    /// Empirical likelihood: a value without an interval.
    pub mle: Result<f64, Unusable>,
    /// Cressie-Read; for the online policy the observed mean.
    pub cressie_read: Result<Estimate, Unusable>,
    /// Doubly robust with the policy's own model; none for policies without one.
    pub doubly_robust: Option<Result<Estimate, Unusable>>,
    /// The direct method with the policy's own model, where the log has no probabilities; none for
    /// policies without one.
    pub direct_method: Option<Result<Estimate, Unusable>>,
    /// How well the logs cover the policy.
    pub overlap: Overlap,
    /// The distance of the mean weight from what the logged probabilities imply, in standard
    /// errors.
    pub mean_weight_z: Option<f64>,
    /// What weakens the estimates.
    pub doubts: Vec<Doubt>,
    /// The difference to the policy that wrote the logs; none for that one.
    pub to_online: Option<Comparison>,
    /// The difference to the baseline; none without one, and for itself.
    pub to_baseline: Option<Comparison>,
}

/// What weakens the estimates of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Doubt {
    /// The log never takes actions that are this share of the policy's choices.
    Uncovered(f64),
    /// Weights average what the logged probabilities never imply.
    MeanWeight(f64),
    /// The logged probabilities are not those of the logged actions.
    Probabilities,
    /// The log has no probabilities, and they were estimated.
    Estimated,
    /// The policy was chosen by a search that has seen the events.
    Searched,
    /// The effective number of examples is below [`FEW_EFFECTIVE`].
    FewEffective(f64),
    /// The policy may take the actions of less than 1 % of the events.
    LowMatch(f64),
    /// One event carries more than a tenth of all weight.
    HighShare(f64),
}

/// With fewer effective examples than this there is no verdict.
pub const FEW_EFFECTIVE: f64 = 50.0;
/// A larger share of choices than this that the log never takes leaves no verdict.
const UNCOVERED: f64 = 0.001;
/// Below this share of matching events the log is about something else.
const LOW_MATCH: f64 = 0.01;
/// Above this share of all weight one event decides.
const HIGH_SHARE: f64 = 0.1;

/// The paired difference to another policy on the same events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// This policy minus the other, in reward per event, by the estimator of
    /// [`Findings::cressie_read`].
    pub compared: Result<Compared, Unusable>,
    /// Its p-value among all policies that were compared (Holm 1979); none without a verdict.
    pub p_holm: Option<f64>,
    /// Why there is no verdict, if so.
    pub doubt: Option<Doubt>,
}

/// What a comparison shows, at the asked confidence over all comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// More reward.
    Better,
    /// Less reward.
    Worse,
    /// Neither.
    NotShown,
    /// The log does not support a verdict.
    NotJudged,
}

/// What leaving out a feature changes.
#[derive(Debug, Clone)]
pub struct FeatureReport {
    /// The name of the feature.
    pub feature: String,
    /// The policy without the feature minus the policy, in reward per event.
    pub change: Comparison,
}

/// How much a feature matters, as the contract tells features apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportanceLevel {
    /// Without it the policy is shown to earn less.
    High,
    /// The policy earned less without it, which may be chance.
    Medium,
    /// The policy earned as much without it.
    Low,
}

impl FeatureReport {
    /// How much the feature matters.
    #[must_use]
    pub fn level(&self, confidence: Confidence) -> ImportanceLevel {
        let is_less = self.change.compared.is_ok_and(|found| found.difference.value < 0.0);
        match self.change.verdict(confidence) {
            Verdict::Worse => ImportanceLevel::High,
            _ if is_less => ImportanceLevel::Medium,
            _ => ImportanceLevel::Low,
        }
    }
}

/// What one part of a breakdown shows.
#[derive(Debug, Clone)]
pub struct SegmentReport {
    /// The value of the feature, or the start of the window.
    pub segment: String,
    /// Each policy's name, its number of events, its value and its difference to the online
    /// policy.
    pub policies: Vec<SegmentFindings>,
}

/// What one part of a breakdown shows of one policy.
#[derive(Debug, Clone)]
pub struct SegmentFindings {
    /// The policy.
    pub policy: String,
    /// The number of events.
    pub events: u64,
    /// Cressie-Read; for the online policy the observed mean.
    pub value: Result<Estimate, Unusable>,
    /// How well the part covers the policy.
    pub overlap: Overlap,
    /// The difference to the policy that wrote the logs; none for that one.
    pub to_online: Option<Comparison>,
}

impl Doubt {
    /// Whether no verdict holds with it.
    #[must_use]
    pub fn withholds_verdict(self) -> bool {
        match self {
            Self::Uncovered(_)
            | Self::MeanWeight(_)
            | Self::Probabilities
            | Self::Estimated
            | Self::Searched
            | Self::FewEffective(_) => true,
            Self::LowMatch(_) | Self::HighShare(_) => false,
        }
    }

    fn all(judged: &Judged, analysis: &Analysis) -> Vec<Self> {
        let (overlap, coverage) = (judged.estimates.overlap(), &judged.coverage);
        let Overlap { effective_examples, match_fraction, highest_share, mean_weight } = overlap;
        let uncovered = coverage.uncovered();
        let candidates = [
            analysis.probabilities_are_estimated.then_some(Self::Estimated),
            (uncovered > UNCOVERED).then_some(Self::Uncovered(uncovered)),
            coverage.is_off().then_some(Self::MeanWeight(mean_weight)),
            analysis.probabilities_are_off.then_some(Self::Probabilities),
            (effective_examples < FEW_EFFECTIVE).then_some(Self::FewEffective(effective_examples)),
            (match_fraction < LOW_MATCH).then_some(Self::LowMatch(match_fraction)),
            (highest_share > HIGH_SHARE).then_some(Self::HighShare(highest_share)),
        ];
        candidates.into_iter().flatten().collect()
    }
}

impl Display for Doubt {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uncovered(share) => write!(
                f,
                "{:.1} % of its choices are actions that the log never takes",
                100.0 * share
            ),
            Self::MeanWeight(mean) => {
                write!(f, "weights average {mean:.3}, which the logged probabilities do not imply")
            }
            Self::Probabilities => {
                f.write_str("the probabilities of the log are not those of its actions")
            }
            Self::Estimated => f.write_str(
                "the probabilities are estimated by how often each action was taken, whatever the \
                 context was",
            ),
            Self::Searched => {
                f.write_str("the search that found it has seen these events; see the held-out ones")
            }
            Self::FewEffective(examples) => write!(
                f,
                "the log is worth {examples:.1} events of this policy; a verdict needs \
                 {FEW_EFFECTIVE}"
            ),
            Self::LowMatch(fraction) => {
                write!(f, "only {:.2} % of the events match the policy", 100.0 * fraction)
            }
            Self::HighShare(share) => {
                write!(f, "one event carries {:.0} % of all weight", 100.0 * share)
            }
        }
    }
}

impl Comparison {
    fn new(compared: Result<Compared, Unusable>, doubts: &[Doubt]) -> Self {
        let doubt = doubts.iter().copied().find(|doubt| doubt.withholds_verdict());
        Self { compared, p_holm: None, doubt }
    }

    /// What it shows, all comparisons considered.
    #[must_use]
    pub fn verdict(&self, confidence: Confidence) -> Verdict {
        let (Ok(compared), None) = (self.compared, self.doubt) else { return Verdict::NotJudged };
        let is_sure = self.p_holm.is_some_and(|p| p < confidence.miss());
        match compared.difference.value {
            value if is_sure && value > 0.0 => Verdict::Better,
            value if is_sure && value < 0.0 => Verdict::Worse,
            _ => Verdict::NotShown,
        }
    }

    /// Why there is no verdict; none if there is one.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match (self.compared, self.doubt) {
            (Err(why), _) => Some(why.to_string()),
            (_, doubt) => doubt.map(|doubt| doubt.to_string()),
        }
    }
}

impl Analysis {
    /// The default reading of logs: 95 %, rewards from zero to one or as far as they were
    /// seen, weights up to the highest that any policy can have on these logs.
    #[must_use]
    pub fn of(summary: &LogSummary) -> Self {
        let seen = summary.rewards.unwrap_or(Interval { lower: 0.0, upper: 1.0 });
        Self {
            confidence: Confidence::P95,
            bounds: Bounds {
                rewards: Interval { lower: seen.lower.min(0.0), upper: seen.upper.max(1.0) },
                weights: Weights { lowest: 0.0, highest: summary.highest_weight() },
            },
            probabilities_are_off: summary.probabilities_are_off(),
            probabilities_are_estimated: summary.probabilities_are_estimated,
        }
    }

    /// What is shown of each policy, in their order. `baseline` names the policy to compare
    /// with, beside the online policy.
    #[must_use]
    pub fn reports(
        &self,
        evaluators: &[PolicyEvaluator],
        baseline: Option<&str>,
    ) -> Vec<PolicyReport> {
        let baseline = evaluators.iter().find(|policy| baseline == Some(&*policy.name));
        let report = |policy| self.report(policy, baseline);
        let mut reports: Vec<_> = evaluators.iter().map(report).collect();
        correct(reports.iter_mut().filter_map(|report| report.whole.to_online.as_mut()));
        correct(reports.iter_mut().filter_map(|report| report.whole.to_baseline.as_mut()));
        correct(reports.iter_mut().filter_map(|of| of.held_out.as_mut()?.to_online.as_mut()));
        correct(reports.iter_mut().filter_map(|of| of.held_out.as_mut()?.to_baseline.as_mut()));
        reports
    }

    /// What leaving out each feature of `policy` changes, what matters most first; p-values are
    /// corrected for all features.
    #[must_use]
    pub fn importance(&self, evaluated: &Evaluated, policy: &str) -> Vec<FeatureReport> {
        let whole = evaluated.evaluators.iter().find(|evaluator| evaluator.name == policy);
        let report = |ablation: &Ablation| {
            let change = self.report(&ablation.evaluator, whole).whole.to_baseline?;
            Some(FeatureReport { feature: ablation.feature.to_string(), change })
        };
        let mut reports: Vec<_> = evaluated.ablations.iter().filter_map(report).collect();
        correct(reports.iter_mut().map(|report| &mut report.change));
        let value = |report: &FeatureReport| {
            report.change.compared.map_or(0.0, |found| found.difference.value)
        };
        reports.sort_by(|one, other| value(one).total_cmp(&value(other)));
        reports
    }

    /// What the parts of each breakdown show, by name; the p-values of a breakdown are
    /// corrected for all of its policies in all of its parts.
    #[must_use]
    pub fn segments(&self, evaluated: &Evaluated) -> Vec<Vec<SegmentReport>> {
        let breakdown = |(index, (_, names)): (usize, &(_, Vec<String>))| {
            let mut segments: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(part, name)| self.segment(evaluated, index, part, name))
                .collect();
            segments.sort_by(|a, b| a.segment.cmp(&b.segment));
            let policies = segments.iter_mut().flat_map(|segment| &mut segment.policies);
            correct(policies.filter_map(|findings| findings.to_online.as_mut()));
            segments
        };
        evaluated.segments.iter().enumerate().map(breakdown).collect()
    }

    fn segment(
        &self,
        evaluated: &Evaluated,
        breakdown: usize,
        part: usize,
        name: &str,
    ) -> SegmentReport {
        let of = |policy: &PolicyEvaluator| {
            let judged = policy.segment(breakdown, part)?;
            let doubts = Doubt::all(judged, self);
            let is_online = policy.origin == Origin::Online;
            Some(SegmentFindings {
                policy: policy.name.clone(),
                events: judged.estimates.examples(),
                value: self.value(judged, policy.origin),
                overlap: judged.estimates.overlap(),
                to_online: (!is_online).then(|| self.compare_online(judged, &doubts)),
            })
        };
        let policies = evaluated.evaluators.iter().filter_map(of).collect();
        SegmentReport { segment: name.to_owned(), policies }
    }

    fn report(&self, policy: &PolicyEvaluator, baseline: Option<&PolicyEvaluator>) -> PolicyReport {
        let others = baseline.filter(|baseline| baseline.name != policy.name);
        let findings = |of: fn(&PolicyEvaluator) -> &PolicySums, doubt: Option<Doubt>| {
            let others = others.map(|other| (of(other), other.origin));
            self.findings(of(policy), policy.origin, others, doubt)
        };
        let is_discovered = policy.origin == Origin::Discovered;
        let has_held_out = policy.held_out.judged.estimates.examples() > 0;
        PolicyReport {
            name: policy.name.clone(),
            origin: policy.origin,
            arguments: policy.policy().map(|policy| policy.arguments().to_owned()),
            whole: findings(|policy| &policy.whole, is_discovered.then_some(Doubt::Searched)),
            held_out: has_held_out.then(|| findings(|policy| &policy.held_out, None)),
        }
    }

    fn findings(
        &self,
        sums: &PolicySums,
        origin: Origin,
        baseline: Option<(&PolicySums, Origin)>,
        doubt: Option<Doubt>,
    ) -> Findings {
        let (judged, confidence) = (&sums.judged, self.confidence);
        let (estimates, is_online) = (&judged.estimates, origin == Origin::Online);
        let mut doubts = if is_online { Vec::new() } else { Doubt::all(judged, self) };
        doubts.extend(doubt);
        Findings {
            events: estimates.examples(),
            represented: estimates.events(),
            ips: estimates.ips(confidence),
            snips: estimates.snips(confidence),
            mle: sums.likelihood.value(self.bounds.weights),
            cressie_read: self.value(judged, origin),
            doubly_robust: sums.doubly_robust.as_ref().map(|sums| sums.estimate(confidence)),
            direct_method: sums
                .doubly_robust
                .as_ref()
                .filter(|_| self.probabilities_are_estimated)
                .map(|sums| sums.direct_method(confidence)),
            overlap: estimates.overlap(),
            mean_weight_z: judged.coverage.mean_weight_z(),
            to_online: (!is_online).then(|| self.compare_online(judged, &doubts)),
            to_baseline: baseline.and_then(|(other, other_origin)| {
                let difference = sums.to_baseline.as_ref()?;
                let other_doubts = Doubt::all(&other.judged, self);
                let value = self.value(&other.judged, other_origin);
                let values = self.value(judged, origin).and_then(|ours| Ok((ours, value?)));
                let both: Vec<_> = doubts.iter().chain(&other_doubts).copied().collect();
                let uncovered = judged.coverage.uncovered() + other.judged.coverage.uncovered();
                Some(self.compare(difference, values, Against::Other, uncovered, &both))
            }),
            doubts,
        }
    }

    /// The estimate of a verdict. What the online policy earned is observed.
    fn value(&self, judged: &Judged, origin: Origin) -> Result<Estimate, Unusable> {
        let estimate = judged.estimates.cressie_read(self.bounds, self.confidence)?;
        let observed = judged.estimates.logged().filter(|_| origin == Origin::Online);
        let estimate = observed.map_or(estimate, |value| Estimate { value, ..estimate });
        Ok(self.widened(estimate, judged.coverage.uncovered(), self.bounds.rewards))
    }

    /// The estimate, with an interval that allows any reward for the share of the choices
    /// that the log never takes.
    fn widened(&self, estimate: Estimate, uncovered: f64, limits: Interval) -> Estimate {
        let Estimate { value, lower, upper } = estimate;
        let rewards = self.bounds.rewards;
        let slack = uncovered * (rewards.upper - rewards.lower);
        let cut = |end: f64| end.clamp(limits.lower, limits.upper);
        Estimate { value, lower: cut(lower - slack), upper: cut(upper + slack) }
    }

    fn compare_online(&self, judged: &Judged, doubts: &[Doubt]) -> Comparison {
        let value = self.value(judged, Origin::Given);
        let online = self.value(judged, Origin::Online);
        let values = value.and_then(|value| Ok((value, online?)));
        let uncovered = judged.coverage.uncovered();
        self.compare(&judged.to_online, values, Against::Logging, uncovered, doubts)
    }

    fn compare(
        &self,
        difference: &Difference,
        values: Result<(Estimate, Estimate), Unusable>,
        against: Against,
        uncovered: f64,
        doubts: &[Doubt],
    ) -> Comparison {
        let rewards = self.bounds.rewards;
        let width = rewards.upper - rewards.lower;
        let limits = Interval { lower: -width, upper: width };
        let compared = values.and_then(|(ours, theirs)| {
            let apart = ours.value - theirs.value;
            let compared = difference.compare(apart, against, self.bounds, self.confidence)?;
            let difference = self.widened(compared.difference, uncovered, limits);
            Ok(Compared { difference, ..compared })
        });
        Comparison::new(compared, doubts)
    }
}

/// Corrects the p-values of the comparisons that have a verdict for being many. Comparisons
/// that agree to the last bit are of policies that do the same, and count as one.
fn correct<'a>(comparisons: impl Iterator<Item = &'a mut Comparison>) {
    let judged = |of: &&'a mut Comparison| of.compared.is_ok() && of.doubt.is_none();
    let mut judged: Vec<_> = comparisons.filter(judged).collect();
    let mut distinct: Vec<Compared> = Vec::new();
    for comparison in &judged {
        let compared = comparison.compared.ok().filter(|found| !distinct.contains(found));
        distinct.extend(compared);
    }
    let corrected = holm(&distinct.iter().map(|compared| compared.p).collect::<Vec<_>>());
    for comparison in &mut judged {
        let place = distinct.iter().position(|found| comparison.compared == Ok(*found));
        comparison.p_holm = place.map(|place| corrected[place]);
    }
}
