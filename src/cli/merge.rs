//! `runner merge`

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::{self, Models, RunReport};
use super::error::Error;
use super::exit::Exit;
use super::experiment::ClosingOutput;
use super::verdict_files::VerdictFiles;
use super::{charts, expectations, experiment, remote_folder, streams};
use diagnostic::{Diagnostic, Report, Source};
use merge::{Merged, MergedExperiment, MergedRun, Missing};
use metrics::{Expectation, PhaseScope, judge};
use results::experiment::{ExperimentFolder, ExperimentManifest, VariantEntry};
use results::{Closing, Manifest, Status, is_unwritten, replace_folder};
use scenario::{GateScope, kept_gates};

/// `runner merge`
#[derive(Debug, Clone, Args)]
pub struct MergeArguments {
    /// The folders of shards, or of merges of some of them.
    #[arg(value_name = "DIR|URL", required = true)]
    folders: Vec<PathBuf>,
    /// The merged folder: new, empty, or an earlier merge to continue.
    #[arg(long, short, value_name = "DIR|URL")]
    out: PathBuf,
    /// The name of that folder as the user gave it.
    #[arg(skip)]
    called: PathBuf,
    /// Merge what exists if parts are missing; nothing is judged then.
    #[arg(long, conflicts_with = "junit")]
    partial: bool,
    /// Show nothing.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    files: VerdictFiles,
}

/// Merges shards and judges the whole.
pub fn merge(arguments: &MergeArguments) -> Result<Exit, Error> {
    let fetched = remote_folder::fetched(&arguments.folders)?;
    for (called, folder) in arguments.folders.iter().zip(&fetched.folders) {
        if is_unwritten(folder) {
            streams::note(&format!("warning: `{}` is empty", called.display()));
        }
    }
    remote_folder::with_local(&arguments.out, |out| {
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
        return keep_incomplete(merged.folder, &missing);
    }
    let environment = |name: &str| std::env::var(name).ok();
    let manifest = merged.folder.manifest();
    let results = experiment::results_of(&merged.folder)?;
    let first = results.cells.first().map_or(&[][..], |cell| &cell.phases);
    let phases: Vec<PhaseScope<'_>> = first.iter().map(|phase| phase.scope()).collect();
    let policies = policies(manifest);
    let path = merged.folder.folder().join("scenario.yaml");
    let output = ClosingOutput {
        quiet: arguments.quiet,
        called: Some(&arguments.called),
        files: &arguments.files,
    };
    let scope = GateScope { phases: &phases, policies: &policies };
    let gates = kept_gates(&path, &manifest.overrides, &environment, scope)?;
    arguments.files.check("gates", !gates.is_empty())?;
    experiment::conclude(merged.folder, &gates, output)
}

fn policies(manifest: &ExperimentManifest) -> Vec<String> {
    manifest.variants.iter().map(VariantEntry::name).collect()
}

/// Seals an incomplete experiment.
fn keep_incomplete(folder: ExperimentFolder, missing: &Missing) -> Result<Exit, Error> {
    streams::note(&format!("warning: {missing}"));
    let results = experiment::results_of(&folder)?;
    folder.seal(&results)?;
    Ok(Exit::Done)
}

/// Judges the whole load, and seals it.
fn conclude_run(arguments: &MergeArguments, merged: MergedRun) -> Result<Exit, Error> {
    let MergedRun { mut results, manifest, ended, checks, missing } = merged;
    let expectations = recorded_expectations(&manifest)?;
    arguments.files.check("expect", !expectations.is_empty())?;
    let verdicts = match &missing {
        None => judge(&expectations, results.summary()),
        Some(missing) => {
            streams::note(&format!("warning: {missing}"));
            Vec::new()
        }
    };
    let status = if missing.is_some() { Status::Partial } else { Status::Complete };
    let title = format!("{}, seed {}", manifest.scenario, manifest.seed);
    let picture = charts::latencies(title, false, results.summary());
    let numbers = results.summary().report();
    results.write_file("latency.svg", picture.standalone().as_bytes())?;
    let written = results.seal(&Closing { status, ended, verdicts: &verdicts })?;
    replace_folder(&written, &arguments.out)?;
    let rows = expectations::rows(&manifest.scenario, &verdicts);
    let markdown = || expectations::markdown(&manifest.scenario, &rows);
    arguments.files.write(&manifest.scenario, &rows, markdown)?;
    let exit = expectations::exit(&verdicts);
    if arguments.quiet {
        if let Some(failure) = expectations::failure(&verdicts) {
            streams::note(&format!("error: {failure}"));
        }
        return Ok(exit);
    }
    let changes = checks.iter().filter(|check| check.changed).count() as u64;
    let models = Models { exports: None, checks: checks.len() as u64, changes };
    streams::tell(&console::summary(&RunReport {
        scenario: &manifest.scenario,
        seed: manifest.seed.0,
        simulated: false,
        ending: missing.is_some().then_some("not all shards"),
        numbers: &numbers,
        models,
        verdicts: &verdicts,
        folder: &arguments.called,
    }))?;
    Ok(exit)
}

/// The expectations that the shards recorded. They were valid when the shards ran, so a text
/// that this program cannot read was written by another version.
fn recorded_expectations(manifest: &Manifest) -> Result<Vec<Expectation>, Report> {
    let scopes: Vec<PhaseScope<'_>> = manifest.scopes().collect();
    let (mut expectations, mut report) = (Vec::new(), Report::new());
    for text in &manifest.expectations {
        match Expectation::parse(text, &scopes) {
            Ok(expectation) => expectations.push(expectation),
            Err(errors) => errors.into_iter().for_each(|error| {
                let source = Source::new("an expectation of the shards", text.as_str());
                let mistake = Diagnostic::error(error.message).within(&source, error.span);
                let help =
                    format!("merge with runner {}, which ran the shards", manifest.tool.version);
                report.push(mistake.help(error.help.unwrap_or(help)));
            }),
        }
    }
    if report.has_errors() { Err(report) } else { Ok(expectations) }
}
