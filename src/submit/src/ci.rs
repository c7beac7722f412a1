//! What the pipelines of GitHub and GitLab have in common.

use serde::Serialize;

use super::command::{Word, arguments, line, quoted};
use super::{Ci, Rendered, Submission, refused};
use diagnostic::Report;

/// Where a pipeline keeps the program that it built.
pub const BUILT: &str = "target/release/runner";

impl Ci {
    /// The program, as a word of a shell.
    pub fn command(&self) -> String {
        self.program.as_deref().map_or_else(|| format!("./{BUILT}"), quoted)
    }

    /// The line that runs a shard.
    pub fn shard(&self, submission: &Submission) -> String {
        line(&self.command(), &submission.run_arguments(Word::Text("auto".to_owned()), None))
    }

    /// The line that merges.
    pub fn merge(&self, submission: &Submission) -> String {
        // Not every shell of a pipeline knows braces.
        let spelt = arguments(submission.merge_arguments()).into_iter().map(Word::Text);
        line(&self.command(), &spelt.collect::<Vec<_>>())
    }
}

/// Refuses what no pipeline can do.
pub fn check(engine: &str, submission: &Submission) -> Result<(), Report> {
    if submission.is_load() {
        let message = format!("{engine} does not start its jobs together, and a load needs that");
        return Err(refused(message, "submit a load to Slurm or Kubernetes"));
    }
    let is_in_checkout = |path: &str| !path.starts_with(['/', '~']) && !path.starts_with("..");
    if !is_in_checkout(&submission.scenario) {
        let message = format!("`{}` is not a path within the repository", submission.scenario);
        return Err(refused(message, "say it from the top of the repository, and stand there"));
    }
    if !submission.is_stored() && !is_in_checkout(&submission.out) {
        let message = format!("`{}` is not a path within the repository", submission.out);
        return Err(refused(message, "name a folder below it, or an address, with `--out`"));
    }
    if !submission.is_stored() && submission.out.contains(['$', '*', '?', '[', ']', '{', '!']) {
        let message = format!("{engine} would read `{}` as a pattern", submission.out);
        return Err(refused(message, "name a plain folder with `--out`"));
    }
    Ok(())
}

/// A document of YAML with a line that says what it is.
pub fn document<T: Serialize>(submission: &Submission, document: &T) -> String {
    let Submission { shards, .. } = submission;
    let name = submission.shown_name();
    let codes: Vec<String> = submission.final_codes.iter().map(u8::to_string).collect();
    let codes = codes.join(", ");
    let options = serde_yaml::ser_options! { prefer_block_scalars: true };
    // A document of texts, numbers and lists of them can be written.
    let body = serde_yaml::to_string_with_options(document, options).unwrap_or_default();
    format!(
        "# {name} in {shards} shards, and their merge. The exit codes {codes} are final: starting a\n\
         # shard again changes nothing.\n{body}"
    )
}

/// A pipeline as it is printed.
pub fn rendered(text: String, submit: &'static [&'static str]) -> Rendered {
    Rendered { text, submit: (submit, super::Stdin::Nothing) }
}
