use super::{Estimate, Unusable, are_numbers};
use crate::{Confidence, Moments, Sum, real};

/// How much of a weight the correction by an observed reward is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Correction {
    /// None: the reward model alone (direct method). As biased as the model.
    None,
    /// All of it: doubly robust (Dudík, Langford, Li, ICML 2011).
    Full,
    /// All of a weight up to a limit, none of a greater one: Switch-DR (Wang, Agarwal,
    /// Dudík, ICML 2017).
    UpTo(f64),
    /// λ·w/(w² + λ): optimistic shrinkage, DRos (Su, Dimakopoulou, Krishnamurthy, Dudík,
    /// ICML 2020).
    Shrunk(f64),
}

impl Correction {
    fn weight(self, weight: f64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Full => weight,
            Self::UpTo(limit) => {
                if weight <= limit {
                    weight
                } else {
                    0.0
                }
            }
            Self::Shrunk(lambda) => lambda * weight / (weight * weight + lambda),
        }
    }
}

/// An event with the rewards that a model expects.
///
/// The model must not have learned from the event itself: fit it on other events, or
/// fold by fold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modelled {
    /// Σ over the actions of the policy's probability times the expected reward.
    pub policy: f64,
    /// The expected reward of the logged action.
    pub action: f64,
    /// The probability that the policy gives the logged action.
    pub probability: f64,
    /// The probability with which it was logged, above zero.
    pub logged: f64,
    /// The reward.
    pub reward: f64,
}

impl Modelled {
    fn weight(&self) -> f64 {
        self.probability / self.logged
    }

    fn is_sound(&self) -> bool {
        are_numbers(self.weight(), self.reward) && (self.policy + self.action).is_finite()
    }

    /// What a correction makes of the event: scores that average to the estimate. The
    /// difference of the scores of two policies is for [`Moments`] to judge.
    pub fn score(&self, correction: Correction) -> f64 {
        self.policy + correction.weight(self.weight()) * (self.reward - self.action)
    }
}

/// The value of a policy by a reward model, corrected by what was observed. Constant
/// memory; parts merge to the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoublyRobust {
    correction: Correction,
    matched: u64,
    spoiled: u64,
    scores: Moments,
    /// Σ of the policy's expected rewards
    direct: Sum,
    /// Σ w
    weights: Sum,
    /// Σ w·(r - q̂)
    corrections: Sum,
}

impl DoublyRobust {
    /// No examples, to be corrected so.
    pub fn new(correction: Correction) -> Self {
        let (scores, none) = (Moments::default(), Sum::default());
        Self {
            correction,
            matched: 0,
            spoiled: 0,
            scores,
            direct: none,
            weights: none,
            corrections: none,
        }
    }

    /// Adds an event.
    pub fn add(&mut self, event: &Modelled) {
        let weight = event.weight();
        if !event.is_sound() {
            self.spoiled += 1;
            return;
        }
        self.matched += u64::from(weight > 0.0);
        self.scores.add(event.score(self.correction));
        self.direct.add(event.policy);
        self.weights.add(weight);
        self.corrections.add(weight * (event.reward - event.action));
    }

    /// Adds the events of another with the same correction.
    pub fn merge(&mut self, other: &Self) {
        self.matched += other.matched;
        self.spoiled += other.spoiled;
        self.scores.merge(&other.scores);
        self.direct.merge(&other.direct);
        self.weights.merge(&other.weights);
        self.corrections.merge(&other.corrections);
    }

    /// The mean score and its normal interval.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match; the model
    /// alone needs no match.
    pub fn estimate(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.usable()?;
        let too_few = Unusable::TooFew { examples: self.scores.count() };
        let interval = self.scores.normal_interval(confidence).ok_or(too_few)?;
        Ok(Estimate::new(self.scores.mean().ok_or(too_few)?, interval))
    }

    /// The self-normalised value, whatever the correction: the mean expected reward plus
    /// Σ w·(r - q̂) / Σ w. A point only.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn self_normalised(&self) -> Result<f64, Unusable> {
        self.usable()?;
        if self.matched == 0 {
            return Err(Unusable::NoOverlap);
        }
        let direct = self.direct.value() / real(self.scores.count());
        Ok(direct + self.corrections.value() / self.weights.value())
    }

    fn usable(&self) -> Result<(), Unusable> {
        let needs_match = self.correction != Correction::None;
        let matched = if needs_match { self.matched } else { u64::MAX };
        Unusable::of(self.scores.count(), matched, self.spoiled)
    }
}
