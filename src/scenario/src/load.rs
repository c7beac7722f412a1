//! The way up: from a path to a plan.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::arrival::MOST_ITERATIONS;
use super::data::{Data, data};
use super::dataset;
use super::document::{Node, apply_overrides, interpolate, yaml};
use super::file::{self, Files, Input, LARGEST_SCENARIO};
use super::format::{Owner, Placed, Reading, keys_of, object};
use super::mapping::World;
use super::matrix::{Experiment, Layout, OfPhases, experiment};
use super::model::{Comparison, DriftFile, ExpectFile, PhaseItem, ScenarioFile, StepFile};
use super::order::check_order;
use super::phase::{Visitors, phases};
use super::{plausible, slots, target, written};
use diagnostic::{Diagnostic, Place, Report, Source};
use metrics::{Expectation, NO_TAGS, PhaseScope};
use plan::{Drift, Phase, Plan, Population, Source as PlanSource, Step};
use seed::Seed;

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
    let source = file::read_named(path, LARGEST_SCENARIO)?;
    files.note(path, &source);
    let mut report = Report::new();
    let Some(root) = tree(&source, options, environment, &mut report) else {
        return Err(report);
    };
    let scenario = scenario(&root, &source, options, files, &mut report);
    report.sort();
    match scenario {
        Some(scenario) if !report.has_errors() => Ok((scenario, report)),
        _ => Err(report),
    }
}

/// One run, or many if the document has a matrix.
fn scenario(
    root: &Node,
    source: &Arc<Source>,
    options: &LoadOptions,
    files: &Files,
    report: &mut Report,
) -> Option<Scenario> {
    let file_of = |root: &Node, report: &mut Report| {
        let mut reading = Reading::new(report, Some(files));
        reading.document(&object::<ScenarioFile>(), root, "the scenario")
    };
    let Comparison { seed, matrix, gates } = comparison(root, files, report)?;
    let Ok(Some(matrix)) = matrix else {
        let file = file_of(root, report)?;
        refuse_gates(&file, report);
        let plan = plan(&file, source, options, files, &mut |_, _| {}, report)?;
        return Some(Scenario::Run(Box::new(plan)));
    };
    let gates = gates.ok().flatten();
    let layout = Layout {
        root,
        matrix: &matrix,
        gates: gates.as_ref().map_or(&[], |gates| &gates.value),
        seed: seed.ok()?,
        only_seed: options.seed,
        files,
    };
    let mut plan_of = |root: &Node, of_phases: OfPhases<'_>, report: &mut Report| {
        let file = file_of(root, report)?;
        plan(&file, source, options, files, of_phases, report)
    };
    experiment(&layout, &mut plan_of, report).map(Box::new).map(Scenario::Experiment)
}

/// What makes the document many runs, whatever else it holds.
fn comparison(root: &Node, files: &Files, report: &mut Report) -> Option<Comparison> {
    let start = Place::new(&root.place.source, 0..0);
    let owner = Owner { name: "the scenario", place: &start, is_written: true };
    keys_of(root, owner, &mut Reading::new(report, Some(files)))
}

/// One run is compared with nothing.
fn refuse_gates(file: &ScenarioFile, report: &mut Report) {
    let Comparison { matrix: Ok(None), gates: Ok(Some(gates)), .. } = &file.comparison else {
        return;
    };
    let message = "`gates` compare the policies of a `matrix`, and there is none";
    let help = "add a `matrix`; or keep the gates in a file for `runner compare --gates`";
    report.push(Diagnostic::error(message).at(&gates.key).help(help));
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
    file: &ScenarioFile,
    source: &Arc<Source>,
    options: &LoadOptions,
    files: &Files,
    of_phases: OfPhases<'_>,
    report: &mut Report,
) -> Option<Plan> {
    let items = file.phases.as_deref().unwrap_or_default();
    check_order(file.target.as_deref().ok(), items, report);
    let clock = target::clock(file, report);
    let data = data(file, files, report);
    let mut phases = phases(file, &FromFiles { data: data.as_ref(), files }, report);
    let world = data.as_ref().map(|data| World {
        population: &data.population,
        actions: &data.actions,
        excluded: &data.template.excluded,
        reward: data.reward.matched,
        phases: &phases,
    });
    let catalogue = data.as_ref().and_then(|data| data.catalogue(&phases, report));
    let target = target::target(file, world, &phases, report);
    if let Some((data, target)) = data.as_ref().zip(target.as_ref()) {
        let has_own = data.has_own_actions(&phases);
        target::check_offer(target, data, (catalogue.as_deref(), has_own), report);
    }
    if let Some(data) = &data {
        dataset::logged::check(data, items, &phases, target.as_ref(), report);
        slots::check((items, &phases), data, catalogue.as_deref(), target.as_ref(), report);
    }
    let scopes = scopes(items, &phases);
    if let Some(scopes) = &scopes {
        of_phases(scopes, report);
    }
    let expectations = expectations(file, scopes.as_deref(), report);
    let (data, target) = (data?, target?);
    if target.mapping().is_some() {
        ask_for_no_model(&mut phases);
    }
    let mut plan = Plan {
        name: file.name.clone().ok()?,
        description: file.description.clone().ok()?,
        seed: Seed(options.seed.or(file.comparison.seed.ok())?),
        source: plan_source(source, options),
        digest: String::new(),
        population: data.population,
        actions: data.actions,
        log: data.log,
        catalogue,
        excluded_actions: data.template.excluded,
        defer_activation: data.template.defer_activation,
        reward: data.reward,
        target,
        clock: clock?,
        curve_batch: file.success_curve.as_ref().ok()?.batch,
        outputs: file.outputs.as_ref().ok()?.plan(),
        phases,
        expectations,
        shard: None,
    };
    plan.digest = plan::digest::digest(&plan);
    if !report.has_errors() {
        plausible::warn(&plan, items, report);
    }
    Some(plan)
}

