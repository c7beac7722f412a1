use std::collections::VecDeque;
use std::time::Duration;

use super::eta::Eta;
use super::format::{count, micros, rate, share};
use super::paint::Paint;
use metrics::Latencies;
use record::{IterationOutcome, IterationRecord};

/// The success rate that is shown is that of so many last iterations.
pub const WINDOW: usize = 500;

/// What is known of a phase under way.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// The iterations it is to make.
    pub total: u64,
    /// The iterations made.
    pub done: u64,
    /// What says how long it takes, where that is the machine's time.
    eta: Option<Eta>,
    started: Duration,
    now: Duration,
    errors: u64,
    dropped: u64,
    model_exports: u64,
    /// Checks that found another model than the one before.
    model_changes: u64,
    /// Whether each of the last iterations succeeded.
    last: VecDeque<bool>,
    /// How long Rank took, from when it was due; nothing, where that is simulated.
    rank: Option<Latencies>,
}

impl Running {
    /// A phase that has just begun.
    pub fn new(total: u64, started: Duration) -> Self {
        Self { total, started, now: started, ..Self::default() }
    }

    /// Shows how long Rank takes, too.
    pub fn with_latencies(self) -> Self {
        Self { rank: Some(Latencies::default()), ..self }
    }

    /// Knows what says how long it takes.
    pub fn with_eta(self, eta: Option<Eta>) -> Self {
        Self { eta, ..self }
    }

    /// Takes in an iteration.
    pub fn add(&mut self, record: &IterationRecord) {
        self.done += 1;
        self.now = self.now.max(record.rank_start);
        self.errors += u64::from(record.has_failed());
        self.dropped += u64::from(record.outcome == IterationOutcome::Dropped);
        if self.last.len() == WINDOW {
            self.last.pop_front();
        }
        self.last.push_back(record.is_success());
        if let (Some(rank), Some(latency)) = (&mut self.rank, record.rank_response()) {
            rank.record(latency);
        }
    }

    /// Counts models that the loop exported.
    pub fn add_model_exports(&mut self, models: u64) {
        self.model_exports += models;
    }

    /// Counts a check that found another model.
    pub fn add_model_change(&mut self) {
        self.model_changes += 1;
    }

    /// Whether another tenth of the iterations is made.
    pub fn is_at_a_tenth(&self) -> bool {
        let tenths = |done: u64| u128::from(done) * 10 / u128::from(self.total.max(1));
        self.done > 0 && tenths(self.done) > tenths(self.done - 1)
    }

    /// `20.0/s, success 50.2 %, 0 errors`: short enough to stand beside a bar.
    pub fn brief(&self) -> String {
        let (rate, success, errors) = (self.rate(), share(self.success()), self.errors());
        format!("{rate}{}, success {success}, {errors}", self.latency())
    }

    /// `, p50 1.2 ms, p99 5.0 ms`
    fn latency(&self) -> String {
        let summary = self.rank.as_ref().and_then(Latencies::summary);
        summary.map_or(String::new(), |of| {
            format!(", p50 {}, p99 {}", micros(of.p50_us), micros(of.p99_us))
        })
    }

    /// `20.0/s, success 50.2 % (last 500), 0 errors, 3 model exports`
    pub fn describe(&self) -> String {
        let (rate, success, errors) = (self.rate(), share(self.success()), self.errors());
        // A target that reports its exports has been checked, too.
        let models = match (self.model_exports, self.model_changes) {
            (0, 0) => String::new(),
            (0, changes) => format!(", {}", plural(changes, "model change")),
            (exports, _) => format!(", {}", plural(exports, "model export")),
        };
        let (last, latency) = (self.last.len(), self.latency());
        format!("{rate}{latency}, success {success} (last {last}), {errors}{models}")
    }

    fn errors(&self) -> String {
        let errors = plural(self.errors, "error");
        let errors = if self.errors == 0 { errors } else { Paint::Bad.over(&errors) };
        match self.dropped {
            0 => errors,
            dropped => {
                format!("{errors}, {}", Paint::Bad.over(&format!("{} dropped", count(dropped))))
            }
        }
    }

    /// What is left of the phase, in the time of the run.
    pub fn left(&self) -> Option<Duration> {
        self.eta?.left(self.done, self.total, self.now.saturating_sub(self.started))
    }

    /// Iterations per second, in the time of the run.
    #[expect(clippy::cast_precision_loss, reason = "shown with a digit")]
    fn rate(&self) -> String {
        let seconds = self.now.saturating_sub(self.started).as_secs_f64();
        let per_second = (seconds > 0.0).then(|| self.done as f64 / seconds);
        rate(per_second) + "/s"
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 500")]
    fn success(&self) -> Option<f64> {
        let successes = self.last.iter().filter(|is_success| **is_success).count();
        (!self.last.is_empty()).then(|| successes as f64 / self.last.len() as f64)
    }
}

/// `1 error`, `2 errors`
pub fn plural(number: u64, noun: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{} {noun}{end}", count(number))
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;
    use metrics::sample::iteration;

    /// A phase of `total` of which the iterations in `successes` succeeded.
    fn running(total: u64, successes: impl IntoIterator<Item = bool>) -> Running {
        let mut running = Running::new(total, Duration::ZERO);
        for (index, is_success) in (0..).zip(successes) {
            running.add(&iteration(0, index, is_success));
        }
        running
    }

    #[test]
    fn the_success_shown_is_that_of_the_last_iterations() {
        let late = running(1000, (0..1000).map(|index| index >= 750));
        let text = strip_str(&late.describe()).to_string();
        assert!(text.contains("success 50.0 % (last 500), 0 errors"), "{text}");
        let early = running(1000, [true, true, false, false, true]);
        assert!(early.describe().contains("success 60.0 % (last 5)"), "{}", early.describe());
    }

    #[test]
    fn latencies_are_shown_where_they_are_measured() {
        let mut running = Running::new(10, Duration::ZERO).with_latencies();
        assert!(!running.brief().contains("p50"), "of no calls there is none");
        running.add(&iteration(0, 0, true));
        assert!(running.brief().contains("/s, p50 5.0 ms, p99 5.0 ms, success 100.0 %"));
    }

    #[test]
    fn there_are_ten_tenths_of_ten_iterations_or_more() {
        for total in [10, 11, 99, 1000, 12_345] {
            let mut tenths = 0;
            for done in 1..=total {
                tenths += u32::from(Running { total, done, ..Running::default() }.is_at_a_tenth());
            }
            assert_eq!(tenths, 10, "{total}");
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            [0, 1, 2000].map(|n| plural(n, "error")),
            ["0 errors", "1 error", "2,000 errors"]
        );
    }
}
