//! From sums to what is said of each policy: estimates, differences, and how sure they
//! are when several policies are compared at once.

use super::stream::{Account, Player, Source, Sums};
use statistics::off_policy::{Difference, Estimate, Overlap, Unusable, Warning, Weights};
use statistics::{Confidence, Interval, holm};

/// How an evaluation is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// How sure the intervals are.
    pub confidence: Confidence,
    /// The range of rewards: no event can earn less or more.
    pub rewards: Interval,
    /// The range of weights π(a)/p(a).
    pub weights: Weights,
}

/// What the logs say of one policy.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub source: Source,
    /// Its arguments, if it learns.
    pub arguments: Option<String>,
    /// On all events.
    pub whole: Findings,
    /// On the events that were held out, if any were.
    pub held_out: Option<Findings>,
}

/// What some events say of one policy, in reward per event.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The number of events.
    pub events: u64,
    /// Inverse propensity scores.
    pub ips: Result<Estimate, Unusable>,
    /// The same, self-normalised.
    pub snips: Result<Estimate, Unusable>,
    /// Empirical likelihood: a value without an interval of its own.
    pub mle: Result<f64, Unusable>,
    /// Cressie-Read.
    pub cressie_read: Result<Estimate, Unusable>,
    /// Doubly robust with the policy's own model; none for policies without one.
    pub doubly_robust: Option<Result<Estimate, Unusable>>,
    /// How well the logs cover the policy.
    pub overlap: Overlap,
    /// What speaks against the estimates.
    pub warnings: Vec<Warning>,
    /// The difference to the policy that wrote the logs; none for that one.
    pub to_online: Option<Compared>,
    /// The difference to the baseline; none without one, and for itself.
    pub to_baseline: Option<Compared>,
}

/// The paired difference to another policy on the same events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// This policy minus the other, in reward per event.
    pub difference: Result<Estimate, Unusable>,
    /// How likely so great a difference is by chance, alone.
    pub p: Option<f64>,
    /// The same among all policies that were compared (Holm 1979).
    pub p_holm: Option<f64>,
}

/// What a comparison shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// More reward, at the asked confidence over all comparisons.
    Better,
    /// Less reward.
    Worse,
    /// Neither.
    Nothing,
}

impl Compared {
    fn new(difference: &Difference, confidence: Confidence) -> Self {
        let (estimate, p) = (difference.estimate(confidence), difference.p_value());
        let p = p.filter(|_| estimate.is_ok());
        Self { difference: estimate, p, p_holm: None }
    }

    /// What it shows, all comparisons considered.
    #[must_use]
    pub fn shown(&self, confidence: Confidence) -> Shown {
        let is_sure = self.p_holm.is_some_and(|p| p < confidence.miss());
        match self.difference {
            Ok(estimate) if is_sure && estimate.value > 0.0 => Shown::Better,
            Ok(estimate) if is_sure && estimate.value < 0.0 => Shown::Worse,
            _ => Shown::Nothing,
        }
    }
}

impl Reading {
    /// The default reading of logs: 95 %, rewards from zero to one or as far as they were
    /// seen, weights up to the highest that any policy can have on these logs.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let seen = account.rewards.unwrap_or(Interval { lower: 0.0, upper: 1.0 });
        Self {
            confidence: Confidence::P95,
            rewards: Interval { lower: seen.lower.min(0.0), upper: seen.upper.max(1.0) },
            weights: Weights { lowest: 0.0, highest: account.highest_weight() },
        }
    }

    /// What is said of each policy, in their order. `baseline` names the policy to compare
    /// with, beside the online policy.
    #[must_use]
    pub fn verdicts(&self, players: &[Player], baseline: Option<&str>) -> Vec<Verdict> {
        let mut verdicts: Vec<_> =
            players.iter().map(|player| self.verdict(player, baseline)).collect();
        correct(&mut verdicts, |verdict| verdict.whole.to_online.as_mut());
        correct(&mut verdicts, |verdict| verdict.whole.to_baseline.as_mut());
        correct(&mut verdicts, |verdict| verdict.held_out.as_mut()?.to_online.as_mut());
        correct(&mut verdicts, |verdict| verdict.held_out.as_mut()?.to_baseline.as_mut());
        verdicts
    }

    fn verdict(&self, player: &Player, baseline: Option<&str>) -> Verdict {
        let is_baseline = baseline == Some(&*player.name);
        let findings = |sums: &Sums| self.findings(sums, player.source, is_baseline);
        let held_out = &player.held_out;
        Verdict {
            name: player.name.clone(),
            source: player.source,
            arguments: player.policy().map(|policy| policy.arguments().to_owned()),
            whole: findings(&player.whole),
            held_out: (held_out.estimates.examples() > 0).then(|| findings(held_out)),
        }
    }

    fn findings(&self, sums: &Sums, source: Source, is_baseline: bool) -> Findings {
        let (estimates, confidence) = (&sums.estimates, self.confidence);
        let compared = |difference: &Difference| Compared::new(difference, confidence);
        let baseline = sums.to_baseline.as_ref().filter(|_| !is_baseline);
        Findings {
            events: estimates.examples(),
            ips: estimates.ips(confidence),
            snips: estimates.snips(confidence),
            mle: sums.likelihood.value(self.weights),
            cressie_read: estimates.cressie_read(self.rewards, self.weights, confidence),
            doubly_robust: sums.doubly_robust.as_ref().map(|sums| sums.estimate(confidence)),
            overlap: estimates.overlap(),
            warnings: if source == Source::Online { Vec::new() } else { estimates.warnings() },
            to_online: (source != Source::Online).then(|| compared(&sums.to_online)),
            to_baseline: baseline.map(compared),
        }
    }
}

/// Corrects the p-values of one kind of comparison for being many.
fn correct(
    verdicts: &mut [Verdict],
    of: impl for<'a> Fn(&'a mut Verdict) -> Option<&'a mut Compared>,
) {
    let mut compared: Vec<_> = verdicts.iter_mut().filter_map(of).collect();
    compared.retain(|compared| compared.p.is_some());
    let alone: Vec<f64> = compared.iter().filter_map(|compared| compared.p).collect();
    for (compared, p) in compared.into_iter().zip(holm(&alone)) {
        compared.p_holm = Some(p);
    }
}
