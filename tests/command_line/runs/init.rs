//! `runner init`: from nothing to a learning curve.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::runner;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    runner().current_dir(folder).args(arguments).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The project's data in a folder of a user.
fn folder_with(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
        fs::copy(from, folder.path().join(Path::new(file).file_name().unwrap())).unwrap();
    }
    folder
}

#[test]
fn own_users_and_actions_make_a_scenario_that_learns() {
    let folder = folder_with(&["users.csv", "coffee.json"]);
    let own = ["init", "--users", "users.csv", "--actions", "coffee.json"];
    let said = done(folder.path(), &own);
    assert!(said.contains("36 visitors, 4 actions"), "{said}");
    assert!(said.contains("run it: runner scenario.yaml"), "{said}");
    done(folder.path(), &["scenario.yaml", "--quiet", "--out", "out"]);
    let summary = fs::read_to_string(folder.path().join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let phases = summary["phases"].as_array().unwrap();
    let validation = phases.iter().find(|phase| phase["name"] == "validation").unwrap();
    assert!(validation["success_rate"].as_f64().unwrap() > 0.7, "{validation}");

    // Nothing is overwritten.
    let again = run(folder.path(), &own);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("`scenario.yaml` exists already"));
}

/// How people write tables: what separates the fields, a mark of the byte order, quotes, names of
/// any script. Three commands lead to a learning curve, and no other file is written by hand.
#[test]
fn a_table_as_spreadsheets_write_it_is_enough_to_learn() {
    let rows = [
        ["Gast", "Wetter", "preferred"],
        ["Zoë", "Sonne", "喫茶 „Mokka“"],
        ["Zoë", "Regen", "Café au lait"],
        ["Ann, B.", "Sonne", "Café au lait"],
        ["Ann, B.", "Regen", "Tee; grün"],
    ];
    for (separator, mark) in [(";", "\u{feff}"), ("\t", ""), (",", "\u{feff}"), (",", "")] {
        let folder = tempfile::tempdir().unwrap();
        let field = |text: &&str| format!("\"{text}\"");
        let line = |row: &[&str; 3]| row.iter().map(field).collect::<Vec<_>>().join(separator);
        let table: Vec<String> = rows.iter().map(line).collect();
        fs::write(folder.path().join("gäste.csv"), format!("{mark}{}\r\n", table.join("\r\n")))
            .unwrap();
        let said = done(folder.path(), &["init", "--users", "gäste.csv"]);
        assert!(said.contains("4 visitors, 3 actions"), "{said}");
        done(folder.path(), &["scenario.yaml", "--quiet", "--out", "out"]);
        assert!(success_of(folder.path(), "validation") > 0.7, "{separator:?} {mark:?}");
        done(folder.path(), &["report", "out"]);
        let actions = fs::read_to_string(folder.path().join("actions.json")).unwrap();
        assert!(actions.contains("\"id\": \"喫茶 „Mokka“\""), "{actions}");

        // The actions are not overwritten.
        let again = run(folder.path(), &["init", "other.yaml", "--users", "gäste.csv"]);
        assert!(text(&again.stderr).contains("use it: `--actions actions.json`"));
        done(
            folder.path(),
            &["init", "o.yaml", "--users", "gäste.csv", "--actions", "actions.json"],
        );
    }
}

fn success_of(folder: &Path, phase: &str) -> f64 {
    let summary = fs::read_to_string(folder.join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let phases = summary["phases"].as_array().unwrap();
    let phase = phases.iter().find(|of| of["name"] == phase).unwrap();
    phase["success_rate"].as_f64().unwrap()
}

/// A log whose columns are called as they often are needs no more; others are named.
#[test]
fn a_log_is_a_world_to_learn_in() {
    let folder = folder_with(&["shop/log.csv"]);
    let named = "action=offer,reward=clicked,probability=probability,context=segment,device";
    let said = done(folder.path(), &["init", "--log", "log.csv"]);
    assert!(said.contains("run it: runner scenario.yaml"), "{said}");
    let scenario = fs::read_to_string(folder.path().join("scenario.yaml")).unwrap();
    assert!(scenario.contains(named) && scenario.contains("play: twin"), "{scenario}");
    assert!(scenario.contains("context: [segment, device]"), "{scenario}");
    done(folder.path(), &["init", "named.yaml", "--log", "log.csv", "--columns", named]);
    done(folder.path(), &["named.yaml", "--quiet", "--out", "out", "--set", "expect=[]"]);

    // A log that is too short for a twin is replayed.
    let log = fs::read_to_string(folder.path().join("log.csv")).unwrap();
    let header = "who;what;p;click\n";
    let rows = log.lines().skip(1).take(60).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        format!("{};{};{};{}\n", fields[0], fields[2], fields[3], fields[4])
    });
    fs::write(folder.path().join("short.csv"), header.to_owned() + &rows.collect::<String>())
        .unwrap();
    let refused = run(folder.path(), &["init", "short.yaml", "--log", "short.csv"]);
    let stderr = text(&refused.stderr);
    assert!(stderr.contains("no column that is known to be the action"), "{stderr}");
    assert!(
        stderr.contains("`who`, `what`, `p`, `click`") && stderr.contains("--columns"),
        "{stderr}"
    );
    let columns = ["--columns", "action=what,reward=click,probability=p,context=who"];
    done(folder.path(), &[&["init", "short.yaml", "--log", "short.csv"], &columns[..]].concat());
    let scenario = fs::read_to_string(folder.path().join("short.yaml")).unwrap();
    assert!(scenario.contains("play: replay") && scenario.contains("iterations: 60"), "{scenario}");
    done(folder.path(), &["short.yaml", "--quiet", "--out", "short", "--set", "expect=[]"]);

    for (log, message) in [
        ("", "has no choices"),
        ("a,1,0.5,x\n", "has no choices"),
        ("what,click,p,whom\na,1,0.5,x\n", "has no column that `context` names"),
    ] {
        fs::write(folder.path().join("odd.csv"), log).unwrap();
        let refused =
            run(folder.path(), &[&["init", "odd.yaml", "--log", "odd.csv"], &columns[..]].concat());
        let stderr = text(&refused.stderr);
        assert!(stderr.contains(&format!("`odd.csv` {message}")), "{stderr}");
        assert!(!folder.path().join("odd.yaml").exists());
    }
}

