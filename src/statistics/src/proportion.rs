use super::{Confidence, Interval, quantile, real};

/// How often something happened among equal chances, such as failed requests.
///
/// Not for the rewards of learners: those of one run depend on each other, and an
/// interval of independent chances is several times too narrow for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// How often it happened.
    pub successes: u64,
    /// How often it could have happened, not below `successes`.
    pub trials: u64,
}

impl Proportion {
    /// The share; none without trials.
    pub fn share(self) -> Option<f64> {
        (self.trials > 0).then(|| real(self.successes) / real(self.trials))
    }

    /// The score interval (Wilson 1927; Brown, Cai, DasGupta 2001); none without trials.
    pub fn wilson(self, confidence: Confidence) -> Option<Interval> {
        let (share, n) = (self.share()?, real(self.trials));
        let z = quantile::normal(confidence.upper_tail());
        let shrink = 1.0 + z * z / n;
        let centre = (share + z * z / (2.0 * n)) / shrink;
        let spread = share * (1.0 - share) / n + z * z / (4.0 * n * n);
        let unit = Interval { lower: 0.0, upper: 1.0 };
        let ends = Interval::around(centre, z * libm::sqrt(spread) / shrink).within(unit);
        // Rounding must not deny what was seen: none of all, or all of them.
        Some(Interval {
            lower: if self.successes == 0 { 0.0 } else { ends.lower },
            upper: if self.successes == self.trials { 1.0 } else { ends.upper },
        })
    }

    /// By how much this share exceeds another, independent one, by both score intervals
    /// (Newcombe 1998, method 10); none where either has no trials.
    pub fn minus(self, other: Self, confidence: Confidence) -> Option<Interval> {
        let (first, second) = (self.share()?, other.share()?);
        let (mine, theirs) = (self.wilson(confidence)?, other.wilson(confidence)?);
        let apart = first - second;
        Some(Interval {
            lower: apart - libm::hypot(first - mine.lower, theirs.upper - second),
            upper: apart + libm::hypot(mine.upper - first, second - theirs.lower),
        })
    }
}
