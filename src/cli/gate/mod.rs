//! `runner gate`: a scenario against itself at another commit, as a pull request needs it.

mod repository;
mod side;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Args;

use self::repository::Repository;
use self::side::{Side, Sides};
use super::compare::{self, Outputs, Subject};
use super::confidence::parse_confidence;
use super::error::Error;
use super::exit::Exit;
use super::load::ScenarioArguments;
use comparison::Group;
use metrics::Gate;
use scenario::{GateScope, kept_gates};
use statistics::Confidence;

/// `runner gate`
#[derive(Debug, Clone, Args)]
pub struct GateArguments {
    /// The scenario: a file with `gates:` in a git repository.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    /// The branch or commit that the scenario is compared with, such as `origin/main`: it is
    /// run as it was where HEAD branched off.
    #[arg(long, value_name = "REF")]
    base: String,
    #[command(flatten)]
    changes: ScenarioArguments,
    /// Run this shell command at the root of each side first, such as a build.
    #[arg(long, value_name = "COMMAND")]
    build: Option<String>,
    /// Run each side with this program, a path from the root of the side, such as
    /// `target/release/runner` [default: this program].
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Keep the results in DIR/base and DIR/head [default: they are deleted].
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many cells of a matrix run at once; it changes no result [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// A metric, such as `validation.success_rate[last 25%]` [default: the success rates].
    #[arg(long = "metric", short, value_name = "METRIC")]
    metrics: Vec<String>,
    /// The confidence level of intervals [default: 0.95].
    #[arg(long, value_name = "LEVEL", value_parser = parse_confidence)]
    confidence: Option<Confidence>,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs both sides, compares them, and judges the gates of the scenario as it is.
pub fn gate(arguments: &GateArguments) -> Result<Exit, Error> {
    let repository = Repository::of(&arguments.scenario)?;
    let commit = repository.branch_point(&arguments.base)?;
    let folder = tempfile::Builder::new().prefix("runner-gate-").tempdir().map_err(|error| {
        Error::new(Exit::Results, format!("no temporary folder can be made: {error}"))
    })?;
    let out = arguments.out.clone().unwrap_or_else(|| folder.path().join("results"));
    let out = std::path::absolute(&out)
        .map_err(|error| Error::usage(format!("`{}`: {error}", out.display())))?;
    // Signals are caught from here on, so that the work tree is removed whatever happens.
    let mut sides = Sides::new(arguments, repository.scenario())?;
    let worktree = repository.worktree(&commit, &folder.path().join("base"))?;
    if !worktree.path().join(repository.scenario()).is_file() {
        let scenario = repository.scenario().display();
        let message = format!("`{scenario}` does not exist at `{}`", arguments.base);
        return Err(Error::usage(message).help("a new scenario can be gated once it is merged"));
    }
    let base = Side { label: "base", root: worktree.path(), out: out.join("base") };
    let head = Side { label: "head", root: repository.root(), out: out.join("head") };
    sides.run(&base)?;
    sides.run(&head)?;
    compare(arguments, &base.out, &head.out)
}

fn compare(arguments: &GateArguments, base: &Path, head: &Path) -> Result<Exit, Error> {
    let base = Subject::read(base).map_err(Error::usage)?.labelled("base");
    let head = Subject::read(head).map_err(Error::usage)?.labelled("head");
    let gates = gates(arguments, &head)?;
    let confidence = arguments.confidence.unwrap_or(Confidence::P95);
    let document = compare::between(&[base, head], &arguments.metrics, &gates, confidence)?;
    if document.verdicts.is_empty() {
        return Err(Error::usage("no gate of the scenario judges `head` against `base`")
            .help("a gate without `against` does, for the policies that both sides have"));
    }
    arguments.outputs.publish(&document)
}

/// The gates of the scenario as it is.
fn gates(arguments: &GateArguments, head: &Subject) -> Result<Vec<Gate>, Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let phases = head.groups.iter().find(|group| !group.samples.is_empty());
    let phases = phases.map(Group::scopes).unwrap_or_default();
    let policies: Vec<String> = head.groups.iter().map(|group| group.name.clone()).collect();
    let scope = GateScope { phases: &phases, policies: &policies };
    let overrides = arguments.changes.options().overrides;
    let gates = kept_gates(&arguments.scenario, &overrides, &environment, scope)?;
    if gates.is_empty() {
        let message = format!("`{}` has no `gates`", arguments.scenario.display());
        return Err(Error::usage(message)
            .help("write `gates:` and below it `- metric: validation.success_rate`"));
    }
    Ok(gates)
}
