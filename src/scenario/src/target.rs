//! What is called, and whose time passes.

use super::data::Data;
use super::format::{Placed, Read};
use super::mapping::{World, mapping, refuse_parts};
use super::model::{LoopFile, ScenarioFile, ServiceFile, Target};
use super::service::{service, usual_service};
use ::policy::Policy;
use diagnostic::{Diagnostic, Report};
use plan::{Catalogue, ClockKind, EmbeddedPlan, HttpPlan, Phase, ServedPlan, Step, TargetPlan};
use protocol::{MOST_ACTIONS, ServiceConfiguration};

/// The target of a scenario; none, if it or the loop that it starts could not be read.
pub(super) fn target(
    file: &ScenarioFile,
    world: Option<World<'_>>,
    phases: &[Phase],
    report: &mut Report,
) -> Option<TargetPlan> {
    let target = file.target.as_ref().ok()?;
    match &target.value {
        Target::Service { file: service, .. } => {
            refuse_loop(&file.learning_loop, report);
            Some(TargetPlan::Http(Box::new(service_plan(service.as_ref().ok()?, world, report)?)))
        }
        Target::Served => {
            let (configuration, policy, programs) = start(file, phases)?;
            let http = usual_service("").into();
            let served = ServedPlan { configuration, policy, programs, http };
            Some(TargetPlan::Served(Box::new(served)))
        }
        Target::Embedded(latencies) => {
            let (configuration, policy, programs) = start(file, phases)?;
            Some(TargetPlan::Embedded(Box::new(EmbeddedPlan {
                configuration,
                policy,
                programs,
                rank_latency: latencies.rank,
                reward_latency: latencies.reward,
            })))
        }
    }
}

fn service_plan(
    file: &ServiceFile,
    world: Option<World<'_>>,
    report: &mut Report,
) -> Option<HttpPlan> {
    if file.rank.is_none() {
        refuse_parts(file, report);
        return Some(service(file, None));
    }
    Some(service(file, Some(mapping(file, world, report)?)))
}

fn refuse_loop(start: &Read<Placed<LoopFile>>, report: &mut Report) {
    if let Ok(start) = start
        && start.is_written
    {
        let diagnostic =
            Diagnostic::error("`loop` sets up the embedded loop, but the target is a service");
        report
            .push(diagnostic.at(&start.key).help("use a `configure` phase to change its settings"));
    }
}

/// Refuses an offer that the target cannot be sent. The loop inside takes any.
pub(super) fn check_offer(
    target: &TargetPlan,
    data: &Data,
    (catalogue, has_own_actions): (Option<&Catalogue>, bool),
    report: &mut Report,
) {
    if matches!(target, TargetPlan::Embedded(_)) {
        return;
    }
    if target.mapping().is_some() {
        if catalogue.is_some() || has_own_actions {
            let message = "a service with calls of its own is offered the same actions each time";
            let help = "use `target: embedded`, or offer every action always";
            report.push(Diagnostic::error(message).help(help));
        }
        return;
    }
    let most = catalogue.and_then(|of| of.candidates).map(|(_, most)| most);
    let most = most.unwrap_or(data.actions.len());
    let Some(place) = data.beyond.as_ref().filter(|_| most > MOST_ACTIONS) else { return };
    let message = format!("the service accepts at most {MOST_ACTIONS} actions, there are {most}");
    let help = format!(
        "let an event offer fewer: `datasets: {{ candidates: {MOST_ACTIONS} }}`; or use \
         `target: embedded`, which takes as many as there are"
    );
    report.push(Diagnostic::error(message).at(place).label("one too many").help(help));
}

/// What the loop inside starts with: its settings, its policy, and the programs it may start.
fn start(
    file: &ScenarioFile,
    phases: &[Phase],
) -> Option<(ServiceConfiguration, Policy, Vec<Policy>)> {
    let (configuration, policy) = file.learning_loop.as_ref().ok()?.start();
    let programs = programs(&policy, phases);
    Some((configuration, policy, programs))
}

/// The programs that the scenario names.
fn programs(start: &Policy, phases: &[Phase]) -> Vec<Policy> {
    let of_phases = phases.iter().flat_map(|phase| match &phase.step {
        Step::Evaluate(evaluate) => &evaluate.policies[..],
        Step::ApplyPolicy(named) => std::slice::from_ref(named),
        _ => &[],
    });
    let all = of_phases.map(|named| &named.policy).chain([start]);
    all.filter(|policy| policy.is_program()).cloned().collect()
}

/// Whose time passes: virtual with the embedded loop, the wall's with a service, if it
/// is not said.
pub(super) fn clock(file: &ScenarioFile, report: &mut Report) -> Option<ClockKind> {
    let target = file.target.as_ref().ok()?;
    let said = file.clock.as_ref().ok()?;
    let is_embedded = matches!(target.value, Target::Embedded(_));
    let Some(said) = said else {
        return Some(if is_embedded { ClockKind::Virtual } else { ClockKind::Wall });
    };
    if said.value == ClockKind::Virtual && !is_embedded {
        let service = match &target.value {
            Target::Service { place, .. } => place,
            _ => &target.place,
        };
        let diagnostic = Diagnostic::error("a service cannot run on the virtual clock");
        report.push(
            diagnostic
                .at(&said.place)
                .context(service, "a service")
                .help("use `clock: wall`, or `target: embedded`"),
        );
    }
    Some(said.value)
}
