//! The file store of MLflow: a folder an experiment, in it a folder a run, in it a file a
//! parameter, tag or metric (`mlflow/store/tracking/file_store.py`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::observations::{Observation, Scope, of_run};
use comparison::{Group, Sample};
use results::{ReadError, file_stems};

/// The experiment that runs are filed under.
#[derive(Debug, Clone, Copy)]
pub struct Experiment<'a> {
    /// The name of the scenario, which becomes that of the experiment.
    pub scenario: &'a str,
    /// The version of the program that made the results.
    pub version: &'a str,
    /// When the results were written, in milliseconds since 1970: the time of every value.
    pub written_ms: u64,
}

/// A store cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("`{path}`: {source}")]
pub struct MlflowError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Adds the runs of `groups` to the store in `folder`, which is created if it does not exist;
/// returns how many were added.
///
/// A phase's metric is `PHASE/METRIC`; over windows, `PHASE/window/METRIC`, at the step after
/// so many iterations. The id of a run follows from its content: a run that is there already is
/// left as it is.
///
/// # Errors
/// When the store cannot be read or written.
pub fn write_mlflow(
    folder: &Path,
    experiment: &Experiment<'_>,
    groups: &[Group],
    window: u64,
) -> Result<usize, MlflowError> {
    created(folder)?;
    let folder = fs::canonicalize(folder).map_err(naming(folder))?;
    let store = experiment_folder(&folder, experiment)?;
    let mut count = 0;
    for group in groups {
        for sample in &group.samples {
            let run = Run::of(experiment, group, sample, window)
                .map_err(|error| naming(&folder)(io::Error::other(error)))?;
            count += usize::from(run.write(&store, experiment)?);
        }
    }
    Ok(count)
}

fn naming(path: &Path) -> impl FnOnce(io::Error) -> MlflowError + '_ {
    |source| MlflowError { path: path.to_owned(), source }
}

fn created(folder: &Path) -> Result<(), MlflowError> {
    fs::create_dir_all(folder).map_err(naming(folder))
}

fn write(path: &Path, text: &str) -> Result<(), MlflowError> {
    fs::write(path, text).map_err(naming(path))
}

/// The folder of the experiment of this name: the one that the store has, or a new one.
fn experiment_folder(store: &Path, experiment: &Experiment<'_>) -> Result<PathBuf, MlflowError> {
    for entry in fs::read_dir(store).map_err(naming(store))? {
        let folder = entry.map_err(naming(store))?.path();
        if experiment_name(&folder.join(META))?.as_deref() == Some(experiment.scenario) {
            return Ok(folder);
        }
    }
    let id = experiment_id(experiment.scenario);
    let folder = store.join(&id);
    created(&folder)?;
    let meta = [
        ("artifact_location", quoted(&uri(&folder))),
        ("creation_time", experiment.written_ms.to_string()),
        ("experiment_id", quoted(&id)),
        ("last_update_time", experiment.written_ms.to_string()),
        ("lifecycle_stage", "active".to_owned()),
        ("name", quoted(experiment.scenario)),
    ];
    write(&folder.join(META), &yaml(&meta))?;
    Ok(folder)
}

const META: &str = "meta.yaml";

/// The name of an experiment; `None` of a folder that is none.
fn experiment_name(meta: &Path) -> Result<Option<String>, MlflowError> {
    #[derive(Deserialize)]
    struct Meta {
        name: String,
    }
    let text = match fs::read_to_string(meta) {
        Ok(text) => text,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(naming(meta)(error)),
    };
    let read: Result<Meta, _> = serde_yaml::from_str(&text);
    read.map(|meta| Some(meta.name)).map_err(|error| naming(meta)(io::Error::other(error)))
}

/// MLflow's own are 18 digits.
fn experiment_id(name: &str) -> String {
    let digest = Sha256::digest(name);
    let (first, _) = digest.split_at(8);
    let number = first.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:018}", number % 1_000_000_000_000_000_000)
}

/// A run as the files of its folder.
struct Run {
    /// 32 hex digits.
    id: String,
    /// Its name for people.
    name: String,
    /// By their path in the folder.
    files: BTreeMap<String, String>,
}

