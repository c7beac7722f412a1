//! Kubernetes: an Indexed Job of shards, and a Job that merges them.
//!
//! A Job cannot wait for another: the one that merges fails while shards are missing (exit
//! 5), and is tried again until they are there.

mod manifests;

pub use manifests::Manifests;

use std::path::{Component, Path, PathBuf};

use super::{Cut, Rendered, Stdin, Submission, refused};
use diagnostic::Report;

/// What Kubernetes has to be told beyond the work.
#[derive(Debug, Clone)]
pub struct Kubernetes {
    /// The image; what it starts is this program.
    pub image: String,
    /// Where the results go.
    pub storage: Storage,
    /// The Secret that holds the variables of the environment, each by its name.
    pub secret: String,
    /// The account that the pods run as, if they need one.
    pub service_account: Option<String>,
}

/// Where the pods put their results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// To an object store, with the credentials that are in the Secret.
    Store,
    /// To the volume of this PersistentVolumeClaim, which all pods can write to.
    Claim(String),
}

/// What the objects of Kubernetes have room for.
const LARGEST_CONFIG_MAP: usize = 1 << 20;

/// Where the files of the scenario are.
const WORK: &str = "/project";
/// Where pods have the volume of a claim.
pub const RESULTS: &str = "/results";
/// The plan of a load.
const PLAN: &str = "runner-plan.json";

impl Kubernetes {
    /// What it is told in words, and what each is.
    pub(super) fn texts(&self) -> Vec<(&'static str, &String)> {
        let mut texts = vec![("`--image`", &self.image), ("`--secret`", &self.secret)];
        texts.extend(self.service_account.iter().map(|account| ("`--service-account`", account)));
        if let Storage::Claim(claim) = &self.storage {
            texts.push(("`--claim`", claim));
        }
        texts
    }

    pub(super) fn render(&self, submission: &Submission) -> Result<Rendered, Report> {
        let files = files(submission)?;
        if submission.is_load() && submission.at_once() < submission.shards {
            let help = "leave `--throttle` out";
            return Err(refused("the shards of a load start together", help));
        }
        let manifests = Manifests { kubernetes: self, submission, files: &files };
        Ok(Rendered {
            text: manifests.text(),
            submit: (&["kubectl", "apply", "-f", "-"], Stdin::Text),
        })
    }
}

/// The files of a scenario, as a pod has them.
pub(super) struct Files {
    /// The path of the scenario.
    scenario: String,
    /// Each file by its path, and what it holds.
    mounted: Vec<(String, String)>,
    /// Whether one is the plan.
    is_planned: bool,
}

/// The files that a pod needs, below the folder that all of them are in.
fn files(submission: &Submission) -> Result<Files, Report> {
    let scenario = simplified(Path::new(&submission.scenario));
    let common = common_folder(submission.inputs.iter().map(|input| input.path.as_path()));
    let below = |path: &Path| {
        let path = path.strip_prefix(&common).unwrap_or(path);
        path.to_str().map(str::to_owned).ok_or_else(|| {
            let message = format!("`{}` is not text", path.display());
            refused(message, "give the file a name in UTF-8")
        })
    };
    let mut files = Vec::new();
    for input in &submission.inputs {
        let Some(text) = &input.text else {
            let message = format!("`{}` is no text", input.path.display());
            let help = "write it as CSV or JSON lines, or build the files into an image and run \
                that by a manifest of your own";
            return Err(refused(message, help));
        };
        if text.contains("PRIVATE KEY") {
            let message = format!("`{}` holds a private key", input.path.display());
            let help = "build it into the image with the scenario, and run that by a manifest \
                of your own: a ConfigMap is no place for secrets";
            return Err(refused(message, help));
        }
        files.push((below(&input.path)?, text.clone()));
    }
    let plan = match &submission.work {
        Cut::Load { plan: Some(plan) } => Some(plan.clone()),
        Cut::Load { plan: None } => {
            let message = "the shards of a load start together, and it is not said when";
            let help = "say when, far enough from now for all pods to be up: \
                `--start-at 2026-01-01T12:00:00Z`";
            return Err(refused(message, help));
        }
        Cut::Cells => None,
    };
    let is_planned = plan.is_some();
    files.extend(plan.map(|plan| (PLAN.to_owned(), plan)));
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    if bytes > LARGEST_CONFIG_MAP {
        let message =
            format!("the files of the scenario are {bytes} bytes, too many for a ConfigMap");
        let help = "generate the population (`generate:`), or build the files into an image and \
            run that by a manifest of your own";
        return Err(refused(message, help));
    }
    Ok(Files { scenario: below(&scenario)?, mounted: files, is_planned })
}

/// The innermost folder that all paths are in.
fn common_folder<'a>(mut paths: impl Iterator<Item = &'a Path>) -> PathBuf {
    let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
    let first = paths.next().map(parent).unwrap_or_default();
    paths.fold(first, |common, path| {
        let both = common.components().zip(path.components());
        both.take_while(|(left, right)| left == right).map(|(left, _)| left).collect()
    })
}

/// A path without `.`.
fn simplified(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}
