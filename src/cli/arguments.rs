use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::Exit;

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
    /// Do everything up to sending, and report every mistake.
    Check(CheckArguments),
    /// Print the JSON Schema of scenario files.
    Schema,
}

/// What changes a scenario from outside.
#[derive(Debug, Clone, Args)]
pub struct ScenarioArguments {
    /// The seed, instead of the scenario's.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Set a value of the scenario, such as `phases.baseline.rate=50/s`.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<String>,
    /// Let the scenario read files outside the folder above its own.
    #[arg(long)]
    pub allow_paths: bool,
}

/// `runner run`
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// The scenario.
    #[arg(value_name = "FILE")]
    pub scenario: PathBuf,
    #[command(flatten)]
    pub changes: ScenarioArguments,
    /// Write the results to this folder, which must be new or empty
    /// [default: results/SCENARIO/RUN].
    #[arg(long, short, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show neither progress nor summary.
    #[arg(long, short)]
    pub quiet: bool,
    /// What is written to stdout at the end.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Answer every prompt of a pause with yes.
    #[arg(long)]
    pub yes: bool,
}

/// `runner check`
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// The scenarios.
    #[arg(value_name = "FILE", required = true)]
    pub scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub changes: ScenarioArguments,
}

/// What is written to stdout at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The summary, for people.
    Text,
    /// The summary as JSON, as in summary.json.
    Json,
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
