//! What is compared: the folder of a run or of an experiment.

use std::path::{Path, PathBuf};

use crate::comparison::{self, Group};
use crate::results::experiment::{is_experiment, read_experiment};
use crate::results::{self, ReadError};

/// A folder, read.
pub struct Subject {
    /// The folder, as the user gave it.
    pub path: PathBuf,
    /// The name of the scenario.
    pub scenario: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// Whether all of it is there.
    pub complete: bool,
    /// What it holds, by variant; a run is one.
    pub groups: Vec<Group>,
}

impl Subject {
    /// Reads a folder.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let path = path.to_owned();
        if is_experiment(&path) {
            let experiment = read_experiment(&path)?;
            let version = experiment.manifest.tool.version.clone();
            let complete = experiment.manifest.complete;
            let scenario = experiment.manifest.scenario.clone();
            let groups = comparison::groups(&experiment);
            return Ok(Self { path, scenario, version, complete, groups });
        }
        let run = results::read(&path)?;
        let (version, complete) = (run.manifest.tool.version.clone(), run.manifest.complete);
        let scenario = run.manifest.scenario.clone();
        let groups = vec![comparison::of_run(&run)];
        Ok(Self { path, scenario, version, complete, groups })
    }

    /// What it is called in tables.
    pub fn name(&self) -> String {
        self.path.display().to_string()
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
