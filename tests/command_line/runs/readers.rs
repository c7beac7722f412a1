//! Every reader of a text that users write reads it the same however it is saved, or says where it
//! cannot.

use std::fs;
use std::path::Path;

use super::runner;

const SCENARIO: &str = "\
version: 1
name: read
datasets: { users: USERS, actions: actions.json }
context: [city]
target: embedded
loop: { learning_policy: \"--cb_explore_adf --epsilon 0.2\" }
phases:
  - iterate: { name: all, iterations: 20 }
";
const USERS: &str = "city,preferred\nRome,tea\nOslo,ice\n";
const USERS_JSON: &str = "{\n  \"Rome\": \"tea\",\n  \"Oslo\": \"ice\"\n}\n";
const ACTIONS: &str = "[\n  { \"id\": \"tea\", \"features\": [{ \"hot\": true }] },\n  \
                       { \"id\": \"ice\", \"features\": [{ \"hot\": false }] }\n]\n";
const LOG: &str = "city,action,reward,probability\nRome,tea,1,0.5\nOslo,ice,1,0.5\nOslo,tea,0,0.5\n\
                   Rome,tea,1,0.5\n";
const LINES: &str = "{\"city\":\"Rome\",\"action\":\"tea\",\"reward\":1,\"probability\":0.5}\n\
                     {\"city\":\"Oslo\",\"action\":\"ice\",\"reward\":0,\"probability\":0.5}\n";
const DSJSON: &str = concat!(
    r#"{"_label_cost":-1,"_label_probability":0.5,"_labelIndex":0,"EventId":"a","a":[1,2],"#,
    r#""c":{"u":{"city":"Rome"},"_multi":[{"id":"tea"},{"id":"ice"}]},"p":[0.5,0.5]}"#,
    "\n",
    r#"{"_label_cost":0,"_label_probability":0.5,"_labelIndex":1,"EventId":"b","a":[2,1],"#,
    r#""c":{"u":{"city":"Oslo"},"_multi":[{"id":"tea"},{"id":"ice"}]},"p":[0.5,0.5]}"#,
    "\n",
);
const COLUMNS: &str = "action=action,reward=reward,probability=probability,context=city";
const COLUMNS_FILE: &str =
    "action: action\nreward: reward\nprobability: probability\ncontext: [city]\n";
const POLICIES: &str =
    "one = --cb_explore_adf --epsilon 0.1\ntwo = --cb_explore_adf --epsilon 0.3\n";
const POLICY: &str = "mine=--cb_explore_adf --epsilon 0.1";
const GATES: &str = "gates:\n  - { metric: log.mean_reward, margin: 0.5 }\n";

/// What reads a file: its name, a text for it, and the command.
struct Reader {
    file: &'static str,
    text: &'static str,
    command: &'static [&'static str],
    /// Whether a file with nothing in it says something.
    may_be_empty: bool,
}

const fn reader(
    file: &'static str,
    text: &'static str,
    command: &'static [&'static str],
) -> Reader {
    Reader { file, text, command, may_be_empty: false }
}

const READERS: [Reader; 12] = [
    reader("csv.yaml", SCENARIO, &["check", "csv.yaml"]),
    reader("users.csv", USERS, &["check", "csv.yaml"]),
    reader("users.json", USERS_JSON, &["check", "json.yaml"]),
    reader("actions.json", ACTIONS, &["check", "csv.yaml"]),
    reader(
        "users.csv",
        USERS,
        &["init", "made.yaml", "--users", "users.csv", "--actions", "actions.json"],
    ),
    reader("log.csv", LOG, &["evaluate", "log.csv", "--columns", COLUMNS, "--quiet"]),
    reader("log.jsonl", LINES, &["evaluate", "log.jsonl", "--columns", COLUMNS, "--quiet"]),
    reader("log.dsjson", DSJSON, &["evaluate", "log.dsjson", "--quiet"]),
    reader(
        "columns.yaml",
        COLUMNS_FILE,
        &["evaluate", "log.csv", "--columns", "columns.yaml", "--quiet"],
    ),
    reader("log.csv", LOG, &["init", "made.yaml", "--log", "log.csv", "--columns", COLUMNS]),
    Reader {
        file: "policies.txt",
        text: POLICIES,
        command: &["evaluate", "log.dsjson", "--policies", "policies.txt", "--quiet"],
        may_be_empty: true,
    },
    reader(
        "gates.yaml",
        GATES,
        &["evaluate", "log.dsjson", "--gates", "gates.yaml", "--policy", POLICY, "--quiet"],
    ),
];

