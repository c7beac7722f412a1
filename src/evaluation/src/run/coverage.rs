use statistics::Sum;
use statistics::off_policy::Balance;

/// How much of a policy's choice the logged distribution of an event covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Covered {
    /// Σ π(a) over the actions with p(a) > 0: what the weight averages.
    share: f64,
    /// The variance of the weight.
    variance: f64,
}

impl Covered {
    /// Of a policy with these probabilities, by action. Without the logged distribution all
    /// is taken for covered, and `highest` bounds the weights.
    pub fn of(
        policy: impl Iterator<Item = f32>,
        distribution: Option<&[f32]>,
        highest: f64,
    ) -> Self {
        let Some(distribution) = distribution else {
            return Self { share: 1.0, variance: highest - 1.0 };
        };
        let (mut share, mut squares) = (0.0, 0.0);
        for (chosen, logged) in policy.zip(distribution) {
            let (chosen, logged) = (f64::from(chosen), f64::from(*logged));
            if logged > 0.0 {
                share += chosen;
                squares += chosen * chosen / logged;
            }
        }
        Self { share, variance: squares - share * share }
    }
}

/// How far a log can show what a policy does, and whether its weights average what the
/// logged probabilities imply.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Coverage {
    events: f64,
    /// Σ c·share
    covered: Sum,
    weights: Balance,
}

impl Coverage {
    #[inline]
    pub(super) fn add(&mut self, count: f64, weight: f64, covered: Covered, highest: f64) {
        let Covered { share, variance } = covered;
        self.events += count;
        self.covered.add(count * share);
        let (lowest, highest) = (count * share, count * highest);
        self.weights.add(count * (weight - share), count * count * variance, lowest, highest);
    }

    /// The share of the policy's choices that fall on actions which the log never takes.
    #[must_use]
    pub fn uncovered(&self) -> f64 {
        if self.events > 0.0 { (1.0 - self.covered.value() / self.events).max(0.0) } else { 0.0 }
    }

    /// The distance of the mean weight from what it should be, in standard errors; none where
    /// it cannot vary.
    #[must_use]
    pub fn mean_weight_z(&self) -> Option<f64> {
        self.weights.standard_errors()
    }

    /// Whether weights average what logged probabilities never imply.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.weights.is_off(1.0)
    }
}
