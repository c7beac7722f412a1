//! `runner merge`

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, experiment};
use crate::merge::{MergeError, Merged, MergedExperiment, Missing};
use crate::metrics::PhaseScope;
use crate::results::experiment::{ExperimentFolder, ExperimentManifest, OpenError, VariantEntry};
use crate::results::{CreateError, ReadError};
use crate::scenario::{GateScope, kept_gates};

/// `runner merge`
#[derive(Debug, Clone, Args)]
pub struct MergeArguments {
    /// The folders of shards, or of merges of some of them.
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Write what they come to together to this folder: new, empty, or a merge to go on with.
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// Keep what is there, if not all is; nothing is judged then.
    #[arg(long)]
    partial: bool,
    /// Show nothing.
    #[arg(long, short)]
    quiet: bool,
}

/// Puts shards together, and judges the whole.
pub fn merge(arguments: &MergeArguments) -> Exit {
    let folders: Vec<&Path> = arguments.folders.iter().map(PathBuf::as_path).collect();
    match crate::merge::merge(&folders, &arguments.out, arguments.partial) {
        Ok(Merged::Experiment(merged)) => conclude(arguments, merged),
        Err(error) => fail(exit_of(&error), &told(&error)),
    }
}

fn conclude(arguments: &MergeArguments, merged: MergedExperiment) -> Exit {
    if let Some(missing) = merged.missing {
        return keep(merged.folder, &missing);
    }
    let environment = |name: &str| std::env::var(name).ok();
    let manifest = merged.folder.manifest();
    let results = match merged.folder.results() {
        Ok(results) => results,
        Err(error) => return fail(Exit::Results, &error.to_string()),
    };
    let first = results.cells.first().map_or(&[][..], |cell| &cell.phases);
    let phases: Vec<PhaseScope<'_>> = first.iter().map(|phase| phase.scope()).collect();
    let policies = policies(manifest);
    let path = merged.folder.folder().join("scenario.yaml");
    let scope = GateScope { phases: &phases, policies: &policies };
    match kept_gates(&path, &manifest.overrides, &environment, scope) {
        Ok(gates) => experiment::conclude(merged.folder, &gates, arguments.quiet)
            .unwrap_or_else(|error| fail(Exit::Results, &error.to_string())),
        Err(mistakes) => {
            anstream::eprint!("{}", mistakes.render(true));
            Exit::Usage
        }
    }
}

fn policies(manifest: &ExperimentManifest) -> Vec<String> {
    manifest.variants.iter().map(VariantEntry::name).collect()
}

/// Seals what is there of an experiment.
fn keep(folder: ExperimentFolder, missing: &Missing) -> Exit {
    anstream::eprintln!("warning: {missing}");
    let sealed = folder.results().map_err(OpenError::from);
    match sealed.and_then(|results| Ok(folder.seal(&results)?)) {
        Ok(_) => Exit::Done,
        Err(error) => fail(Exit::Results, &error.to_string()),
    }
}

fn exit_of(error: &MergeError) -> Exit {
    match error {
        MergeError::Missing(_)
        | MergeError::Differs { .. }
        | MergeError::Read(ReadError::Io { .. } | ReadError::Malformed { .. }) => Exit::Incomplete,
        MergeError::Write(_)
        | MergeError::Open(OpenError::Write(_) | OpenError::Create(CreateError::Io { .. })) => {
            Exit::Results
        }
        MergeError::Read(_) | MergeError::Open(_) | MergeError::OtherPlan { .. } => Exit::Usage,
    }
}

fn told(error: &MergeError) -> String {
    let help = match error {
        MergeError::Missing(missing) => &missing.help,
        MergeError::Differs { .. } => {
            "one of them was changed, or made by another program: run that shard again"
        }
        MergeError::OtherPlan { .. } => "merge shards of one scenario, as one version ran it",
        MergeError::Open(OpenError::Create(CreateError::NotEmpty(_))) => {
            "results are never overwritten; name a new folder with `--out`"
        }
        _ => return error.to_string(),
    };
    format!("{error}\nhelp: {help}")
}

fn fail(exit: Exit, message: &str) -> Exit {
    eprintln!("error: {message}");
    exit
}
