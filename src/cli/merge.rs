//! `runner merge`

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::{self, Account};
use super::experiment::Said;
use super::{Exit, charts, experiment, kept, run, streams};
use merge::{MergeError, Merged, MergedExperiment, MergedRun, Missing};
use metrics::{Expectation, PhaseScope, Summary, Verdict, implied};
use results::experiment::{ExperimentFolder, ExperimentManifest, OpenError, VariantEntry};
use results::{Closing, CreateError, Manifest, ReadError, Status, is_unwritten, put_in_place};
use scenario::{GateScope, kept_gates};

/// `runner merge`
#[derive(Debug, Clone, Args)]
pub struct MergeArguments {
    /// The folders of shards, or of merges of some of them.
    #[arg(value_name = "DIR|URL", required = true)]
    folders: Vec<PathBuf>,
    /// Write what they come to together to this folder: new, empty, or a merge to go on with.
    #[arg(long, short, value_name = "DIR|URL")]
    out: PathBuf,
    /// What that folder is called.
    #[arg(skip)]
    called: PathBuf,
    /// Keep what is there, if not all is; nothing is judged then.
    #[arg(long)]
    partial: bool,
    /// Show nothing.
    #[arg(long, short)]
    quiet: bool,
}

/// Puts shards together, and judges the whole.
pub fn merge(arguments: &MergeArguments) -> Exit {
    let fetched = match kept::fetched(&arguments.folders) {
        Ok(fetched) => fetched,
        Err(exit) => return exit,
    };
    for (called, folder) in arguments.folders.iter().zip(&fetched.folders) {
        if is_unwritten(folder) {
            eprintln!("warning: nothing is in `{}`", called.display());
        }
    }
    kept::on(&arguments.out, |out| {
        let here = MergeArguments {
            folders: fetched.folders.clone(),
            out: out.to_owned(),
            called: arguments.out.clone(),
            ..arguments.clone()
        };
        merge_here(&here)
    })
}

fn merge_here(arguments: &MergeArguments) -> Exit {
    let folders: Vec<&Path> = arguments.folders.iter().map(PathBuf::as_path).collect();
    match merge::merge(&folders, &arguments.out, arguments.partial) {
        Ok(Merged::Experiment(merged)) => conclude(arguments, *merged),
        Ok(Merged::Run(merged)) => conclude_run(arguments, *merged),
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
    let said = Said { quiet: arguments.quiet, called: Some(&arguments.called) };
    let scope = GateScope { phases: &phases, policies: &policies };
    match kept_gates(&path, &manifest.overrides, &environment, scope) {
        Ok(gates) => experiment::conclude(merged.folder, &gates, said)
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

/// Judges a load as the whole would have been, and seals it.
fn conclude_run(arguments: &MergeArguments, merged: MergedRun) -> Exit {
    let MergedRun { mut results, manifest, ended, checks, missing } = merged;
    let verdicts = match &missing {
        None => verdicts(&manifest, results.summary()),
        Some(missing) => {
            anstream::eprintln!("warning: {missing}");
            Vec::new()
        }
    };
    let status = if missing.is_some() { Status::Partial } else { Status::Complete };
    let title = format!("{}, seed {}", manifest.scenario, manifest.seed);
    let picture = charts::latencies(title, false, results.summary());
    let numbers = results.summary().report();
    let written = results.write_file("latency.svg", picture.as_bytes());
    let closing = Closing { status, ended, verdicts: &verdicts };
    let folder = &arguments.out;
    let sealed = written.and_then(|()| results.seal(&closing));
    if let Err(error) = sealed.and_then(|written| put_in_place(&written, folder)) {
        return fail(Exit::Results, &error.to_string());
    }
    let exit = run::verdict_exit(&verdicts);
    if arguments.quiet {
        return exit;
    }
    let changed = checks.iter().filter(|check| check.changed).count();
    let printed = streams::print(&console::summary(&Account {
        scenario: &manifest.scenario,
        seed: manifest.seed.0,
        simulated: false,
        ending: missing.is_some().then_some("not all shards"),
        numbers: &numbers,
        model_checks: (checks.len() as u64, changed as u64),
        verdicts: &verdicts,
        folder: &arguments.called,
    }));
    if exit == Exit::Done { printed } else { exit }
}

/// What becomes of the expectations. They were understood when the shards were run.
fn verdicts(manifest: &Manifest, summary: &Summary) -> Vec<Verdict> {
    let scopes: Vec<PhaseScope<'_>> = manifest.scopes().collect();
    let parsed = manifest.expectations.iter().map(|text| Expectation::parse(text, &scopes));
    let expectations: Vec<Expectation> = parsed.filter_map(Result::ok).collect();
    let judged = expectations.iter().map(|expectation| expectation.judge(summary));
    judged.chain(implied(summary, &expectations)).collect()
}

fn exit_of(error: &MergeError) -> Exit {
    match error {
        MergeError::Missing(_)
        | MergeError::Nothing
        | MergeError::Differs { .. }
        | MergeError::Read(ReadError::Io { .. } | ReadError::Malformed { .. }) => Exit::Incomplete,
        MergeError::Write(_)
        | MergeError::Create(CreateError::Io { .. })
        | MergeError::Open(OpenError::Write(_) | OpenError::Create(CreateError::Io { .. })) => {
            Exit::Results
        }
        MergeError::Read(_)
        | MergeError::Open(_)
        | MergeError::Create(_)
        | MergeError::NotCut(_)
        | MergeError::Mixed { .. }
        | MergeError::OtherPlan { .. } => Exit::Usage,
    }
}

fn told(error: &MergeError) -> String {
    let help = match error {
        MergeError::Missing(missing) => &missing.help,
        MergeError::Differs { .. } => {
            "one of them was changed, or made by another program: run that shard again"
        }
        MergeError::OtherPlan { .. } | MergeError::Mixed { .. } => {
            "merge shards of one scenario, as one version ran it"
        }
        MergeError::Nothing => "run the shards, and merge again",
        MergeError::NotCut(_) => "merge folders of `runner run SCENARIO --shard k/n`",
        MergeError::Create(CreateError::NotEmpty(_))
        | MergeError::Open(OpenError::Create(CreateError::NotEmpty(_))) => {
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
