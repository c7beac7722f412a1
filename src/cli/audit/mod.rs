//! `runner audit`: whether a service draws its actions with the probabilities that it claims.

mod contexts;
mod text;

use std::path::PathBuf;

use clap::Args;

use self::contexts::Contexts;
use super::error::Error;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::load::{self, ScenarioArguments, VariantArgument};
use super::operator::Terminal;
use super::verdict_files::VerdictFiles;
use super::{console, streams};
use clock::{Clock, WallClock};
use engine::{Decision, Ending, Operator, Questions, RunError, Stop};
use plan::Plan;
use record::{FailureKind, Violation};
use statistics::propensity::{AuditDesign, AuditVerdict, Claim, LONGEST_LAG, PropensityAudit};
use target::{CallError, Target};
use world::Work;

/// `runner audit`
#[derive(Debug, Clone, Args)]
pub struct AuditArguments {
    /// The scenario, whose target is audited.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    #[command(flatten)]
    changes: ScenarioArguments,
    #[command(flatten)]
    variant: VariantArgument,
    /// How many calls are made at most.
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    calls: u64,
    /// The probability of a wrong verdict, over all tests of the audit together.
    #[arg(long, value_name = "P", default_value_t = 0.05, value_parser = level)]
    level: f64,
    /// Certify that no probability differs from its claim by more than this.
    #[arg(long, value_name = "D", default_value_t = 0.05, value_parser = within)]
    within: f64,
    /// How many contexts are asked at most: those that turn up most often.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    contexts: u64,
    /// Show the verdict only.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    files: VerdictFiles,
}

fn level(text: &str) -> Result<f64, String> {
    let level = text.parse().ok().filter(|level| *level > 0.0 && *level <= 0.5);
    level.ok_or_else(|| "expected a probability above 0 and up to 0.5, such as 0.05".to_owned())
}

fn within(text: &str) -> Result<f64, String> {
    let within = text.parse().ok().filter(|within| *within > 0.0 && *within < 1.0);
    within.ok_or_else(|| "expected a difference between 0 and 1, such as 0.05".to_owned())
}

/// What an audit found.
struct Audited {
    verdict: Option<AuditVerdict>,
    /// How many calls were made, failed ones included.
    calls: u64,
    failures: Failures,
    /// Whether some answer gave the probability of the chosen action only.
    tells_chosen: bool,
}

/// The calls that failed.
#[derive(Default)]
struct Failures {
    count: u64,
    in_a_row: u64,
    /// The first answer whose probabilities cannot be.
    impossible: Option<String>,
}

/// An audit ends after this many failed calls in a row.
const MOST_FAILURES: u64 = 20;

/// How many calls are made one after the other before the concurrency of the scenario is used.
/// Concurrent calls reach a service in another order, which hides a dependence between draws.
/// The number gives [`LONGEST_LAG`] pairs of draws at the longest lag.
const IN_TURN: u64 = 2 * LONGEST_LAG as u64;

/// Audits the target of a scenario.
pub fn audit(arguments: &AuditArguments) -> Result<Exit, Error> {
    let scenario = load::scenario(&arguments.scenario, &arguments.changes)?;
    let plan = arguments.variant.plan(scenario)?;
    check(&plan)?;
    let most = usize::try_from(arguments.contexts).unwrap_or(usize::MAX);
    let contexts = Contexts::of(&plan, most);
    let operator = Terminal { yes: false, quiet: arguments.quiet };
    announce(arguments, &plan, &contexts, &operator);
    let design = AuditDesign {
        contexts: contexts.count(),
        actions: plan.actions.len(),
        level: arguments.level,
        within: arguments.within,
    };
    let (interrupt, stop) = Interrupt::listen()?;
    let mut audited =
        Audited { verdict: None, calls: 0, failures: Failures::default(), tells_chosen: false };
    let asking = Asking {
        plan: &plan,
        contexts: &contexts,
        budget: arguments.calls,
        stop: stop.clone(),
        operator: &operator,
        audit: PropensityAudit::new(design),
        audited: &mut audited,
    };
    world::work(&plan, WallClock::start_now(), &operator, false, asking)?;
    let exit = audited.exit();
    let report = text::AuditReport { plan: &plan, contexts: &contexts, design, audited: &audited };
    streams::tell(&report.text())?;
    let rows = [report.row()];
    arguments.files.write(&plan.name, &rows, || report.markdown(&rows))?;
    Ok(if exit == Exit::Inconclusive && stop.is_asked() { interrupt.exit() } else { exit })
}

