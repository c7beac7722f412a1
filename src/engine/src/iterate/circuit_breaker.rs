use std::time::Duration;

use super::calls::Attempt;
use plan::Iterate;
use record::{FailureKind, IterationOutcome};
use seed::{PhaseKey, Purpose, Seed};
use target::CallError;

/// The run ends after this many failed Ranks if none was answered.
const MAX_FAILED_RANKS: u64 = 20;

/// The run ends after this many refusals in a row with one status: the request is wrong, not
/// the moment.
const MAX_REFUSALS: u64 = 20;

/// The first and the longest backoff of a closed arrival after a failed connection. Each is
/// twice the one before, and drawn from its upper half.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Decides when a phase stops calling a failing service, and when it backs off.
pub(super) struct CircuitBreaker {
    address: (Seed, PhaseKey),
    error_budget: Option<u64>,
    failures: u64,
    failed_ranks: u64,
    has_answered: bool,
    refusals: Option<Refusals>,
    backoffs: u32,
    backoff_until: Duration,
    tripped: Option<CallError>,
}

/// Refusals in a row with one status.
struct Refusals {
    status: u16,
    count: u64,
}

impl CircuitBreaker {
    pub(super) fn new(address: (Seed, PhaseKey), settings: &Iterate) -> Self {
        Self {
            address,
            error_budget: settings.error_budget,
            failures: 0,
            failed_ranks: 0,
            has_answered: false,
            refusals: None,
            backoffs: 0,
            backoff_until: Duration::ZERO,
            tripped: None,
        }
    }

    /// Records how an iteration ended.
    pub(super) fn record(&mut self, attempt: &Attempt, now: Duration) {
        if let IterationOutcome::RankFailed(_) = attempt.record.outcome {
            self.failed_ranks += 1;
        } else {
            self.has_answered = true;
        }
        if let Some(error) = &attempt.error {
            self.record_failure(error, attempt.record.iteration, now);
        } else {
            (self.refusals, self.backoffs) = (None, 0);
        }
    }

    fn record_failure(&mut self, error: &CallError, iteration: u64, now: Duration) {
        self.failures += 1;
        self.refusals = refusal_status(error.kind).map(|status| {
            let before = self.refusals.as_ref().filter(|before| before.status == status);
            Refusals { status, count: before.map_or(0, |before| before.count) + 1 }
        });
        if matches!(error.kind, FailureKind::Connect | FailureKind::Resolve) {
            self.back_off(iteration, now);
        }
        if self.tripped.is_some() {
            return;
        }
        if error.kind == FailureKind::Policy {
            self.tripped = Some(error.clone());
        } else if let Some(reason) = self.reason_to_trip(error.kind) {
            let message = format!("{reason}: {}", error.message);
            self.tripped = Some(CallError { kind: error.kind, message });
        }
    }

    /// Starts a backoff. Calls that failed during one were sent before it, and count as one
    /// failure.
    fn back_off(&mut self, iteration: u64, now: Duration) {
        if now < self.backoff_until {
            return;
        }
        let (seed, phase) = self.address;
        let share = f64::midpoint(1.0, seed.draws(phase, iteration, Purpose::Retry).unit());
        let longest = FIRST_BACKOFF.saturating_mul(1 << self.backoffs.min(16)).min(MAX_BACKOFF);
        self.backoffs += 1;
        self.backoff_until = now + longest.mul_f64(share);
    }

    fn reason_to_trip(&self, kind: FailureKind) -> Option<String> {
        if matches!(kind, FailureKind::Status(401 | 403 | 407)) {
            return Some("the service denies access".to_owned());
        }
        if self.refusals.as_ref().is_some_and(|refusals| refusals.count >= MAX_REFUSALS) {
            return Some(format!("{MAX_REFUSALS} requests in a row were refused"));
        }
        if self.failed_ranks >= MAX_FAILED_RANKS && !self.has_answered {
            return Some(format!("the first {MAX_FAILED_RANKS} calls failed"));
        }
        let budget = self.error_budget.filter(|budget| self.failures > *budget)?;
        Some(format!("more than {budget} iterations failed (`error_budget`), the last one"))
    }

    /// Until when a closed arrival starts no iteration.
    pub(super) fn backoff_until(&self) -> Duration {
        self.backoff_until
    }

    /// Why the phase ends, if it does.
    pub(super) fn tripped(&self) -> Option<&CallError> {
        self.tripped.as_ref()
    }
}

/// A status that means that the same request will be refused again.
fn refusal_status(kind: FailureKind) -> Option<u16> {
    match kind {
        FailureKind::Status(408 | 425 | 429) => None,
        FailureKind::Status(status @ 400..=499) => Some(status),
        _ => None,
    }
}
