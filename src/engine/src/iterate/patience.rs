use std::time::Duration;

use super::calls::Attempt;
use record::{FailureKind, Outcome};
use scenario::plan::Iterate;
use seed::{PhaseKey, Purpose, Seed};
use target::CallError;

/// After so many failed Ranks, and none that was answered, the target cannot be used.
const HOPELESS: u64 = 20;

/// After so many refusals in a row with one status it is what is sent that is wrong.
const REFUSALS: u64 = 20;

/// How long a closed arrival holds back where there is no connection: at first and at the
/// longest. Each time twice as long, and drawn from the upper half.
const FIRST_HOLD: Duration = Duration::from_millis(100);
const LONGEST_HOLD: Duration = Duration::from_secs(5);

/// Decides when a service is given up, and when it is left alone for a while.
pub(super) struct Patience {
    address: (Seed, PhaseKey),
    budget: Option<u64>,
    failures: u64,
    failed_ranks: u64,
    answered: bool,
    /// A status that refuses, and how often it came in a row.
    refused: (u16, u64),
    holds: u32,
    hold_until: Duration,
    given_up: Option<CallError>,
}

impl Patience {
    pub fn new(address: (Seed, PhaseKey), settings: &Iterate) -> Self {
        Self {
            address,
            budget: settings.error_budget,
            failures: 0,
            failed_ranks: 0,
            answered: false,
            refused: (0, 0),
            holds: 0,
            hold_until: Duration::ZERO,
            given_up: None,
        }
    }

    /// Takes in how an iteration ended.
    pub fn take_in(&mut self, attempt: &Attempt, now: Duration) {
        match attempt.record.outcome {
            Outcome::RankFailed(_) => self.failed_ranks += 1,
            _ => self.answered = true,
        }
        if let Some(error) = &attempt.error {
            self.failed(error, attempt, now);
        } else {
            (self.refused, self.holds) = ((0, 0), 0);
        }
    }

    fn failed(&mut self, error: &CallError, attempt: &Attempt, now: Duration) {
        self.failures += 1;
        let refused = refusal(error.kind);
        let in_a_row = if refused == self.refused.0 { self.refused.1 + 1 } else { 1 };
        self.refused = (refused, in_a_row);
        if matches!(error.kind, FailureKind::Connect | FailureKind::Resolve) {
            self.hold_back(attempt.record.iteration, now);
        }
        if let Some(why) = self.why_given_up(error.kind)
            && self.given_up.is_none()
        {
            let message = format!("{why}{}", error.message);
            self.given_up = Some(CallError { kind: error.kind, message });
        }
    }

    /// Failures of calls that were under way together count as one.
    fn hold_back(&mut self, iteration: u64, now: Duration) {
        if now < self.hold_until {
            return;
        }
        let (seed, phase) = self.address;
        let share = f64::midpoint(1.0, seed.draws(phase, iteration, Purpose::Retry).unit());
        let longest = FIRST_HOLD.saturating_mul(1 << self.holds.min(16)).min(LONGEST_HOLD);
        self.holds += 1;
        self.hold_until = now + longest.mul_f64(share);
    }

    fn why_given_up(&self, kind: FailureKind) -> Option<String> {
        match kind {
            FailureKind::Status(401 | 403 | 407) => Some("the service lets nobody in: ".to_owned()),
            _ if self.refused.0 != 0 && self.refused.1 >= REFUSALS => {
                Some(format!("{REFUSALS} refusals in a row: "))
            }
            _ if self.failed_ranks >= HOPELESS && !self.answered => {
                Some("the service has never answered: ".to_owned())
            }
            _ => {
                let budget = self.budget.filter(|budget| self.failures > *budget)?;
                Some(format!("more than {budget} iterations failed (`error_budget`), the last: "))
            }
        }
    }

    /// Until when a closed arrival starts nothing.
    pub fn hold_until(&self) -> Duration {
        self.hold_until
    }

    /// Why the service was given up, if it was.
    pub fn given_up(&self) -> Option<&CallError> {
        self.given_up.as_ref()
    }
}

/// A status that means that the same request will be refused again; 0 for anything else.
fn refusal(kind: FailureKind) -> u16 {
    match kind {
        FailureKind::Status(408 | 425 | 429) => 0,
        FailureKind::Status(status @ 400..=499) => status,
        _ => 0,
    }
}
