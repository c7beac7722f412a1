//! What policies can reach that are linear in the features of the context.

/// A visitor: features by the number of their column, and what each action is worth to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The features that are not zero.
    pub features: Vec<(u32, f64)>,
    /// How often they turn up, relative to the others. Finite, positive.
    pub weight: f64,
    /// The expected reward of each action; `None` for one that is not offered to them.
    pub rewards: Vec<Option<f64>>,
}

/// So many steps are made at least, however few visitors there are.
const STEPS: usize = 100_000;

/// So many multiplications are made at most, unless one pass needs more.
const MOST_WORK: usize = 1_000_000_000;

/// The step of `AdaGrad` (Duchi et al., JMLR 2011).
const STEP: f64 = 0.5;

/// A lower bound of the best expected reward of a policy that takes the action with the highest
/// score, where scores are linear in so many features and an intercept. It is what softmax
/// regression on the best actions finds, or a constant, if that is better: finding the best linear
/// policy itself is hard. Visitors weigh as much as is at stake for them. The same for the same
/// visitors on any machine.
#[must_use]
pub fn linear_reach(visits: &[Visit], columns: usize) -> f64 {
    let actions = visits.first().map_or(0, |visit| visit.rewards.len());
    let mut scores = Softmax::new(actions, columns);
    let visits: Vec<Visit> = scaled(visits, columns);
    let work = visits.iter().map(|visit| (visit.features.len() + 1) * actions * 2).sum::<usize>();
    let passes = (STEPS / visits.len().max(1)).clamp(5, 2000);
    let passes = passes.min(MOST_WORK / work.max(1)).max(1);
    let mut best = best_constant(&visits);
    for pass in 0..passes {
        in_mixed_order(visits.len(), |at| scores.learn(&visits[at]));
        // Looking costs as much as learning.
        if pass % 8 == 7 || pass + 1 == passes {
            best = best.max(scores.value(&visits));
        }
    }
    best
}

/// What the best of the actions earns that are offered to everybody, if it is always taken.
fn best_constant(visits: &[Visit]) -> f64 {
    let actions = visits.first().map_or(0, |visit| visit.rewards.len());
    let weights: f64 = visits.iter().map(|visit| visit.weight).sum();
    let worth = |action: usize| {
        let rewards = visits.iter().map(|visit| Some(visit.weight * visit.rewards[action]?));
        rewards.sum::<Option<f64>>().map(|sum| sum / weights)
    };
    (0..actions).filter_map(worth).fold(f64::NEG_INFINITY, f64::max)
}

/// Visits every index once. Files are often sorted, so neighbours are kept apart.
fn in_mixed_order(count: usize, mut visit: impl FnMut(usize)) {
    let is_coprime = |step: &usize| gcd(*step, count) == 1;
    let golden = (count * 618 / 1000).max(1);
    let step = (golden..=golden + count).find(is_coprime).unwrap_or(1);
    (0..count).fold(0, |at, _| {
        visit(at);
        (at + step) % count
    });
}

fn gcd(left: usize, right: usize) -> usize {
    if right == 0 { left } else { gcd(right, left % right) }
}

/// The visitors with features whose squares have a mean of one where they are not zero.
fn scaled(visits: &[Visit], columns: usize) -> Vec<Visit> {
    let mut sums = vec![(0.0, 0_u32); columns];
    for (column, value) in visits.iter().flat_map(|visit| &visit.features) {
        let (sum, count) = &mut sums[*column as usize];
        (*sum, *count) = (*sum + value * value, *count + 1);
    }
    let scale = |(column, value): &(u32, f64)| {
        let (sum, count) = sums[*column as usize];
        let scale = libm::sqrt(sum / f64::from(count));
        (*column, if scale > 0.0 { value / scale } else { 0.0 })
    };
    let visit = |visit: &Visit| Visit {
        features: visit.features.iter().map(scale).collect(),
        ..visit.clone()
    };
    visits.iter().map(visit).collect()
}

/// Softmax regression: the score of an action is linear in the features.
struct Softmax {
    actions: usize,
    /// By column, the intercept last, then by action.
    weights: Vec<f64>,
    squares: Vec<f64>,
    scores: Vec<f64>,
}

impl Softmax {
    fn new(actions: usize, columns: usize) -> Self {
        let cells = actions * (columns + 1);
        Self {
            actions,
            weights: vec![0.0; cells],
            squares: vec![1e-8; cells],
            scores: vec![0.0; actions],
        }
    }

