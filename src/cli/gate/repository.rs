use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::error::Error;

/// The git repository of a scenario.
pub struct Repository {
    root: PathBuf,
    scenario: PathBuf,
}

impl Repository {
    /// The repository that holds the file `scenario`.
    pub fn of(scenario: &Path) -> Result<Self, Error> {
        let Some(name) = scenario.file_name().filter(|_| scenario.is_file()) else {
            return Err(Error::usage(format!("`{}` is not a file", scenario.display()))
                .help("name a scenario in a git repository"));
        };
        let folder = scenario.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let found = git(folder, &["rev-parse", "--show-toplevel"])?;
        let prefix = git(folder, &["rev-parse", "--show-prefix"])?;
        let (root, prefix) = found.and_then(|root| Ok((root, prefix?))).map_err(|why| {
            let message = format!("`{}` is not in a git repository: {why}", scenario.display());
            Error::usage(message).help("name a scenario in a git repository")
        })?;
        Ok(Self { root: root.into(), scenario: Path::new(&prefix).join(name) })
    }

    /// The root of the work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The scenario, as a path from the root.
    pub fn scenario(&self) -> &Path {
        &self.scenario
    }

    /// The commit where HEAD branched off from `reference`.
    pub fn branch_point(&self, reference: &str) -> Result<String, Error> {
        let commit = format!("{reference}^{{commit}}");
        let known = git(&self.root, &["rev-parse", "--verify", "--end-of-options", &commit])?;
        let commit = known.map_err(|why| {
            let message = format!("`--base {reference}` is not a commit: {why}");
            Error::usage(message).help("fetch it first, such as with `git fetch origin main`")
        })?;
        git(&self.root, &["merge-base", "HEAD", &commit])?.map_err(|_| {
            let message = format!("HEAD and `{reference}` have no common commit here");
            Error::usage(message).help(
                "fetch the history: `fetch-depth: 0` on GitHub, `GIT_DEPTH: 0` on GitLab, or \
                 `git fetch --unshallow`",
            )
        })
    }

    /// Checks out `commit` at `path`, which must not exist.
    pub fn worktree(&self, commit: &str, path: &Path) -> Result<Worktree, Error> {
        let worktree = Worktree { root: self.root.clone(), path: path.to_owned() };
        let shown = path.to_string_lossy();
        git(&self.root, &["worktree", "add", "--quiet", "--detach", &shown, commit])?
            .map_err(|why| Error::usage(format!("git cannot check out {commit}: {why}")))?;
        Ok(worktree)
    }
}

/// A temporary work tree, which is removed when this is dropped.
pub struct Worktree {
    root: PathBuf,
    path: PathBuf,
}

impl Worktree {
    /// Its root.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        let path = self.path.to_string_lossy();
        let removed = git(&self.root, &["worktree", "remove", "--force", &path]);
        if !matches!(removed, Ok(Ok(_))) {
            // It was not made, or not as a whole: git forgets what is not there.
            _ = std::fs::remove_dir_all(&self.path);
            _ = git(&self.root, &["worktree", "prune"]);
        }
    }
}

/// The variables by which a hook is told of its repository; they would override `-C`.
const OF_HOOKS: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// What git answers in a folder, or why it refuses. No hook of the user runs.
fn git(folder: &Path, arguments: &[&str]) -> Result<Result<String, String>, Error> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "core.hooksPath=/dev/null"]).args(arguments);
    for name in OF_HOOKS {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| {
        Error::usage(format!("cannot start `git`: {error}")).help("install git")
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let is_done = output.status.success();
    Ok(if is_done { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
}
