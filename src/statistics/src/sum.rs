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
    #[inline]
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

/// Several sums side by side, each as a [`Sum`] on its own, which the processor adds up together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sums<const N: usize> {
    totals: [f64; N],
    dropped: [f64; N],
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self { totals: [0.0; N], dropped: [0.0; N] }
    }
}

impl<const N: usize> Sums<N> {
    /// Adds a value to each.
    #[inline]
    pub fn add(&mut self, values: [f64; N]) {
        let sums = self.totals.iter_mut().zip(&mut self.dropped);
        for ((total, dropped), value) in sums.zip(values) {
            let mut sum = Sum { total: *total, dropped: *dropped };
            sum.add(value);
            (*total, *dropped) = (sum.total, sum.dropped);
        }
    }

    /// Adds what others added.
    pub fn merge(&mut self, others: &Self) {
        self.add(others.totals);
        self.dropped.iter_mut().zip(others.dropped).for_each(|(mine, other)| *mine += other);
    }

    /// Each sum so far.
    pub fn values(&self) -> [f64; N] {
        std::array::from_fn(|index| self.totals[index] + self.dropped[index])
    }

    /// The first of them.
    pub fn first<const M: usize>(&self) -> Sums<M> {
        Sums {
            totals: std::array::from_fn(|index| self.totals[index]),
            dropped: std::array::from_fn(|index| self.dropped[index]),
        }
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
    fn sums_side_by_side_are_sums_to_the_last_bit() {
        let (mut beside, mut alone) = (Sums::<3>::default(), [Sum::default(); 3]);
        for turn in 0..1000 {
            let values = [0.1, 1e9, -7.3].map(|value| value * f64::from(turn % 7) / 3.0);
            beside.add(values);
            alone.iter_mut().zip(values).for_each(|(sum, value)| sum.add(value));
        }
        let alone = alone.map(|sum| sum.value().to_bits());
        assert_eq!(beside.values().map(f64::to_bits), alone);
        assert_eq!(beside.first::<2>().values().map(f64::to_bits), alone[..2]);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let mut merged: Sum = [1e16, 1.0].into_iter().collect();
        merged.merge(&[1.0, -1e16].into_iter().collect());
        assert_eq!(merged.value(), 2.0);
    }
}
