use serde::{Deserialize, Serialize};

use record::LoggedChoice;

/// What the log says of the choices of a phase, in the twin of a log.
///
/// The weighted residuals of its events are what the doubly robust estimate of the policy adds to
/// the twin's rewards (Dudík, Langford, Li, ICML 2011, equation 1; normalized by the weights): where
/// the twin is right about this policy, it is zero but for chance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OffPolicy {
    choices: u64,
    extrapolated: u64,
    residual: f64,
    variance: f64,
    weight: f64,
    weight_squares: f64,
}

/// What a log says of the rewards of its twin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The share of choices that the log has nothing like.
    pub extrapolation: f64,
    /// The off-policy estimate of the mean reward, less that of the twin; none, if the log has none
    /// of the choices.
    pub difference: Option<f64>,
    /// Half of the 99 % interval of the difference.
    pub half_width: Option<f64>,
    /// Of how many logged events the estimate is worth: `(Σ w)² / Σ w²`.
    pub effective_events: f64,
    /// Whether the twin and the estimate agree: enough events, and zero in the interval.
    pub agrees: bool,
}

/// An estimate of fewer events says nothing, as in an evaluation of the log.
const FEWEST_EVENTS: f64 = 50.0;

/// Half the width of a 99 % interval, in standard errors: an honest twin is rejected once in 100.
const WIDTH: f64 = 2.576;

impl OffPolicy {
    /// Takes in a choice.
    pub fn add(&mut self, logged: &LoggedChoice) {
        self.choices += 1;
        self.extrapolated += u64::from(!logged.is_covered);
        self.residual += logged.residual;
        self.variance += logged.variance;
        self.weight += logged.weight;
        self.weight_squares += logged.weight_squares;
    }

    /// The share of choices that the log has nothing like.
    #[must_use]
    pub fn extrapolation(&self) -> Option<f64> {
        super::history::ratio(self.extrapolated, self.choices)
    }

    /// What the log says of the rewards; nothing without choices.
    #[must_use]
    pub fn agreement(&self) -> Option<Agreement> {
        let extrapolation = self.extrapolation()?;
        if self.weight <= 0.0 {
            return Some(Agreement {
                extrapolation,
                difference: None,
                half_width: None,
                effective_events: 0.0,
                agrees: false,
            });
        }
        let difference = self.residual / self.weight;
        let half_width = WIDTH * libm::sqrt(self.variance) / self.weight;
        let effective_events = self.weight * self.weight / self.weight_squares;
        Some(Agreement::of(extrapolation, difference, half_width, effective_events))
    }
}

impl Agreement {
    fn of(extrapolation: f64, difference: f64, half_width: f64, effective_events: f64) -> Self {
        Self {
            extrapolation,
            difference: Some(difference),
            half_width: Some(half_width),
            effective_events,
            agrees: effective_events >= FEWEST_EVENTS && difference.abs() <= half_width,
        }
    }

    /// The agreement of a policy over several runs in one twin; nothing without runs. They share the
    /// log, so its errors do not average out: the width is the mean of theirs.
    #[must_use]
    pub fn pooled(runs: &[Self]) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
        let mean = |of: &dyn Fn(&Self) -> Option<f64>| {
            let sum: Option<f64> = runs.iter().map(of).sum();
            sum.filter(|_| !runs.is_empty()).map(|sum| sum / runs.len() as f64)
        };
        let extrapolation = mean(&|run| Some(run.extrapolation))?;
        let effective_events = mean(&|run| Some(run.effective_events))?;
        let both = mean(&|run| run.difference).zip(mean(&|run| run.half_width));
        Some(match both {
            Some((difference, half_width)) => {
                Self::of(extrapolation, difference, half_width, effective_events)
            }
            None => Self {
                extrapolation,
                difference: None,
                half_width: None,
                effective_events,
                agrees: false,
            },
        })
    }

    /// What it is, in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let share = 100.0 * self.extrapolation;
        let (Some(difference), Some(half_width)) = (self.difference, self.half_width) else {
            return format!(
                "{share:.1} % of the choices are extrapolation, and the log has none of the others"
            );
        };
        let events = self.effective_events;
        let verdict = if self.agrees {
            "they agree"
        } else if events < FEWEST_EVENTS {
            "too few events to judge the twin"
        } else {
            "they do not agree"
        };
        format!(
            "{share:.1} % of the choices are extrapolation; the log's estimate is the twin's \
             {difference:+.4} ± {half_width:.4}, of {events:.0} effective events: {verdict}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(residual: f64, events: u64) -> OffPolicy {
        let mut sums = OffPolicy::default();
        for number in 0..events {
            let noise = if number % 2 == 0 { 0.5 } else { -0.5 };
            let residual = residual + noise;
            sums.add(&LoggedChoice {
                is_covered: number % 10 != 0,
                residual,
                variance: residual * residual,
                weight: 1.0,
                weight_squares: 1.0,
            });
        }
        sums
    }

    #[test]
    fn a_twin_that_is_off_does_not_agree_and_one_that_cannot_be_judged_neither() {
        let right = sums(0.0, 1000).agreement().unwrap();
        assert!(right.agrees && right.extrapolation == 0.1, "{right:?}");
        let off = sums(0.2, 1000).agreement().unwrap();
        assert!(!off.agrees && off.words().contains("do not agree"), "{off:?}");
        let few = sums(0.0, 40).agreement().unwrap();
        assert!(!few.agrees && few.words().contains("too few events"), "{few:?}");
        assert_eq!(OffPolicy::default().agreement(), None);
    }
}
