//! `runner evaluate` on tables, and policies whose probabilities are known.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::tools;

const COLUMNS: &str =
    "action=item,reward=click,probability=p,context=user_*,features=item_*,id=id,time=at";
const VW: &str = "vw=--cb_explore_adf --epsilon 0.2 -q ::";
const LINEAR: [&str; 3] =
    ["ucb={lin_ucb: {alpha: 1.0}}", "ts={lin_ts: {samples: 4}}", "beta={thompson: {samples: 4}}"];

fn evaluate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(folder).arg("evaluate").args(arguments).env("NO_COLOR", "1");
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(folder: &Path, arguments: &[&str]) -> Value {
    let output = evaluate(folder, &[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = evaluate(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{}", stderr(&output));
    stderr(&output)
}

/// A row: what a table and a DSJSON line say alike.
struct Row {
    id: usize,
    item: usize,
    click: u32,
    probability: f64,
    age: usize,
    city: &'static str,
}

const PRICES: [f64; 3] = [1.5, 2.0, 0.25];

/// The logging policy prefers the first item in one city, and the last in the other.
fn rows(count: usize) -> Vec<Row> {
    let row = |id: usize| {
        let city = ["x y", "x:y"][id * 7 % 3 % 2];
        let item = [0, 1, 2, if city == "x y" { 0 } else { 2 }][id * 5 % 4];
        let preferred = item == if city == "x y" { 0 } else { 2 };
        let click = u32::from(id * 11 % 10 < if preferred { 6 } else { 3 });
        let probability = if preferred { 0.5 } else { 0.25 };
        Row { id, item, click, probability, age: id * 13 % 40, city }
    };
    (0..count).map(row).collect()
}

const NAMES: [&str; 8] = ["id", "item", "click", "p", "user_age", "user_city", "item_price", "at"];

fn time(row: &Row) -> String {
    format!("2026-01-{:02}T00:00:00Z", 1 + row.id / 100)
}

fn table(rows: &[Row], separator: char) -> String {
    let mut text = NAMES.join(&separator.to_string()) + "\n";
    for row in rows {
        let Row { id, item, click, probability, age, city } = row;
        let fields = [
            format!("e{id}"),
            format!("i{item}"),
            click.to_string(),
            probability.to_string(),
            age.to_string(),
            city.to_string(),
            PRICES[*item].to_string(),
            time(row),
        ];
        text += &(fields.join(&separator.to_string()) + "\n");
    }
    text
}

fn json_lines(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let Row { id, item, click, probability, age, city } = row;
        let object = json!({
            "id": format!("e{id}"), "item": format!("i{item}"), "click": click, "p": probability,
            "user_age": age, "user_city": city, "item_price": PRICES[*item], "at": time(row),
        });
        writeln!(text, "{object}").unwrap();
    }
    text
}

/// The lines that VW reads.
fn dsjson(rows: &[Row]) -> String {
    let mut text = String::new();
    let actions: Vec<Value> = (0..3)
        .map(|item| {
            let id = format!("i{item}");
            json!({"_tag": id, "i": {"constant": 1, "id": id}, "j": [{"item_price": PRICES[item]}]})
        })
        .collect();
    let actions = Value::from(actions);
    for row in rows {
        let Row { id, item, click, probability, age, city } = row;
        let cost = -i64::from(*click);
        let ranking: Vec<usize> = (0..3).map(|place| (item + place) % 3 + 1).collect();
        let at = time(row);
        writeln!(
            text,
            r#"{{"_label_cost":{cost},"_label_probability":{probability},"_labelIndex":{item},"Timestamp":"{at}","EventId":"e{id}","a":{ranking:?},"c":{{"FromUrl":[{{"user_age":{age},"user_city":"{city}"}}],"_multi":{actions}}}}}"#
        )
        .unwrap();
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The oracle is VW's format: what its lines give is tested against VW itself.
#[test]
fn a_table_gives_what_dsjson_lines_of_the_same_content_give() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows = rows(400);
    let (first, second) = rows.split_at(150);
    for (name, bytes) in [
        ("log.dsjson", dsjson(&rows).into_bytes()),
        ("comma.csv", table(&rows, ',').into_bytes()),
        ("semicolon.csv", table(&rows, ';').into_bytes()),
        ("tab.tsv", table(&rows, '\t').into_bytes()),
        ("lines.jsonl", json_lines(&rows).into_bytes()),
        ("table.csv.gz", gzip(table(&rows, ',').as_bytes())),
        ("first.csv", table(first, ',').into_bytes()),
        ("second.jsonl", json_lines(second).into_bytes()),
    ] {
        fs::write(here.join(name), bytes).unwrap();
    }
    let keys = "action: item\nreward: click\nprobability: p\ncontext: user_*\nfeatures: item_*\n\
                id: id\ntime: at\n";
    fs::write(here.join("columns.yaml"), keys).unwrap();
    let options = ["-p", VW, "-p", LINEAR[0], "-p", LINEAR[1], "-p", LINEAR[2], "--window", "1d"];
    let expected = report(here, &[&["log.dsjson"][..], &options].concat());
    assert_eq!(expected["log"]["events"], 400);
    for (logs, columns, threads) in [
        (&["comma.csv"][..], COLUMNS, "1"),
        (&["semicolon.csv"], COLUMNS, "3"),
        (&["tab.tsv"], COLUMNS, "2"),
        (&["lines.jsonl"], COLUMNS, "2"),
        (&["table.csv.gz"], "columns.yaml", "2"),
        (&["first.csv", "second.jsonl"], COLUMNS, "2"),
    ] {
        let table = ["--columns", columns, "--threads", threads];
        let found = report(here, &[logs, &options, &table].concat());
        for part in ["policies", "breakdowns", "log"] {
            assert_eq!(found[part], expected[part], "{logs:?}: {part}");
        }
    }
    // By a feature, where the table has a column and the line a key.
    let by = |log: &str, more: &[&str]| {
        report(here, &[&[log, "-p", VW, "--by", "user_city"], more].concat())["breakdowns"].clone()
    };
    assert_eq!(by("comma.csv", &["--columns", COLUMNS]), by("log.dsjson", &[]));
}

/// A CSV reader takes everything up to the next quote as part of the field: whole rows would be lost.
#[test]
fn a_quote_without_end_is_named_in_a_log_and_in_a_file_of_users() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let header = "item,click,p,city\n";
    let rows = "tea,1,0.5,x\nmilk,0,0.5,\"y\ntea,0,0.5,\"z\"\n";
    fs::write(here.join("log.csv"), format!("{header}{rows}")).unwrap();
    fs::write(here.join("first.csv"), format!("{header}tea,1,0.5,x\n")).unwrap();
    let columns = "action=item,reward=click,probability=p,context=city";
    let arguments = ["first.csv", "log.csv", "--columns", columns, "--policy", VW];
    // A log that cannot be read to its end is incomplete.
    let output = evaluate(here, &arguments);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{message}");
    assert!(message.contains("log.csv: the quote at line 3, column 12 has no end"), "{message}");
    assert!(message.contains("close it") && message.matches("error:").count() == 1, "{message}");
    fs::write(here.join("users.csv"), "who,preferred\nann,tea\n\"bob,milk\n").unwrap();
    let mut init = Command::new(env!("CARGO_BIN_EXE_runner"));
    let init = init.current_dir(here).args(["init", "--users", "users.csv", "mine.yaml"]);
    let message = stderr(&init.output().unwrap());
    assert!(message.contains("`users.csv`: the quote at line 3, column 1 has no end"), "{message}");
    assert!(!here.join("mine.yaml").exists());
}

#[test]
fn times_that_cannot_be_read_are_counted_and_the_first_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows: Vec<String> = (0..40)
        .map(|row| {
            let at = ["2026-01-03T00:00:00Z", "yesterday", "", "1767398400"][row % 4];
            format!("{},{},0.5,{at}\n", ["tea", "milk"][row % 2], row % 3 % 2)
        })
        .collect();
    fs::write(here.join("log.csv"), format!("item,click,p,at\n{}", rows.concat())).unwrap();
    let columns = "action=item,reward=click,probability=p,time=at";
    let arguments = ["log.csv", "--columns", columns, "--policy", VW];
    let of = |more: &[&str]| {
        let output = evaluate(here, &[&arguments, more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let remark = "20 events have no time that can be read, the first at log.csv:3";
    let text = of(&["--window", "1d"]);
    assert!(text.contains(remark), "{text}");
    assert!(!of(&[]).contains("no time"), "times are not wanted");
}

#[test]
fn the_actions_are_those_of_the_table_of_a_list_of_a_catalogue_or_of_each_row() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows = rows(200);
    fs::write(here.join("log.csv"), table(&rows, ',')).unwrap();
    fs::write(here.join("items.csv"), "item,item_price\ni0,1.5\ni1,2\ni2,0.25\n").unwrap();
    let listed = table(&rows, ',').lines().enumerate().fold(String::new(), |text, (line, row)| {
        text + row + if line == 0 { ",offered\n" } else { ",i0|i1|i2\n" }
    });
    fs::write(here.join("offers.csv"), listed).unwrap();
    let of = |log: &str, columns: &str| {
        report(here, &[log, "--columns", columns, "-p", VW])["policies"].clone()
    };
    let expected = of("log.csv", COLUMNS);
    let plain = "action=item,reward=click,probability=p,context=user_*,id=id";
    assert_eq!(of("log.csv", &format!("{plain},catalogue=items.csv")), expected);
    assert_eq!(of("offers.csv", &format!("{plain},features=item_*,actions=offered")), expected);
    // Without features of actions, a list says the same as the table.
    assert_eq!(of("log.csv", &format!("{plain},actions=i0,i1,i2")), of("log.csv", plain));
    // With a list, a table may come from a pipe.
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    let columns = format!("{plain},actions=i0,i1,i2");
    command.current_dir(here).args(["evaluate", "-", "--columns", &columns, "-p", VW]);
    let log = fs::File::open(here.join("log.csv")).unwrap();
    let output = command.args(["--format", "json"]).stdin(log).output().unwrap();
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(piped["policies"], of("log.csv", plain));
}

#[test]
fn candidates_are_judged_by_what_is_written_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows = rows(400);
    let (mut log, mut beside) = (String::new(), "i0,i1,i2\n".to_owned());
    let mut sum = 0.0;
    for (line, text) in table(&rows, ',').lines().enumerate() {
        let Some(row) = line.checked_sub(1).map(|index| &rows[index]) else {
            writeln!(log, "{text},p_mine,p_list,p:i0,p:i1,p:i2").unwrap();
            continue;
        };
        let pmf = if row.age > 20 { [0.5, 0.25, 0.25] } else { [0.0, 0.5, 0.5] };
        let [a, b, c] = pmf;
        writeln!(log, r#"{text},{},"[{a}, {b}, {c}]",{a},{b},{c}"#, pmf[row.item]).unwrap();
        writeln!(beside, "{a},{b},{c}").unwrap();
        sum += pmf[row.item] / row.probability * f64::from(row.click);
    }
    fs::write(here.join("log.csv"), log).unwrap();
    fs::write(here.join("beside.csv"), &beside).unwrap();
    let gates = "gates:\n  - { metric: log.mean_reward, margin: 0.9, policies: mine }\n";
    fs::write(here.join("gates.yaml"), gates).unwrap();
    let found = report(
        here,
        &[
            "log.csv",
            "--columns",
            COLUMNS,
            "--candidate",
            "mine=p_mine",
            "--candidate",
            "list=p_list",
            "--candidate",
            "columns=p:{action}",
            "--candidate",
            "file=beside.csv",
            "--candidate",
            "first=always:i0",
            "--gates",
            "gates.yaml",
        ],
    );
    let policies = found["policies"].as_array().unwrap();
    let names: Vec<_> = policies[3..].iter().map(|policy| policy["name"].clone()).collect();
    assert_eq!(names, ["mine", "list", "columns", "file", "first"]);
    for policy in &policies[3..7] {
        let ips = policy["whole"]["estimates"]["ips"]["value"].as_f64().unwrap();
        assert!((ips - sum / 400.0).abs() < 1e-12, "{policy}");
        assert_eq!(policy["source"], "logged");
    }
    // The policy that always takes the first action is the row that every evaluation has.
    assert_eq!(policies[7]["whole"]["estimates"], policies[1]["whole"]["estimates"]);
    assert_eq!(found["gates"][0]["outcome"], "pass");
    // One that cannot be used ends no other, and is named with its line.
    let broken = beside.replacen("0,0.5,0.5", "0,0.5,0.9", 1);
    let line = 1 + broken.lines().position(|row| row == "0,0.5,0.9").unwrap();
    fs::write(here.join("broken.csv"), broken).unwrap();
    let output = evaluate(
        here,
        &[
            "log.csv",
            "--columns",
            COLUMNS,
            "--candidate",
            "bad=broken.csv",
            "--candidate",
            "mine=p_mine",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    let expected =
        format!("policy `bad` was not judged: log.csv:{line}: its probabilities sum to 1.4");
    assert!(told.contains(&expected), "{told}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nmine "));
}

#[test]
fn without_probabilities_they_are_estimated_and_nothing_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("log.csv"), table(&rows(400), ',')).unwrap();
    let gates = "gates:\n  - { metric: log.mean_reward, margin: 0.9 }\n";
    fs::write(here.join("gates.yaml"), gates).unwrap();
    let columns = "action=item,reward=click,context=user_*";
    let output =
        evaluate(here, &["log.csv", "--columns", columns, "-p", VW, "--gates", "gates.yaml"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("the probabilities are estimated by how often"), "{text}");
    assert!(text.contains(" estimated ") && !text.contains(" better"), "{text}");
    assert!(text.contains("not judged: the probabilities are estimated"), "{text}");
    // What a model expects of its choices stands beside, by its name.
    assert!(text.contains("direct method") && text.contains("corrects the model"), "{text}");
    let told = report(here, &["log.csv", "--columns", columns, "-p", VW]);
    let policies = told["policies"].as_array().unwrap();
    let vw = policies.iter().find(|policy| policy["name"] == "vw").unwrap();
    let direct = vw["whole"]["estimates"]["direct_method"]["value"].as_f64().unwrap();
    assert!((-0.5..1.5).contains(&direct), "{direct}");
    // With probabilities there is no need for it.
    let output = evaluate(here, &["log.csv", "--columns", COLUMNS, "-p", VW]);
    assert!(!String::from_utf8(output.stdout).unwrap().contains("direct method"));
}

/// Every mistake at its place, with what was found and what to do.
#[test]
fn mistakes_in_columns_are_told_at_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("log.csv"), table(&rows(60), ',')).unwrap();
    fs::write(here.join("bad.yaml"), "action: item\nreward: click\npropability: p\n").unwrap();
    fs::write(here.join("twice.csv"), "a,a,r\n1,2,3\n").unwrap();
    fs::write(here.join("wide.csv"), "x,y\n1,2\n").unwrap();
    fs::write(here.join("log.parquet"), b"PAR1\x15\x04").unwrap();
    let good = "action=item,reward=click,probability=p";
    let with = |more: &str| format!("{good},{more}");
    for (arguments, parts) in [
        (
            vec!["log.csv", "--columns", "action=itm,reward=click,probability=p"],
            vec!["`log.csv` has no column `itm`", "--columns:1:8", "did you mean `item`?"],
        ),
        (
            vec!["log.csv", "--columns", &with("context=visitor_*")],
            vec!["no column of `log.csv` matches `visitor_*`", "--columns:1:48", "`user_age`"],
        ),
        (
            vec!["log.csv", "--columns", "bad.yaml"],
            vec!["unknown key `propability`", "bad.yaml:3:1", "did you mean `probability`?"],
        ),
        (vec!["log.csv", "--columns", "none.yaml"], vec!["`none.yaml` does not exist"]),
        (vec!["log.csv", "--columns", "action=item"], vec!["`reward`", "--columns:1:1"]),
        (
            vec!["twice.csv", "--columns", "action=a,reward=r"],
            vec!["two columns of `twice.csv` are called `a`", "rename"],
        ),
        (
            vec!["log.csv", "--columns", good, "--candidate", "mine=p_mine"],
            vec!["`log.csv` has no column `p_mine`", "--candidate:1:6"],
        ),
        (
            vec!["log.csv", "--columns", good, "--candidate", "p_mine"],
            vec!["a candidate has a name and a column", "`NAME=COLUMN`"],
        ),
        (
            vec!["log.csv", "--columns", good, "--candidate", "all=q_{action}"],
            vec!["no column of `log.csv` matches `q_{action}`"],
        ),
        (
            vec!["log.csv", "--columns", good, "--candidate", "x=p", "-p", "x=--cb_explore_adf"],
            vec!["two policies are called `x`"],
        ),
        (
            vec!["log.csv", "--columns", good, "--candidate", "x=wide.csv"],
            vec!["no column of `wide.csv` is named by an action"],
        ),
        (
            vec!["log.csv", "--columns", good, "--by", "user_cty"],
            vec!["`log.csv` has no column `user_cty`", "did you mean"],
        ),
        (vec!["-", "--columns", good], vec!["stdin is read once", "`catalogue`"]),
        (
            vec!["log.csv", "--columns", &with("catalogue=none.csv")],
            vec!["the catalogue `none.csv` cannot be read"],
        ),
        (vec!["log.csv"], vec!["log.csv` has 61 lines and no event", "--columns action=COLUMN"]),
    ] {
        let told = refused(here, &arguments);
        for part in parts {
            assert!(told.contains(part), "{arguments:?}: no {part} in\n{told}");
        }
    }
}

#[test]
fn rows_that_are_no_events_are_dropped_with_their_place_and_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let bad = [
        "e,a,many,0.5",
        "e,a,1,1.5",
        "e,a,1,",
        "e,,1,0.5",
        "e,a,1",
        "e,zzz,1,0.5",
        "e,a,inf,0.5",
        "e,a,1,0",
    ];
    let columns = "action=item,reward=click,probability=p,actions=a,b";
    let header = "id,item,click,p";
    let good = "e,a,1,0.5\ne,b,0,0.5\n".repeat(40);
    fs::write(here.join("log.csv"), format!("{header}\n{good}{}\n", bad.join("\n"))).unwrap();
    let output = evaluate(here, &["log.csv", "--columns", columns]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "80 events of 2 actions",
        "1 line dropped: it has another number of fields than the header; first at log.csv:86:1",
        "1 line dropped: it names no action; first at log.csv:85:3",
        "1 line dropped: it has an action that is not in the list; first at log.csv:87:3: found `zzz`",
        "2 lines dropped: it has a reward that is not a finite number; first at log.csv:82:5: found `many`",
        "3 lines dropped: it has a probability that is not a number in (0, 1]; first at log.csv:83:7: found `1.5`",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    // A reward that is not there yet is no mistake, and neither learned nor judged.
    fs::write(here.join("late.csv"), format!("{header}\n{good}e,a,,0.5\n")).unwrap();
    let found = report(here, &["late.csv", "--columns", columns]);
    assert_eq!((&found["log"]["events"], &found["log"]["unlabelled"]), (&json!(80), &json!(1)));
    // Nothing but mistakes: the first three reasons.
    fs::write(here.join("none.csv"), format!("{header}\n{}\n", bad.join("\n"))).unwrap();
    let told = refused(here, &["none.csv", "--columns", columns]);
    let expected = "log `none.csv` has 8 lines and no event: 2:5 has a reward that is not a finite \
                    number: found `many`; 3:7 has a probability that is not a number in (0, 1]: found \
                    `1.5`; 5:3 names no action";
    assert!(told.contains(expected), "{told}");
    fs::write(here.join("empty.csv"), header).unwrap();
    assert!(refused(here, &["empty.csv", "--columns", columns]).contains("the log is empty"));
}

/// What people's tools write in place of a table, of numbers or of times, and what is said of it.
#[test]
fn odd_tables_are_read_or_refused_with_one_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let good = "item,click,p\na,1,0.5\nb,0,0.5\n".to_owned() + &"a,1,0.5\nb,0,0.5\n".repeat(40);
    let columns = "action=item,reward=click,probability=p";
    let refused_of = |name: &str, bytes: &[u8]| {
        fs::write(here.join(name), bytes).unwrap();
        let output = evaluate(here, &[name, "--columns", columns]);
        assert!(!output.status.success(), "{name}");
        stderr(&output)
    };
    for (name, bytes, parts) in [
        ("x.bz2", &b"BZh91AY&SY"[..], ["compressed by bzip2, not text", "bunzip2"]),
        ("x.xlsx", b"PK\x03\x04\x14\0\x06\0", ["a spreadsheet, not text", "save the sheet as CSV"]),
        ("x.feather", b"ARROW1\0\0", ["an Arrow file, not text", "CSV or Parquet"]),
        (
            "x.csv",
            b"# exported\nitem,click,p\na,1,0.5\n",
            ["has none of the columns `item`", "is `# exported`"],
        ),
        ("x.csv", b"item click p\na 1 0.5\n", ["has none of the columns `item`", "between commas"]),
        (
            "x.csv",
            b"a,1,0.5\nb,0,0.5\n",
            ["has none of the columns", "first line must name the columns"],
        ),
        ("x.csv", b"\xffitem,click,p\n", ["first line is not UTF-8", "save the file in UTF-8"]),
        (
            "cut.csv.gz",
            &gzip(good.as_bytes())[..60],
            ["gzip data end too early", "copy the file again"],
        ),
        ("x.csv", b"item;click;p\na;1;0,5\n", ["found `0,5`", "write a point"]),
        ("x.csv", b"item,click,p\na,1,50%\n", ["found `50%`", "0.5 for 50 %"]),
        ("x.csv", b"item,click,p\na,1,-0.69\n", ["found `-0.69`", "of a logarithm take `exp(x)`"]),
        ("x.csv", b"item,click,p\na,yes,0.5\n", ["found `yes`", "write 1 and 0"]),
    ] {
        let told = refused_of(name, bytes);
        for part in parts {
            assert!(told.contains(part), "{name}: no {part} in\n{told}");
        }
        assert_eq!(told.matches("error:").count(), 1, "{told}");
    }
    // What is read all the same: bars, a list with an empty end, and days.
    fs::write(here.join("good.csv"), &good).unwrap();
    let expected = &report(here, &["good.csv", "--columns", columns])["policies"];
    fs::write(here.join("bars.csv"), good.replace(',', "|")).unwrap();
    assert_eq!(&report(here, &["bars.csv", "--columns", columns])["policies"], expected);
    let listed = good.replace("0.5\n", "0.5,a|b|\n").replace("p\n", "p,all\n");
    fs::write(here.join("listed.csv"), listed).unwrap();
    let with_list = format!("{columns},actions=all");
    assert_eq!(&report(here, &["listed.csv", "--columns", &with_list])["policies"], expected);
    let dated = good.replace("0.5\n", "0.5,2026-01-03\n").replace("p\n", "p,at\n");
    fs::write(here.join("dated.csv"), dated).unwrap();
    let output = evaluate(
        here,
        &["dated.csv", "--columns", &format!("{columns},time=at"), "--window", "1d"],
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("no time that can be read"));
    // Rows that say the same action twice, or write one action in two ways.
    let twice = good.replace("0.5\n", "0.5,a|b|a\n").replace("p\n", "p,all\n");
    fs::write(here.join("twice.csv"), twice).unwrap();
    let told = refused(here, &["twice.csv", "--columns", &with_list]);
    assert!(told.contains("does not list the actions that could be chosen, each once"), "{told}");
    assert!(told.contains("help: write a list in JSON, or ids separated by `|`"), "{told}");
    fs::write(here.join("alike.csv"), good.replacen("\na,1", "\nA ,1", 3)).unwrap();
    let told = stderr(&evaluate(here, &["alike.csv", "--columns", columns]));
    assert!(told.contains("`A ` and `a` are two actions"), "{told}");
}

