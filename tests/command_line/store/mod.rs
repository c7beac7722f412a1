//! Results in an object store: a folder of `file://`, and a server of S3 on the loopback.

mod folder;
#[cfg(feature = "cloud")]
mod s3;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::folders::contents;

/// An experiment of two policies and five seeds.
const SMALL: [&str; 8] = [
    "--set",
    "matrix.seeds=1..5",
    "--set",
    "phases.validation.iterations=50",
    "--set",
    "matrix.exclude=[{ policy: faster }, { policy: robust }, { policy: squarecb }, { policy: softmax }]",
    "--set",
    "gates=[]",
];

/// A machine: where temporary files go, and what the environment says of the store.
struct Machine {
    temporary: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Machine {
    fn new(root: &Path, name: &str) -> Self {
        let temporary = root.join(name);
        fs::create_dir_all(&temporary).unwrap();
        Self { temporary, environment: Vec::new() }
    }

    fn runner(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1").args(arguments);
        command.env("TMPDIR", &self.temporary).envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    /// A run of the experiment, of so many iterations each.
    fn experiment(&self, iterations: u32, arguments: &[&str]) -> Command {
        let mut command = self.runner(&["run", "scenarios/policies.yaml", "--quiet"]);
        let longer = format!("phases.baseline.iterations={iterations}");
        command.args(SMALL).args(["--set", &longer]).args(arguments);
        command
    }

    /// What it keeps for stores.
    fn keeps(&self) -> usize {
        fs::read_dir(&self.temporary).unwrap().count()
    }
}

/// How it ended, and what it said.
fn ended(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), said)
}

fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    let (code, said) = ended(&output);
    assert_eq!(code, 0, "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Compares folders by their files; what a killed process was putting in place is no file.
fn assert_same(left: &Path, right: &Path) {
    let [left, right] = [left, right].map(|folder| {
        let mut files = contents(folder);
        files.retain(|name, _| !name.contains('#'));
        files
    });
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&left), names(&right));
    for (name, bytes) in &left {
        assert!(bytes == &right[name], "{name} differs");
    }
}

/// Shards go to a store and are merged from there, into it and out of it.
fn shards_are_kept_and_merged(machine: &Machine, root: &Path, address: &str) {
    let whole = root.join("whole");
    done(machine.experiment(200, &["--out", whole.to_str().unwrap()]));
    let out = format!("{address}/{{shard}}");
    let merge = |into: &str| {
        let shards = (1..=3).map(|number| format!("{address}/shard-{number}-of-3"));
        let mut command = machine.runner(&["merge", "--quiet", "--out", into]);
        command.args(shards);
        command
    };
    let merged = format!("{address}/merged");
    for shard in ["3/3", "1/3"] {
        done(machine.experiment(200, &["--shard", shard, "--out", &out]));
    }
    let (code, said) = ended(&merge(&merged).output().unwrap());
    assert_eq!(code, 5, "{said}");
    assert!(said.contains(&format!("`{address}/shard-2-of-3` is empty")), "{said}");
    assert!(said.contains("cells are missing"), "{said}");
    for shard in ["2/3", "2/3", "1/3"] {
        done(machine.experiment(200, &["--shard", shard, "--out", &out]));
    }
    done(merge(&merged));
    let here = root.join("here");
    done(merge(here.to_str().unwrap()));
    assert_same(&here, &whole);
    let again = root.join("again");
    done(machine.runner(&["merge", "--quiet", "--out", again.to_str().unwrap(), &merged]));
    assert_same(&again, &whole);
    let compared = done(machine.runner(&["compare", &merged, "--format", "json"]));
    let whole_compared =
        done(machine.runner(&["compare", whole.to_str().unwrap(), "--format", "json"]));
    assert_eq!(compared.replace("merged", "whole"), whole_compared.replace("merged", "whole"));
    assert_eq!(machine.keeps(), 0, "what is in the store is not kept here");
}
