use super::{Estimate, Estimates, Unusable};
use crate::{Confidence, Interval, quantile};

impl Estimates {
    /// The IPS estimate with the interval that takes Σ w·r̃ / w_max as successes among
    /// n / w_max trials (Clopper, Pearson 1934, on weights as vw-estimators'
    /// `clopper_pearson`), r̃ being the reward moved to 0..1 from `rewards`.
    ///
    /// Where weights above one make more successes than trials, all trials are
    /// successes: the package answers NaN there.
    ///
    /// # Errors
    ///
    /// [`Unusable`], also where a reward lies outside `rewards`.
    pub fn clopper_pearson(
        &self,
        rewards: Interval,
        confidence: Confidence,
    ) -> Result<Estimate, Unusable> {
        self.usable_in(rewards)?;
        let width = rewards.upper - rewards.lower;
        let trials = self.count() / self.highest_weight;
        let scaled = (self.wr.value() - rewards.lower * self.w.value()) / width;
        let share = binomial(scaled / self.highest_weight, trials, confidence);
        let back = |share: f64| rewards.lower + share * width;
        let interval = Interval { lower: back(share.lower), upper: back(share.upper) };
        Ok(Estimate::new(self.wr.value() / self.count(), interval))
    }
}

/// The interval of a share, of which there may be fractions of successes and trials.
fn binomial(successes: f64, trials: f64, confidence: Confidence) -> Interval {
    let successes = successes.clamp(0.0, trials);
    let failures = trials - successes;
    let tail = confidence.miss() / 2.0;
    let lower = (successes > 0.0).then(|| quantile::beta(tail, successes, failures + 1.0));
    let upper = (failures > 0.0).then(|| quantile::beta(1.0 - tail, successes + 1.0, failures));
    Interval { lower: lower.unwrap_or(0.0), upper: upper.unwrap_or(1.0) }
}
