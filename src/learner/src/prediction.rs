use crate::random::{at_least_zero, sample};

/// What a learner predicts for an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// The probability of each action, in the order of the event.
    pub pmf: Vec<f32>,
    /// The indices of the actions that may be chosen, best first: the order in which the
    /// service samples.
    pub ranking: Vec<usize>,
    /// The cost that the model expects of each action, in the order of the event.
    pub scores: Vec<f32>,
}

impl Prediction {
    /// The same probability for each of the actions `offered`, of `actions` in all.
    #[must_use]
    pub fn uniform(offered: &[usize], actions: usize) -> Self {
        let mut pmf = vec![0.0; actions];
        #[expect(clippy::cast_precision_loss, reason = "counts of actions")]
        let share = 1.0 / offered.len() as f32;
        offered.iter().for_each(|action| pmf[*action] = share);
        Self { pmf, ranking: offered.to_vec(), scores: vec![0.0; actions] }
    }

    /// Draws one of the ranked actions, moves it to the front, and normalizes the
    /// probabilities (`explore_internal.h`, `sample_after_normalizing`).
    pub fn draw(&mut self, seed: u64) {
        let position = sample(&self.pmf, &self.ranking, seed);
        self.pmf.iter_mut().for_each(|probability| *probability = at_least_zero(*probability));
        let total: f32 = self.ranking.iter().map(|action| self.pmf[*action]).sum();
        if total == 0.0 {
            self.pmf[self.ranking[0]] = 1.0;
        } else {
            self.pmf.iter_mut().for_each(|probability| *probability /= total);
        }
        self.ranking.swap(0, position);
    }

    /// Exchanges a ranked action with the first (`swap_chosen`).
    pub(crate) fn bring_to_front(&mut self, action: usize) {
        if let Some(position) = self.ranking.iter().position(|ranked| *ranked == action) {
            self.ranking.swap(0, position);
        }
    }
}
