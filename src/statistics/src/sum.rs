/// A sum that keeps what rounding drops (Neumaier 1974, second algorithm), so that the
/// order of adding and merging moves the total by no more than its last bit or two. What is
/// dropped is found without a comparison (TwoSum: Knuth, TAOCP 2, 4.2.2, theorem B).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    total: f64,
    dropped: f64,
}

impl Sum {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        let total = self.total + value;
        let added = total - self.total;
        self.dropped += (self.total - (total - added)) + (value - added);
        self.total = total;
    }

    /// Adds what another added.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.total);
        self.dropped += other.dropped;
    }

    /// The sum so far.
    pub fn value(&self) -> f64 {
        self.total + self.dropped
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::default();
        values.into_iter().for_each(|value| sum.add(value));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_drops_comes_back() {
        let values = [1.0, 1e100, 1.0, -1e100];
        assert_eq!(values.into_iter().collect::<Sum>().value(), 2.0);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let mut merged: Sum = [1e16, 1.0].into_iter().collect();
        merged.merge(&[1.0, -1e16].into_iter().collect());
        assert_eq!(merged.value(), 2.0);
    }
}
