//! `runner capacity`: the largest rate, or any other value of a scenario, at which something
//! still holds.

mod outputs;
mod quantity;
mod text;

use std::path::PathBuf;

use clap::Args;

use self::outputs::Outputs;
use self::quantity::{Amount, rounded};
use super::confidence::parse_confidence;
use super::error::Error;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::load::{self, ScenarioArguments, VariantArgument};
use super::operator::Terminal;
use super::{run, streams};
use clock::WallClock;
use diagnostic::{Diagnostic, Report};
use engine::{Ending, Operator, RunError, StartPoint, Stop};
use metrics::{Expectation, Holds, PhaseScope, Quantity, Summary, judge};
use plan::Plan;
use plan::{Arrival, Phase, Step};
use record::{ObserveError, Observer, Progress};
use statistics::{Confidence, Interval, Limit, LimitRange, LimitSearch};

/// `runner capacity`
#[derive(Debug, Clone, Args)]
pub struct CapacityArguments {
    /// The scenario.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    #[command(flatten)]
    changes: ScenarioArguments,
    #[command(flatten)]
    variant: VariantArgument,
    /// What must hold, such as `rank.p99 < 50ms`, of the phase that is varied, or of another
    /// one that it names.
    #[arg(long, value_name = "EXPECTATION")]
    until: String,
    /// The value of the scenario that is varied [default: the rate of the last phase that
    /// iterates].
    #[arg(long, value_name = "PATH")]
    vary: Option<String>,
    /// The smallest value that is tried, with its unit [default: the rate as it is written].
    #[arg(long, value_name = "VALUE", value_parser = Amount::parse)]
    from: Option<Amount>,
    /// The largest value that is tried [default: a million times the smallest].
    #[arg(long, value_name = "VALUE", value_parser = Amount::parse)]
    to: Option<Amount>,
    /// How often the limit is searched, each time with another seed.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    repeats: u64,
    /// How close values that hold and fail get to each other.
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = resolution)]
    resolution: f64,
    /// How sure the interval of the limit is.
    #[arg(long, value_name = "LEVEL", default_value = "0.95", value_parser = parse_confidence)]
    confidence: Confidence,
    /// Fail unless the whole interval of the limit lies above this value.
    #[arg(long, value_name = "VALUE", value_parser = Amount::parse)]
    require: Option<Amount>,
    /// Write the results to this folder, which must be new or empty
    /// [default: results/SCENARIO/capacity].
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show the verdict only.
    #[arg(long, short)]
    quiet: bool,
}

fn resolution(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
    let share =
        percent.map(|percent| percent / 100.0).filter(|share| (0.001..=0.5).contains(share));
    share.ok_or_else(|| "expected a percentage from 0.1% to 50%, such as `2%`".to_owned())
}

/// What is searched.
struct Question {
    /// The path of the value that is varied.
    vary: String,
    /// Its smallest value.
    from: Amount,
    range: LimitRange,
    expectation: Expectation,
}

/// One run at one value.
struct Trial {
    search: u64,
    value: f64,
    observed: Option<Quantity>,
    outcome: Holds,
    reason: Option<String>,
}

/// What all searches found.
struct Found {
    trials: Vec<Trial>,
    limits: Vec<Limit>,
    limit: f64,
    interval: Option<Interval>,
    /// Why a value that did not hold was not judged, if that ended a search.
    unjudged: Option<String>,
    /// Whether the user stopped it.
    is_stopped: bool,
}

/// Searches the largest value of a scenario at which an expectation holds.
pub fn capacity(arguments: &CapacityArguments) -> Result<Exit, Error> {
    let plan = arguments.variant.plan(load::scenario(&arguments.scenario, &arguments.changes)?)?;
    if run::asks_the_operator(&plan) {
        return Err(Error::usage("a phase waits for the operator, which a search cannot do"));
    }
    let question = question(arguments, &plan)?;
    let outputs = Outputs::create(arguments.out.as_deref(), &plan.name)?;
    let (interrupt, stop) = Interrupt::listen()?;
    let operator = Terminal { yes: false, quiet: arguments.quiet };
    let searching = Searching { arguments, question: &question, seed: plan.seed.0, stop: &stop };
    let found = searching.all(&operator)?;
    outputs.write(arguments, &plan, &question, &found)?;
    if found.is_stopped {
        return Ok(interrupt.exit());
    }
    let exit = verdict(arguments, &question, &found);
    let report = text::CapacityReport { arguments, question: &question, found: &found, exit };
    streams::tell(&report.text(outputs.folder()))?;
    Ok(exit)
}

