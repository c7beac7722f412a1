//! `runner init`: a first scenario.

mod log;
mod own;
mod shipped;

use std::fmt::Display;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use self::log::{LogColumns, LogScenario, Play};
use self::own::{FirstScenario, quoted};
use self::shipped::Shipped;
use super::check::content;
use super::console::count;
use super::error::{Error, not_written};
use super::evaluate::Logs;
use super::exit::Exit;
use super::{output_file, streams, text_file};
use diagnostic::{Report, nearest};
use scenario::{
    ByContext, DimensionKind, InferenceError, LoadOptions, UserDimension, by_context,
    infer_dimensions, preferred_actions,
};
use table_log::{OpenQuote, RefusedText};

/// The loop of a first scenario. Rewards are waited for and models exported within a minute, so that
/// a run of eight minutes learns.
const LOOP: &str = "\
loop:
  # So long an event waits for its reward; then it is learned, and served with the next model.
  reward_wait_time: 15s
  model_export_frequency: 15s
  # Vowpal Wabbit's arguments: one choice of five explores; `-q ::` combines all pairs of features.
  learning_policy: \"--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.5 --cb_type mtr -q ::\"
";

/// `runner init`
#[derive(Debug, Clone, Args)]
pub struct InitArguments {
    /// The scenario to write.
    #[arg(value_name = "FILE", default_value = "scenario.yaml")]
    scenario: PathBuf,
    /// Start from a scenario that ships, with its data.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["users", "actions", "log"])]
    from: Option<Shipped>,
    /// Who visits: CSV with a column for each context dimension and `preferred`, or JSON. A table with
    /// a row for each visitor is summed up to one with a row for each context.
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    users: Option<PathBuf>,
    /// What can be chosen: a JSON list of `{id, features}` [default: what the users prefer, written
    /// to `actions.json`].
    #[arg(long, value_name = "FILE", requires = "users")]
    actions: Option<PathBuf>,
    /// The names of the context dimensions, where the users file has none.
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "users")]
    context: Vec<String>,
    /// Logged choices with their rewards and probabilities: CSV, JSON lines or Parquet, plain, gzip or
    /// zstd.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What the columns of the log say, where their names do not:
    /// `action=item,reward=click,probability=p,context=user_*`.
    #[arg(long, value_name = "COLUMNS", requires = "log")]
    columns: Option<String>,
}

/// Writes a scenario, and says how it is run. Nothing is overwritten.
pub fn init(arguments: &InitArguments) -> Result<Exit, Error> {
    let path = &arguments.scenario;
    refuse_existing(path)?;
    if let Some(shipped) = arguments.from {
        write_shipped(path, shipped)?;
        return conclude(path, shipped.variables());
    }
    if let Some(log) = &arguments.log {
        return of_log(arguments, log);
    }
    let (users, actions) = match &arguments.users {
        Some(users) => (users.clone(), arguments.actions.clone()),
        None => ask()?,
    };
    let Some(summed) = sum_up(path, &users)? else {
        return of_users(arguments, &users, actions);
    };
    let written = of_users(arguments, &summed.path, actions);
    match &written {
        Ok(_) => streams::note(&summed.words()),
        Err(_) => remove(&summed.path)?,
    }
    written
}

/// The users with a row for each context, in a file of their own.
struct SummedUsers {
    path: PathBuf,
    contexts: usize,
    rows: usize,
}

impl SummedUsers {
    fn words(&self) -> String {
        let Self { path, contexts, rows } = self;
        format!(
            "{}: {} rows summed up to {} contexts; `weight` is how many visitors a context has",
            path.display(),
            count(*rows as u64),
            count(*contexts as u64)
        )
    }
}

/// If the users file has a row for each visitor, writes a table with a row for each context beside the
/// scenario. Returns `None` if the users file already has a row for each context.
fn sum_up(scenario: &Path, users: &Path) -> Result<Option<SummedUsers>, Error> {
    let text = read(users)?;
    if !matches!(infer_dimensions(&text), Err(InferenceError::Repeated { .. })) {
        return Ok(None);
    }
    let ByContext { table, contexts, rows } =
        by_context(&text).map_err(|error| not_understood(users, &error))?;
    let stem = users.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}-by-context.csv");
    let path = scenario.parent().unwrap_or(Path::new("")).join(name);
    if path.exists() {
        let error = Error::usage(format!("`{}` exists already", path.display()));
        return Err(error.help(format!("use it: `--users {}`", path.display())));
    }
    output_file::write(&path, &table)?;
    Ok(Some(SummedUsers { path, contexts, rows }))
}

