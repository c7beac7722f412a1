//! Phases that can never do what they say, where they stand.

use super::model::{EvaluateFile, PauseFile, PhaseItem, ServiceFile, StepFile, Target};
use super::policy::is_discovered;
use super::slots;
use ::policy::Policy;
use diagnostic::{Diagnostic, Place, Report, nearest};
use plan::AwaitedChange;

/// What is certain about the loop when a phase begins.
struct Known {
    access: LoopAccess,
    /// Whether something was logged since the start or the last reset.
    logged: bool,
    /// Whether a reset cleared the loop.
    cleared: bool,
}

/// Who can change the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LoopAccess {
    /// Only the run. The loop starts without data of earlier runs.
    Run,
    /// Every process of the machine. The loop starts without data of earlier runs.
    Loopback,
    /// Everybody who can reach the service.
    Service,
}

/// Reports phases that can never run. Of a target that could not be read nothing is certain.
pub(super) fn check_order(target: Option<&Target>, items: &[PhaseItem], report: &mut Report) {
    let access = match target {
        Some(Target::Served) => LoopAccess::Loopback,
        Some(Target::Embedded(_)) => LoopAccess::Run,
        Some(Target::Service { .. }) | None => LoopAccess::Service,
    };
    let mut known = Known { access, logged: false, cleared: false };
    let mapped = mapped(target);
    for (index, item) in items.iter().enumerate() {
        if let Some(service) = mapped {
            refuse_contract(service, item, report);
            refuse_slots(item, report);
        }
        if matches!(target, Some(Target::Service { .. })) {
            refuse_program(item, report);
        }
        refuse_same_name(&items[..index], item, report);
        match &item.step {
            // What cannot be read may have logged something.
            Some(StepFile::Iterate(_)) | None => known.logged = true,
            Some(StepFile::Reset) => (known.logged, known.cleared) = (false, true),
            Some(StepFile::Evaluate(evaluate)) => check_evaluate(&known, item, evaluate, report),
            Some(StepFile::Pause(pause)) => check_pause(&known, item, pause, report),
            _ => {}
        }
    }
}

/// The service, if it has calls of its own.
fn mapped(target: Option<&Target>) -> Option<&ServiceFile> {
    match target? {
        Target::Service { file: Ok(service), .. } => {
            Some(&**service).filter(|service| service.rank.is_some())
        }
        _ => None,
    }
}

/// Reports a phase that needs an operation of the Personalizer contract.
fn refuse_contract(service: &ServiceFile, item: &PhaseItem, report: &mut Report) {
    let (message, help) = match &item.step {
        Some(StepFile::Reset) if service.setup.is_none() && service.teardown.is_none() => (
            format!("`{}` has nothing to call", item.name),
            "describe the calls in `target.setup` and `target.teardown`",
        ),
        Some(
            StepFile::Evaluate(_)
            | StepFile::ApplyPolicy(..)
            | StepFile::Configure(_)
            | StepFile::Pause(PauseFile::Until(_)),
        ) => (
            format!(
                "`{}` needs the Personalizer contract, but `rank` says what is called",
                item.name
            ),
            "`iterate`, `wait`, `pause` with a `prompt`, and `reset` are what every service has",
        ),
        _ => return,
    };
    report.push(Diagnostic::error(message).at(&item.place).help(help));
}

/// A service starts no programs.
fn refuse_program(item: &PhaseItem, report: &mut Report) {
    let is_named = match &item.step {
        Some(StepFile::ApplyPolicy(_, policy)) => policy.is_program(),
        Some(StepFile::Evaluate(evaluate)) => {
            let policies = evaluate.policies.iter().flatten();
            policies.filter_map(|named| named.value.as_ref().ok()).any(Policy::is_program)
        }
        _ => false,
    };
    if is_named {
        let message = format!("`{}` names a program, which a service does not start", item.name);
        let help = "use `target: embedded` or `target: served`; or start the service with the \
                    program: `runner serve --policy`";
        report.push(Diagnostic::error(message).at(&item.place).help(help));
    }
}

/// Such a service decides on one action an event.
fn refuse_slots(item: &PhaseItem, report: &mut Report) {
    if let Some(slots) = slots::slots(item) {
        let message = "`slots` needs the Personalizer contract, but `rank` says what is called";
        report.push(Diagnostic::error(message).at(&slots.key).help("leave it out"));
    }
}

fn refuse_same_name(earlier: &[PhaseItem], item: &PhaseItem, report: &mut Report) {
    let Some(first) = earlier.iter().find(|first| first.name == item.name) else {
        return;
    };
    let place = |item: &PhaseItem| item.name_place.clone().unwrap_or_else(|| item.place.clone());
    let diagnostic = Diagnostic::error(format!("two phases are called `{}`", item.name));
    report.push(
        diagnostic
            .at(&place(item))
            .label("again")
            .context(&place(first), "first")
            .help("results and expectations tell phases by their names"),
    );
}

fn check_evaluate(known: &Known, item: &PhaseItem, evaluate: &EvaluateFile, report: &mut Report) {
    if !known.logged && (known.access != LoopAccess::Service || known.cleared) {
        let reason = if known.cleared { "since the reset" } else { "before it" };
        let message = format!("`{}` can never run: nothing is logged {reason}", item.name);
        let diagnostic = Diagnostic::error(message).at(&item.place);
        report.push(diagnostic.help("an evaluation needs a phase `iterate` before it"));
    }
    check_apply(evaluate, report);
}

/// What is applied must be a row of the evaluation.
fn check_apply(evaluate: &EvaluateFile, report: &mut Report) {
    let EvaluateFile { apply, discover, policies, .. } = evaluate;
    let name = apply.as_str();
    let policies = policies.as_deref().unwrap_or_default();
    let mut names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    let words = ["none", "best", "safest", "optimal", "online"];
    let known = words.contains(&name)
        || names.iter().any(|policy| policy.eq_ignore_ascii_case(name))
        || (*discover && is_discovered(name));
    if known {
        let compares = *discover || !policies.is_empty();
        return warn_of_nothing(name, &apply.place, compares, report);
    }
    names.extend(words);
    let message = format!("the evaluation will have no policy `{name}` to apply");
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if is_discovered(name) => "add `discover: true`".to_owned(),
        None => "use `best`, `safest`, `optimal`, `none`, or a name from its `policies`".to_owned(),
    };
    report.push(Diagnostic::error(message).at(&apply.place).help(help));
}

/// The baselines are never applied, so without others the online policy is alone.
fn warn_of_nothing(name: &str, place: &Place, compares: bool, report: &mut Report) {
    if !compares && ["best", "safest", "optimal"].contains(&name) {
        let message = format!("`{name}` can only be the online policy: nothing else is compared");
        let diagnostic = Diagnostic::warning(message).at(place);
        report.push(diagnostic.help("add `discover: true`, or `policies` to compare"));
    }
}

/// Only the run changes the embedded loop.
fn check_pause(known: &Known, item: &PhaseItem, pause: &PauseFile, report: &mut Report) {
    let PauseFile::Until(pause) = pause else { return };
    let never = known.access == LoopAccess::Run
        && match *pause.until {
            AwaitedChange::Policy => true,
            AwaitedChange::Model => !known.logged,
        };
    if never {
        let message =
            format!("`{}` can never end: only the run changes the embedded loop", item.name);
        let diagnostic = Diagnostic::error(message).at(&pause.until.place);
        report.push(
            diagnostic.help(
                "use `evaluate`, `apply_policy` or `configure` for what an operator would do",
            ),
        );
    }
}
