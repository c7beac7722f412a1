use super::{Confidence, Interval, quantile, real};

/// Count, mean and variance of values that arrive one by one, or in parts.
///
/// Updates after Welford (1962), merges after Chan, Golub and LeVeque (1983).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / real(self.count);
        self.squares += before * (value - self.mean);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (mine, theirs) = (real(self.count), real(other.count));
        let (apart, both) = (other.mean - self.mean, mine + theirs);
        self.squares += other.squares + apart * apart * mine * theirs / both;
        self.mean += apart * theirs / both;
        self.count += other.count;
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; none without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Their sample variance, by n - 1; none with fewer than two values.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (real(self.count) - 1.0))
    }

    /// Their sample standard deviation; none with fewer than two values.
    pub fn deviation(&self) -> Option<f64> {
        self.variance().map(libm::sqrt)
    }

    /// The standard error of their mean; none with fewer than two values.
    pub fn standard_error(&self) -> Option<f64> {
        self.variance().map(|variance| libm::sqrt(variance / real(self.count)))
    }

    /// The interval of the mean by the normal law, for many values.
    pub fn normal_interval(&self, confidence: Confidence) -> Option<Interval> {
        let error = self.standard_error()?;
        Some(Interval::around(self.mean, quantile::normal(confidence.upper_tail()) * error))
    }

    /// The interval of the mean by Student's t, for few values.
    pub fn student_interval(&self, confidence: Confidence) -> Option<Interval> {
        let error = self.standard_error()?;
        let freedom = real(self.count) - 1.0;
        Some(Interval::around(
            self.mean,
            quantile::student(confidence.upper_tail(), freedom) * error,
        ))
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(values in prop::collection::vec(-1e3..1e3, 2..60), cut in 0usize..60) {
            let cut = cut.min(values.len());
            let whole: Moments = values.iter().copied().collect();
            let mut merged: Moments = values[..cut].iter().copied().collect();
            merged.merge(&values[cut..].iter().copied().collect());
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert!((merged.mean().unwrap() - whole.mean().unwrap()).abs() < 1e-9);
            let (a, b) = (merged.variance().unwrap(), whole.variance().unwrap());
            prop_assert!((a - b).abs() <= 1e-9 * b.max(1.0));
        }
    }

    #[test]
    fn too_few_values_have_no_spread() {
        assert_eq!(Moments::default().mean(), None);
        let one: Moments = [3.0].into_iter().collect();
        assert_eq!((one.mean(), one.variance(), one.standard_error()), (Some(3.0), None, None));
    }
}