/// Writes the scenario of these users.
fn of_users(
    arguments: &InitArguments,
    users: &Path,
    actions: Option<PathBuf>,
) -> Result<Exit, Error> {
    let path = &arguments.scenario;
    let dimensions = dimensions(arguments, users)?;
    let Some(actions) = actions else {
        let actions = write_actions(path, users)?;
        let written = write_own(path, users, &actions, &dimensions);
        match &written {
            Ok(_) => streams::note(&format!(
                "{}: what the users prefer; add features of your own",
                actions.display()
            )),
            Err(_) => remove(&actions)?,
        }
        return written;
    };
    write_own(path, users, &actions, &dimensions)
}

fn write_own(
    path: &Path,
    users: &Path,
    actions: &Path,
    dimensions: &[UserDimension],
) -> Result<Exit, Error> {
    output_file::write(path, &own_scenario(path, users, actions, dimensions)?)?;
    conclude(path, &[])
}

/// Takes back what was written.
fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|error| not_written(path, &error))
}

/// Writes the actions that the users prefer beside the scenario, each with its name as its feature.
fn write_actions(scenario: &Path, users: &Path) -> Result<PathBuf, Error> {
    let actions = preferred_actions(&read(users)?);
    if actions.is_empty() {
        let message = format!("`{}` does not say what the users prefer", users.display());
        return Err(Error::usage(message).help(SHAPE_OF_USERS));
    }
    if let [only] = &actions[..] {
        let message = format!("`{}`: every row prefers `{only}`", users.display());
        let help = "there must be something to choose: add visitors who prefer other actions, or \
                    name all actions: `--actions FILE`";
        return Err(Error::usage(message).help(help));
    }
    let path = scenario.parent().unwrap_or(Path::new("")).join("actions.json");
    if path.exists() {
        let error = Error::usage(format!("`{}` exists already", path.display()));
        return Err(error.help(format!("use it: `--actions {}`", path.display())));
    }
    let action = |name: &String| {
        let name = Value::from(name.as_str());
        format!("  {{ \"id\": {name}, \"features\": [{{ \"name\": {name} }}] }}")
    };
    let actions: Vec<String> = actions.iter().map(action).collect();
    output_file::write(&path, &format!("[\n{}\n]\n", actions.join(",\n")))?;
    Ok(path)
}

/// What a table of users holds.
const SHAPE_OF_USERS: &str = "a CSV file has a column `preferred` and one for each context \
                              dimension; see `runner guide scenarios`";

/// Writes the scenario of a log: its twin, or its replay where no twin gives it back.
fn of_log(arguments: &InitArguments, log: &Path) -> Result<Exit, Error> {
    let path = &arguments.scenario;
    let (header, rows) = table(log)?;
    let columns = arguments.columns.as_deref();
    let mut scenario = LogScenario {
        name: quoted(&scenario_name(path)),
        log: quoted(&relative(path, log)),
        columns: LogColumns::of(&header, &rows, columns).map_err(|mistake| {
            let error = Error::usage(format!("`{}` {}", log.display(), mistake.message));
            error.help(mistake.help)
        })?,
        play: Play::Twin,
    };
    output_file::write(path, &scenario.text())?;
    let options = LoadOptions { allow_paths: true, ..LoadOptions::default() };
    let environment = |name: &str| std::env::var(name).ok();
    if scenario::read(path, &options, &environment).is_err() {
        scenario.play = Play::Replay;
        output_file::write(path, &scenario.text())?;
    }
    conclude(path, &[])
}