impl Run {
    fn of(
        experiment: &Experiment<'_>,
        group: &Group,
        sample: &Sample,
        window: u64,
    ) -> Result<Self, ReadError> {
        let name = format!("{}, seed {}", group.name, sample.seed);
        let stems = file_stems(sample.phases.iter().map(metrics::PhaseTally::name));
        let phases = sample.phases.iter().map(metrics::PhaseTally::name);
        let stems: BTreeMap<&str, String> = phases.zip(stems).collect();
        let texts = [
            ("params/policy", group.name.as_str()),
            ("params/seed", &sample.seed.to_string()),
            ("params/scenario", experiment.scenario),
            ("params/window", &window.to_string()),
            ("tags/mlflow.runName", &name),
            ("tags/mlflow.source.name", &format!("runner {}", experiment.version)),
            ("tags/mlflow.source.type", "LOCAL"),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), one_line(text)));
        let mut files: BTreeMap<String, String> = texts.into_iter().collect();
        for observation in of_run(group, sample, window)? {
            let path = metric_path(&stems[observation.phase], &observation);
            let history = files.entry(path).or_default();
            let Observation { value, iterations, scope, .. } = observation;
            let at = if scope == Scope::Window { iterations.end } else { 0 };
            // Writing to a string cannot fail.
            _ = writeln!(history, "{} {value} {at}", experiment.written_ms);
        }
        Ok(Self { id: run_id(&files), name, files })
    }

    /// Writes the folder of the run, at once; whether it was not there.
    fn write(&self, store: &Path, experiment: &Experiment<'_>) -> Result<bool, MlflowError> {
        let folder = store.join(&self.id);
        if folder.exists() {
            return Ok(false);
        }
        let unfinished = store.join(format!(".writing-{}", self.id));
        for (path, text) in &self.files {
            let path = unfinished.join(path);
            created(path.parent().unwrap_or(&unfinished))?;
            write(&path, text)?;
        }
        created(&unfinished.join("artifacts"))?;
        let id = store.file_name().unwrap_or_default().to_string_lossy();
        write(&unfinished.join(META), &yaml(&self.meta(&folder, &id, experiment)))?;
        fs::rename(&unfinished, &folder).map_err(naming(&folder))?;
        Ok(true)
    }

    fn meta(
        &self,
        folder: &Path,
        experiment_id: &str,
        experiment: &Experiment<'_>,
    ) -> [(&'static str, String); 14] {
        /// `SourceType.LOCAL` and `RunStatus.FINISHED` of MLflow.
        const LOCAL: u8 = 4;
        const FINISHED: u8 = 3;
        let time = experiment.written_ms.to_string();
        [
            ("artifact_uri", quoted(&uri(&folder.join("artifacts")))),
            ("end_time", time.clone()),
            ("entry_point_name", quoted("")),
            ("experiment_id", quoted(experiment_id)),
            ("lifecycle_stage", "active".to_owned()),
            ("run_id", quoted(&self.id)),
            ("run_name", quoted(&self.name)),
            ("source_name", quoted("")),
            ("source_type", LOCAL.to_string()),
            ("source_version", quoted("")),
            ("start_time", time),
            ("status", FINISHED.to_string()),
            ("tags", "[]".to_owned()),
            ("user_id", quoted("runner")),
        ]
    }
}

/// A name with a slash is a folder and a file in it, also to MLflow.
fn metric_path(stem: &str, observation: &Observation<'_>) -> String {
    match observation.scope {
        Scope::Phase => format!("metrics/{stem}/{}", observation.metric),
        Scope::Window => format!("metrics/{stem}/window/{}", observation.metric),
    }
}

/// The first 32 digits of the SHA-256 of all files.
fn run_id(files: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for (path, text) in files {
        digest.update((path.len() as u64).to_le_bytes());
        digest.update(path);
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    digest.finalize().iter().take(16).fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn yaml(fields: &[(&str, String)]) -> String {
    let lines = fields.iter().map(|(name, value)| [name, ": ", value, "\n"].concat());
    lines.collect()
}

/// A text as YAML: every JSON string is one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// MLflow takes a value to be one line.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// An absolute path as a `file:` address.
fn uri(path: &Path) -> String {
    Url::from_file_path(path).map_or_else(|()| path.display().to_string(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(scenario: &str) -> Experiment<'_> {
        Experiment { scenario, version: "1", written_ms: 7 }
    }

    #[test]
    fn an_experiment_that_mlflow_made_is_used_by_its_name() {
        let store = tempfile::tempdir().unwrap();
        let made = store.path().join("123");
        fs::create_dir(&made).unwrap();
        fs::write(made.join(META), "name: 'it''s: mine'\nexperiment_id: '123'\n").unwrap();
        fs::write(store.path().join("a file"), "").unwrap();
        let found = experiment_folder(store.path(), &experiment("it's: mine")).unwrap();
        assert_eq!(found, made);
    }

    #[test]
    fn a_new_experiment_is_found_again_whatever_its_name() {
        let store = tempfile::tempdir().unwrap();
        for name in ["plain", "\"quoted\": yes", "ünïcode\n", "- item", "1e3", "null"] {
            let made = experiment_folder(store.path(), &experiment(name)).unwrap();
            assert_eq!(experiment_folder(store.path(), &experiment(name)).unwrap(), made, "{name}");
        }
        assert_eq!(fs::read_dir(store.path()).unwrap().count(), 6);
    }

    #[test]
    fn a_store_that_cannot_be_read_is_an_error_with_its_file() {
        let store = tempfile::tempdir().unwrap();
        fs::create_dir(store.path().join("1")).unwrap();
        fs::write(store.path().join("1").join(META), "name: [").unwrap();
        let error = experiment_folder(store.path(), &experiment("x")).unwrap_err().to_string();
        assert!(error.contains("meta.yaml"), "{error}");
    }
}
