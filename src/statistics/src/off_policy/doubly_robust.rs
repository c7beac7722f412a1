use super::ratio::Scores;
use super::{Estimate, Example, Unusable};
use crate::Confidence;

/// An event with the rewards that a model expects.
///
/// The model must not have learned from the event itself: fit it on other events, or
/// predict before it learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modelled {
    /// Σ over the actions of the policy's probability times the expected reward.
    pub policy: f64,
    /// The expected reward of the logged action.
    pub action: f64,
}

/// The value of a policy by a reward model, corrected by what was observed: the mean of
/// q̂(x, π) + w·(r - q̂(x, a)) with the normal interval (Dudík, Langford, Li, ICML 2011).
/// Constant memory.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DoublyRobust {
    scores: Scores,
    /// What the model expects alone.
    expected: Scores,
    is_matched: bool,
    spoiled: u64,
}

impl DoublyRobust {
    /// Adds an event.
    #[inline]
    pub fn add(&mut self, example: &Example, expected: Modelled) {
        if !example.is_sound() || !(expected.policy + expected.action).is_finite() {
            self.spoiled += 1;
            return;
        }
        let Example { weight, reward, count } = *example;
        self.is_matched |= weight > 0.0;
        self.expected.add(count, expected.policy);
        self.scores.add(count, expected.policy + weight * (reward - expected.action));
    }

    /// The mean score and its normal interval.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn estimate(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        Unusable::of(self.scores.lines, self.is_matched, self.spoiled)?;
        Ok(self.scores.ratio().estimate(confidence))
    }

    /// The direct method: the mean of q̂(x, π), which no logged probability enters and nothing
    /// corrects. Its interval is that of the mean over contexts; the error of the model is not in
    /// it.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples.
    pub fn direct_method(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        Unusable::of(self.expected.lines, true, self.spoiled)?;
        Ok(self.expected.ratio().estimate(confidence))
    }
}