/// The files of all readers.
fn write_all(folder: &Path) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("csv.yaml", &SCENARIO.replace("USERS", "users.csv"));
    write("json.yaml", &SCENARIO.replace("USERS", "users.json"));
    for Reader { file, text, .. } in READERS.iter().filter(|of| of.file != "csv.yaml") {
        write(file, text);
    }
}

/// What the command of a reader prints with these bytes, and its exit code.
fn told(reader: &Reader, bytes: &[u8]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    fs::write(folder.path().join(reader.file), bytes).unwrap();
    let output = runner().current_dir(folder.path()).args(reader.command).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Whether a message names the file and a line, or a byte, of it.
fn names_a_place(file: &str, said: &str) -> bool {
    let after = said.split(file).skip(1).any(|rest| {
        let rest = rest.trim_start_matches('`');
        rest.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    after || said.contains(file) && said.contains(" line ")
}

#[test]
fn a_text_is_read_the_same_however_it_is_saved_or_refused_with_its_place() {
    let mut faults = Vec::new();
    for reader in &READERS {
        let text = reader.text.replace("USERS", "users.csv");
        let plain = told(reader, text.as_bytes());
        if !matches!(plain.0, Some(0 | 3 | 4)) {
            faults.push(format!("{:?} as it stands: {plain:?}", reader.command));
            continue;
        }
        let lines = text.trim_end_matches('\n');
        let same = [
            ("a byte order mark", format!("\u{feff}{text}")),
            ("CRLF", text.replace('\n', "\r\n")),
            ("a mark and CRLF", format!("\u{feff}{}", text.replace('\n', "\r\n"))),
            ("CR at the end", format!("{lines}\r")),
            ("no newline at the end", lines.to_owned()),
            ("blank lines at the end", format!("{text}\n\n")),
        ];
        for (what, changed) in same {
            let found = told(reader, changed.as_bytes());
            if found != plain {
                faults
                    .push(format!("{:?}, {what}: {found:?} instead of {plain:?}", reader.command));
            }
        }
        // In the middle of the last word of the last line but one.
        let middle = text.len() / 2;
        let spoilt =
            |bytes: &[u8]| [&text.as_bytes()[..middle], bytes, &text.as_bytes()[middle..]].concat();
        for (what, changed) in [("a NUL byte", spoilt(b"\0")), ("invalid UTF-8", spoilt(b"\xff"))] {
            let (code, said) = told(reader, &changed);
            let is_told = names_a_place(reader.file, &said);
            if !is_told {
                faults.push(format!("{:?}, {what}: {code:?}: {said}", reader.command));
            }
        }
        let utf16: Vec<u8> = std::iter::once('\u{feff}')
            .chain(text.chars())
            .flat_map(|letter| (letter as u16).to_le_bytes())
            .collect();
        let (code, said) = told(reader, &utf16);
        if code == Some(0) || !said.contains("UTF-16") {
            faults.push(format!("{:?}, UTF-16: {code:?}: {said}", reader.command));
        }
        for (what, changed) in [("nothing", ""), ("blank lines", "\n\r\n  \n")] {
            let (code, said) = told(reader, changed.as_bytes());
            let is_refused =
                code == Some(2) && (said.contains(reader.file) || said.contains("is empty"));
            let is_refused = is_refused || reader.may_be_empty;
            if !is_refused || said.matches("error:").count() > 1 {
                faults.push(format!("{:?}, {what}: {code:?}: {said}", reader.command));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
