//! Ridge regression, one example at a time.

use serde::{Deserialize, Serialize};

/// A sparse vector: columns and values. A column may occur more than once.
pub type Sparse = Vec<(usize, f64)>;

/// The ridge regression of what was learned: the inverse of `l2 · I + Σ x xᵀ`, kept by the formula
/// of Sherman and Morrison, and the weights. Columns that no example had are as if they had been
/// there from the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    /// The inverse, row by row; `stride` numbers a row, of which the first `columns` are used.
    inverse: Vec<f64>,
    weights: Vec<f64>,
    stride: usize,
    /// The variance of a weight of which nothing is known: `1 / l2`.
    prior: f64,
}

impl Ridge {
    /// Nothing learned.
    pub fn new(l2: f64) -> Self {
        Self { inverse: Vec::new(), weights: Vec::new(), stride: 0, prior: 1.0 / l2 }
    }

    /// The number of columns that were learned.
    pub fn columns(&self) -> usize {
        self.weights.len()
    }

    /// The weights, by column.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The expected reward.
    pub fn mean(&self, x: &[(usize, f64)]) -> f64 {
        x.iter().map(|(column, value)| value * self.weights.get(*column).unwrap_or(&0.0)).sum()
    }

    /// `xᵀ A⁻¹ y`: the covariance of two expected rewards.
    pub fn covariance(&self, x: &[(usize, f64)], y: &[(usize, f64)]) -> f64 {
        let mut sum = 0.0;
        for (row, value) in x {
            let products = y.iter().map(|(column, other)| other * self.entry(*row, *column));
            sum += value * products.sum::<f64>();
        }
        sum
    }

    /// Learns from one example, which counts `weight` times.
    pub fn learn(&mut self, x: &[(usize, f64)], reward: f64, weight: f64) {
        self.grow(x.iter().map(|(column, _)| column + 1).max().unwrap_or(0));
        let columns = self.columns();
        let mut w = vec![0.0; columns];
        for (row, value) in x {
            let row = &self.inverse[row * self.stride..][..columns];
            w.iter_mut().zip(row).for_each(|(sum, entry)| *sum += value * entry);
        }
        let v: f64 = x.iter().map(|(column, value)| value * w[*column]).sum();
        let error = reward - self.mean(x);
        let scale = weight / (1.0 + weight * v);
        for (index, factor) in w.iter().enumerate() {
            let row = &mut self.inverse[index * self.stride..][..columns];
            let factor = factor * scale;
            row.iter_mut().zip(&w).for_each(|(entry, other)| *entry -= factor * other);
        }
        let step = error * scale;
        self.weights.iter_mut().zip(&w).for_each(|(weight, w)| *weight += step * w);
    }

    /// What is needed to draw weights.
    pub fn posterior(&self) -> Posterior<'_> {
        let factor = cholesky(self.columns(), |row, column| self.entry(row, column));
        Posterior { ridge: self, factor }
    }

    /// Whether its parts have the sizes of a ridge regression.
    pub(crate) fn is_consistent(&self) -> bool {
        self.stride.checked_mul(self.stride) == Some(self.inverse.len())
            && self.weights.len() <= self.stride
            && self.prior > 0.0
    }

    fn entry(&self, row: usize, column: usize) -> f64 {
        let known = self.columns();
        if row < known && column < known {
            self.inverse[row * self.stride + column]
        } else if row == column {
            self.prior
        } else {
            0.0
        }
    }

    /// Makes room for so many columns.
    fn grow(&mut self, columns: usize) {
        let known = self.columns();
        if columns <= known {
            return;
        }
        if columns > self.stride {
            let stride = columns.next_power_of_two();
            let mut inverse = vec![0.0; stride * stride];
            for row in 0..known {
                let old = &self.inverse[row * self.stride..][..known];
                inverse[row * stride..][..known].copy_from_slice(old);
            }
            (self.inverse, self.stride) = (inverse, stride);
        }
        for column in known..columns {
            self.inverse[column * self.stride + column] = self.prior;
        }
        self.weights.resize(columns, 0.0);
    }
}

/// The normal distribution of the weights, with the covariance `A⁻¹`.
#[derive(Debug)]
pub struct Posterior<'a> {
    ridge: &'a Ridge,
    /// `L`, where `L Lᵀ = A⁻¹`.
    factor: Vec<f64>,
}