#[test]
fn records_with_numbers_and_nested_objects_are_understood() {
    let folder = folder_with(&["news/readers.json", "news/articles.json"]);
    fs::create_dir(folder.path().join("scenarios")).unwrap();
    let files = ["--users", "readers.json", "--actions", "articles.json"];
    let said = done(folder.path(), &[&["init", "scenarios/top.yaml"], &files[..]].concat());
    assert!(said.contains("12 actions"), "{said}");
    let scenario = fs::read_to_string(folder.path().join("scenarios/top.yaml")).unwrap();
    assert!(scenario.contains("  - { name: reader.age, type: number }"), "{scenario}");
    assert!(scenario.contains("  - { name: weekend, type: boolean }"), "{scenario}");
    assert!(scenario.contains("users: \"../readers.json\""), "{scenario}");
}

#[test]
fn every_shipped_start_passes_the_check_where_it_was_written() {
    for name in ["tutorial", "news", "load", "experiment", "service"] {
        let folder = tempfile::tempdir().unwrap();
        let said = done(folder.path(), &["init", "--from", name, "try/it.yaml"]);
        // The service needs a key from the environment.
        let is_service = name == "service";
        let before = if is_service { "PERSONALIZER_KEY=… " } else { "" };
        assert!(said.contains(&format!("run it: {before}runner try/it.yaml")), "{said}");
        let mut check = runner();
        check.current_dir(folder.path()).env("PERSONALIZER_KEY", "secret");
        let output = check.args(["check", "try/it.yaml"]).output().unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    }
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = folder_with(&["users.json", "users.csv", "coffee.json"]);
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("no-preferred.csv", "name,weather\nAnn,Sunny\n");
    write("no-list.json", "{}");
    write(
        "tea.json",
        r#"[{"id": "tea", "features": [{"hot": true}]}, {"id": "ice", "features": [{"hot": false}]}]"#,
    );
    let init = |users: &str, actions: &str| {
        let output = run(folder.path(), &["init", "--users", users, "--actions", actions]);
        assert_eq!(output.status.code(), Some(2), "{users}, {actions}");
        assert!(!folder.path().join("scenario.yaml").exists());
        text(&output.stderr)
    };
    for (users, actions, said) in [
        ("users.json", "coffee.json", "`--context NAME1,NAME2,NAME3`"),
        ("no-preferred.csv", "coffee.json", "a CSV file has a column `preferred`"),
        (
            "missing.csv",
            "coffee.json",
            "`missing.csv` cannot be read: it does not exist; nothing in the folder",
        ),
        (
            "user.csv",
            "coffee.json",
            "`user.csv` cannot be read: it does not exist; did you mean `users.csv`?",
        ),
        ("users.csv", "no-list.json", "`no-list.json` is not a JSON list"),
        // What the reader of scenarios finds, at its place in the file.
        ("users.csv", "tea.json", "users.csv:2:"),
    ] {
        let stderr = init(users, actions);
        assert!(stderr.contains(said), "{stderr}");
    }
    let output = run(folder.path(), &["init"]);
    assert!(text(&output.stderr).contains("runner init --from tutorial"));
}