/// The question, or every mistake in it.
fn question(arguments: &CapacityArguments, plan: &Plan) -> Result<Question, Error> {
    let (phase, rate) = varied_phase(arguments, plan)?;
    let vary = arguments.vary.clone().unwrap_or_else(|| format!("phases.{}.rate", phase.name));
    let is_rate = vary.rsplit('.').next() == Some("rate");
    let written = rate.filter(|_| is_rate);
    let written = written.map(|value| Amount { value, unit: "/s".to_owned() });
    let from = arguments.from.clone().or(written);
    let ends = from.iter().chain(&arguments.to);
    let mut mistakes = mistakes_in_values(arguments, &vary, ends);
    let expectation = keep(expectation(&arguments.until, plan, phase), &mut mistakes);
    let range = keep(range(arguments, &vary, from.as_ref()), &mut mistakes);
    match (expectation, range, from) {
        (Some(expectation), Some(range), Some(from)) if mistakes.is_empty() => {
            Ok(Question { vary, from, range, expectation })
        }
        _ => Err(mistakes.into()),
    }
}

fn keep<T>(found: Result<T, Report>, mistakes: &mut Report) -> Option<T> {
    found.map_err(|of_it| mistakes.append(of_it)).ok()
}

/// What the scenario says against the value that is varied, at the ends of its range. If there is
/// no such value, only that counts.
fn mistakes_in_values<'a>(
    arguments: &CapacityArguments,
    vary: &str,
    ends: impl Iterator<Item = &'a Amount>,
) -> Report {
    let with = |value: &str| {
        let mut options = arguments.changes.options();
        options.overrides.push(format!("{vary}={value}"));
        load::mistakes(&arguments.scenario, &options)
    };
    let is_in_path = |mistake: &&Diagnostic| {
        mistake.place().is_some_and(|place| {
            place.source.text().starts_with(&format!("{vary}=")) && place.span.start < vary.len()
        })
    };
    let no_such_value: Report =
        with("null").diagnostics().iter().filter(is_in_path).cloned().collect();
    let mut all = std::iter::once(no_such_value).chain(ends.map(|end| with(&end.to_string())));
    all.find(Report::has_errors).unwrap_or_default()
}

fn range(
    arguments: &CapacityArguments,
    vary: &str,
    from: Option<&Amount>,
) -> Result<LimitRange, Report> {
    let refuse = |message: String| Report::from(Diagnostic::error(message));
    let Some(from) = from else {
        let message = format!("the smallest value of `{vary}` is not known");
        return Err(Diagnostic::error(message).help("add `--from`").into());
    };
    let mut mistakes = Report::new();
    if arguments.require.as_ref().is_some_and(|required| required.unit != from.unit) {
        mistakes.append(refuse(format!("`--require` needs the unit of `{from}`")));
    }
    let to = match &arguments.to {
        Some(to) if to.unit == from.unit && to.value > from.value => to.value,
        Some(to) => {
            let message = format!("`--to {to}` is not above `--from {from}`, or has another unit");
            mistakes.append(refuse(message));
            f64::NAN
        }
        None if from.value > 0.0 => from.value * 1e6,
        None => {
            let message = "a search from 0 needs an end";
            mistakes.push(Diagnostic::error(message).help("add `--to`"));
            f64::NAN
        }
    };
    let range = LimitRange { from: from.value, to, resolution: arguments.resolution };
    if mistakes.is_empty() { Ok(range) } else { Err(mistakes) }
}

