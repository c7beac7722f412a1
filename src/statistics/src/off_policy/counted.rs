use crate::sum::Sums;

/// Sums Σ c·x of values x that stand for c events each, and, of the first `M` of them, Σ c²·x.
/// These are the same sums for as long as every count is one, as in most logs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counted<const N: usize, const M: usize> {
    once: Sums<N>,
    /// Σ c²·x, once they are others.
    squared: Option<Sums<M>>,
}

impl<const N: usize, const M: usize> Counted<N, M> {
    /// Adds values that are multiplied with their count.
    #[inline]
    pub fn add(&mut self, count: f64, counted: [f64; N]) {
        if count != 1.0 || self.squared.is_some() {
            self.add_squared(count, counted);
        }
        self.once.add(counted);
    }

    #[cold]
    fn add_squared(&mut self, count: f64, counted: [f64; N]) {
        let squared = self.squared.get_or_insert_with(|| self.once.first());
        squared.add(std::array::from_fn(|index| count * counted[index]));
    }

    /// Σ c·x
    pub fn once(&self) -> [f64; N] {
        self.once.values()
    }

    /// Σ c²·x
    pub fn squared(&self) -> [f64; M] {
        self.squared.unwrap_or_else(|| self.once.first()).values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sum;

    #[test]
    fn one_sum_stands_for_two_until_a_count_is_another() {
        let (mut counted, mut squared) = (Counted::<2, 1>::default(), Sum::default());
        for (count, value) in [(1.0, 0.1), (1.0, -7.3), (2.5, 1e9), (1.0, 0.7), (0.3, 1e-9)] {
            squared.add(count * (count * value));
            counted.add(count, [count * value, 0.0]);
            assert_eq!(counted.squared()[0].to_bits(), squared.value().to_bits());
        }
    }
}
