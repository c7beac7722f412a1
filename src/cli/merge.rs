//! `runner merge`

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::{self, Account};
use super::error::Error;
use super::exit::Exit;
use super::experiment::Said;
use super::{charts, experiment, kept, run, streams};
use merge::{Merged, MergedExperiment, MergedRun, Missing};
use metrics::{Expectation, PhaseScope, Summary, Verdict, implied};
use results::experiment::{ExperimentFolder, ExperimentManifest, VariantEntry};
use results::{Closing, Manifest, Status, is_unwritten, put_in_place};
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
pub fn merge(arguments: &MergeArguments) -> Result<Exit, Error> {
    let fetched = kept::fetched(&arguments.folders)?;
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

fn merge_here(arguments: &MergeArguments) -> Result<Exit, Error> {
    let folders: Vec<&Path> = arguments.folders.iter().map(PathBuf::as_path).collect();
    match merge::merge(&folders, &arguments.out, arguments.partial)? {
        Merged::Experiment(merged) => conclude(arguments, *merged),
        Merged::Run(merged) => conclude_run(arguments, *merged),
    }
}

fn conclude(arguments: &MergeArguments, merged: MergedExperiment) -> Result<Exit, Error> {
    if let Some(missing) = merged.missing {
        return keep(merged.folder, &missing);
    }
    let environment = |name: &str| std::env::var(name).ok();
    let manifest = merged.folder.manifest();
    let results = experiment::results_of(&merged.folder)?;
    let first = results.cells.first().map_or(&[][..], |cell| &cell.phases);
    let phases: Vec<PhaseScope<'_>> = first.iter().map(|phase| phase.scope()).collect();
    let policies = policies(manifest);
    let path = merged.folder.folder().join("scenario.yaml");
    let said = Said { quiet: arguments.quiet, called: Some(&arguments.called) };
    let scope = GateScope { phases: &phases, policies: &policies };
    let gates = kept_gates(&path, &manifest.overrides, &environment, scope)?;
    experiment::conclude(merged.folder, &gates, said)
}

fn policies(manifest: &ExperimentManifest) -> Vec<String> {
    manifest.variants.iter().map(VariantEntry::name).collect()
}

/// Seals what is there of an experiment.
fn keep(folder: ExperimentFolder, missing: &Missing) -> Result<Exit, Error> {
    anstream::eprintln!("warning: {missing}");
    let results = experiment::results_of(&folder)?;
    folder.seal(&results)?;
    Ok(Exit::Done)
}

/// Judges a load as the whole would have been, and seals it.
fn conclude_run(arguments: &MergeArguments, merged: MergedRun) -> Result<Exit, Error> {
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
    results.write_file("latency.svg", picture.as_bytes())?;
    let written = results.seal(&Closing { status, ended, verdicts: &verdicts })?;
    put_in_place(&written, &arguments.out)?;
    let exit = run::verdict_exit(&verdicts);
    if arguments.quiet {
        return Ok(exit);
    }
    let changed = checks.iter().filter(|check| check.changed).count();
    streams::print(&console::summary(&Account {
        scenario: &manifest.scenario,
        seed: manifest.seed.0,
        simulated: false,
        ending: missing.is_some().then_some("not all shards"),
        numbers: &numbers,
        model_checks: (checks.len() as u64, changed as u64),
        verdicts: &verdicts,
        folder: &arguments.called,
    }))?;
    Ok(exit)
}

/// What becomes of the expectations. They were understood when the shards were run.
fn verdicts(manifest: &Manifest, summary: &Summary) -> Vec<Verdict> {
    let scopes: Vec<PhaseScope<'_>> = manifest.scopes().collect();
    let parsed = manifest.expectations.iter().map(|text| Expectation::parse(text, &scopes));
    let expectations: Vec<Expectation> = parsed.filter_map(Result::ok).collect();
    let judged = expectations.iter().map(|expectation| expectation.judge(summary));
    judged.chain(implied(summary, &expectations)).collect()
}