impl Posterior<'_> {
    /// Weights drawn with the covariance `v · A⁻¹`, of a standard normal draw for each column:
    /// `μ + √v · L z`.
    pub fn draw(&self, v: f64, z: &[f64]) -> Vec<f64> {
        let Self { ridge, factor } = self;
        let (known, spread) = (ridge.columns(), v.sqrt());
        let drawn = |row: usize| {
            if row >= known {
                return spread * ridge.prior.sqrt() * z[row];
            }
            let row_of_factor = &factor[row * known..][..=row];
            let sum: f64 = row_of_factor.iter().zip(z).map(|(entry, z)| entry * z).sum();
            ridge.weights[row] + spread * sum
        };
        (0..z.len()).map(drawn).collect()
    }
}

/// The lower triangular factor of a matrix, row by row. Where the matrix has no full rank, as
/// for two actions with the same features, columns of the factor are zero.
pub(crate) fn cholesky(size: usize, entry: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    /// Smaller shares of the diagonal are errors of rounding.
    const ROUNDING: f64 = 1e-12;
    let mut factor = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let products = factor[row * size..][..column]
                .iter()
                .zip(&factor[column * size..][..column])
                .map(|(one, other)| one * other);
            let rest = entry(row, column) - products.sum::<f64>();
            factor[row * size + column] = if row == column {
                if rest > ROUNDING * entry(row, row) { rest.sqrt() } else { 0.0 }
            } else {
                let pivot = factor[column * size + column];
                if pivot > 0.0 { rest / pivot } else { 0.0 }
            };
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    type Examples = Vec<(Vec<f64>, f64)>;

    fn sparse(x: &[f64]) -> Sparse {
        x.iter().copied().enumerate().filter(|(_, value)| *value != 0.0).collect()
    }

    fn examples() -> impl proptest::strategy::Strategy<Value = Examples> {
        let value = proptest::prop_oneof![proptest::strategy::Just(0.0), -2.0..2.0_f64];
        let x = proptest::collection::vec(value, 5);
        proptest::collection::vec((x, -1.0..1.0_f64), 1..40)
    }

    proptest::proptest! {
        /// `A · A⁻¹ = 1`, and `A · weights = Σ reward · x`.
        #[test]
        fn what_is_kept_is_the_inverse_and_the_solution(examples in examples(), l2 in 0.1..4.0_f64) {
            let mut ridge = Ridge::new(l2);
            let mut matrix = [[0.0; 5]; 5];
            let mut right = [0.0; 5];
            (0..5).for_each(|index| matrix[index][index] = l2);
            for (x, reward) in &examples {
                ridge.learn(&sparse(x), *reward, 1.0);
                for row in 0..5 {
                    right[row] += reward * x[row];
                    (0..5).for_each(|column| matrix[row][column] += x[row] * x[column]);
                }
            }
            for row in 0..5 {
                for column in 0..5 {
                    let product: f64 =
                        (0..5).map(|inner| matrix[row][inner] * ridge.entry(inner, column)).sum();
                    let expected = f64::from(u8::from(row == column));
                    proptest::prop_assert!((product - expected).abs() < 1e-8, "{product}");
                }
                let weight = |column| ridge.weights().get(column).copied().unwrap_or(0.0);
                let product: f64 = (0..5).map(|column| matrix[row][column] * weight(column)).sum();
                proptest::prop_assert!((product - right[row]).abs() < 1e-8);
            }
        }

        #[test]
        fn the_factor_times_itself_is_the_matrix(examples in examples()) {
            let mut ridge = Ridge::new(1.0);
            examples.iter().for_each(|(x, reward)| ridge.learn(&sparse(x), *reward, 1.0));
            let factor = cholesky(5, |row, column| ridge.entry(row, column));
            for row in 0..5 {
                for column in 0..5 {
                    let product: f64 =
                        (0..5).map(|k| factor[row * 5 + k] * factor[column * 5 + k]).sum();
                    proptest::prop_assert!((product - ridge.entry(row, column)).abs() < 1e-9);
                }
            }
        }

        #[test]
        fn a_weight_is_a_number_of_repetitions(examples in examples()) {
            let (mut once, mut often) = (Ridge::new(1.0), Ridge::new(1.0));
            for (x, reward) in &examples {
                once.learn(&sparse(x), *reward, 3.0);
                (0..3).for_each(|_| often.learn(&sparse(x), *reward, 1.0));
            }
            for (one, other) in once.weights().iter().zip(often.weights()) {
                proptest::prop_assert!((one - other).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn two_actions_with_the_same_features_have_one_draw() {
        // Covariance of two expected rewards that are one.
        let factor = cholesky(2, |_, _| 4.0);
        assert_eq!(factor, [2.0, 0.0, 2.0, 0.0]);
    }
}
