//! Every command that writes a file where the user says writes it in the same way.

#![cfg(unix)]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use super::{completed, runner};

/// A command without the name of the file, which comes last.
struct Writer {
    name: &'static str,
    words: Vec<String>,
}

fn writers(run: &Path) -> Vec<Writer> {
    let run = run.to_str().unwrap();
    let log = format!("{run}/log.dsjson");
    let writer = |name, words: &[&str]| Writer {
        name,
        words: words.iter().map(ToString::to_string).collect(),
    };
    vec![
        writer("report", &["report", run, "--out"]),
        writer("export", &["export", run, "--out"]),
        writer("baseline save", &["baseline", "save", run, "--out"]),
        writer("plan", &["plan", "scenarios/baseline.yaml", "--out"]),
        writer("compare --openmetrics", &["compare", run, run, "--openmetrics"]),
        writer("compare --markdown", &["compare", run, run, "--markdown"]),
        writer(
            "evaluate --predictions",
            &["evaluate", &log, "--policy", "mine=--cb_explore_adf", "--predictions"],
        ),
    ]
}

impl Writer {
    fn write(&self, to: &Path) -> Output {
        runner().args(&self.words).arg(to).output().unwrap()
    }

    /// The bytes that a well-made file has.
    fn written(&self, to: &Path) -> Vec<u8> {
        let output = self.write(to);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}: {stderr}", self.name, to.display());
        fs::read(to).unwrap()
    }

    fn is_refused(&self, to: &Path) {
        let output = self.write(to);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(7), "{}: {}: {stderr}", self.name, to.display());
        let named = format!("{}` cannot be written: ", to.display());
        assert_eq!(stderr.matches(&named).count(), 1, "{}: {stderr}", self.name);
    }
}

/// Stdout, links, pipes, devices, folders that are missing and those that are there.
#[test]
fn every_writer_treats_every_kind_of_file_alike() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("run");
    let short = ["--quiet", "--set", "phases.baseline.iterations=600", "--set", "expect=[]"];
    completed(&run, "scenarios/baseline.yaml", &short);
    for (number, writer) in writers(&run).iter().enumerate() {
        let folder = root.path().join(number.to_string());
        let at = |name: &str| folder.join(name);
        // A folder that is missing is made.
        let plain = writer.written(&at("missing/too/plain"));
        assert!(!plain.is_empty(), "{}", writer.name);

        let stdout = writer.write(Path::new("-"));
        assert!(stdout.status.success(), "{}", writer.name);
        let is_there = stdout.stdout.windows(plain.len()).any(|part| part == plain);
        assert!(is_there && !Path::new("-").exists(), "{}: stdout", writer.name);

        for target in ["there", "not-yet"] {
            let link = at(&format!("to-{target}"));
            symlink(target, &link).unwrap();
            assert!(writer.written(&link) == plain, "{}: link", writer.name);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{}", writer.name);
            assert!(fs::read(at(target)).unwrap() == plain, "{}: {target}", writer.name);
        }

        let pipe = at("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut bytes = Vec::new();
                fs::File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            }
        });
        assert!(writer.write(&pipe).status.success(), "{}: pipe", writer.name);
        assert!(reader.join().unwrap() == plain, "{}: pipe", writer.name);
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "{}", writer.name);

        assert!(writer.write(Path::new("/dev/null")).status.success(), "{}", writer.name);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

        let within = at("within");
        fs::create_dir(&within).unwrap();
        writer.is_refused(&within);
        writer.is_refused(&at("there/below-a-file"));
        #[cfg(target_os = "linux")]
        writer.is_refused(Path::new("/sys/file"));

        let mut left: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|of| of.unwrap().file_name()).collect();
        left.sort();
        let expected = ["missing", "not-yet", "pipe", "there", "to-not-yet", "to-there", "within"];
        assert_eq!(left, expected, "{}: nothing is left beside", writer.name);
    }
}
