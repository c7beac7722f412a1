use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::verdict_files::VerdictFiles;
use statistics::{Confidence, Interval};

/// `runner evaluate`
#[derive(Debug, Clone, Args)]
pub struct EvaluateArguments {
    /// Logs of DSJSON lines, or with `--columns` tables in CSV or JSON lines; plain, gzip or zstd;
    /// `-` is stdin. Several are read as one.
    #[arg(value_name = "LOG", required = true)]
    pub logs: Vec<PathBuf>,
    /// What the columns of the logs say: `action=item,reward=click,probability=p,context=user_*`,
    /// a YAML file with these keys, or `obd` for the layout of the Open Bandit Dataset.
    #[arg(long, value_name = "COLUMNS")]
    pub columns: Option<String>,
    /// A policy whose probabilities are known: a column with that of the action taken or with a
    /// list, `p_{action}` for a column of each action, a file with a row for each of the logs', or
    /// `always:ID`.
    #[arg(long = "candidate", value_name = "NAME=COLUMN", requires = "columns")]
    pub candidates: Vec<String>,
    /// A learning policy: Vowpal Wabbit arguments, or another such as `{lin_ucb: {alpha: 1}}` or
    /// `{command: [python3, policy.py]}`; optionally with a name.
    #[arg(long = "policy", short, value_name = "[NAME=]ARGS", allow_hyphen_values = true)]
    pub policies: Vec<String>,
    /// A file of learning policies, one per line as for `--policy`, or learning settings as JSON.
    #[arg(long = "policies", value_name = "FILE")]
    pub policy_files: Vec<PathBuf>,
    /// Compare every policy with this one too.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub baseline: Option<String>,
    /// Search for better policies on the first four fifths of the logs, and confirm them on
    /// the rest.
    #[arg(long)]
    pub discover: bool,
    /// Also replay a policy without each of its features, and show what that changes: a pass for
    /// each feature.
    #[arg(long, value_name = "POLICY")]
    pub importance: Option<String>,
    /// Break the differences down by a context feature, such as `weather` or `user.age`.
    #[arg(long, value_name = "FEATURE")]
    pub by: Vec<String>,
    /// Break the differences down by windows of time, such as `1d` or `6h`.
    #[arg(long, value_name = "LENGTH", value_parser = parse_window)]
    pub window: Option<Duration>,
    /// Write what each policy predicts for each event, before it learns it, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// What must be shown of policies: a file with `gates:` of `log.mean_reward`.
    /// [exit 3: a gate failed, 4: nothing could be judged, or undecided where that is a failure]
    #[arg(long, value_name = "FILE")]
    pub gates: Option<PathBuf>,
    #[command(flatten)]
    pub files: VerdictFiles,
    /// What is written to stdout.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// The confidence level of intervals [default: 0.95].
    #[arg(long, value_name = "LEVEL", value_parser = crate::cli::confidence::parse_confidence)]
    pub confidence: Option<Confidence>,
    /// The range of rewards [default: 0..1, or the observed range if it is larger].
    #[arg(long, value_name = "MIN..MAX", value_parser = parse_range,
          allow_hyphen_values = true)]
    pub rewards: Option<Interval>,
    /// The highest weight that a policy can have, `inf` if it is unknown [default: one over
    /// the lowest probability of the logs].
    #[arg(long, value_name = "W", value_parser = parse_weight)]
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

/// What is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables, for people.
    Text,
    /// Everything, as JSON.
    Json,
    /// A row for every policy and quantity.
    Csv,
    /// JSON in the shape of the service's evaluations.
    Contract,
}

/// The range that `--rewards` names.
fn parse_range(text: &str) -> Result<Interval, String> {
    let ends = text.split_once("..").map(|(lower, upper)| (lower.parse(), upper.parse()));
    match ends {
        Some((Ok(lower), Ok(upper))) if lower < upper => Ok(Interval { lower, upper }),
        _ => Err("expected a range such as 0..1 or -1..1".to_owned()),
    }
}

/// The length that `--window` names.
fn parse_window(text: &str) -> Result<Duration, String> {
    let length = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let shortest = Duration::from_secs(1);
    if length < shortest {
        return Err("expected a second or more, such as 1d".to_owned());
    }
    Ok(length)
}

/// The weight that `--max-weight` names.
fn parse_weight(text: &str) -> Result<f64, String> {
    let weight = text.parse().ok().filter(|weight: &f64| *weight > 1.0);
    weight.ok_or_else(|| "expected a number above 1, or `inf`".to_owned())
}
