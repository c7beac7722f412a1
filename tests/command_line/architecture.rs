//! The house stands as `src/lib.rs` and ARCHITECTURE.md say it does.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, ground floor first, as `src/lib.rs` declares them.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    lib.lines().filter_map(name).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
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

/// The rooms that a line of code names as `crate::room`.
fn rooms_named(line: &str) -> Vec<String> {
    let word = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    line.split("crate::").skip(1).map(word).filter(|word| !word.is_empty()).collect()
}

/// Where, in which room, a file of `src` stands; none for `main.rs` and `lib.rs`.
fn room_of(path: &Path) -> Option<String> {
    let relative = path.strip_prefix(root().join("src")).unwrap().to_owned();
    let mut parts = relative.components();
    let first = parts.next()?.as_os_str().to_str()?.to_owned();
    parts.next().map(|_| first)
}

/// What `broken` says of every line of code of every room.
fn complaints(broken: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in sources(&root().join("src")) {
        let Some(room) = room_of(&path) else { continue };
        for (number, line) in code_lines(&path) {
            if let Some(why) = broken(&room, &line) {
                complaints.push(format!("{}:{number}: {why}", path.display()));
            }
        }
    }
    complaints
}

#[test]
fn every_folder_is_a_room_and_every_room_a_folder() {
    let mut declared = rooms();
    declared.sort();
    let entries = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    folders.sort();
    assert_eq!(declared, folders);
}

#[test]
fn a_room_uses_rooms_above_it_and_never_below() {
    let rooms = rooms();
    let floor = |room: &str| rooms.iter().position(|other| other == room);
    let complaints = complaints(|room, line| {
        let below = |used: &String| floor(used).is_none_or(|used| used > floor(room).unwrap());
        let used = rooms_named(line).into_iter().find(below)?;
        Some(format!("`{room}` must not use `{used}`"))
    });
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn rooms_keep_to_what_they_may_know() {
    let forbidden: [(&[&str], &[&str]); 5] = [
        // Only `clock` reads the time.
        (&["clock"], &["SystemTime::now", "Instant::now"]),
        // Waiting and the network are for the rooms at the rim.
        (&["clock", "store", "engine", "target", "cli", "learning_loop"], &["tokio::"]),
        (&["target"], &["reqwest::"]),
        // Files are read by scenario, written by results, sent by store; cli names them.
        (&["store", "scenario", "results", "cli"], &["std::fs", "fs::File"]),
        // The population of a run must not depend on the process.
        (&[], &["rand::rng", "thread_rng", "from_os_rng"]),
    ];
    let complaints = complaints(|room, line| {
        let broken = forbidden.iter().find_map(|(allowed, words)| {
            let word = words.iter().find(|word| line.contains(*word))?;
            (!allowed.contains(&room)).then_some(word)
        })?;
        Some(format!("`{room}` must not use `{broken}`"))
    });
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_map_in_architecture_md_is_the_house() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut at = 0;
    for room in rooms() {
        let found = text[at..].find(&format!("| `{room}` |"));
        at += found.unwrap_or_else(|| panic!("`{room}` is missing or out of order"));
    }
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
        "target",
    ];
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let stray: Vec<_> = entries
        .map(|name| name.to_str().unwrap().to_owned())
        .filter(|name| !name.starts_with('.') && !agreed.contains(&name.as_str()))
        .collect();
    assert!(stray.is_empty(), "{stray:?}");
}