/// Refuses what cannot be audited, before anything is sent.
fn check(plan: &Plan) -> Result<(), Error> {
    if engine::FirstRound::of(plan).is_none() {
        return Err(Error::usage("no phase of the scenario is an `iterate`"));
    }
    if plan.phases.iter().any(|phase| phase.step.slots().is_some()) {
        return Err(Error::usage("an audit is of probabilities, and Rank for slots gives none")
            .help("leave `slots` out of the scenario"));
    }
    let Some(mapping) = plan.target.mapping() else { return Ok(()) };
    if mapping.take.leaves_draw() {
        return Err(Error::usage(
            "`choose: draw` lets the runner draw, so that there is no draw of the service to audit",
        )
        .help(
            "`runner audit` is for services that choose: `take: { action: …, probability: … }`",
        ));
    }
    if !mapping.take.gives_probability() {
        return Err(Error::usage("`take` has no probability, so that there is nothing to audit")
            .help(
                "say where the answer has it: `take: { action: …, probability: $.propensity }`",
            ));
    }
    Ok(())
}

fn announce(arguments: &AuditArguments, plan: &Plan, contexts: &Contexts<'_>, operator: &Terminal) {
    let calls = console::count(arguments.calls);
    operator.tell(&format!("asking {} contexts, with at most {calls} calls", contexts.count()));
    if let Some(remark) = contexts.remark() {
        operator.tell(&remark);
    }
    operator.tell(match plan.target.mapping() {
        None => "nothing is rewarded, and events are sent with `deferActivation`",
        Some(_) => "nothing is rewarded: the service keeps these decisions without an outcome",
    });
}

impl Audited {
    fn exit(&self) -> Exit {
        match &self.verdict {
            _ if self.failures.impossible.is_some() => Exit::Failed,
            Some(AuditVerdict::Caught(_)) => Exit::Failed,
            Some(AuditVerdict::Certified(_)) => Exit::Done,
            Some(AuditVerdict::Undecided(_)) | None => Exit::Inconclusive,
        }
    }
}

/// The questions of an audit.
struct Asking<'a> {
    plan: &'a Plan,
    contexts: &'a Contexts<'a>,
    budget: u64,
    stop: Stop,
    operator: &'a Terminal,
    audit: PropensityAudit,
    audited: &'a mut Audited,
}

impl Work for Asking<'_> {
    async fn with<C: Clock, T: Target>(mut self, clock: C, target: &T) -> Result<Ending, RunError> {
        let reached = target.preflight().await;
        reached.map_err(|error| RunError::Preflight(error.message))?;
        let questions = Questions::new(self.plan, clock, target, self.stop.clone());
        let mut questions = questions.expect("a plan is checked for a phase that iterates");
        while self.goes_on() {
            let context = self.audit.next_context();
            let times = PropensityAudit::ROUND.min(self.budget - self.audited.calls);
            let in_turn = self.audited.calls < IN_TURN;
            let answers = questions.ask(self.contexts.visitor(context), times, in_turn).await;
            self.audited.calls += answers.len() as u64;
            for answer in answers {
                self.note(context, answer)?;
            }
            self.audited.verdict = Some(self.audit.verdict());
            // The log of a loop inside is not read.
            target.take_joined(false);
            for note in target.take_notes() {
                self.operator.tell(&note);
            }
        }
        target.close().map_err(|error| RunError::Close(error.message))?;
        Ok(Ending::Completed)
    }
}

impl Asking<'_> {
    fn goes_on(&self) -> bool {
        let is_open = matches!(self.audited.verdict, None | Some(AuditVerdict::Undecided(_)));
        let has_budget = self.audited.calls < self.budget && !self.stop.is_asked();
        is_open && has_budget && self.audited.failures.impossible.is_none()
    }

    fn note(
        &mut self,
        context: usize,
        answer: Result<Decision, CallError>,
    ) -> Result<(), RunError> {
        match answer {
            Ok(decision) => {
                self.audited.failures.in_a_row = 0;
                let claim = claim(&decision).ok_or_else(|| {
                    failed(
                        "the service claims no probabilities, so that there is nothing to audit"
                            .to_owned(),
                    )
                })?;
                self.audited.tells_chosen |= matches!(claim, Claim::Chosen(_));
                self.audit.observe(context, decision.action, &claim);
                Ok(())
            }
            Err(error) => self.audited.failures.note(error),
        }
    }
}

impl Failures {
    fn note(&mut self, error: CallError) -> Result<(), RunError> {
        self.count += 1;
        self.in_a_row += 1;
        if error.kind == FailureKind::Protocol(Violation::Probability) {
            self.impossible.get_or_insert(error.message);
        } else if self.in_a_row >= MOST_FAILURES {
            return Err(failed(format!(
                "{MOST_FAILURES} calls in a row failed: {}",
                error.message
            )));
        }
        Ok(())
    }
}

fn claim(decision: &Decision) -> Option<Claim> {
    let of_choice = decision.probability.map(|probability| Claim::Chosen(f64::from(probability)));
    decision.probabilities.clone().map(Claim::All).or(of_choice)
}

fn failed(message: String) -> RunError {
    RunError::Target { phase: "audit".to_owned(), message }
}
