use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use super::audit::AuditArguments;
use super::baseline::BaselineCommand;
use super::capacity::CapacityArguments;
use super::check::CheckArguments;
use super::compare::CompareArguments;
use super::describe::WorldCommand;
use super::error::Error;
use super::evaluate::EvaluateArguments;
use super::exit::Exit;
use super::export::ExportArguments;
use super::gate::GateArguments;
use super::guide::GuideArguments;
use super::init::InitArguments;
use super::list::ListArguments;
use super::merge::MergeArguments;
use super::plan::PlanArguments;
use super::probe::ProbeArguments;
use super::report::ReportArguments;
use super::run::RunArguments;
use super::schema::SchemaArguments;
use super::serve::ServeArguments;
use super::shell::{CompletionsArguments, ManArguments};
use super::show::ShowArguments;
use super::submit::SubmitArguments;
use diagnostic::nearest;

/// Rank/Reward experiments from a file.
///
/// `runner FILE` runs the scenario in FILE, as `runner run FILE` does.
#[derive(Debug, Parser)]
#[command(name = "runner", version = env!("RUNNER_VERSION"), about, after_help = exit_codes(), override_usage = USAGE)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const USAGE: &str = "runner [run] [OPTIONS] <FILE>\n       runner <COMMAND>";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run a scenario: rate-limited Rank and Reward calls, phase by phase.
    Run(RunArguments),
    /// Write a first scenario: for your own users and actions, or one that ships.
    Init(InitArguments),
    /// Check a scenario without sending anything, and report every mistake.
    Check(CheckArguments),
    /// Show what a world is like before anything plays in it.
    #[command(subcommand)]
    World(WorldCommand),
    /// Make one Rank and one Reward with a service, and explain each step.
    Probe(ProbeArguments),
    /// Test whether a service draws its actions with the probabilities that it claims.
    Audit(AuditArguments),
    /// Search the highest rate, or other value, at which an expectation holds.
    Capacity(CapacityArguments),
    /// Compare runs, or the policies of an experiment, with intervals and tests.
    Compare(CompareArguments),
    /// Compare a scenario with itself at another commit, and judge its gates.
    Gate(GateArguments),
    /// Save the results of runs in a file for git, or show such a file.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Evaluate learning policies on logs: what would each have earned?
    Evaluate(EvaluateArguments),
    /// Write results as one HTML page: curves, comparison, evaluation, latencies, warnings.
    Report(ReportArguments),
    /// Write results as one long table, in CSV or Parquet, or into an MLflow file store.
    Export(ExportArguments),
    /// List the results in a folder: what they are, when they were made, what was judged.
    List(ListArguments),
    /// Print the summary of a run or the comparison of an experiment again.
    Show(ShowArguments),
    /// Serve the learning loop over HTTP, as Azure Personalizer was served.
    Serve(ServeArguments),
    /// Write the plan of the work, so that shards can be held to it.
    Plan(PlanArguments),
    /// Print or submit the jobs that run and merge shards on a cluster or in CI.
    Submit(SubmitArguments),
    /// Merge the results of shards, and judge the whole.
    Merge(MergeArguments),
    /// Print the JSON Schema of scenario files.
    Schema(SchemaArguments),
    /// Print a guide; without a topic, the list of topics.
    Guide(GuideArguments),
    /// Print the completions for a shell.
    Completions(CompletionsArguments),
    /// Write manual pages to a folder.
    Man(ManArguments),
}

/// Puts in the `run` that `runner FILE` leaves out.
pub fn with_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    let is_command = |word: &OsString| {
        let commands = Arguments::command();
        let known = |name: &str| commands.find_subcommand(name).is_some() || name == "help";
        word.to_str().is_some_and(known)
    };
    let asks_about_program =
        |word: &OsString| ["-h", "--help", "-V", "--version"].iter().any(|known| word == known);
    let is_scenario = |word: &OsString| {
        !is_command(word) && !asks_about_program(word) && mistyped(word).is_none()
    };
    if arguments.get(1).is_some_and(is_scenario) {
        arguments.insert(1, "run".into());
    }
    arguments
}

/// The command that a word is nearly, unless it looks like a file or is one.
fn mistyped(word: &OsString) -> Option<String> {
    let word = word.to_str()?;
    if word.contains(['.', '/', '\\', '-']) || Path::new(word).exists() {
        return None;
    }
    let commands = Arguments::command();
    let names: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    nearest(word, names).map(str::to_owned)
}

/// Prints what clap has to say: help and version are answers, the rest are mistakes.
pub fn explain(error: &clap::Error) -> Exit {
    if let Some(error) = unknown_command(error) {
        return error.report();
    }
    // What cannot be printed cannot be complained about either.
    let _unprintable = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

/// A word that is nearly a command.
fn unknown_command(error: &clap::Error) -> Option<Error> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let near = mistyped(&OsString::from(word))?;
    let message = format!("`{word}` is not a command");
    Some(Error::usage(message).help(format!("did you mean `runner {near}`?")))
}

fn exit_codes() -> String {
    let line = |exit: &Exit| format!("\n  {:>3}  {}", exit.code(), exit.meaning());
    Exit::ALL.iter().fold("Exit codes:".to_owned(), |text, exit| text + &line(exit))
}