/// A program and linear policies on a log of Vowpal Wabbit's format; one that is broken, beside
/// others.
#[cfg(unix)]
#[test]
fn policies_of_every_kind_are_replayed_event_by_event() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("log.dsjson"), dsjson(&rows(60))).unwrap();
    let program = r#"echo '{"type":"hello","name":"x"}'; read -r line
while read -r line; do case "$line" in
  *'"rank"'*) printf '%s\n' "$line" >> ranked; echo '{"probabilities":[0.25,0.5,0.25]}' ;;
  *'"learn"'*) printf '%s\n' "$line" >> learned; echo '{"ok":true}' ;;
  *'"end"'*) exit 0 ;;
esac; done"#;
    fs::write(here.join("mine.sh"), program).unwrap();
    fs::write(here.join("bad.sh"), "exit 3").unwrap();
    let mine = "mine={command: [sh, mine.sh]}";
    let predictions = ["--predictions", "predictions.jsonl"];
    let options = [&["log.dsjson", "-p", mine, "-p", LINEAR[0]][..], &predictions].concat();
    let found = report(here, &options);
    let policies = found["policies"].as_array().unwrap();
    assert_eq!(policies[3]["arguments"], r#"{"command":["sh","mine.sh"],"timeout":"5000ms"}"#);
    assert!(policies[3]["whole"]["estimates"]["dr"].is_null());
    let lines = |name: &str| {
        let text = fs::read_to_string(here.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let (ranked, learned) = (lines("ranked"), lines("learned"));
    assert_eq!((ranked.len(), learned.len()), (60, 60));
    assert_eq!(ranked[7]["id"], "e7");
    assert_eq!(ranked[7]["context"]["user_age"], 7 * 13 % 40);
    assert_eq!(ranked[7]["actions"][2], json!({"id": "i2", "features": {"item_price": 0.25}}));
    let event = &learned[7]["events"][0];
    assert_eq!(
        (&event["id"], &event["reward"]),
        (&json!("e7"), &json!(f64::from(rows(60)[7].click)))
    );
    let predicted = lines("predictions.jsonl");
    assert_eq!(
        (&predicted[0]["policy"], &predicted[0]["pmf"]),
        (&json!("mine"), &json!([0.25, 0.5, 0.25]))
    );
    let output = evaluate(here, &["log.dsjson", "-p", "bad={command: [sh, bad.sh]}", "-p", VW]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("policy `bad` was not judged: log.dsjson:1:"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nvw "));
}

/// Rows whose columns have nothing to do with each other, but for the reward: which item is liked
/// depends on the city alone.
fn drawn(count: usize) -> Vec<Row> {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let draw = |id: usize, what: u64| {
        let state = (id as u64 * 8 + what).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((state ^ (state >> 31)) % 1000).unwrap()
    };
    let row = |id: usize| {
        let city = ["north", "south"][draw(id, 0) % 2];
        let item = draw(id, 1) % 3;
        let is_liked = item == if city == "north" { 0 } else { 2 };
        let click = u32::from(draw(id, 2) < if is_liked { 600 } else { 200 });
        Row { id, item, click, probability: 1.0 / 3.0, age: draw(id, 3) % 40, city }
    };
    (0..count).map(row).collect()
}

#[test]
fn leaving_out_a_feature_that_matters_is_shown_to_cost_and_noise_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows = drawn(2000);
    fs::write(here.join("log.csv"), table(&rows, ',')).unwrap();
    fs::write(here.join("log.dsjson"), dsjson(&rows)).unwrap();
    let options = ["-p", "vw=--cb_explore_adf --epsilon 0.1 -q Fi", "--importance", "vw"];
    let found = report(here, &[&["log.csv", "--columns", COLUMNS][..], &options].concat());
    let features = found["importance"]["features"].as_array().unwrap();
    let level = |feature: &str| {
        let found = features.iter().find(|found| found["feature"] == feature).unwrap();
        (found["importance"].clone(), found["change"]["shown"].clone())
    };
    assert_eq!(features.len(), 3, "{features:?}");
    assert_eq!(features[0]["feature"], "context.user_city");
    assert_eq!(level("context.user_city"), (json!("high"), json!("worse")));
    assert_ne!(level("action.item_price").0, "high");
    // As on lines of the same content, and as by hand: a table without the column.
    let lines = report(here, &[&["log.dsjson"][..], &options].concat());
    assert_eq!(lines["importance"], found["importance"]);
    let fewer = COLUMNS.replace("user_*", "user_age");
    let value =
        |of: &Value| of["policies"][3]["whole"]["estimates"]["cressie_read"]["value"].as_f64();
    let by_hand = report(here, &[&["log.csv", "--columns", &fewer][..], &options[..2]].concat());
    let change = features[0]["change"]["difference"]["value"].as_f64().unwrap();
    assert!((value(&by_hand).unwrap() - value(&found).unwrap() - change).abs() < 1e-9);
    // Linear policies lose features as well; in the contract's field by how much they matter.
    let columns = COLUMNS.replace("features=item_*,", "");
    let linear = ["-p", LINEAR[0], "--importance", "ucb", "--columns", &columns];
    let output = evaluate(here, &[&["log.csv", "--format", "contract"][..], &linear].concat());
    let contract: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(contract["featureImportance"][0][0], "context.user_city", "{contract}");
    let told = refused(here, &["log.csv", "--columns", COLUMNS, "-p", VW, "--importance", "wv"]);
    assert!(
        told.contains("`--importance wv` is none") && told.contains("name one of: vw"),
        "{told}"
    );
}

/// Open Bandit Dataset, as the Python package `obp` ships a sample of it: what the policies of
/// the men's campaign would have earned in each other's place, against what they did earn, and
/// against the numbers of `obp`.
#[test]
fn policies_of_the_open_bandit_dataset_are_found_in_each_others_logs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("target/obd/unpacked").exists() {
        return tools::missing("the sample of the Open Bandit Dataset", "`tests/obd/install`");
    }
    let folder = tempfile::tempdir().unwrap();
    let script = root.join("tests/obd/candidates.py");
    let output = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let known: Value = serde_json::from_slice(&output.stdout).unwrap();
    for policy in ["random", "bts"] {
        let log = format!("{policy}.csv");
        let options = [&*log, "--columns", "obd", "--candidate", "other=p_other"];
        let found = report(folder.path(), &options);
        assert_eq!(found["log"]["events"], 10_000);
        assert_eq!(found["log"]["actions"], json!([34, 34]));
        let estimates = &found["policies"][3]["whole"]["estimates"];
        let other = known[policy]["other"].as_f64().unwrap();
        let interval = &estimates["cressie_read"];
        let [lower, upper] = ["lower", "upper"].map(|end| interval[end].as_f64().unwrap());
        assert!(lower <= other && other <= upper, "{policy}: {other} in {interval}");
        if known[policy]["obp"].is_null() {
            return tools::missing("pandas or scikit-learn", "`python3 -m pip install mabwiser`");
        }
        for estimator in ["ips", "snips"] {
            let (ours, theirs) = (&estimates[estimator]["value"], &known[policy]["obp"][estimator]);
            let gap = ours.as_f64().unwrap() - theirs.as_f64().unwrap();
            assert!(gap.abs() < 1e-8, "{policy} {estimator}: {ours} {theirs}");
        }
    }
}

const NESTED: &str =
    "action=item,reward=click,probability=p,context=user.*,features=price,id=id,time=at";

#[test]
fn an_object_that_is_named_as_a_column_is_told_with_its_keys() {
    let here = &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let columns = "action=item,reward=click,probability=p,context=user";
    let stderr = refused(here, &["log.jsonl", "--columns", columns]);
    assert!(stderr.contains("`user` is an object: `user.*` names all its keys"), "{stderr}");
}

/// The oracle is pyarrow, which wrote both files (`tests/tables/write.py`).
#[cfg(feature = "parquet")]
#[test]
fn a_parquet_table_gives_what_json_lines_of_the_same_content_give() {
    let here = &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let options = ["--columns", NESTED, "-p", VW, "-p", LINEAR[0], "--window", "1d"];
    let of = |logs: &[&str]| report(here, &[logs, &options].concat());
    let expected = of(&["log.jsonl"]);
    assert_eq!(expected["log"]["events"], 300);
    assert_eq!(of(&["log.parquet"]), expected);
    let both = [of(&["log.parquet", "log.jsonl"]), of(&["log.jsonl", "log.parquet"])];
    for part in ["policies", "breakdowns"] {
        assert_eq!(both[0][part], both[1][part], "{part}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn what_is_wrong_with_a_parquet_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let whole = include_bytes!("../tables/log.parquet");
    fs::write(here.join("log.parquet"), whole).unwrap();
    fs::write(here.join("part.parquet"), &whole[..whole.len() / 2]).unwrap();
    let mut damaged = whole.to_vec();
    damaged[100..400].fill(0);
    fs::write(here.join("damaged.parquet"), damaged).unwrap();
    let cases = [
        ("part.parquet", NESTED, "part.parquet: it cannot be read as Parquet: "),
        ("damaged.parquet", NESTED, "damaged.parquet: it cannot be read as Parquet: "),
        ("log.parquet", "action=itme,reward=click,probability=p", "did you mean `item`?"),
        ("log.parquet", "action=item,reward=user.city,probability=p", "is it the right column?"),
    ];
    for (log, columns, message) in cases {
        let output = evaluate(here, &[log, "--columns", columns]);
        let stderr = stderr(&output);
        assert!(!output.status.success() && stderr.contains(message), "{log}: {stderr}");
    }
    let message = refused(here, &["log.parquet"]);
    assert!(message.contains("say what its columns are"), "{message}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_names_the_feature() {
    let here = &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let output = evaluate(here, &["log.parquet", "--columns", NESTED]);
    let stderr = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("build it with `--features parquet`"), "{stderr}");
}

#[test]
fn a_file_without_columns_is_told_with_what_its_first_line_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let columns = ["--columns", "action=item,reward=click,probability=p,context=user"];
    let arguments = [&["log.csv"], &columns[..]].concat();
    for (log, parts, errors) in [
        ("", ["`log.csv` names no column", "its first line must name the columns"], 1),
        (
            "a,1,0.5,x\n",
            [
                "`log.csv` has none of the columns `item`, `click`, `p`",
                "and is `a`, `1`, `0.5`, `x`",
            ],
            1,
        ),
    ] {
        fs::write(folder.path().join("log.csv"), log).unwrap();
        let message = refused(folder.path(), &arguments);
        assert_eq!(message.matches("error:").count(), errors, "{message}");
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
