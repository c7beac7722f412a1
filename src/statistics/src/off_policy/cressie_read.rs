use super::{Estimate, Estimates, Unusable};
use crate::{Confidence, Interval, quantile};

/// Between which values weights can lie, seen or not.
///
/// The true bounds make the interval tight at the right coverage: when the logging
/// policy explores with ε over K actions, no weight exceeds K/ε.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// The lowest weight, below one.
    pub lowest: f64,
    /// The highest weight, above one; infinite where nothing is known.
    pub highest: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { lowest: 0.0, highest: f64::INFINITY }
    }
}

/// What the sums become when one example of weight `fake` joins them.
struct Joined {
    mean: f64,
    squares: f64,
}

impl Estimates {
    /// The Cressie-Read(-2) estimate and interval: the likeliest reweighting of the log
    /// under which weights average one (Karampatziakis, Langford, Mineiro, NeurIPS 2020,
    /// arXiv 1906.03323; vw-estimators' `cressieread`), from sums only.
    ///
    /// `rewards` must hold every reward; `weights` are widened by the weights seen.
    ///
    /// # Errors
    ///
    /// [`Unusable`], also where a reward lies outside `rewards`.
    pub fn cressie_read(
        &self,
        rewards: Interval,
        weights: Weights,
        confidence: Confidence,
    ) -> Result<Estimate, Unusable> {
        self.usable_in(rewards)?;
        let seen = Weights {
            lowest: weights.lowest.min(self.lowest_weight),
            highest: weights.highest.max(self.highest_weight),
        };
        let value = self.likeliest(self.fake(seen));
        Ok(Self::bounded(value, self.profile(rewards, seen, confidence), rewards))
    }

    /// The weight of the example that the log lacks for its weights to average one.
    fn fake(&self, weights: Weights) -> f64 {
        if self.w.value() < self.count() { weights.highest } else { weights.lowest }
    }

    fn joined(&self, fake: f64) -> Joined {
        let joined = self.count() + 1.0;
        Joined {
            mean: (fake + self.w.value()) / joined,
            squares: (fake * fake + self.ww.value()) / joined,
        }
    }

    fn likeliest(&self, fake: f64) -> f64 {
        let (n, joined) = (self.count(), self.count() + 1.0);
        let (gamma, beta) = if fake == f64::INFINITY {
            (-joined / n, 0.0)
        } else {
            let Joined { mean, squares } = self.joined(fake);
            let spread = mean * mean - squares;
            ((squares - mean) / spread, (1.0 - mean) / spread)
        };
        let mass = |first: f64, second: f64| (-gamma * first - beta * second) / joined;
        let missing = (1.0 - mass(self.w.value(), self.ww.value())).max(0.0);
        mass(self.wr.value(), self.wwr.value()) + missing * self.r.value() / n
    }

    fn profile(&self, rewards: Interval, weights: Weights, confidence: Confidence) -> Interval {
        let slack = self.slack(self.fake(weights), confidence);
        let lowest = |reward: f64, sign: f64| {
            [weights.lowest, weights.highest]
                .into_iter()
                .filter_map(|fake| self.end(fake, reward, sign, slack))
                .reduce(f64::min)
        };
        // Without a candidate the log rules nothing out on that side.
        Interval {
            lower: lowest(rewards.lower, 1.0).unwrap_or(rewards.lower),
            upper: lowest(rewards.upper, -1.0).map_or(rewards.upper, |end| -end),
        }
    }

    /// φ: how far from the likeliest a reweighting may be, by the F law of 1 and n.
    fn slack(&self, fake: f64, confidence: Confidence) -> f64 {
        let (n, joined) = (self.count(), self.count() + 1.0);
        let best = if fake == f64::INFINITY {
            1.0 + 1.0 / n
        } else {
            let Joined { mean, squares } = self.joined(fake);
            joined * (mean - 1.0) * (mean - 1.0) / (squares - mean * mean)
        };
        // The upper quantile of F(1, n) is the square of Student's.
        let student = quantile::student(confidence.upper_tail(), n);
        -(best + student * student) / (2.0 * joined)
    }

    /// The end of the interval of σ·V when the lacking example has this weight and reward.
    fn end(&self, fake: f64, reward: f64, sign: f64, slack: f64) -> Option<f64> {
        if fake == f64::INFINITY {
            return lowest_of(self.end_without_bound(reward, sign, slack));
        }
        let Joined { mean, squares } = self.joined(fake);
        let spread = squares - mean * mean;
        if spread <= 0.0 {
            return None;
        }
        let joined = self.count() + 1.0;
        let first = sign * (fake * reward + self.wr.value()) / joined;
        let second = sign * (fake * fake * reward + self.wwr.value()) / joined;
        let third = (fake * fake * reward * reward + self.wwrr.value()) / joined;
        let common = second - mean * first;
        let x = first + (1.0 - mean) * common / spread;
        let y = common * common / spread - (third - first * first);
        let z = slack + (1.0 - mean) * (1.0 - mean) / (2.0 * spread);
        lowest_of([x, y, z])
    }

    fn end_without_bound(&self, reward: f64, sign: f64, slack: f64) -> [f64; 3] {
        let (n, joined) = (self.count(), self.count() + 1.0);
        let apart = self.wr.value() - reward * self.w.value();
        let squares =
            reward * reward * self.ww.value() - 2.0 * reward * self.wwr.value() + self.wwrr.value();
        [
            sign * (reward + apart / n),
            apart * apart / (n * joined) - squares / joined,
            slack + 1.0 / (2.0 * n),
        ]
    }
}

/// x - √(2yz), where that is a number; what is zero but for rounding counts as 1e-18.
fn lowest_of([x, y, z]: [f64; 3]) -> Option<f64> {
    const ROUNDING: f64 = 1e-9;
    let product = y * z;
    if product.abs() <= ROUNDING * ROUNDING {
        return Some(x - core::f64::consts::SQRT_2 * ROUNDING);
    }
    (z <= 0.0 && product >= 0.0).then(|| x - libm::sqrt(2.0 * product))
}
