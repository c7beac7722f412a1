//! The crates are what ARCHITECTURE.md says they are, and each keeps to what it may know.
//!
//! Which crate uses which is held by the compiler; here stands what it cannot see.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of `src` that are crates.
fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    let members = entries.filter(|path| path.join("Cargo.toml").is_file());
    let mut names: Vec<_> =
        members.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Every Rust file below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The lines of a file that are code, with their numbers.
fn code_lines(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    (1..).zip(text.lines()).filter(|(_, l)| is_code(l)).map(|(n, l)| (n, l.to_owned())).collect()
}

#[test]
fn crates_keep_to_what_they_may_know() {
    let forbidden: [(&[&str], &[&str]); 5] = [
        // Only `clock` reads the time, and the timeout of a child process is the machine's.
        (&["clock", "policy_program"], &["SystemTime::now", "Instant::now"]),
        // Waiting and the network are for the outermost crates.
        (
            &["clock", "store", "engine", "target", "server", "world", "experiment", "live_page"],
            &["tokio::"],
        ),
        (&["target"], &["reqwest::"]),
        // `scenario` reads files, `results` and `export` write them, `store` and `server` keep them.
        (&["store", "scenario", "results", "export", "server"], &["std::fs", "fs::File"]),
        // The population of a run must not depend on the process.
        (&[], &["rand::rng", "thread_rng", "from_os_rng"]),
    ];
    let mut complaints = Vec::new();
    for name in crates() {
        for path in sources(&root().join("src").join(&name).join("src")) {
            for (number, line) in code_lines(&path) {
                let broken = forbidden.iter().find_map(|(allowed, words)| {
                    let word = words.iter().find(|word| line.contains(*word))?;
                    (!allowed.contains(&name.as_str())).then_some(word)
                });
                if let Some(word) = broken {
                    complaints.push(format!(
                        "{}:{number}: `{name}` must not use `{word}`",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_map_in_architecture_md_names_every_crate_once() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for name in crates() {
        let rows = text.matches(&format!("| `{name}` |")).count();
        assert_eq!(rows, 1, "`{name}` stands in {rows} rows");
    }
}

/// `NAME` stands for a file that a change would add.
#[test]
fn the_paths_in_architecture_md_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|words| words.starts_with("src/") || words.starts_with("tests/"));
    let existing = |path: &str| root().join(path.split("NAME").next().unwrap()).exists();
    let missing: Vec<_> = paths.clone().filter(|path| !existing(path)).collect();
    assert!(paths.count() > 10 && missing.is_empty(), "{missing:?}");
}

#[test]
fn the_top_level_holds_what_was_agreed() {
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "scenarios",
        "data",
        "results",
        "README.md",
        "tests",
        "justfile",
        "LICENSE",
        "CHANGELOG.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "target",
    ];
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let stray: Vec<_> = entries
        .map(|name| name.to_str().unwrap().to_owned())
        .filter(|name| !name.starts_with('.') && !agreed.contains(&name.as_str()))
        .collect();
    assert!(stray.is_empty(), "{stray:?}");
}

/// The modules of `src/cli` that the code of one of them names, by `super::` or `crate::cli::`.
fn modules_named(text: &str, prefix: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = |text: &str| text.split(|c| !is_name(c)).next().unwrap().to_owned();
    let after = text.match_indices(prefix).map(|(at, _)| &text[at + prefix.len()..]);
    let named = |rest: &str| match rest.strip_prefix('{') {
        Some(list) => {
            list.split('}').next().unwrap().split(',').map(|of| name(of.trim())).collect()
        }
        None => vec![name(rest)],
    };
    after.flat_map(named).collect()
}

/// The modules of `src/cli`, each with those that it uses.
fn uses_within_cli() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("src/cli");
    let mut uses = BTreeMap::<String, BTreeSet<String>>::new();
    for path in sources(&folder) {
        let parts: Vec<_> = path.strip_prefix(&folder).unwrap().iter().collect();
        let module = Path::new(parts[0]).with_extension("").to_str().unwrap().to_owned();
        let code: Vec<_> = code_lines(&path).into_iter().map(|(_, line)| line).collect();
        let code = code.join("\n");
        let is_nested = parts.len() > 1;
        let names_parent = !is_nested || path.ends_with("mod.rs");
        let parent = if names_parent { modules_named(&code, "super::") } else { Vec::new() };
        let named = parent.into_iter().chain(modules_named(&code, "crate::cli::"));
        uses.entry(module.clone()).or_default().extend(named.filter(|name| *name != module));
    }
    let modules: BTreeSet<_> = uses.keys().cloned().collect();
    uses.values_mut().for_each(|named| named.retain(|name| modules.contains(name)));
    uses.remove("mod");
    uses
}

#[test]
fn no_module_of_the_command_line_uses_itself_through_others() {
    let mut left = uses_within_cli();
    assert!(left["run"].contains("experiment") && left["compare"].contains("console"), "{left:?}");
    loop {
        let free: Vec<_> =
            left.iter().filter(|(_, uses)| uses.is_empty()).map(|(of, _)| of.clone()).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|module, _| !free.contains(module));
        left.values_mut().for_each(|uses| uses.retain(|used| !free.contains(used)));
    }
    assert!(left.is_empty(), "circles among: {left:#?}");
}