/// The columns and the rows of a log, whatever it is written in.
fn table(log: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), Error> {
    let mut mistakes = Report::new();
    let logs = Logs::find(&[log.to_owned()], &mut mistakes);
    if mistakes.has_errors() {
        return Err(mistakes.into());
    }
    logs.table(log).and_then(table_log::texts).map_err(|error| {
        let told = |why: &dyn Display| format!("log `{}` cannot be read: {why}", log.display());
        match RefusedText::of(&error) {
            Some(RefusedText { what, remedy }) => Error::usage(told(what)).help(*remedy),
            None => Error::usage(told(&error))
                .help("expected a table: CSV, JSON lines or Parquet, plain or compressed"),
        }
    })
}

/// Reads what was written as `runner check` does. A scenario with mistakes is removed again.
fn conclude(path: &Path, variables: &[&str]) -> Result<Exit, Error> {
    let set = |name: &str| std::env::var(name).ok();
    let environment =
        |name: &str| set(name).or(variables.contains(&name).then(|| "not set yet".to_owned()));
    let unset = variables.iter().filter(|name| set(name).is_none());
    let before: String = unset.flat_map(|name| [name, "=… "]).collect();
    let shown = path.display();
    match scenario::read(path, &LoadOptions::default(), &environment) {
        Ok((scenario, _)) => {
            let content = content(&scenario);
            streams::tell(&format!("{shown}: {content}\nrun it: {before}runner {shown}\n"))?;
            Ok(Exit::Done)
        }
        Err(mistakes) => {
            remove(path)?;
            Err(mistakes.into())
        }
    }
}

fn refuse_existing(path: &Path) -> Result<(), Error> {
    if path.exists() {
        let error = Error::usage(format!("`{}` exists already", path.display()));
        return Err(error.help("name another file: `runner init FILE`"));
    }
    Ok(())
}

/// Writes the scenario and its data beside it. Data that exist and are the same are kept.
fn write_shipped(path: &Path, shipped: Shipped) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let files: Vec<(PathBuf, &str)> =
        shipped.data().iter().map(|(name, text)| (folder.join(name), *text)).collect();
    let is_other = |path: &Path, text: &str| {
        path.exists() && text_file::read(path).is_ok_and(|found| found != text)
    };
    for (file, text) in &files {
        if is_other(file, text) {
            refuse_existing(file)?;
        }
    }
    for (file, text) in &files {
        output_file::write(file, text)?;
    }
    output_file::write(path, &shipped.scenario())
}

fn own_scenario(
    path: &Path,
    users: &Path,
    actions: &Path,
    dimensions: &[UserDimension],
) -> Result<String, Error> {
    let [users_name, actions_name] = [users, actions].map(|file| quoted(&relative(path, file)));
    let first = FirstScenario {
        name: &quoted(&scenario_name(path)),
        users: &users_name,
        actions: &actions_name,
        dimensions,
        choices: choices(actions)?,
    };
    Ok(first.text())
}

fn read(path: &Path) -> Result<String, Error> {
    text_file::read(path)
        .map_err(|error| Error::usage(format!("`{}` cannot be read: {error}", path.display())))
}

fn dimensions(arguments: &InitArguments, users: &Path) -> Result<Vec<UserDimension>, Error> {
    let given = &arguments.context;
    if !given.is_empty() {
        let text = |name: &String| UserDimension { name: name.clone(), kind: DimensionKind::Text };
        return Ok(given.iter().map(text).collect());
    }
    infer_dimensions(&read(users)?).map_err(|error| not_understood(users, &error))
}

/// A valid name for a context dimension, as close to `name` as possible.
fn dimension_name(name: &str) -> String {
    let joined = name.split_whitespace().collect::<Vec<_>>().join("_");
    let parts = joined.split('.').map(|part| part.trim_start_matches('_'));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(".")
}

