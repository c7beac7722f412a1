use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::Exit;
use super::baseline::BaselineCommand;
use super::compare::CompareArguments;
use super::guide::Topic;
use super::merge::MergeArguments;
use super::plan::PlanArguments;
use super::report::ReportArguments;
use super::serve::ServeArguments;
use super::submit::SubmitArguments;
use scenario::LoadOptions;
use shard::ShardChoice;
use statistics::{Confidence, Interval};

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

impl ScenarioArguments {
    /// What they say to whoever reads a scenario.
    pub fn options(&self) -> LoadOptions {
        LoadOptions {
            overrides: self.overrides.clone(),
            seed: self.seed,
            allow_paths: self.allow_paths,
        }
    }

    /// The arguments, as they are given.
    pub fn words(&self) -> Vec<String> {
        let seed = self.seed.map(|seed| ["--seed".to_owned(), seed.to_string()]);
        let set = |change: &String| ["--set".to_owned(), change.clone()];
        let mut words: Vec<String> = seed.into_iter().flatten().collect();
        words.extend(self.overrides.iter().flat_map(set));
        words.extend(self.allow_paths.then(|| "--allow-paths".to_owned()));
        words
    }
}

/// `runner run`
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// The scenario.
    #[arg(value_name = "FILE")]
    pub scenario: PathBuf,
    #[command(flatten)]
    pub changes: ScenarioArguments,
    /// Write the results to this folder, or to an address in an object store such as
    /// `s3://bucket/path`; it must be new or empty, or hold the same shard
    /// [default: results/SCENARIO/RUN, or results/SCENARIO/shard-K-of-N]. `{shard}` in it
    /// stands for `shard-K-of-N`.
    #[arg(long, short, value_name = "DIR|URL")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, which was stopped or killed; or with an
    /// experiment, of which the cells that are done are kept.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Run only a part, `2/5` for the second of five; `auto` asks the engine that started
    /// this process, `auto/5` one that does not say how many there are.
    #[arg(long, value_name = "K/N")]
    pub shard: Option<ShardChoice>,
    /// Refuse a scenario that asks for other work than this plan, of `runner plan`; and start
    /// when it says.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// How many cells of a matrix are run at once; it changes no result [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZero<usize>>,
    /// Leave the whole folder of each cell of a matrix here, too: events, latencies, log.
    #[arg(long, value_name = "DIR")]
    pub cell_folders: Option<PathBuf>,
    /// Show neither progress nor summary.
    #[arg(long, short)]
    pub quiet: bool,
    /// What is written to stdout at the end.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Answer every prompt of a pause with yes.
    #[arg(long)]
    pub yes: bool,
    /// What the folder of the results is called, if it is not where it is called.
    #[arg(skip)]
    pub called: Option<PathBuf>,
}

impl RunArguments {
    /// The same, with the results at another place than they are called.
    pub fn at(&self, folder: &Path) -> Self {
        let called = self.resume.as_ref().or(self.out.as_ref()).cloned();
        let there = |path: &Option<PathBuf>| path.as_ref().map(|_| folder.to_owned());
        Self { out: there(&self.out), resume: there(&self.resume), called, ..self.clone() }
    }
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

/// `runner guide`
#[derive(Debug, Clone, Args)]
pub struct GuideArguments {
    /// What it is about.
    pub topic: Topic,
}

/// `runner evaluate`
#[derive(Debug, Clone, Args)]
pub struct EvaluateArguments {
    /// Logs of DSJSON lines, plain or gzip; `-` is stdin. Several are read as one.
    #[arg(value_name = "LOG", required = true)]
    pub logs: Vec<PathBuf>,
    /// A learning policy, Vowpal Wabbit arguments, with a name if it begins with one.
    #[arg(long = "policy", short, value_name = "[NAME=]ARGS", allow_hyphen_values = true)]
    pub policies: Vec<String>,
    /// Learning policies, one a line as for `--policy`, or learning settings as JSON.
    #[arg(long = "policies", value_name = "FILE")]
    pub policy_files: Vec<PathBuf>,
    /// Compare every policy with this one too.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub baseline: Option<String>,
    /// Search for better policies on the first four fifths of the logs, and confirm them on
    /// the rest.
    #[arg(long)]
    pub discover: bool,
    /// Write what each policy predicts for each event, before it learns it, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// What is written to stdout.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: EvaluationFormat,
    /// How sure the intervals are [default: 0.95].
    #[arg(long, value_name = "LEVEL", value_parser = super::evaluate::parse_confidence)]
    pub confidence: Option<Confidence>,
    /// The range of rewards [default: 0..1, or as far as they were seen].
    #[arg(long, value_name = "MIN..MAX", value_parser = super::evaluate::parse_range,
          allow_hyphen_values = true)]
    pub rewards: Option<Interval>,
    /// The highest weight that a policy can have, `inf` if it is unknown [default: one over
    /// the lowest probability of the logs].
    #[arg(long, value_name = "W", value_parser = super::evaluate::parse_weight)]
    pub max_weight: Option<f64>,
    /// How many threads are used; it changes no result [default: all].
    #[arg(long, short, value_name = "N")]
    pub threads: Option<NonZero<usize>>,
    /// Do not show progress.
    #[arg(long, short)]
    pub quiet: bool,
}

impl EvaluateArguments {
    /// How many threads to use.
    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.map_or_else(all, NonZero::get)
    }
}

/// What `runner evaluate` writes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvaluationFormat {
    /// Tables, for people.
    Text,
    /// Everything, as JSON.
    Json,
    /// A row for every policy and quantity.
    Csv,
    /// JSON in the shape of the service's evaluations.
    Contract,
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
