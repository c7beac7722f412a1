//! An input of a comparison: the folder of a run or of an experiment, or a baseline file.

use std::path::{Path, PathBuf};

use crate::cli::text_file;
use comparison::{self, Baseline, Group, JoinError};
use results::experiment::{ExperimentResults, is_experiment, read_experiment};
use results::{self, ReadError, runs_within};

/// Reads a baseline file.
///
/// # Errors
/// What is wrong with it.
pub fn read_baseline(path: &Path) -> Result<Baseline, String> {
    let shown = path.display();
    let text =
        text_file::read(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    Baseline::parse(text.as_bytes())
        .map_err(|why| format!("`{shown}` is not a baseline file: {why}"))
}

/// The points of a success curve where nothing says otherwise, as in a baseline file: the
/// default of `success_curve.batch`.
const DEFAULT_BATCH: u64 = 10;

/// A folder or a baseline file.
pub struct Subject {
    /// The path that the user gave.
    pub path: PathBuf,
    /// Its name, if that is not the path.
    label: Option<&'static str>,
    /// The name of the scenario.
    pub scenario: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// Whether every run that was planned exists.
    pub complete: bool,
    /// Whether it is a baseline file.
    pub is_baseline: bool,
    /// `--set` of an experiment, by which the gates of its scenario are read; none of others.
    pub overrides: Option<Vec<String>>,
    /// The ceiling of an experiment that adds seeds until its gates are decided.
    pub most_seeds: Option<u64>,
    /// How many iterations make a point of its success curve.
    pub curve_batch: u64,
    /// Its runs by variant; a run is a group of one.
    pub groups: Vec<Group>,
}

impl Subject {
    /// Reads a folder or a baseline file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        if path.is_file() {
            return Self::of_baseline(path);
        }
        let runs = runs_within(path);
        if !runs.is_empty() {
            return Self::of_runs(path, &runs);
        }
        let read = if is_experiment(path) { Self::of_experiment(path) } else { Self::of_run(path) };
        read.map_err(|error| error.to_string())
    }

    /// The runs of several folders as one group, which has the name of their scenario.
    fn of_runs(path: &Path, folders: &[PathBuf]) -> Result<Self, String> {
        let read = |folder: &PathBuf| Self::read(folder);
        let mut all = folders.iter().map(read).collect::<Result<Vec<_>, _>>()?.into_iter();
        let first = all.next().ok_or_else(|| format!("there is no run in `{}`", path.display()))?;
        let joined = all.try_fold(first.only_group()?, Self::join)?;
        Ok(Self { path: path.to_owned(), overrides: None, most_seeds: None, ..joined })
    }

    /// The runs that a pattern such as `results/old/*` names, as a group.
    ///
    /// # Errors
    /// When there are none, or they differ in more than their seeds.
    pub fn named(name: &str, pattern: &str) -> Result<Self, String> {
        let failed = |why: &dyn std::fmt::Display| format!("`--group {name}={pattern}`: {why}");
        let matched = glob::glob(pattern).map_err(|error| failed(&error))?;
        let is_results = |path: &PathBuf| path.is_dir() || path.is_file();
        let mut folders: Vec<PathBuf> = matched.filter_map(Result::ok).filter(is_results).collect();
        folders.sort();
        if folders.is_empty() {
            return Err(failed(&"there is no such folder"));
        }
        let mut subject = Self::of_runs(Path::new(pattern), &folders)?;
        subject.groups.iter_mut().for_each(|group| name.clone_into(&mut group.name));
        Ok(subject)
    }

    fn only_group(self) -> Result<Self, String> {
        if self.groups.len() == 1 {
            return Ok(self);
        }
        let count = self.groups.len();
        Err(format!("`{}` has {count} policies, and a group has one", self.name())
            + "\nhelp: compare the folder itself: `runner compare FOLDER`")
    }

    fn join(mut self, other: Self) -> Result<Self, String> {
        let (here, there) = (self.name(), other.name());
        let other = other.only_group()?;
        for (group, other) in self.groups.iter_mut().zip(other.groups) {
            group.join(other).map_err(|error| match error {
                JoinError::Parts(parts) => format!(
                    "the runs of `{here}` and `{there}` are not of one group: they differ in {}\n\
                     help: name them as two groups: `--group A=… --group B=…`",
                    parts.join(", ")
                ),
                JoinError::Seed(seed) => format!(
                    "seed {seed} is in `{there}` and in a run before it: a group has one run a \
                     seed\nhelp: give each run a seed of its own, such as `--seed 2`, or run a \
                     `matrix` with `seeds`"
                ),
            })?;
        }
        self.complete &= other.complete;
        Ok(self)
    }

    /// Groups that are compared with each other, as those of an experiment are.
    pub fn of_groups(mut named: Vec<Self>) -> Option<Self> {
        let complete = named.iter().all(|subject| subject.complete);
        let groups = named.iter().flat_map(|subject| subject.groups.iter().cloned()).collect();
        (!named.is_empty()).then(|| Self { complete, groups, ..named.swap_remove(0) })
    }

    fn of_baseline(path: &Path) -> Result<Self, String> {
        let baseline = read_baseline(path)?;
        Ok(Self {
            path: path.to_owned(),
            label: None,
            groups: baseline.groups().map_err(|why| format!("`{}`: {why}", path.display()))?,
            scenario: baseline.provenance().scenario.clone(),
            version: baseline.provenance().version.clone(),
            complete: true,
            is_baseline: true,
            overrides: None,
            most_seeds: None,
            curve_batch: DEFAULT_BATCH,
        })
    }

    fn of_experiment(path: &Path) -> Result<Self, ReadError> {
        let subject = Self::of_results(&read_experiment(path)?);
        Ok(Self { path: path.to_owned(), ..subject })
    }

    /// The runs of an experiment that was read, or goes on.
    pub fn of_results(experiment: &ExperimentResults) -> Self {
        let manifest = &experiment.manifest;
        Self {
            path: experiment.folder.clone(),
            label: None,
            groups: comparison::groups(experiment),
            scenario: manifest.scenario.clone(),
            version: manifest.tool.version.clone(),
            complete: manifest.complete,
            is_baseline: false,
            overrides: Some(manifest.overrides.clone()),
            most_seeds: manifest.until_decided,
            curve_batch: manifest.curve_batch,
        }
    }

    fn of_run(path: &Path) -> Result<Self, ReadError> {
        let run = results::read(path)?;
        Ok(Self {
            path: path.to_owned(),
            label: None,
            groups: vec![comparison::of_run(&run)],
            scenario: run.manifest.scenario,
            version: run.manifest.tool.version,
            complete: run.manifest.complete,
            is_baseline: false,
            overrides: None,
            most_seeds: None,
            curve_batch: run.manifest.curve_batch,
        })
    }

    /// The same under another name than its path.
    pub fn labelled(self, label: &'static str) -> Self {
        Self { label: Some(label), ..self }
    }

    /// Its name in tables.
    pub fn name(&self) -> String {
        self.label.map_or_else(|| self.path.display().to_string(), str::to_owned)
    }

    /// Its group that is to be compared with `group` of another: that of the same name,
    /// or the only one.
    pub fn counterpart(&self, group: &Group, alone: bool) -> Option<&Group> {
        match &self.groups[..] {
            [only] if alone => Some(only),
            all => all.iter().find(|other| other.name == group.name),
        }
    }
}
