//! What a log says of choices, where the world is one.

use std::cell::RefCell;
use std::sync::Arc;

use foldhash::HashMap;

use record::LoggedChoice;
use seed::PhaseKey;

/// What a log says of a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// It is the logged one, with this reward.
    Accepted(f64),
    /// Nothing: another one was taken, or the event is one that must not count.
    Rejected,
    /// The terms of the doubly robust estimate.
    OfTwin(LoggedChoice),
}

/// How often each choice was made for each visitor, in each phase.
#[derive(Default)]
pub(super) struct LoggedChoices {
    visits: RefCell<HashMap<(PhaseKey, usize, usize), u32>>,
}

impl LoggedChoices {
    /// What the log says of one more choice for the visitor of these.
    ///
    /// A logged event that a choice meets for the k-th time has k times its residual in the sum, so
    /// the variance of the sum grows by k² - (k - 1)² times the
    /// variance of the residual.
    pub fn visit(
        &self,
        choices: &Arc<[plan::LoggedChoices]>,
        phase: PhaseKey,
        position: usize,
    ) -> LoggedChoice {
        let of = choices[position];
        if of.weight == 0.0 {
            return LoggedChoice { is_covered: of.is_covered, ..LoggedChoice::default() };
        }
        let mut visits = self.visits.borrow_mut();
        let count = visits.entry((phase, choices.as_ptr().addr(), position)).or_insert(0);
        *count += 1;
        let increment = f64::from(2 * *count - 1);
        LoggedChoice {
            is_covered: of.is_covered,
            residual: of.residual,
            variance: increment * of.residual_variance,
            weight: of.weight,
            weight_squares: increment * of.weight_squares,
        }
    }
}
