//! `--large_action_space` (`cb_explore_adf_large_action_space.cc`): of many actions, a strategy
//! sees the best one and those that approximately span the features of all.
//!
//! The features of the actions are projected on few columns at random (Halko, Martinsson, Tropp,
//! SIAM Review 53, 2011), and a C-approximate barycentric spanner is picked from the left
//! singular vectors (Awerbuch, Kleinberg, STOC 2004). The projection is that of VW, bit for bit.
//! Its singular vectors are of single precision, and depend on how a compiler vectorized Eigen;
//! here they are more exact. So where two actions add nearly the same, another may be picked.

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::distribution::narrow;
use crate::random::merand48;

/// Which actions a strategy sees.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionFilter {
    /// `--max_actions`: so many are seen beside the best.
    pub most: usize,
    /// `--spanner_c`
    pub approximation: f32,
    /// `--squarecb`: actions with high scores count less.
    pub shrinks: bool,
    /// Of the projection.
    pub seed: u64,
    /// From one weight to the next, and the largest place of one.
    pub stride: u64,
    pub mask: u64,
    /// The actions that were picked last. Where fewer are picked, VW sees the others again.
    pub picked: Vec<usize>,
}

/// Columns beyond those of the spanner, which make the projection more exact.
const SLACK: usize = 10;

/// The singular values that make up this share of their sum count.
const SHARE: f32 = 0.99;

/// Sweeps over all pairs of columns, and when a pair counts as orthogonal.
const SWEEPS: usize = 30;
const ORTHOGONAL: f64 = 1e-14;

impl ActionFilter {
    /// The seed of the projection, from the generator's first number, which it takes.
    pub fn seed(random_state: &mut u64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "10 to 20")]
        let seed = ((merand48(random_state) + 1.0) * 10.0) as u64;
        seed
    }

    /// Takes actions that are not seen out of the ranking by a model.
    pub fn apply(&mut self, stage: &mut Stage<'_>, model: u32) {
        let actions = stage.ranked.len();
        if self.most >= actions {
            return;
        }
        let gamma = stage.gamma;
        let shrinking = self.shrinking(stage, gamma);
        let projected = self.project(stage, model, &shrinking);
        let vectors = Vectors::of(projected, actions, self.most);
        let picked = Spanner::new(vectors.used, self.approximation).pick(&vectors, &shrinking);
        self.picked[..picked.len()].copy_from_slice(&picked);
        let best = stage.ranked[0].action;
        let is_seen = |action| action == best || self.picked.contains(&action);
        stage.ranked.retain(|scored| is_seen(scored.action));
    }

    /// How much less actions count. As in VW, the factors are those of the ranking, and are
    /// taken for those of the actions.
    fn shrinking(&self, stage: &Stage<'_>, gamma: f32) -> Vec<f32> {
        if !self.shrinks {
            return vec![1.0; stage.ranked.len()];
        }
        let (most, least) = (narrow(self.most), stage.ranked[0].score);
        let factor = |score: f32| (1.0 + most + gamma / (4.0 * most) * (score - least)).sqrt();
        stage.ranked.iter().map(|scored| factor(scored.score)).collect()
    }

    /// The features of the actions, projected: column after column.
    fn project(&self, stage: &mut Stage<'_>, model: u32, shrinking: &[f32]) -> Vec<Vec<f64>> {
        let actions = shrinking.len();
        let columns = actions.min(self.most + SLACK);
        let scale = 1.0 / narrow(columns).sqrt();
        let mut projected = vec![vec![0.0; actions]; columns];
        for (action, shrinking) in shrinking.iter().enumerate() {
            let terms = &stage.event.own(action).terms;
            for (column, projected) in (0..).zip(&mut projected) {
                let sum = terms.iter().fold(0.0_f32, |sum, term| {
                    let place = (u64::from(term.index + model) * self.stride) & self.mask;
                    sum + term.value * self.sign(place + column)
                });
                projected[action] = f64::from(sum * shrinking * scale);
            }
        }
        projected
    }

    /// A sign or zero, at random (`kernel_impl.h`).
    fn sign(&self, place: u64) -> f32 {
        let is_odd = |number: u64| !number.count_ones().is_multiple_of(2);
        match (is_odd(place), is_odd(place + self.seed)) {
            (false, _) => 0.0,
            (true, false) => 1.0,
            (true, true) => -1.0,
        }
    }
}

/// The left singular vectors of the actions: a row for each.
struct Vectors {
    rows: Vec<Vec<f32>>,
    /// How many of their columns carry nearly all.
    used: usize,
}

impl Vectors {
    /// Of the columns of a matrix, by rotations that make them orthogonal (Hestenes 1958).
    fn of(mut columns: Vec<Vec<f64>>, actions: usize, most: usize) -> Self {
        for _ in 0..SWEEPS {
            if !sweep(&mut columns) {
                break;
            }
        }
        let mut columns: Vec<_> =
            columns.into_iter().map(|column| (norm(&column), column)).collect();
        columns.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let row = |action: usize| {
            let entry = |(number, (norm, column)): (usize, &(f64, Vec<f64>))| match norm {
                0.0 => f32::from(u8::from(number == action)),
                _ => narrowed(column[action] / norm),
            };
            columns[..most].iter().enumerate().map(entry).collect()
        };
        let used = used(columns.iter().map(|(norm, _)| narrowed(*norm))).min(most);
        Self { rows: (0..actions).map(row).collect(), used }
    }
}

