use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::format::{count, share};
use crate::record::{IterationRecord, ObserveError, Observer, Outcome, Progress};
use crate::scenario::Plan;
use crate::scenario::plan::{Phase, Step};

/// The bar is moved after so many iterations; a virtual run makes a hundred thousand a
/// second.
const STRIDE: u64 = 64;

/// The success rate shown is that of so many last iterations, at the least.
const WINDOW: u64 = 500;

/// Shows a run's progress on stderr: bars on a terminal, else plain lines.
pub struct Console<'a> {
    phases: &'a [Phase],
    show: Show,
    bar: ProgressBar,
    current: Current,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Bars,
    Lines,
    Nothing,
}

/// The phase under way.
#[derive(Default)]
struct Current {
    index: usize,
    total: u64,
    done: u64,
    successes: u64,
    errors: u64,
    recent: u64,
    recent_successes: u64,
    /// The rate over the last full window.
    shown: Option<f64>,
}

impl<'a> Console<'a> {
    /// A console for a run of `plan`.
    pub fn new(plan: &'a Plan, quiet: bool) -> Self {
        let show = match (quiet, is_live()) {
            (true, _) => Show::Nothing,
            (false, true) => Show::Bars,
            (false, false) => Show::Lines,
        };
        Self { phases: &plan.phases, show, bar: ProgressBar::hidden(), current: Current::default() }
    }

    fn line(&self, text: &str) {
        if self.show != Show::Nothing {
            let name = &self.phases[self.current.index].name;
            self.bar.suspend(|| anstream::eprintln!("{name:<12} {text}"));
        }
    }

    fn begin(&mut self, index: usize) {
        let phase = &self.phases[index];
        let total = iterations(phase);
        self.current = Current { index, total, ..Current::default() };
        if total > 0 && self.show == Show::Bars {
            self.bar = bar(&phase.name, total);
        }
        if self.show == Show::Lines {
            self.line(&begins(phase));
        }
    }

    fn iterate(&mut self, record: &IterationRecord) {
        self.current.count(record);
        let done = self.current.done;
        if self.show == Show::Bars && done.is_multiple_of(STRIDE) {
            self.bar.set_position(done);
            self.bar.set_message(self.current.describe());
        }
        let tenth = (self.current.total / 10).max(1);
        if self.show == Show::Lines && done.is_multiple_of(tenth) && done < self.current.total {
            self.line(&format!("{:>10}   {}", count(done), self.current.describe()));
        }
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
        if self.current.total > 0 {
            let text = self.current.describe();
            self.line(&format!("{:>10}   {text}", count(self.current.done)));
        } else if self.show == Show::Bars {
            self.line(&begins(&self.phases[self.current.index]));
        }
    }
}

impl Observer for Console<'_> {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        match progress {
            Progress::PhaseStarted(started) => self.begin(started.phase),
            Progress::Iteration(record) => self.iterate(record),
            Progress::PhaseEnded(_) => self.end(),
            Progress::ModelChecked(check) => {
                if check.changed && self.show == Show::Lines {
                    self.line(&format!("model updated: {}", check.last_modified));
                }
            }
            Progress::Evaluated(evaluation) => {
                self.line(&format!("{} policies compared", evaluation.policy_results.len()));
            }
            Progress::PolicyApplied(policy) => self.line(&format!("applied {}", policy.name)),
            Progress::Configured(configuration) => self.line(&format!(
                "verified: reward wait time {}, model export frequency {}",
                configuration.reward_wait_time, configuration.model_export_frequency
            )),
            Progress::Notice(text) => self.line(text),
            Progress::Joined(_) | Progress::Checkpoint | Progress::Reset => {}
        }
        Ok(())
    }
}

impl Current {
    fn count(&mut self, record: &IterationRecord) {
        let success = u64::from(record.is_success());
        self.done += 1;
        self.successes += success;
        self.errors += u64::from(record.outcome != Outcome::Completed);
        self.recent += 1;
        self.recent_successes += success;
        if self.recent == WINDOW {
            self.shown = Some(ratio(self.recent_successes, self.recent));
            (self.recent, self.recent_successes) = (0, 0);
        }
    }

    fn describe(&self) -> String {
        let so_far = (self.done > 0).then(|| ratio(self.successes, self.done));
        format!(
            "success {} (lately {}), {} errors",
            share(so_far),
            share(self.shown.or(so_far)),
            count(self.errors)
        )
    }
}

/// Whether progress can be drawn over itself. Some CI has a terminal that nobody looks
/// at.
fn is_live() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stderr().is_terminal() && !is_set("CI") && !is_dumb
}

fn bar(name: &str, total: u64) -> ProgressBar {
    let template = "{prefix:<12} {bar:30} {human_pos}/{human_len} {per_sec}, {msg}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("a template that indicatif reads");
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(15));
    bar.with_style(style.progress_chars("━╸ ")).with_prefix(name.to_owned())
}

fn iterations(phase: &Phase) -> u64 {
    if let Step::Iterate(iterate) = &phase.step { iterate.iterations } else { 0 }
}

/// What a phase is about to do.
fn begins(phase: &Phase) -> String {
    match &phase.step {
        Step::Iterate(iterate) => {
            let rate = iterate.rate.map_or_else(String::new, |rate| format!(" at {}/s", rate.0));
            format!(
                "{} iterations{rate}, concurrency {}",
                count(iterate.iterations),
                iterate.concurrency
            )
        }
        Step::Wait(duration) => format!("waits {}", humantime::format_duration(*duration)),
        Step::Pause(_) => "waits for the operator".to_owned(),
        Step::Evaluate(_) => "offline evaluation".to_owned(),
        Step::ApplyPolicy(policy) => format!("applies {}", policy.name),
        Step::Configure(_) => "changes settings".to_owned(),
        Step::Reset => "clears the loop's data".to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
