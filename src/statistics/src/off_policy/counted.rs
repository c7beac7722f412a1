use crate::Sum;

/// Σ c·x and Σ c²·x of values x that stand for c events each. They are one sum for as long as
/// every count is one, as in most logs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counted {
    /// Σ c·x
    pub once: Sum,
    /// Σ c²·x, once it is another.
    squared: Option<Sum>,
}

impl Counted {
    /// Adds a value, and returns c·x.
    pub fn add(&mut self, count: f64, value: f64) -> f64 {
        let counted = count * value;
        if count != 1.0 || self.squared.is_some() {
            self.squared.get_or_insert(self.once).add(count * counted);
        }
        self.once.add(counted);
        counted
    }

    /// Σ c²·x
    pub fn squared(&self) -> f64 {
        self.squared.unwrap_or(self.once).value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sum_stands_for_two_until_a_count_is_another() {
        let (mut counted, mut squared) = (Counted::default(), Sum::default());
        for (count, value) in [(1.0, 0.1), (1.0, -7.3), (2.5, 1e9), (1.0, 0.7), (0.3, 1e-9)] {
            squared.add(count * (count * value));
            counted.add(count, value);
            assert_eq!(counted.squared().to_bits(), squared.value().to_bits());
        }
    }
}