/// Makes each pair of columns orthogonal; false if all are.
fn sweep(columns: &mut [Vec<f64>]) -> bool {
    let mut is_changed = false;
    for second in 1..columns.len() {
        let (before, after) = columns.split_at_mut(second);
        for first in before {
            is_changed |= rotate(first, &mut after[0]);
        }
    }
    is_changed
}

fn rotate(first: &mut [f64], second: &mut [f64]) -> bool {
    let (a, b, product) = (dot(first, first), dot(second, second), dot(first, second));
    if product.abs() <= ORTHOGONAL * (a * b).sqrt() {
        return false;
    }
    let zeta = (b - a) / (2.0 * product);
    let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = cosine * tangent;
    for (x, y) in first.iter_mut().zip(second) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
    true
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(column: &[f64]) -> f64 {
    dot(column, column).sqrt()
}

#[expect(clippy::cast_possible_truncation, reason = "VW has singular vectors of f32")]
fn narrowed(value: f64) -> f32 {
    value as f32
}

/// How many of the singular values make up nearly all of their sum.
fn used(values: impl Iterator<Item = f32> + Clone) -> usize {
    let all: f32 = values.clone().sum();
    let mut sum = 0.0;
    let mut count = 0;
    for value in values {
        count += 1;
        sum += value;
        if sum > SHARE * all {
            break;
        }
    }
    count
}

/// A spanner while it is picked: the picked rows as a matrix of determinant one, and its inverse
/// (`one_rank_spanner_impl.cc`).
struct Spanner {
    rows: Vec<Vec<f32>>,
    inverse: Vec<Vec<f32>>,
    actions: Vec<usize>,
    log_determinant: f32,
    approximation: f32,
}

impl Spanner {
    fn new(size: usize, approximation: f32) -> Self {
        let unit = |row: usize| (0..size).map(|at| f32::from(u8::from(at == row))).collect();
        let identity: Vec<Vec<f32>> = (0..size).map(unit).collect();
        let (rows, inverse, actions) = (identity.clone(), identity, vec![0; size]);
        Self { rows, inverse, actions, log_determinant: 0.0, approximation }
    }

    /// The actions of a spanner.
    fn pick(mut self, vectors: &Vectors, shrinking: &[f32]) -> Vec<usize> {
        let size = self.actions.len();
        let mut volume = 0.0;
        for place in 0..size {
            let (action, largest) = self.largest(vectors, place);
            volume = largest;
            self.put(vectors, place, action, largest, shrinking[action]);
        }
        let size_or_one = narrow(size.max(1));
        #[expect(clippy::cast_possible_truncation, reason = "a number of turns")]
        let turns = (f64::from(size_or_one) * f64::from(size_or_one).ln()
            / f64::from(self.approximation.ln())) as i64;
        for _ in 0..turns {
            let larger = (0..size).find_map(|place| {
                let (action, largest) = self.largest(vectors, place);
                (largest > self.approximation * volume).then_some((place, action, largest))
            });
            let Some((place, action, largest)) = larger else { break };
            self.put(vectors, place, action, largest, shrinking[action]);
            volume = largest;
        }
        self.actions
    }

    /// The action that makes the largest volume in a place, and that volume.
    fn largest(&self, vectors: &Vectors, place: usize) -> (usize, f32) {
        let phi = &self.inverse[place];
        let volumes = vectors.rows.iter().map(|row| product(row, phi).abs()).enumerate();
        volumes.fold((0, -1.0), |most, next| if next.1 > most.1 { next } else { most })
    }

    fn put(&mut self, vectors: &Vectors, place: usize, action: usize, volume: f32, shrinking: f32) {
        let (actions, scale) = (vectors.rows.len(), self.log_determinant.exp());
        let row: Vec<f32> = vectors.rows[action][..self.actions.len()]
            .iter()
            .map(|value| value / shrinking / scale)
            .collect();
        self.update_inverse(&row, place);
        self.rows[place] = row;
        self.actions[place] = action;
        self.scale(volume, actions);
    }

    /// Sherman and Morrison's formula, for another row.
    fn update_inverse(&mut self, row: &[f32], place: usize) {
        let change: Vec<f32> =
            row.iter().zip(&self.rows[place]).map(|(new, old)| new - old).collect();
        let moved: Vec<f32> =
            self.inverse.iter().map(|inverse| product(inverse, &change)).collect();
        let own = self.inverse[place].clone();
        let factor = 1.0 / (1.0 + moved[place]);
        for (inverse, moved) in self.inverse.iter_mut().zip(moved) {
            for (value, own) in inverse.iter_mut().zip(&own) {
                *value -= factor * (moved * own);
            }
        }
    }

    /// Keeps the determinant at one.
    fn scale(&mut self, volume: f32, actions: usize) {
        let change = 1.0 / narrow(actions) * (volume.ln() - self.log_determinant);
        let scale = change.exp();
        self.inverse.iter_mut().flatten().for_each(|value| *value *= scale);
        self.rows.iter_mut().flatten().for_each(|value| *value /= scale);
        self.log_determinant += change;
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
