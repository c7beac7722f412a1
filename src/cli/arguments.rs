use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::Exit;

/// Rank/Reward experiments from a file.
///
/// `runner FILE` runs the scenario in FILE, as `runner run FILE` does.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = exit_codes())]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Option<RunArguments>,
}

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

impl Arguments {
    /// The command; `run` where none is named.
    pub fn command(self) -> Command {
        match (self.command, self.run) {
            (Some(command), _) => command,
            (None, Some(run)) => Command::Run(run),
            (None, None) => unreachable!("clap asks for FILE where there is no command"),
        }
    }
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
