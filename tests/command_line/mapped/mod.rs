//! Services that are not shaped like Personalizer, called from a scenario alone.

mod bodies;
mod commands;
mod compared;
mod contract;
mod elsewhere;
mod lifecycle;
mod others;
mod own;
mod presets;
mod probe;
mod secured;
mod shapes;
mod wild;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use results::{self, RunFolder};

/// A run of a scenario whose target is written out.
struct Trial {
    folder: tempfile::TempDir,
    scenario: String,
    environment: Vec<(&'static str, &'static str)>,
}

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    folder: PathBuf,
    _root: tempfile::TempDir,
}

impl Trial {
    /// The tutorial's visitors and drinks, `target` (YAML, indented by two), and what is done.
    fn new(target: &str, rest: &str) -> Self {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let (users, actions) = (data.join("users.json"), data.join("coffee.json"));
        let scenario = format!(
            "version: 1\nname: mapped\ndatasets: {{ users: \"{}\", actions: \"{}\" }}\n\
             context: [name, weather, timeofday]\ntarget:\n{target}\n{rest}\n",
            users.display(),
            actions.display(),
        );
        Self { folder: tempfile::tempdir().unwrap(), scenario, environment: Vec::new() }
    }

    fn environment(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn command(&self, arguments: &[&str]) -> Output {
        self.prepared(arguments).output().unwrap()
    }

    fn prepared(&self, arguments: &[&str]) -> Command {
        let path = self.folder.path().join("mapped.yaml");
        fs::write(&path, &self.scenario).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(&arguments[..1]).arg(&path).arg("--allow-paths").args(&arguments[1..]);
        command.envs(self.environment.iter().copied()).env("NO_COLOR", "1");
        command.stdin(Stdio::null());
        command
    }

    fn run(self) -> Outcome {
        let folder = self.folder.path().join("out");
        let output = self.command(&["run", "--out", folder.to_str().unwrap()]);
        self.outcome(output)
    }

    fn check(self, arguments: &[&str]) -> Outcome {
        let output = self.command(&[&["check"], arguments].concat());
        self.outcome(output)
    }

    fn outcome(self, Output { status, stdout, stderr }: Output) -> Outcome {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome {
            code: status.code(),
            stdout: text(stdout),
            stderr: text(stderr),
            folder: self.folder.path().join("out"),
            _root: self.folder,
        }
    }
}

impl Outcome {
    fn read(&self) -> RunFolder {
        results::read(&self.folder).unwrap_or_else(|error| panic!("{error}\n{}", self.stderr))
    }

    fn outcomes(&self) -> BTreeMap<String, usize> {
        let mut outcomes = BTreeMap::new();
        for record in self.read().records {
            *outcomes.entry(metrics::outcome_label(&record.outcome)).or_default() += 1;
        }
        outcomes
    }

    #[track_caller]
    fn says(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for text in texts {
            let all = format!("{}{}", self.stdout, self.stderr);
            assert!(all.contains(text), "`{text}` is not in\n{all}");
        }
    }
}

/// A policy that tries every action once in each context, and then takes the best.
#[derive(Default)]
struct Policy {
    /// The sum and the number of rewards, by context and action.
    rewards: Mutex<BTreeMap<(String, usize), (f64, u32)>>,
}

impl Policy {
    fn choose(&self, context: &str, actions: usize) -> usize {
        let rewards = self.rewards.lock().unwrap();
        let value = |action: usize| match rewards.get(&(context.to_owned(), action)) {
            Some((sum, count)) => sum / f64::from(*count),
            None => f64::INFINITY,
        };
        let best = |best, action| if value(action) > value(best) { action } else { best };
        (0..actions).fold(0, best)
    }

    fn learn(&self, context: &str, action: usize, reward: f64) {
        let mut rewards = self.rewards.lock().unwrap();
        let (sum, count) = rewards.entry((context.to_owned(), action)).or_default();
        *sum += reward;
        *count += 1;
    }
}
