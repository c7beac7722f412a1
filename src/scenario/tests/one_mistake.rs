//! One mistake in a scenario is told once: what depends on something that could not be read is not
//! told.

use std::fs;
use std::path::{Path, PathBuf};

use diagnostic::Report;
use scenario::{LoadOptions, read};

fn mistakes(path: &Path) -> Option<Report> {
    let environment = |name: &str| (name == "PERSONALIZER_KEY").then(|| "a-key".to_owned());
    let options = LoadOptions { allow_paths: true, ..LoadOptions::default() };
    read(path, &options, &environment).err()
}

/// The scenarios that ship, and one with everything that refers to something else.
fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = fs::read_dir(folder.join("../../scenarios")).unwrap();
    let mut paths: Vec<PathBuf> = shipped.map(|entry| entry.unwrap().path()).collect();
    // Those with large worlds, and the twin of a log, take long each time.
    let slow = ["log.yaml", "catalogue.yaml", "many-actions.yaml"];
    let is_quick = |path: &PathBuf| !slow.iter().any(|name| path.ends_with(name));
    paths.retain(|path| path.extension().is_some_and(|of| of == "yaml") && is_quick(path));
    paths.push(folder.join("tests/fixtures/references.yaml"));
    paths.sort();
    paths
}

/// Where the keys of a file are, in bytes.
fn keys(text: &str) -> Vec<std::ops::Range<usize>> {
    let is_of_word = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut keys = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.split(" #").next().unwrap();
        for (at, _) in content.match_indices(": ").chain(content.match_indices(":\n")) {
            let before = &content[..at];
            let word = before.len() - before.trim_end_matches(is_of_word).len();
            let rest = before[..at - word].trim_end();
            let begins = rest.is_empty() || rest.ends_with(['{', ',', '-', '[']);
            if word > 2 && begins && !content.trim_start().starts_with('#') {
                keys.push(line_start + at - word..line_start + at);
            }
        }
        line_start += line.len();
    }
    keys
}

/// The different errors of a report. A name that is used twice is missed twice.
fn messages(report: &Report) -> usize {
    let text = report.render(false);
    let errors = text.lines().filter(|line| line.starts_with("error: "));
    errors.collect::<std::collections::BTreeSet<_>>().len()
}

/// Everything that is wrong with a changed copy of a scenario beside it.
struct Copy {
    path: PathBuf,
    text: String,
}

impl Copy {
    fn of(path: &Path) -> Self {
        let name = format!("one-mistake-{}", path.file_name().unwrap().to_str().unwrap());
        let copy = path.with_file_name(name).with_extension("tmp");
        Self { text: fs::read_to_string(path).unwrap(), path: copy }
    }

    fn mistakes(&self, span: std::ops::Range<usize>, word: &str) -> Option<Report> {
        let mut text = self.text.clone();
        text.replace_range(span, word);
        fs::write(&self.path, text).unwrap();
        mistakes(&self.path)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The test has its result; a copy that stays does not change it.
        _ = fs::remove_file(&self.path);
    }
}

/// Each key of each scenario, misspelt, is at most one error; at most, because some keys are names
/// that a user gave.
#[test]
fn a_misspelt_key_is_one_error() {
    let (mut tried, mut told, mut wrong) = (0, 0, Vec::new());
    for path in scenarios() {
        assert!(mistakes(&path).is_none(), "{}", path.display());
        let copy = Copy::of(&path);
        for key in keys(&copy.text) {
            let word = &copy.text[key.clone()];
            let misspelt = format!("{}{}", &word[..word.len() - 2], &word[word.len() - 1..]);
            tried += 1;
            let Some(report) = copy.mistakes(key.clone(), &misspelt) else { continue };
            told += 1;
            if messages(&report) > 1 {
                wrong.push(format!("{}: `{word}`\n{}", path.display(), report.render(false)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {told} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(told > 300, "{told} of {tried}");
}
