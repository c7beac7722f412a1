//! `runner world`: what a world is like before anything plays in it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::console::{Cell, Paint, Side, Table, count, name};
use super::error::Error;
use super::exit::Exit;
use super::load::{self, ScenarioArguments};
use super::streams;
use scenario::{Scenario, WorldDescription, Worth};

/// So many actions are listed.
const MOST_LISTED: usize = 20;

/// `runner world`
#[derive(Debug, Clone, Subcommand)]
pub enum WorldCommand {
    /// Print the size of a world, its base rates, and what the best policies can earn in it.
    Describe(DescribeArguments),
}

/// `runner world describe`
#[derive(Debug, Clone, Args)]
pub struct DescribeArguments {
    /// A scenario, or a classification table: CSV, ARFF (.arff) or LIBSVM's (.libsvm, .svm).
    #[arg(value_name = "SCENARIO|TABLE")]
    file: PathBuf,
    /// The column of a table with the class [default: `label`, `class` or `target`, or the last].
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Columns of a table that are not context.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    changes: ScenarioArguments,
}

/// Does what is asked of a world.
pub fn world(command: &WorldCommand) -> Result<Exit, Error> {
    let WorldCommand::Describe(arguments) = command;
    let (title, world) = described(arguments)?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&world).map_err(Error::usage)?;
        streams::print(&format!("{text}\n"))?;
    } else {
        streams::tell(&text(&title, &world))?;
    }
    Ok(Exit::Done)
}

fn described(arguments: &DescribeArguments) -> Result<(String, WorldDescription), Error> {
    let DescribeArguments { file, label, exclude, changes, .. } = arguments;
    if !is_scenario(file) {
        let (world, label) = WorldDescription::of_table(file, label.as_deref(), exclude)?;
        return Ok((format!("{}, class `{label}`", file.display()), world));
    }
    if label.is_some() || !exclude.is_empty() {
        return Err(Error::usage("`--label` and `--exclude` are for a table")
            .help("a scenario says it: `classification: { file: …, label: … }`"));
    }
    let scenario = load::scenario(file, changes)?;
    let plan = match &scenario {
        Scenario::Run(plan) => plan,
        Scenario::Experiment(experiment) => experiment.scenario(),
    };
    Ok((plan.name.clone(), WorldDescription::of(plan)))
}

fn is_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

fn text(title: &str, world: &WorldDescription) -> String {
    let counts = [
        (world.visitors, "visitor"),
        (world.dimensions, "context dimension"),
        (world.features, "feature"),
        (world.actions, "action"),
    ];
    let counts = counts.map(|(number, of)| {
        format!("{} {of}{}", count(number as u64), if number == 1 { "" } else { "s" })
    });
    let head = format!("{}: {}\n\n", Paint::Strong.over(&name(title)), counts.join(", "));
    let rest = match &world.worth {
        Some(worth) => worth_text(worth),
        None => {
            "What a choice is worth depends on what an event offers, or is not known.\n".to_owned()
        }
    };
    head + &rest
}

fn worth_text(worth: &Worth) -> String {
    use Side::{Left, Right};
    let cell = |text: &str| Cell::from(text.to_owned());
    let reward = |value: f64| Cell::from(metrics::rounded(value, 4));
    let mut table = Table::new(&[("policy", Left), ("expected reward", Right), ("", Left)]);
    table.row([cell("the best choice for each visitor"), reward(worth.best), cell("")]);
    let linear = worth.linear.map_or_else(|| cell("not searched"), reward);
    table.row([
        cell("linear in the features of the context"),
        linear,
        cell(if worth.linear.is_some() { "at least" } else { "the world is too large" }),
    ]);
    if let Some(constant) = worth.actions.first() {
        table.row([
            cell("the best constant"),
            reward(constant.reward),
            format!("always `{}`", name(&constant.id)).into(),
        ]);
    }
    table.row([cell("at random, each action as often"), reward(worth.random), cell("")]);
    let mut actions =
        Table::new(&[("action", Left), ("best for", Right), ("always chosen", Right)]);
    for action in worth.actions.iter().take(MOST_LISTED) {
        actions.row([
            Cell::painted(name(&action.id), Paint::Name),
            format!("{:.1} %", 100.0 * action.best_for).into(),
            reward(action.reward),
        ]);
    }
    let more = worth.actions.len().saturating_sub(MOST_LISTED);
    let more = if more > 0 { format!("and {} more\n", count(more as u64)) } else { String::new() };
    format!("{}\n{}{more}", table.text(), actions.text())
}
