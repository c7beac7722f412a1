//! What an engine is asked for, so that every shard is run, tried again if that can help,
//! and merged: scripts and manifests, as text.
//!
//! An engine schedules, retries and survives dead nodes; what it must be told is how many
//! shards there are, which exit codes are final, and what follows when all have ended.
//!
//! Must not know: files, processes, the network.

mod ci;
mod command;
mod github;
mod gitlab;
mod kubernetes;
mod slurm;

pub use kubernetes::{Kubernetes, Manifests, RESULTS, Storage};
pub use slurm::Slurm;

use std::num::NonZero;
use std::time::Duration;

use diagnostic::{Diagnostic, Report};
use scenario::Input;
use store::is_address;

/// How often a shard is tried again that ended for a reason which may pass.
const RETRIES: u64 = 3;

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The name of the scenario.
    pub name: String,
    /// The digest of the plan, hex digits.
    pub digest: String,
    /// What is cut.
    pub work: Cut,
    /// The path of the scenario.
    pub scenario: String,
    /// The files that the scenario is made of, itself among them.
    pub inputs: Vec<Input>,
    /// The variables of the environment that it reads, by their names.
    pub variables: Vec<String>,
    /// Those that an object store may need, if the results go to one.
    pub credentials: Vec<&'static str>,
    /// The arguments that change it.
    pub changes: Vec<String>,
    /// Into how many shards it is cut.
    pub shards: NonZero<u64>,
    /// How many of them may run at once.
    pub throttle: Option<NonZero<u64>>,
    /// How long a shard may take.
    pub time_limit: Duration,
    /// How many cores a shard has.
    pub cpus: NonZero<u64>,
    /// How much memory a shard has, MiB.
    pub memory_mib: NonZero<u64>,
    /// The folder or address below which the shards and their merge go.
    pub out: String,
    /// The exit codes that no retry changes, 0 not among them.
    pub final_codes: Vec<u8>,
    /// The exit codes after which a retry may help.
    pub retried_codes: Vec<u8>,
}

/// What is cut into shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// The cells of a matrix, at any time and in any order.
    Cells,
    /// A load, whose shards start together: by this plan, if it was made before.
    Load {
        /// The document that holds the common start.
        plan: Option<String>,
    },
}

/// The engines that can be asked.
#[derive(Debug, Clone)]
pub enum Engine {
    /// An array of Slurm, and a job that depends on it.
    Slurm(Slurm),
    /// An Indexed Job of Kubernetes, and one that merges.
    Kubernetes(Kubernetes),
    /// A workflow of GitHub, with a matrix.
    Github(Ci),
    /// A pipeline of GitLab, with a parallel job.
    Gitlab(Ci),
}

/// What a CI has to be told beyond the work.
#[derive(Debug, Clone, Default)]
pub struct Ci {
    /// The command that is `runner` there; none, if it is built from the checkout.
    pub program: Option<String>,
}

/// What is printed, and how it is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The script or manifest.
    pub text: String,
    /// The command that submits it, and whether it reads the text.
    pub submit: (&'static [&'static str], Stdin),
}

/// What the command that submits gets on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    /// The text.
    Text,
    /// Nothing: the text is in the repository already.
    Nothing,
}

impl Engine {
    /// What is to be printed.
    ///
    /// # Errors
    /// Why the engine cannot be asked for that.
    pub fn render(&self, submission: &Submission) -> Result<Rendered, Report> {
        refuse_control_characters(submission.texts().chain(self.texts()))?;
        match self {
            Self::Slurm(slurm) => Ok(slurm.render(submission)),
            Self::Kubernetes(kubernetes) => kubernetes.render(submission),
            Self::Github(ci) => github::render(ci, submission),
            Self::Gitlab(ci) => gitlab::render(ci, submission),
        }
    }

    /// What it is told in words, and what each is.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        match self {
            Self::Slurm(Slurm { program, options }) => {
                let options = options.iter().map(|option| ("`--sbatch`", option));
                [("`--program`", program)].into_iter().chain(options).collect()
            }
            Self::Kubernetes(kubernetes) => kubernetes.texts(),
            Self::Github(ci) | Self::Gitlab(ci) => {
                ci.program.iter().map(|program| ("`--program`", program)).collect::<Vec<_>>()
            }
        }
        .into_iter()
    }
}

/// No script can be read in which a name breaks the line.
fn refuse_control_characters<'a>(
    texts: impl Iterator<Item = (&'static str, &'a String)>,
) -> Result<(), Report> {
    let mut report = Report::new();
    for (what, text) in texts.filter(|(_, text)| text.contains(char::is_control)) {
        let message = format!("{what} has a control character: {text:?}");
        report.push(Diagnostic::error(message).help("use one without it"));
    }
    if report.has_errors() { Err(report) } else { Ok(()) }
}

impl Submission {
    /// What is said in words, and what each is.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let named = [("the scenario's path", &self.scenario), ("`--out`", &self.out)];
        let changes = self.changes.iter().map(|change| ("what changes the scenario", change));
        named.into_iter().chain(changes)
    }

    /// Whether the shards go to an object store, and not to a folder.
    fn is_stored(&self) -> bool {
        is_address(&self.out)
    }

    fn is_load(&self) -> bool {
        matches!(self.work, Cut::Load { .. })
    }

    /// The name of the scenario on one line, for people.
    fn shown_name(&self) -> String {
        self.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// The name of the scenario, made of lower-case letters, digits and inner hyphens, with
    /// the beginning of the digest.
    fn slug(&self) -> String {
        let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let slug: String = self.name.chars().map(fit).take(30).collect();
        let words: Vec<&str> = slug.split('-').filter(|word| !word.is_empty()).collect();
        let words = [&["runner"], &words[..], &[&self.digest[..8]]].concat();
        words.join("-")
    }

    /// How many shards run at once.
    fn at_once(&self) -> NonZero<u64> {
        self.throttle.map_or(self.shards, |throttle| throttle.min(self.shards))
    }

    fn minutes(&self) -> u64 {
        self.time_limit.as_secs().div_ceil(60).max(1)
    }

    /// The arguments that run a shard; `which` is what `--shard` says.
    fn run_arguments(&self, which: command::Word, plan: Option<&str>) -> Vec<command::Word> {
        let text = |text: &str| command::Word::Text(text.to_owned());
        let mut words = vec![text("run"), text(&self.scenario)];
        words.extend(self.changes.iter().map(|change| text(change)));
        words.extend([text("--shard"), which]);
        words.extend(plan.into_iter().flat_map(|plan| [text("--plan"), text(plan)]));
        words.extend([text("--out"), text(&format!("{}/{{shard}}", self.out)), text("--quiet")]);
        if !self.is_load() {
            words.extend([text("--threads"), text(&self.cpus.to_string())]);
        }
        words
    }

    /// Where the merge goes.
    fn merged(&self) -> String {
        format!("{}/merged", self.out)
    }

    /// The arguments that merge all shards, whose folders are given in a form that a shell
    /// spells out.
    fn merge_arguments(&self) -> Vec<command::Word> {
        let text = |text: &str| command::Word::Text(text.to_owned());
        let shards = command::Word::Shards { below: self.out.clone(), count: self.shards };
        vec![text("merge"), shards, text("--out"), text(&self.merged())]
    }
}

/// A refusal with a remedy.
fn refused(message: impl Into<String>, help: impl Into<String>) -> Report {
    Diagnostic::error(message).help(help).into()
}
