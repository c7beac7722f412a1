//! Services and disks that fail, and what the program makes of it.
//!
//! [`service`] is a service that does as it is told. The program runs as its users run
//! it, and its exit code, its words and its results folder are looked at.

mod answers;
mod connections;
mod files;
mod resumed;
mod secrets;
pub mod service;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use results::{self, RunFolder};

/// A run against a service that may fail.
struct Trial {
    folder: tempfile::TempDir,
    target: String,
    phases: String,
    environment: Vec<(&'static str, &'static str)>,
    before: String,
}

/// What became of it.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    folder: PathBuf,
    _root: tempfile::TempDir,
}

impl Trial {
    /// Ten iterations, one after the other.
    fn against(url: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            target: format!("url: \"{url}\""),
            phases: String::new(),
            environment: Vec::new(),
            before: String::new(),
        }
        .phase("iterations: 10")
    }

    /// More keys of the target.
    fn target(mut self, keys: &str) -> Self {
        self.target = format!("{}, {keys}", self.target);
        self
    }

    /// The keys of the phase.
    fn phase(self, keys: &str) -> Self {
        self.phases(&format!("- iterate: {{ name: p, {keys} }}"))
    }

    /// The phases, as a list in YAML.
    fn phases(self, phases: &str) -> Self {
        Self { phases: phases.to_owned(), ..self }
    }

    fn environment(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// What a shell does before it becomes the program.
    fn in_a_shell_after(self, before: &str) -> Self {
        Self { before: before.to_owned(), ..self }
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let (users, actions) = (data.join("users.json"), data.join("coffee.json"));
        let scenario = format!(
            "version: 1\nname: faults\ndatasets: {{ users: \"{}\", actions: \"{}\" }}\n\
             context: [name, weather, timeofday]\ntarget: {{ {} }}\nphases:\n  {}\n",
            users.display(),
            actions.display(),
            self.target,
            self.phases,
        );
        self.file("faults.yaml", &scenario);
        let mut command = Command::new("sh");
        let script = format!("{}\nexec \"$0\" \"$@\"", self.before);
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_runner"));
        command.arg(self.folder.path().join("faults.yaml")).arg("--allow-paths");
        let flag = arguments.last().unwrap_or(&"--out");
        command.arg(flag).arg(self.folder.path().join("out"));
        command.envs(self.environment.iter().copied()).env("NO_COLOR", "1");
        command.stdin(Stdio::null());
        command
    }

    fn run(self) -> Outcome {
        self.run_with(&[])
    }

    /// Goes on with the run in the folder.
    fn resume(self) -> Outcome {
        self.run_with(&["--resume"])
    }

    fn run_with(self, arguments: &[&str]) -> Outcome {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
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

    /// How many iterations ended how.
    fn outcomes(&self) -> BTreeMap<String, usize> {
        let mut outcomes = BTreeMap::new();
        for record in self.read().records {
            *outcomes.entry(metrics::outcome_label(&record.outcome)).or_default() += 1;
        }
        outcomes
    }

    /// That the run ended with this code, and said all of this.
    #[track_caller]
    fn says(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for text in texts {
            assert!(self.stderr.contains(text), "`{text}` is not in\n{}", self.stderr);
        }
    }
}

fn counted<const N: usize>(outcomes: [(&str, usize); N]) -> BTreeMap<String, usize> {
    outcomes.map(|(name, count)| (name.to_owned(), count)).into()
}