/// A users file of which no scenario can be made.
fn not_understood(users: &Path, error: &InferenceError) -> Error {
    let help = match error {
        InferenceError::Unnamed(count) => {
            let names: Vec<String> = (1..=*count).map(|number| format!("NAME{number}")).collect();
            format!("name them, the outermost first: `--context {}`", names.join(","))
        }
        InferenceError::Name(name) => {
            format!("rename the column in the file, such as `{}`", dimension_name(name))
        }
        InferenceError::Nameless(number) => {
            format!(
                "name it, such as `column_{number}`, or delete it: pandas writes the numbers of the \
                 rows into such a column, unless `index=False`"
            )
        }
        InferenceError::Quote(_) => OpenQuote::REMEDY.to_owned(),
        InferenceError::Twice(_) => "give each column a name of its own".to_owned(),
        InferenceError::Repeated { .. } => "leave one row for each context: `preferred` is what \
            most of its visitors prefer, and `weight` how many there are"
            .to_owned(),
        InferenceError::Fields { .. } => {
            "each row has a field for each column; put texts with separators in quotes".to_owned()
        }
        InferenceError::Cell { .. } => "correct it, or leave the row out".to_owned(),
        InferenceError::NoPreference(columns) => remedy_of_no_preference(columns),
        InferenceError::Shape
        | InferenceError::Empty
        | InferenceError::NoRows
        | InferenceError::NoContext(_) => SHAPE_OF_USERS.to_owned(),
    };
    Error::usage(format!("`{}`: {error}", users.display())).help(help)
}

/// The remedy for a table that has no column `preferred`.
fn remedy_of_no_preference(columns: &[String]) -> String {
    const SEPARATORS: [char; 2] = [':', ' '];
    const OTHER_NAMES: [&str; 10] = [
        "preference",
        "favourite",
        "favorite",
        "choice",
        "chosen",
        "action",
        "item",
        "label",
        "class",
        "target",
    ];
    if matches!(columns, [only] if only.contains(SEPARATORS)) {
        return "separate the fields by commas, semicolons, tabs or `|`".to_owned();
    }
    let like = |name: &str| nearest(name, columns.iter().map(String::as_str));
    match like("preferred").or_else(|| OTHER_NAMES.into_iter().find_map(like)) {
        Some(name) => format!("if `{name}` is what a visitor prefers, rename it to `preferred`"),
        None => SHAPE_OF_USERS.to_owned(),
    }
}

/// How many actions a file has; the reader of scenarios says what is wrong with it.
fn choices(actions: &Path) -> Result<usize, Error> {
    let text = read(actions)?;
    let parsed: Result<Vec<Value>, _> = serde_json::from_str(&text);
    parsed.map(|actions| actions.len()).map_err(|error| {
        let message = format!("`{}` is not a JSON list: {error}", actions.display());
        Error::usage(message)
            .help("write `[{ \"id\": \"tea\", \"features\": [{ \"hot\": true }] }]`")
    })
}

/// A name for the scenario: the name of its file, with `-` in place of characters that names cannot
/// contain.
fn scenario_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(letter).collect();
    let name = name.trim_matches('-');
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_name {
        name.to_owned()
    } else {
        format!("scenario-{name}").trim_end_matches('-').to_owned()
    }
}

/// A file as a scenario in its folder names it.
fn relative(scenario: &Path, file: &Path) -> String {
    let folder = scenario.parent().unwrap_or(Path::new(""));
    let inside = file.strip_prefix(folder).map(Path::to_owned);
    let path = inside.unwrap_or_else(|_| {
        let up: PathBuf = folder.components().map(|_| "..").collect();
        if file.is_absolute() || folder.is_absolute() { file.to_owned() } else { up.join(file) }
    });
    path.to_string_lossy().replace('\\', "/")
}

/// Asks for the files: who visits, and what can be chosen, if there is a file of that.
fn ask() -> Result<(PathBuf, Option<PathBuf>), Error> {
    if !io::stdin().is_terminal() {
        let error = Error::usage("nothing to start from");
        return Err(error.help(
            "`runner init --from tutorial`, `runner init --users users.csv`, or `runner init --log clicks.csv`",
        ));
    }
    let users = answer("Who visits? A CSV or JSON file: ")?;
    let users = users.ok_or_else(|| Error::usage("no file was named"))?;
    let actions = answer("What can be chosen? A JSON file, or Enter for what they prefer: ")?;
    Ok((users, actions))
}

/// The file that is answered with; none, if only Enter was pressed.
fn answer(question: &str) -> Result<Option<PathBuf>, Error> {
    eprint!("{question}");
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.map_err(|error| Error::usage(format!("stdin cannot be read: {error}")))?;
    if !line.ends_with('\n') {
        // What follows does not stand behind the question.
        eprintln!();
    }
    Ok(Some(line.trim()).filter(|line| !line.is_empty()).map(PathBuf::from))
}
