use std::collections::BTreeMap;
use std::time::Duration;

use super::eta::Eta;
use super::format::{count, name, span};
use super::paint::Paint;
use super::running::Running;
use super::screen::Screen;
use super::words;
use metrics::micros;
use plan::Plan;
use plan::{ClockKind, Phase, Step, TargetPlan};
use record::{IterationRecord, ObserveError, Observer, PhaseRecord, PhaseStarted, Progress};
use shard::{Shard, Stride};

/// In a virtual run the bar is moved after so many iterations: it makes a hundred
/// thousand a second.
const STRIDE: u64 = 64;

/// Shows a run's progress on stderr: a bar on a terminal, else plain lines.
pub struct Console<'a> {
    phases: &'a [Phase],
    /// The width of the longest name of a phase.
    name_width: usize,
    stride: u64,
    /// The iterations that are made here.
    own: Stride,
    screen: Screen,
    /// The phases under way, by their index.
    running: BTreeMap<usize, Running>,
    /// The phase that is spoken of.
    spoken: usize,
    /// Whether the run goes by the machine's time.
    is_wall: bool,
    /// Whether latencies are measured, and worth a look.
    is_measured: bool,
}

impl<'a> Console<'a> {
    /// A console for a run of `plan`. It shows nothing if it is to be quiet.
    pub fn new(plan: &'a Plan, quiet: bool) -> Self {
        let stride = if plan.clock == ClockKind::Virtual { STRIDE } else { 1 };
        let is_measured = !matches!(plan.target, TargetPlan::Embedded(_));
        let over = Self::over(&plan.phases, stride, Screen::of_stderr(quiet));
        let is_wall = plan.clock == ClockKind::Wall;
        Self { own: plan.stride(), is_measured, is_wall, ..over }
    }

    fn over(phases: &'a [Phase], stride: u64, screen: Screen) -> Self {
        let width = |phase: &Phase| name(&phase.name).chars().count();
        let name_width = phases.iter().map(width).max().unwrap_or(0);
        let own = Shard::WHOLE.stride();
        Self {
            phases,
            name_width,
            stride,
            own,
            screen,
            running: BTreeMap::new(),
            spoken: 0,
            is_wall: false,
            is_measured: false,
        }
    }

    fn phase(&self) -> &'a Phase {
        &self.phases[self.spoken]
    }

    /// The name of the phase that is spoken of, as wide as every other.
    fn prefix(&self) -> String {
        format!("{:<width$}", name(&self.phase().name), width = self.name_width)
    }

    /// The name of the phase under way, or of the first of several.
    fn title(&self) -> String {
        let first = self.running.keys().next().map_or(self.spoken, |first| *first);
        let others = match self.running.len() {
            0 | 1 => String::new(),
            many => format!(" +{}", many - 1),
        };
        let name = name(&self.phases[first].name) + &others;
        format!("{name:<width$}", width = self.name_width)
    }

    fn line(&mut self, text: &str) {
        let prefix = Paint::Name.over(&self.prefix());
        self.screen.line(&format!("{prefix}  {text}"));
    }

    fn begin(&mut self, started: &PhaseStarted) {
        self.spoken = started.phase;
        let total = self.own.count(words::iterations(self.phase()));
        let running = Running::new(total, started.at);
        let running = if self.is_measured { running.with_latencies() } else { running };
        let eta = match &self.phase().step {
            Step::Iterate(iterate) if self.is_wall => Some(Eta::of(iterate)),
            _ => None,
        };
        self.running.insert(started.phase, running.with_eta(eta));
        if total == 0 || !self.screen.is_live() {
            self.line(&words::intention(&self.phase().step));
        }
        if total > 0 {
            let all = self.running.values().map(|running| running.total).sum();
            self.screen.close_bar();
            self.screen.open_bar(&self.title(), all, eta.is_none());
        }
    }

    fn iterate(&mut self, record: &IterationRecord) {
        self.spoken = record.phase;
        let Some(running) = self.running.get_mut(&record.phase) else { return };
        running.add(record);
        let is_last = running.done == running.total;
        let is_told = !self.screen.is_live() && running.is_at_a_tenth() && !is_last;
        let told = is_told.then(|| format!("{:>11}  {}", count(running.done), running.describe()));
        if running.done.is_multiple_of(self.stride) {
            let all = self.running.values().map(|running| running.done).sum();
            let running = &self.running;
            self.screen.move_bar(all, || {
                let left = left(running).map(|left| format!("{} left, ", span(micros(left))));
                left.unwrap_or_default() + &running[&record.phase].brief()
            });
        }
        if let Some(told) = told {
            self.line(&told);
        }
    }

    fn end(&mut self, ended: &PhaseRecord) {
        self.screen.close_bar();
        self.spoken = ended.phase;
        let Some(running) = self.running.remove(&ended.phase) else { return };
        if running.total > 0 {
            let took = span(micros(ended.ended.saturating_sub(ended.started)));
            let done = count(ended.iterations);
            self.line(&format!("{done:>11}  {} in {took}", running.describe()));
        }
    }

    fn of(&mut self, phase: usize, change: impl FnOnce(&mut Running)) {
        if let Some(running) = self.running.get_mut(&phase) {
            change(running);
        }
    }
}

