use super::controlled::{Controlled, ControlledSums, Pairs, Unseens};
use super::{Bounds, Estimate, Example, Unusable, Weights};
use crate::sum::Sums;
use crate::{Confidence, Interval, quantile};

/// What sums can say of a policy on a log, in constant memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimates {
    /// Controls w - 1 and scores w·r.
    pub(super) value: Controlled,
    /// Σ c·r, and Σ c over the examples with a weight above zero.
    rewards_and_matched: Sums<2>,
    spoiled: u64,
    lowest_weight: f64,
    highest_weight: f64,
    /// The greatest c·w
    pub(super) highest_part: f64,
    seen: Interval,
}

impl Default for Estimates {
    fn default() -> Self {
        Self {
            value: Controlled::default(),
            rewards_and_matched: Sums::default(),
            spoiled: 0,
            lowest_weight: f64::INFINITY,
            highest_weight: 0.0,
            highest_part: 0.0,
            seen: Interval { lower: f64::INFINITY, upper: f64::NEG_INFINITY },
        }
    }
}

impl Estimates {
    /// Adds an example. One that is no number leaves no estimate but
    /// [`Unusable::NotNumbers`].
    #[inline]
    pub fn add(&mut self, example: &Example) {
        if !example.is_sound() {
            self.spoiled += 1;
            return;
        }
        let Example { weight, reward, count } = *example;
        self.value.add(count, weight - 1.0, weight * reward);
        let matched = if weight > 0.0 { count } else { 0.0 };
        self.rewards_and_matched.add([count * reward, matched]);
        self.lowest_weight = self.lowest_weight.min(weight);
        self.highest_weight = self.highest_weight.max(weight);
        self.highest_part = self.highest_part.max(count * weight);
        self.seen.lower = self.seen.lower.min(reward);
        self.seen.upper = self.seen.upper.max(reward);
    }

    /// The number of examples.
    pub fn examples(&self) -> u64 {
        self.value.lines
    }

    /// The number of events that they stand for: Σ c.
    pub fn events(&self) -> f64 {
        self.value.sums().scores.counts
    }

    /// The mean reward of the log, which the logging policy earned; none without examples.
    pub fn logged(&self) -> Option<f64> {
        (self.examples() > 0).then(|| self.rewards() / self.events())
    }

    /// Σ c·w·r / Σ c with the normal interval, vw-estimators' `gaussian`: unbiased where
    /// the log's probabilities are right and above zero (Horvitz, Thompson 1952). May
    /// leave the range of rewards.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn ips(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.usable()?;
        Ok(self.value.sums().scores.estimate(confidence))
    }

    /// Σ c·w·r / Σ c·w with the interval of the delta method (Swaminathan, Joachims 2015):
    /// a mean of rewards, never outside their range; its interval may be.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn snips(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.usable()?;
        let ControlledSums { scores, ccds, .. } = self.value.sums();
        let (n, weights) = (scores.lines(), self.weights());
        let value = scores.scored / weights;
        // Σ (c·w·(r - V))², by its parts: c²w²r = c²(d + 1)s.
        let crossed = ccds + scores.squared_scored;
        let squares = scores.ccss - value * (2.0 * crossed - value * self.squared_weights());
        let error = libm::sqrt(squares.max(0.0) * n / (n - 1.0)) / weights;
        let half_width = quantile::normal(confidence.upper_tail()) * error;
        Ok(Estimate::new(value, Interval::around(value, half_width)))
    }

    /// The Cressie-Read(-2) estimate and interval: the likeliest reweighting of the log
    /// under which weights average one (`cressieread` of vw-estimators, and the sources
    /// named there).
    ///
    /// `bounds.rewards` must hold every reward; `bounds.weights` are widened by the weights
    /// seen.
    ///
    /// # Errors
    ///
    /// [`Unusable`], also where a reward lies outside its range, and where no weight can
    /// exceed one although some are below.
    pub fn cressie_read(
        &self,
        bounds: Bounds,
        confidence: Confidence,
    ) -> Result<Estimate, Unusable> {
        self.usable()?;
        Unusable::check(self.seen, bounds.rewards)?;
        let weights = self.widened(bounds.weights);
        if weights.highest <= 1.0 && self.lowest_weight < 1.0 {
            return Err(Unusable::NoExploration);
        }
        let pairs = self.value.pairs();
        let unseen = Self::unseen(&pairs, bounds.rewards, weights);
        let [mass, earned] = pairs.masses(unseen.likeliest);
        let value = earned + (1.0 - mass).max(0.0) * self.rewards() / self.events();
        let value = value.clamp(bounds.rewards.lower, bounds.rewards.upper);
        let interval = pairs.interval(confidence, &unseen);
        Ok(Estimate::new(value, interval.within(bounds.rewards).including(value)))
    }

    /// What the log may lack: the ends of weights with the reward that pulls furthest.
    fn unseen(pairs: &Pairs, rewards: Interval, weights: Weights) -> Unseens {
        let at = |weight: f64, reward: f64| {
            pairs.unseen(weight - 1.0, reward, |control| (control + 1.0) * reward)
        };
        let both = |reward: f64| [at(weights.lowest, reward), at(weights.highest, reward)];
        let lacking = if pairs.lacks_high() { weights.highest } else { weights.lowest };
        Unseens {
            likeliest: at(lacking, 0.0),
            lower: both(rewards.lower),
            upper: both(rewards.upper),
        }
    }

    fn widened(&self, weights: Weights) -> Weights {
        Weights {
            lowest: weights.lowest.min(self.lowest_weight),
            highest: weights.highest.max(self.highest_weight),
        }
    }

    /// Σ c·r
    fn rewards(&self) -> f64 {
        self.rewards_and_matched.values()[0]
    }

    /// Σ c over the examples with a weight above zero.
    pub(super) fn matched(&self) -> f64 {
        self.rewards_and_matched.values()[1]
    }

    /// Σ c·w
    pub(super) fn weights(&self) -> f64 {
        self.value.sums().controls + self.events()
    }

    /// Σ c²·w²
    pub(super) fn squared_weights(&self) -> f64 {
        let ControlledSums { scores, squared_controls, ccdd, .. } = self.value.sums();
        ccdd + 2.0 * squared_controls + scores.squared_counts
    }

    /// Whether there is anything to estimate from.
    fn usable(&self) -> Result<(), Unusable> {
        Unusable::of(self.examples(), self.matched() > 0.0, self.spoiled)
    }
}
