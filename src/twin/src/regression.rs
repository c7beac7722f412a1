//! Ridge regression on words: each example has some columns, all with the value one.

/// Rows of examples that have the same columns, and the rows of each column.
pub struct Columns {
    pub of_row: Vec<Vec<u32>>,
    of_column: Vec<Vec<u32>>,
}

/// The examples of one row.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowSums {
    pub count: f64,
    pub reward: f64,
    pub squares: f64,
}

/// The weights no longer change by more than this share of the range of rewards.
const TOLERANCE: f64 = 1e-4;
const MOST_SWEEPS: usize = 60;

impl Columns {
    pub fn new(of_row: Vec<Vec<u32>>, columns: usize) -> Self {
        let mut of_column = vec![Vec::new(); columns];
        for (row, own) in (0..).zip(&of_row) {
            own.iter().for_each(|column| of_column[*column as usize].push(row));
        }
        Self { of_row, of_column }
    }

    /// The weights that minimize the squared errors plus `penalty` times the squared weights, by
    /// coordinate descent (Friedman, Hastie, Tibshirani, "Regularization Paths for Generalized
    /// Linear Models via Coordinate Descent", 2010). The first column, the constant, has no penalty.
    pub fn fit(&self, rows: &[RowSums], range: f64, penalty: f64) -> Vec<f64> {
        let mut weights = vec![0.0; self.of_column.len()];
        // What is left to explain of the sum of rewards of each row.
        let mut left: Vec<f64> = rows.iter().map(|row| row.reward).collect();
        let known = |rows_of: &Vec<u32>| -> Vec<u32> {
            rows_of.iter().copied().filter(|row| rows[*row as usize].count > 0.0).collect()
        };
        let columns: Vec<Vec<u32>> = self.of_column.iter().map(known).collect();
        let count = |own: &Vec<u32>| own.iter().map(|row| rows[*row as usize].count).sum::<f64>();
        let counts: Vec<f64> = columns.iter().map(count).collect();
        for _ in 0..MOST_SWEEPS {
            let mut largest = 0.0_f64;
            for (index, column) in columns.iter().enumerate() {
                if column.is_empty() {
                    continue;
                }
                let penalty = if index == 0 { 0.0 } else { penalty };
                let sum: f64 = column.iter().map(|row| left[*row as usize]).sum();
                let change = (sum - penalty * weights[index]) / (counts[index] + penalty);
                if change == 0.0 {
                    continue;
                }
                weights[index] += change;
                for row in column {
                    left[*row as usize] -= change * rows[*row as usize].count;
                }
                largest = largest.max(change.abs());
            }
            if largest <= TOLERANCE * range {
                break;
            }
        }
        weights
    }
}

/// The sum of the weights of some columns; those that were not fitted have none.
pub fn predict(weights: &[f64], columns: &[u32]) -> f64 {
    columns.iter().map(|column| weights.get(*column as usize).unwrap_or(&0.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the minimum the gradient is zero: `Σ error = penalty · weight` in every column.
    #[test]
    fn the_gradient_is_zero_at_the_weights() {
        let of_row: Vec<Vec<u32>> =
            (0..60_u32).map(|at| vec![0, 1 + at % 3, 4 + at / 7 % 4]).collect();
        let sums = |at: u32| {
            let (count, mean) = (f64::from(1 + at % 5), f64::from(at * 7919 % 101) / 101.0);
            RowSums { count, reward: count * mean, squares: 0.0 }
        };
        let rows: Vec<RowSums> = (0..60).map(sums).collect();
        let columns = Columns::new(of_row, 8);
        let weights = columns.fit(&rows, 1e-3, 4.0);
        for (index, column) in columns.of_column.iter().enumerate() {
            let error = |row: &u32| {
                let RowSums { count, reward, .. } = rows[*row as usize];
                reward - count * predict(&weights, &columns.of_row[*row as usize])
            };
            let gradient: f64 = column.iter().map(error).sum();
            let penalty = if index == 0 { 0.0 } else { 4.0 };
            assert!((gradient - penalty * weights[index]).abs() < 1e-3, "column {index}");
        }
    }
}