/// The phase that is varied, and its rate: the one that `--vary` names, or the last one that
/// iterates.
fn varied_phase<'a>(
    arguments: &CapacityArguments,
    plan: &'a Plan,
) -> Result<(&'a Phase, Option<f64>), Error> {
    let iterating = plan.phases.iter().filter_map(|phase| match &phase.step {
        Step::Iterate(iterate) => Some((phase, rate(&iterate.arrival))),
        _ => None,
    });
    let named = |phase: &Phase| {
        let path = format!("phases.{}.", phase.name);
        arguments.vary.as_ref().is_some_and(|vary| vary.starts_with(&path))
    };
    let phases: Vec<_> = iterating.collect();
    let found = phases.iter().find(|(phase, _)| named(phase)).or(phases.last());
    found.copied().ok_or_else(|| Error::usage("no phase of the scenario is an `iterate`"))
}

fn rate(arrival: &Arrival) -> Option<f64> {
    match arrival {
        Arrival::Closed { rate, .. } => rate.map(|rate| rate.0),
        Arrival::Open(schedule) => schedule.start.map(|rate| rate.0),
    }
}

/// The expectation, of `phase` unless it names one.
fn expectation(text: &str, plan: &Plan, phase: &Phase) -> Result<Expectation, Report> {
    let scopes: Vec<PhaseScope<'_>> = plan.phases.iter().map(Phase::scope).collect();
    let names_phase =
        scopes.iter().any(|scope| text.trim().starts_with(&format!("{}.", scope.name)));
    let text =
        if names_phase { text.to_owned() } else { format!("{}.{}", phase.name, text.trim()) };
    Expectation::parse(&text, &scopes).map_err(|mistakes| {
        let told = |mistake: metrics::ExpectationError| {
            let message = format!("`--until {text}`: {}", mistake.message);
            Diagnostic::error(message).maybe_help(mistake.help)
        };
        mistakes.into_iter().map(told).collect()
    })
}

/// A value whose trials end without a verdict is tried at most this many times.
const MOST_TRIALS: u32 = 3;

/// The searches have different seeds. If the expectation fails at the smallest value in each of the
/// first ones, this many, the search ends: it holds at no value.
const FAILURES: usize = 2;

fn is_hopeless(limits: &[Limit]) -> bool {
    limits.len() == FAILURES && limits.iter().all(|limit| matches!(limit, Limit::Below(_)))
}

/// Searches with one question.
struct Searching<'a> {
    arguments: &'a CapacityArguments,
    question: &'a Question,
    seed: u64,
    stop: &'a Stop,
}