/// What is left of phases under way, the longest of them; nothing, if it is not known of one.
fn left(running: &BTreeMap<usize, Running>) -> Option<Duration> {
    let longest = |longest: Duration, running: &Running| Some(longest.max(running.left()?));
    running.values().try_fold(Duration::ZERO, longest)
}

impl Observer for Console<'_> {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        match progress {
            Progress::PhaseStarted(started) => self.begin(started),
            Progress::Iteration(record) => self.iterate(record),
            Progress::PhaseEnded(ended) => self.end(ended),
            Progress::ModelChecked(check) if check.changed => {
                self.of(check.phase, Running::add_model_change);
            }
            Progress::ModelExported(export) => {
                self.of(export.phase, |running| running.add_model_exports(export.models));
            }
            Progress::Evaluated(evaluation) => self.line(&words::evaluated(evaluation)),
            Progress::PolicyApplied(policy) => {
                self.line(&format!("applied {}", name(&policy.name)));
            }
            Progress::Configured(configuration) => self.line(&words::configured(configuration)),
            Progress::Notice(text) => self.line(&name(text)),
            Progress::ModelChecked(_)
            | Progress::Joined(_)
            | Progress::MayBeSent { .. }
            | Progress::Awaited { .. }
            | Progress::Checkpoint
            | Progress::Reset => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;
    use std::time::Duration;

    use anstream::adapter::strip_str;

    use super::*;
    use metrics::sample::{iteration, phase_ended, phase_started};
    use plan::{Arrival, Delay, Iterate, Rate, RewardDelivery};
    use record::{FailureKind, IterationOutcome};

    #[derive(Clone, Default)]
    struct Paper(Rc<RefCell<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn iterate(iterations: u64) -> Step {
        Step::Iterate(Iterate {
            iterations,
            arrival: Arrival::Closed { concurrency: 4, rate: Some(Rate(50.0)) },
            error_budget: None,
            model_check_interval: 10,
            think_time: Delay::Constant(Duration::ZERO),
            delivery: RewardDelivery::default(),
            users: None,
            slots: None,
            drift: None,
        })
    }

    /// What is shown, line by line, of `progress` in a run of `phases`.
    fn shown(phases: &[Phase], progress: impl IntoIterator<Item = Progress>) -> String {
        let paper = Paper::default();
        let mut console = Console::over(phases, 1, Screen::Lines(Box::new(paper.clone())));
        for progress in progress {
            console.observe(&progress).unwrap();
        }
        strip_str(&String::from_utf8(paper.0.take()).unwrap()).to_string()
    }

    #[test]
    fn a_log_has_a_line_a_tenth() {
        let phases = [
            Phase::new("wait", Step::Wait(Duration::from_secs(90))),
            Phase::new("train", iterate(20)),
        ];
        let iterations = (0..20).map(|index| {
            let mut record = iteration(1, index, index % 2 == 0);
            if index == 6 {
                record.outcome = IterationOutcome::RewardFailed(FailureKind::Timeout);
            }
            Progress::Iteration(record)
        });
        let end = Progress::PhaseEnded(PhaseRecord {
            phase: 1,
            started: Duration::ZERO,
            ended: Duration::from_secs(75),
            iterations: 20,
            asked_rate: None,
            model_exports: None,
        });
        let lines = shown(
            &phases,
            [phase_started(0), phase_ended(0), phase_started(1)]
                .into_iter()
                .chain(iterations)
                .chain([end]),
        );
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), 12, "{lines:#?}");
        assert_eq!(lines[0], "wait   waiting 1m 30s");
        assert_eq!(lines[1], "train  20 iterations at 50/s, concurrency 4");
        assert_eq!(lines[4], "train            6  60.0/s, success 50.0 % (last 6), 0 errors");
        assert_eq!(lines[5], "train            8  57.1/s, success 50.0 % (last 8), 1 error");
        assert_eq!(
            lines[11],
            "train           20  52.6/s, success 50.0 % (last 20), 1 error in 1m 15s"
        );
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        let phases = [Phase::new("a\u{1b}[2Jb", Step::Reset)];
        let notice = Progress::Notice("c\rd".to_owned());
        let lines = shown(&phases, [phase_started(0), notice]);
        assert_eq!(lines, "a\\u{1b}[2Jb  clearing the loop's data\na\\u{1b}[2Jb  c\\rd\n");
    }
}