    /// The features, with that of the intercept.
    fn rows<'v>(&self, visit: &'v Visit) -> impl Iterator<Item = (usize, f64)> + use<'v> {
        let intercept = self.weights.len() / self.actions - 1;
        let features = visit.features.iter().map(|(column, value)| (*column as usize, *value));
        features.chain([(intercept, 1.0)])
    }

    fn score(&mut self, visit: &Visit) {
        self.scores.fill(0.0);
        for (column, value) in self.rows(visit) {
            let weights = &self.weights[column * self.actions..][..self.actions];
            for (score, weight) in self.scores.iter_mut().zip(weights) {
                *score += weight * value;
            }
        }
    }

    fn learn(&mut self, visit: &Visit) {
        let offered = || visit.rewards.iter().flatten();
        let best = offered().copied().fold(f64::NEG_INFINITY, f64::max);
        let (sum, count) = offered().fold((0.0, 0.0), |(sum, count), of| (sum + of, count + 1.0));
        let stake = visit.weight * (best - sum / count);
        if stake.is_nan() || stake <= 0.0 {
            return;
        }
        self.score(visit);
        let highest = self.scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_best = |reward: &Option<f64>| *reward == Some(best);
        let bests = visit.rewards.iter().filter(|reward| is_best(reward)).map(|_| 1.0).sum::<f64>();
        let mut total = 0.0;
        for (score, reward) in self.scores.iter_mut().zip(&visit.rewards) {
            *score = if reward.is_some() { libm::exp(*score - highest) } else { 0.0 };
            total += *score;
        }
        for (score, reward) in self.scores.iter_mut().zip(&visit.rewards) {
            *score = *score / total - if is_best(reward) { 1.0 / bests } else { 0.0 };
        }
        for (column, value) in self.rows(visit) {
            let cells = column * self.actions..(column + 1) * self.actions;
            let (weights, squares) = (&mut self.weights[cells.clone()], &mut self.squares[cells]);
            for ((weight, square), slope) in weights.iter_mut().zip(squares).zip(&self.scores) {
                let slope = slope * value * stake;
                *square += slope * slope;
                *weight -= STEP * slope / libm::sqrt(*square);
            }
        }
    }

    /// The mean reward of taking the action with the highest score.
    fn value(&mut self, visits: &[Visit]) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for visit in visits {
            self.score(visit);
            let offered = self.scores.iter().zip(&visit.rewards);
            let offered = offered.filter_map(|(score, reward)| Some((*score, (*reward)?)));
            let best = offered.reduce(|best, other| if other.0 > best.0 { other } else { best });
            sum += visit.weight * best.map_or(0.0, |(_, reward)| reward);
            weights += visit.weight;
        }
        sum / weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(features: &[f64], class: usize, classes: usize) -> Visit {
        let features = features.iter().zip(0..).map(|(value, column)| (column, *value));
        Visit {
            features: features.collect(),
            weight: 1.0,
            rewards: (0..classes).map(|other| Some(f64::from(u8::from(other == class)))).collect(),
        }
    }

    /// Three classes in a row: regression of each class alone never chooses the one in the middle.
    #[test]
    fn what_a_line_can_tell_apart_is_told_apart() {
        let visits: Vec<Visit> = (0..90)
            .map(|at| visit(&[f64::from(at)], usize::from(at >= 30) + usize::from(at >= 60), 3))
            .collect();
        let columns: Vec<Visit> =
            visits.into_iter().map(|of| Visit { features: of.features, ..of }).collect();
        assert!(linear_reach(&columns, 1) > 0.95, "{}", linear_reach(&columns, 1));
    }

    /// No line tells more than three of the four corners of an exclusive or, and a constant is right
    /// in two.
    #[test]
    fn an_exclusive_or_is_not_linear() {
        let corner = |at: usize| [f64::from(u8::from(at & 1 > 0)), f64::from(u8::from(at & 2 > 0))];
        let visits: Vec<Visit> =
            (0..4).map(|at| visit(&corner(at), (at & 1) ^ (at >> 1), 2)).collect();
        assert!((0.5..=0.75).contains(&linear_reach(&visits, 2)));
    }

    #[test]
    fn actions_that_are_not_offered_are_not_taken() {
        let offered = |rewards: [Option<f64>; 3]| Visit {
            features: Vec::new(),
            weight: 1.0,
            rewards: rewards.to_vec(),
        };
        let visits = [
            offered([Some(0.2), Some(1.0), None]),
            offered([Some(0.2), None, Some(0.1)]),
            offered([Some(0.2), Some(0.6), None]),
        ];
        let reach = linear_reach(&visits, 0);
        assert!((reach - (1.0 + 0.2 + 0.6) / 3.0).abs() < 1e-12, "{reach}");
    }

    #[test]
    fn every_index_is_visited_once() {
        for count in [0, 1, 2, 3, 10, 97, 1000] {
            let mut seen = vec![0; count];
            in_mixed_order(count, |at| seen[at] += 1);
            assert!(seen.iter().all(|times| *times == 1), "{count}");
        }
    }
}