impl Searching<'_> {
    fn all(&self, operator: &Terminal) -> Result<Found, Error> {
        let range = &self.question.range;
        let mut found = Found {
            trials: Vec::new(),
            limits: Vec::new(),
            limit: f64::NAN,
            interval: None,
            unjudged: None,
            is_stopped: false,
        };
        for number in 1..=self.arguments.repeats {
            let near = (number > 1).then_some(found.limit);
            let Some(limit) = self.one(number, near, &mut found, operator)? else {
                found.is_stopped = true;
                break;
            };
            found.limits.push(limit);
            let confidence = self.arguments.confidence;
            (found.limit, found.interval) = range.estimate(&found.limits, confidence);
            if is_hopeless(&found.limits) {
                break;
            }
        }
        Ok(found)
    }

    /// One search; none, if it was stopped.
    fn one(
        &self,
        number: u64,
        near: Option<f64>,
        found: &mut Found,
        operator: &Terminal,
    ) -> Result<Option<Limit>, Error> {
        let mut search = LimitSearch::new(self.question.range, near);
        let mut lowest: Option<(f64, Option<String>)> = None;
        while let Some(value) = search.next() {
            let value = rounded(value);
            let Some(trial) = self.judged_trial(number, value, found, operator)? else {
                return Ok(None);
            };
            search.note(value, trial.outcome == Holds::Held);
            let is_lowest = lowest.as_ref().is_none_or(|(lowest, _)| value < *lowest);
            if trial.outcome != Holds::Held && is_lowest {
                let is_unjudged = trial.outcome == Holds::NoSamples;
                lowest = Some((value, trial.reason.clone().filter(|_| is_unjudged)));
            }
            found.trials.push(trial);
        }
        let unjudged = lowest.and_then(|(_, unjudged)| unjudged);
        found.unjudged = found.unjudged.take().or(unjudged);
        Ok(search.found())
    }

    /// A run at one value. What is not judged is tried again: a machine may be busy for a moment.
    fn judged_trial(
        &self,
        search: u64,
        value: f64,
        found: &mut Found,
        operator: &Terminal,
    ) -> Result<Option<Trial>, Error> {
        for _ in 1..MOST_TRIALS {
            let Some(trial) = self.trial(search, value)? else { return Ok(None) };
            operator.tell(&self.line(&trial));
            if trial.outcome != Holds::NoSamples {
                return Ok(Some(trial));
            }
            found.trials.push(trial);
        }
        let last = self.trial(search, value)?;
        last.iter().for_each(|trial| operator.tell(&self.line(trial)));
        Ok(last)
    }

    /// A run at one value; none, if it was stopped.
    fn trial(&self, search: u64, value: f64) -> Result<Option<Trial>, Error> {
        let Question { vary, from, expectation, .. } = self.question;
        let mut options = self.arguments.changes.options();
        options.overrides.push(format!("{vary}={}", from.of(value)));
        options.seed = Some(self.seed.wrapping_add(search - 1));
        let scenario = load::scenario_again(&self.arguments.scenario, &options)?;
        let plan = self.arguments.variant.plan(scenario)?;
        // An expectation speaks of the number of iterations, which may follow from the value.
        let scopes: Vec<PhaseScope<'_>> = plan.phases.iter().map(Phase::scope).collect();
        let expectation = Expectation::parse(expectation.text(), &scopes)
            .map_err(|mistakes| Error::usage(mistakes[0].to_string()))?;
        let mut observer = Observed(Summary::new(scopes));
        let quiet = Terminal { yes: false, quiet: true };
        let (start, stop) = (StartPoint::default(), self.stop.clone());
        let wall = WallClock::start_now();
        let ending = world::execute(&plan, wall, &quiet, start, stop, &mut observer);
        let failed = |reason: String| Trial {
            search,
            value,
            observed: None,
            outcome: Holds::Failed,
            reason: Some(reason),
        };
        match ending {
            Ok(Ending::Completed) => {}
            Ok(Ending::Stopped) => return Ok(None),
            // A service that breaks under the load is beyond its limit.
            Err(error @ RunError::Target { .. }) => return Ok(Some(failed(error.to_string()))),
            Err(error) => return Err(error.into()),
        }
        let verdicts = judge(&[expectation], &observer.0);
        let broken = verdicts.iter().skip(1).find(|verdict| verdict.holds != Holds::Held);
        let first = &verdicts[0];
        let outcome = if broken.is_some() { Holds::Failed } else { first.holds };
        let reason = broken.map(|broken| broken.text.clone()).or_else(|| first.reason.clone());
        Ok(Some(Trial { search, value, observed: first.observed, outcome, reason }))
    }

    fn line(&self, trial: &Trial) -> String {
        let value = self.question.from.of(trial.value);
        let observed =
            trial.observed.map_or_else(|| "-".to_owned(), |observed| observed.to_string());
        let reason = trial.reason.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        format!("search {}: {value}: {observed}, {}{reason}", trial.search, word(trial.outcome))
    }
}

/// The numbers of a run.
struct Observed(Summary);

impl Observer for Observed {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.observe(progress);
        Ok(())
    }
}

fn word(outcome: Holds) -> &'static str {
    match outcome {
        Holds::Held => "holds",
        Holds::Failed => "fails",
        Holds::NoSamples => "not judged",
    }
}

fn verdict(arguments: &CapacityArguments, question: &Question, found: &Found) -> Exit {
    if found.unjudged.is_some() {
        return Exit::Inconclusive;
    }
    if found.limits.iter().all(|limit| matches!(limit, Limit::Below(_))) {
        return Exit::Failed;
    }
    let Some(required) = &arguments.require else { return Exit::Done };
    let all_above = found.limits.iter().all(|limit| matches!(limit, Limit::Above(_)));
    match found.interval {
        _ if all_above && question.range.to >= required.value => Exit::Done,
        Some(interval) if interval.lower >= required.value => Exit::Done,
        Some(interval) if interval.upper < required.value => Exit::Failed,
        _ => Exit::Inconclusive,
    }
}