/// Who turns up in phases, from the files that they name; nobody, if the data sets are unsound.
struct FromFiles<'a> {
    data: Option<&'a Data>,
    files: &'a Files,
}

impl Visitors for FromFiles<'_> {
    fn users(&self, users: &Placed<String>, report: &mut Report) -> Option<Population> {
        self.data?.users(users, self.files, report)
    }

    fn drift(&self, drift: &DriftFile, iterations: u64, report: &mut Report) -> Option<Drift> {
        self.data?.drift(drift, iterations, self.files, report)
    }
}

/// A service that is called as the scenario maps it tells nothing of a model.
fn ask_for_no_model(phases: &mut [Phase]) {
    for phase in phases {
        if let Step::Iterate(iterate) = &mut phase.step {
            iterate.model_check_interval = 0;
        }
    }
}

fn plan_source(source: &Source, options: &LoadOptions) -> PlanSource {
    let seed = options.seed.map(|seed| format!("seed={seed}"));
    PlanSource {
        path: source.path().to_owned(),
        text: source.text().to_owned(),
        overrides: options.overrides.iter().cloned().chain(seed).collect(),
    }
}

/// The phases that expectations and gates may speak of; none where one is misread and has no
/// name. Of a phase that could not be read it is not known how many iterations it makes: as many as
/// there can be.
fn scopes<'a>(items: &'a [PhaseItem], phases: &'a [Phase]) -> Option<Vec<PhaseScope<'a>>> {
    let is_unknown = |item: &PhaseItem| item.step.is_none() && item.name_place.is_none();
    if items.is_empty() || items.iter().any(is_unknown) {
        return None;
    }
    let iterations = |item: &PhaseItem| match (&item.step, phases_step(phases, &item.name)) {
        (_, Some(Step::Iterate(iterate))) => Some(iterate.iterations),
        (Some(StepFile::Iterate(_)) | None, _) => Some(MOST_ITERATIONS),
        _ => None,
    };
    // Of a phase that could not be read it is not known either how many slots it has.
    let slots = |item: &PhaseItem| {
        phases_step(phases, &item.name).map_or(usize::MAX, |step| step.slots().unwrap_or(0))
    };
    let scopes = items.iter().map(|item| PhaseScope {
        name: &item.name,
        iterations: iterations(item),
        slots: slots(item),
        tags: phase_of(phases, &item.name).map_or(&NO_TAGS, |phase| &phase.tags),
    });
    Some(scopes.collect())
}

fn phase_of<'a>(phases: &'a [Phase], name: &str) -> Option<&'a Phase> {
    phases.iter().find(|phase| phase.name == name)
}

fn phases_step<'a>(phases: &'a [Phase], name: &str) -> Option<&'a Step> {
    phase_of(phases, name).map(|phase| &phase.step)
}

/// What `abort` can watch.
const WATCHED: &str = "it watches a whole phase: `error_rate < 5%`, `success_rate >= 0.5`, a \
                       quantile of a latency such as `rank.p99 < 50ms`, or `errors`, `dropped` and \
                       `violations` that are `== 0`";

/// The expectations; none where it is not known what they speak of.
fn expectations(
    file: &ScenarioFile,
    scopes: Option<&[PhaseScope<'_>]>,
    report: &mut Report,
) -> Vec<Expectation> {
    let (Some(scopes), Ok(Some(expected))) = (scopes, &file.expect) else { return Vec::new() };
    // Of a phase that could not be read it is not known which tags it has.
    let mut phases = file.phases.iter().flatten();
    let of_target = file.target.as_ref().is_ok_and(|target| target.value.is_sound());
    let tags_are_known = file.tags.is_ok() && of_target && phases.all(|phase| phase.step.is_some());
    let is_known = |file: &&ExpectFile| tags_are_known || !file.that.trim_start().starts_with('{');
    let known = expected.iter().filter(is_known);
    known.flat_map(|file| expectations_of(file, scopes, report)).collect()
}

/// One, or one of each phase that it speaks of.
fn expectations_of(
    ExpectFile { that, abort, after }: &ExpectFile,
    scopes: &[PhaseScope<'_>],
    report: &mut Report,
) -> Vec<Expectation> {
    if let (Some(after), false) = (after, abort) {
        let message = "`after` says from when a run may be ended, but `abort` is not set";
        report.push(Diagnostic::error(message).at(&after.key).help("add `abort: true`"));
    }
    let parsed = match Expectation::parse_each(that, scopes) {
        Ok(expectations) => expectations,
        Err(errors) => {
            for error in errors {
                let place = that.within(error.span);
                report.push(Diagnostic::error(error.message).at(&place).maybe_help(error.help));
            }
            return Vec::new();
        }
    };
    if !abort {
        return parsed;
    }
    let after = after.as_ref().map_or(Duration::ZERO, |after| after.value);
    let aborting = parsed.into_iter().map(|expectation| expectation.aborting(after));
    aborting.collect::<Result<_, _>>().unwrap_or_else(|message| {
        report.push(Diagnostic::error(message).at(&that.place).help(WATCHED));
        Vec::new()
    })
}
