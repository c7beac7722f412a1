//! `runner show`

use std::path::{Path, PathBuf};

use clap::Args;

use super::compare::{self, Subject};
use super::console::{self, Models, RunReport};
use super::error::Error;
use super::exit::Exit;
use super::{remote_folder, streams};
use diagnostic::Report;
use metrics::SummaryReport;
use results::experiment::is_experiment;
use results::{Manifest, Status, SummaryDocument};

/// `runner show`
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// The folder of a run or of an experiment.
    #[arg(value_name = "DIR|URL")]
    folder: PathBuf,
}

/// Prints what the run or the experiment printed when it ended.
pub fn show(arguments: &ShowArguments) -> Result<Exit, Error> {
    let fetched = remote_folder::fetched(std::slice::from_ref(&arguments.folder))?;
    let folder = &fetched.folders[0];
    let called = &arguments.folder;
    let text =
        if is_experiment(folder) { experiment(folder, called)? } else { run(folder, called)? };
    streams::tell(&text)?;
    Ok(Exit::Done)
}

fn experiment(folder: &Path, called: &Path) -> Result<String, Error> {
    let subject = Subject::read(folder).map_err(Error::usage)?;
    let mut report = Report::new();
    let document = compare::of_experiment(subject, &mut report);
    match document.filter(|_| !report.has_errors()) {
        Some(document) => {
            Ok(format!("{}\nresults in {}\n", compare::text(&document), called.display()))
        }
        None => Err(report.into()),
    }
}

fn run(folder: &Path, called: &Path) -> Result<String, Error> {
    let manifest = results::read_manifest(folder).map_err(Error::usage)?;
    let summary = results::read_summary(folder).map_err(Error::usage)?;
    let summary = summary.map_or_else(|| unsealed(folder), Ok)?;
    Ok(console::summary(&RunReport {
        scenario: &summary.scenario,
        seed: summary.seed,
        simulated: summary.simulated_latencies,
        ending: (summary.status != Status::Complete).then_some("not completed"),
        numbers: &summary.numbers,
        models: models(folder, &manifest, &summary.numbers)?,
        verdicts: &summary.expectations,
        folder: called,
    }))
}

/// The summary of a run that was killed, or is under way: nothing is judged.
fn unsealed(folder: &Path) -> Result<SummaryDocument, Error> {
    let run = results::read(folder).map_err(Error::usage)?;
    Ok(SummaryDocument {
        scenario: run.manifest.scenario.clone(),
        seed: run.manifest.seed.0,
        status: run.manifest.status,
        simulated_latencies: run.manifest.latencies.simulated,
        numbers: run.summary().report(),
        expectations: Vec::new(),
    })
}

fn models(folder: &Path, manifest: &Manifest, numbers: &SummaryReport) -> Result<Models, Error> {
    let checks = results::model_checks(folder, manifest).map_err(Error::usage)?;
    let exports = numbers.phases.iter().filter_map(|phase| phase.model_exports);
    let changes = checks.iter().filter(|check| check.changed).count();
    Ok(Models {
        exports: exports.reduce(|sum, next| sum + next),
        checks: checks.len() as u64,
        changes: changes as u64,
    })
}
