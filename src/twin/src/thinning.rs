//! Logs that keep a part of their events: each that is kept with probability 1 - `pdrop` stands for
//! 1/(1 - `pdrop`) events.

/// How many events one with a click, and one without, stands for, of the events that there were:
/// `Σ count² / Σ count`. By as much thinning multiplies the variance of a sum over such events.
#[derive(Debug, Clone, Copy)]
pub struct Thinning {
    hit: f64,
    miss: f64,
}

impl Thinning {
    /// Of the counts of events, and whether each is a click.
    pub fn of(events: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut sums = [[0.0; 2]; 2];
        for (count, is_hit) in events {
            let [counts, squares] = &mut sums[usize::from(is_hit)];
            *counts += count;
            *squares += count * count;
        }
        let [miss, hit] =
            sums.map(|[counts, squares]| if counts > 0.0 { squares / counts } else { 1.0 });
        Self { hit, miss }
    }

    /// By how much the variance of a click of this probability is multiplied.
    pub fn factor(self, probability: f64) -> f64 {
        if self.hit == self.miss {
            return self.hit;
        }
        self.hit * (1.0 - probability) + self.miss * probability
    }

    /// By how many clicks an event moves a sum of differences from this mean, at most.
    pub fn step(self, mean: f64) -> f64 {
        if self.hit == self.miss {
            return self.hit;
        }
        (self.hit * (1.0 - mean)).max(self.miss * mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variance of `Σ kept · count · (click - mean)`, over all that can happen to one event.
    #[test]
    fn the_factor_is_that_of_the_draws() {
        let (click, drop_hit, drop_miss) = (0.3, 0.2, 0.9);
        let counts = [1.0 / (1.0 - drop_miss), 1.0 / (1.0 - drop_hit)];
        // Of 1000 events 300 are clicks, of which 240 are kept, and 70 of the others.
        let kept = (0..310).map(|at| (counts[usize::from(at < 240)], at < 240));
        let factor = Thinning::of(kept).factor(click);
        let of = |probability: f64, drop: f64, difference: f64| {
            probability * (1.0 - drop) * (difference / (1.0 - drop)).powi(2)
        };
        let variance = of(click, drop_hit, 1.0 - click) + of(1.0 - click, drop_miss, click);
        assert!((factor * click * (1.0 - click) - variance).abs() < 1e-12);
    }

    #[test]
    fn a_whole_log_is_not_thinned() {
        let thinning = Thinning::of([(1.0, true), (1.0, false), (1.0, false)].into_iter());
        assert_eq!((thinning.factor(0.3), thinning.step(0.3)), (1.0, 1.0));
    }
}
