/// A logged event as an estimator sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// The probability that the judged policy gives the logged action, over the one with
    /// which it was logged: π(a)/p(a).
    pub weight: f64,
    /// Its reward.
    pub reward: f64,
    /// How many events it stands for: 1/(1 - `pdrop`) where a log was thinned, otherwise 1.
    pub count: f64,
}

impl Example {
    /// An event that stands for itself: logged with probability `logged`, above zero, and
    /// chosen with `probability` by the judged policy.
    pub fn new(probability: f64, logged: f64, reward: f64) -> Self {
        Self { weight: probability / logged, reward, count: 1.0 }
    }

    /// Whether it can be added up: all of it finite, its weight not negative, its count
    /// above zero.
    #[inline]
    pub(super) fn is_sound(&self) -> bool {
        (0.0..f64::INFINITY).contains(&self.weight)
            && self.reward.is_finite()
            && self.count > 0.0
            && self.count.is_finite()
    }
}
