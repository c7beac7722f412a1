//! The way up: from a path to a plan.

use std::path::Path;
use std::sync::Arc;

use super::data::data;
use super::document::{Node, apply_overrides, interpolate, yaml};
use super::file::{self, Files, Input, LARGEST_SCENARIO};
use super::matrix::{Experiment, experiment};
use super::model::{as_count, check};
use super::order::check_order;
use super::phase::{Item, items, phases};
use super::plan::{Plan, Source as PlanSource, Step};
use super::{target, written};
use diagnostic::{Diagnostic, Report, Source};
use metrics::{Expectation, PhaseScope};
use seed::Seed;

/// The seed of a scenario that names none.
pub(super) const SEED: u64 = 42;

/// What the command line has to say about a scenario.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--set path=value`, in the order given.
    pub overrides: Vec<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// Whether data sets may lie outside the folder above the scenario's.
    pub allow_paths: bool,
}

/// What a scenario file asks for.
#[derive(Debug, Clone)]
pub enum Scenario {
    /// One run.
    Run(Box<Plan>),
    /// Many virtual worlds: it has a `matrix`.
    Experiment(Box<Experiment>),
}

/// Reads the scenario at `path`, which has no matrix, and all it names, and makes a plan
/// of it. With the plan come warnings.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(
    path: &Path,
    options: &LoadOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Plan, Report), Report> {
    match read(path, options, environment)? {
        (Scenario::Run(plan), warnings) => Ok((*plan, warnings)),
        (Scenario::Experiment(_), _) => {
            let message = format!("`{}` has a `matrix`: it is many runs, not one", path.display());
            Err(Diagnostic::error(message).help("leave the `matrix` out").into())
        }
    }
}

/// Reads the scenario at `path` and all it names. With it come warnings.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(
    path: &Path,
    options: &LoadOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Scenario, Report), Report> {
    read_with(&Files::of(path, options.allow_paths), path, options, environment)
}

/// The same, with the files that the scenario is made of: itself and all it names.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_with_inputs(
    path: &Path,
    options: &LoadOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Scenario, Report, Vec<Input>), Report> {
    let files = Files::of(path, options.allow_paths);
    let (scenario, warnings) = read_with(&files, path, options, environment)?;
    Ok((scenario, warnings, files.into_inputs()))
}

fn read_with(
    files: &Files,
    path: &Path,
    options: &LoadOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Scenario, Report), Report> {
    let shown = path.display().to_string();
    let source = file::read(path, &shown, LARGEST_SCENARIO)?;
    files.note(path, &source);
    let mut report = Report::new();
    let Some(root) = tree(&source, options, environment, &mut report) else {
        return Err(report);
    };
    let scenario = if root.get("matrix").is_some() {
        let plan_of = |root: &Node, report: &mut Report| {
            check(root, report);
            plan(root, &source, options, files, report)
        };
        experiment(&root, options.seed, files, plan_of, &mut report)
            .map(Box::new)
            .map(Scenario::Experiment)
    } else {
        check(&root, &mut report);
        refuse_gates(&root, &mut report);
        plan(&root, &source, options, files, &mut report).map(Box::new).map(Scenario::Run)
    };
    report.sort();
    match scenario {
        Some(scenario) if !report.has_errors() => Ok((scenario, report)),
        _ => Err(report),
    }
}

/// One run is compared with nothing.
fn refuse_gates(root: &Node, report: &mut Report) {
    let Some(gates) = root.entry("gates") else { return };
    let message = "`gates` compare the policies of a `matrix`, and there is none";
    let help = "add a `matrix`; or keep the gates in a file for `runner compare --gates`";
    report.push(Diagnostic::error(message).at(&gates.place).help(help));
}

/// The tree of the file, changed as the command line asks, and references resolved.
fn tree(
    source: &Arc<Source>,
    options: &LoadOptions,
    environment: &dyn Fn(&str) -> Option<String>,
    report: &mut Report,
) -> Option<Node> {
    let mut root = yaml::read(source, report)?;
    apply_overrides(&mut root, &options.overrides, report);
    written::refuse_written_secrets(&root, report);
    interpolate(&mut root, environment, report);
    Some(root)
}

fn plan(
    root: &Node,
    source: &Arc<Source>,
    options: &LoadOptions,
    files: &Files,
    report: &mut Report,
) -> Option<Plan> {
    let items = items(root);
    check_order(root, &items, report);
    let target = target::target(root, files, report);
    let clock = target::clock(root, report);
    let data = data(root, files, report);
    let mut drift_of = |node: &Node, iterations: u64, report: &mut Report| {
        data.as_ref().and_then(|data| data.drift(node, iterations, files, report))
    };
    let phases = phases(root, &items, &mut drift_of, report);
    let scopes = scopes(&items, &phases);
    let expectations = expectations(root, &scopes, report);
    let (data, target) = (data?, target?);
    let text = |key: &str| root.get(key).and_then(Node::text).map(str::to_owned);
    let batch = root.get("success_curve").and_then(|curve| curve.get("batch")).and_then(as_count);
    let seed = options.seed.or_else(|| root.get("seed").and_then(as_count)).unwrap_or(SEED);
    let mut plan = Plan {
        name: text("name")?,
        description: text("description"),
        seed: Seed(seed),
        source: plan_source(source, options),
        digest: String::new(),
        population: data.population,
        actions: data.actions,
        excluded_actions: data.template.excluded,
        defer_activation: data.template.defer_activation,
        reward: data.reward,
        target,
        clock,
        curve_batch: batch.unwrap_or(10),
        phases,
        expectations,
        shard: None,
    };
    plan.digest = super::digest::digest(&plan);
    Some(plan)
}

fn plan_source(source: &Source, options: &LoadOptions) -> PlanSource {
    let seed = options.seed.map(|seed| format!("seed={seed}"));
    PlanSource {
        path: source.path().to_owned(),
        text: source.text().to_owned(),
        overrides: options.overrides.iter().cloned().chain(seed).collect(),
    }
}

/// The phases that expectations may speak of.
fn scopes<'a>(items: &'a [Item<'a>], phases: &[super::plan::Phase]) -> Vec<PhaseScope<'a>> {
    let iterations = |name: &str| {
        phases.iter().find(|phase| phase.name == name).and_then(|phase| match &phase.step {
            Step::Iterate(iterate) => Some(iterate.iterations),
            _ => None,
        })
    };
    items
        .iter()
        .map(|item| PhaseScope { name: &item.name, iterations: iterations(&item.name) })
        .collect()
}

fn expectations(root: &Node, scopes: &[PhaseScope<'_>], report: &mut Report) -> Vec<Expectation> {
    let items = root.get("expect").map_or(&[][..], Node::items);
    let mut expectations = Vec::new();
    for item in items {
        let Some(text) = item.text() else { continue };
        match Expectation::parse(text, scopes) {
            Ok(expectation) => expectations.push(expectation),
            Err(errors) => errors.into_iter().for_each(|error| {
                let place = item.place_within(error.span);
                report.push(Diagnostic::error(error.message).at(&place).maybe_help(error.help));
            }),
        }
    }
    expectations
}