/// Each mistake of a table is told once, before anything is written.
#[test]
fn mistakes_of_a_table_are_told_once_and_leave_nothing() {
    let shape = "a CSV file has a column `preferred` and one for each context dimension; see \
                 `runner guide scenarios`";
    for (table, said, help) in [
        ("", "it is empty", shape),
        ("\n\n", "it is empty", shape),
        ("city;preferred\n", "it has no rows", shape),
        ("preferred\ntea\n", "it has no column of a context: its columns are `preferred`", shape),
        (
            "city\tage\nBerlin\t7\n",
            "it has no column `preferred`: its columns are `city`, `age`",
            shape,
        ),
        (
            "city,Prefered\nBerlin,tea\n",
            "it has no column `preferred`: its columns are `city`, `Prefered`",
            "if `Prefered` is what a visitor prefers, rename it to `preferred`",
        ),
        (
            "city,Action\nBerlin,tea\n",
            "it has no column `preferred`: its columns are `city`, `Action`",
            "if `Action` is what a visitor prefers, rename it to `preferred`",
        ),
        (
            "city:preferred\nBerlin:tea\n",
            "it has no column `preferred`: its columns are `city:preferred`",
            "separate the fields by commas, semicolons, tabs or `|`",
        ),
        (
            "city,preferred\nBerlin,tea\nRome,tea\n",
            "every row prefers `tea`",
            "there must be something to choose: add visitors who prefer other actions, or name all \
             actions: `--actions FILE`",
        ),
        (
            "city;age  group;preferred\nBerlin;young;tea\n",
            "its column `age  group` cannot be a context dimension: a name has no blanks",
            "rename the column in the file, such as `age_group`",
        ),
        (
            "_city,preferred\nBerlin,tea\n",
            "its column `_city` cannot be a context dimension: no part of a name between dots is empty \
             or begins with `_`",
            "rename the column in the file, such as `city`",
        ),
        (
            ",city,preferred\n0,Berlin,tea\n",
            "its column 1 has no name",
            "name it, such as `column_1`, or delete it: pandas writes the numbers of the rows into such \
             a column, unless `index=False`",
        ),
        (
            "city,city,preferred\nBerlin,Rome,tea\n",
            "two of its columns are called `city`",
            "give each column a name of its own",
        ),
        (
            "city,preferred\nRome,tea\nRome,tea,more\nRome,ice\n",
            "line 3 has 3 fields, its header has 2",
            "each row has a field for each column; put texts with separators in quotes",
        ),
        (
            "city,preferred\nRome,tea\nRome,\n",
            "line 3: `` in column `preferred`, expected the name of an action",
            "correct it, or leave the row out",
        ),
        (
            "city,preferred,actions\nRome,tea,tea\nRome,tea,tea\nOslo,ice,ice\nRome,ice,ice\n",
            "2 of its 4 rows have the context of an earlier row",
            "leave one row for each context: `preferred` is what most of its visitors prefer, and \
             `weight` how many there are",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("users.csv"), table).unwrap();
        let output = run(folder.path(), &["init", "--users", "users.csv"]);
        let expected = format!("error: `users.csv`: {said}\nhelp: {help}\n");
        assert_eq!(text(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{said}");
    }
}

/// A table as a shop has it, a row for each visitor, is enough: visitors of one context share a row,
/// and where they differ, what they prefer becomes the probability of a click.
#[test]
fn a_row_for_each_visitor_is_summed_up() {
    let folder = tempfile::tempdir().unwrap();
    // Three of four visitors of a city prefer one drink.
    let row = |number: usize| {
        let (city, drinks) = [("Rome", ["tea", "ice"]), ("Oslo", ["ice", "tea"])][number % 2];
        format!("{city},{}\n", drinks[usize::from(number % 8 < 2)])
    };
    let table = "city,preferred\n".to_owned() + &(0..400).map(row).collect::<String>();
    fs::write(folder.path().join("visits.csv"), table).unwrap();
    let output = run(folder.path(), &["init", "first/mine.yaml", "--users", "visits.csv"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("visits-by-context.csv: 400 rows summed up to 2 contexts"), "{said}");
    let summed = fs::read_to_string(folder.path().join("first/visits-by-context.csv")).unwrap();
    let expected = "city,rewards.ice,rewards.tea,weight\nRome,0.25,0.75,200\nOslo,0.75,0.25,200\n";
    assert_eq!(summed, expected);
    done(folder.path(), &["first/mine.yaml", "--quiet", "--out", "out"]);
    assert!(success_of(folder.path(), "validation") > 0.7);

    // Neither file is overwritten.
    let again = run(folder.path(), &["init", "first/other.yaml", "--users", "visits.csv"]);
    let said = text(&again.stderr);
    assert!(said.contains("use it: `--users first/visits-by-context.csv`"), "{said}");
}

/// What the reader of scenarios refuses is taken back with all that was written beside it.
#[test]
fn a_start_that_is_refused_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.csv"), "city,preferred\nRome,tea,more\nOslo,ice\n")
        .unwrap();
    let output = run(folder.path(), &["init", "--users", "users.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("users.csv:2:1"), "{}", text(&output.stderr));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
