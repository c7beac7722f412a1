/// How sure an interval is asked to be: 0.95 for an interval that misses once in twenty.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %, the usual one.
    pub const P95: Self = Self(0.95);

    /// A level strictly between 0 and 1; none otherwise.
    pub fn new(level: f64) -> Option<Self> {
        (level > 0.0 && level < 1.0).then_some(Self(level))
    }

    /// The level: the share of such intervals that hold the truth.
    pub fn level(self) -> f64 {
        self.0
    }

    /// The share that misses, often called α.
    pub fn miss(self) -> f64 {
        1.0 - self.0
    }

    /// The probability below the upper end of a two-sided interval, 1 - α/2.
    pub fn upper_tail(self) -> f64 {
        1.0 - self.miss() / 2.0
    }
}

/// A range of values that the data do not contradict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// `value` ± `half_width`.
    pub fn around(value: f64, half_width: f64) -> Self {
        Self { lower: value - half_width, upper: value + half_width }
    }

    /// Whether `value` lies within, the ends included.
    pub fn holds(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }

    /// The interval cut off where `bounds` end.
    #[must_use]
    pub fn within(self, bounds: Self) -> Self {
        let cut = |end: f64| end.clamp(bounds.lower, bounds.upper);
        Self { lower: cut(self.lower), upper: cut(self.upper) }
    }

    /// The interval widened to hold `value`.
    #[must_use]
    pub(crate) fn including(self, value: f64) -> Self {
        Self { lower: self.lower.min(value), upper: self.upper.max(value) }
    }
}
