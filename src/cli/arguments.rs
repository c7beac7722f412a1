use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use super::baseline::BaselineCommand;
use super::check::CheckArguments;
use super::compare::CompareArguments;
use super::evaluate::EvaluateArguments;
use super::exit::Exit;
use super::guide::GuideArguments;
use super::merge::MergeArguments;
use super::plan::PlanArguments;
use super::report::ReportArguments;
use super::run::RunArguments;
use super::serve::ServeArguments;
use super::submit::SubmitArguments;

/// Rank/Reward experiments from a file.
///
/// `runner FILE` runs the scenario in FILE, as `runner run FILE` does.
#[derive(Debug, Parser)]
#[command(version, about, after_help = exit_codes(), override_usage = USAGE)]
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
    /// Write down what there is to do, to be cut into shards.
    Plan(PlanArguments),
    /// Print what an engine must be asked for to run and merge shards, or ask it.
    Submit(SubmitArguments),
    /// Put shards together, and judge the whole.
    Merge(MergeArguments),
    /// Do everything up to sending, and report every mistake.
    Check(CheckArguments),
    /// Judge learning policies on logs: what would they have earned?
    Evaluate(EvaluateArguments),
    /// Compare runs, or the policies of an experiment: what differs, by how much, how sure?
    Compare(CompareArguments),
    /// Keep what runs came to in a file for git, or show such a file.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Write folders as one page: curves, comparison, evaluation, latencies, what was unusual.
    Report(ReportArguments),
    /// Serve the learning loop over HTTP, as Azure Personalizer was served.
    Serve(ServeArguments),
    /// Print the JSON Schema of scenario files.
    Schema,
    /// Print a guide: how to get something done, from start to end.
    Guide(GuideArguments),
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
    if arguments.get(1).is_some_and(|word| !is_command(word) && !asks_about_program(word)) {
        arguments.insert(1, "run".into());
    }
    arguments
}

/// Prints what clap has to say: help and version are answers, the rest are mistakes.
pub fn explain(error: &clap::Error) -> Exit {
    // What cannot be printed cannot be complained about either.
    let _unprintable = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

fn exit_codes() -> String {
    let line = |exit: &Exit| format!("\n  {:>3}  {}", exit.code(), exit.meaning());
    Exit::ALL.iter().fold("Exit codes:".to_owned(), |text, exit| text + &line(exit))
}
