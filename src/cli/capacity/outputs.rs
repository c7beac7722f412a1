use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CapacityArguments, Found, Question, Trial, word};
use crate::cli::console::plural;
use crate::cli::error::{Error, not_written};
use crate::cli::output_file;
use metrics::{Dimension, Holds};
use plan::Plan;
use report::{FoundLimit, LimitChart, LimitTrial, Unit, limit_svg};
use results::{is_unwritten, scenario_folder};

/// The folder of a search.
pub struct Outputs {
    folder: PathBuf,
}

/// A row of `capacity.csv`.
#[derive(Serialize)]
struct Row<'a> {
    search: u64,
    value: f64,
    unit: &'a str,
    observed: Option<f64>,
    outcome: &'static str,
    reason: Option<&'a str>,
}

impl Outputs {
    /// A new folder: the one that is named, or the first free one of the scenario.
    pub fn create(out: Option<&Path>, scenario: &str) -> Result<Self, Error> {
        let folder = match out {
            Some(folder) if is_unwritten(folder) => folder.to_owned(),
            Some(folder) => {
                let message = format!("`{}` is not empty", folder.display());
                return Err(Error::usage(message).help("name a new folder with `--out`"));
            }
            None => {
                let root = scenario_folder(Path::new("results"), scenario);
                let numbered = (2..).map(|number: u64| root.join(format!("capacity-{number}")));
                let mut all = std::iter::once(root.join("capacity")).chain(numbered);
                all.find(|folder| is_unwritten(folder)).unwrap_or(root)
            }
        };
        std::fs::create_dir_all(&folder).map_err(|error| not_written(&folder, &error))?;
        Ok(Self { folder })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes every trial as CSV, the curve as a picture, and the scenario.
    pub fn write(
        &self,
        arguments: &CapacityArguments,
        plan: &Plan,
        question: &Question,
        found: &Found,
    ) -> Result<(), Error> {
        let write = |name: &str, text: &str| output_file::write(&self.folder.join(name), text);
        write("scenario.yaml", &plan.source.text)?;
        write("capacity.csv", &csv(question, &found.trials))?;
        write("capacity.svg", &picture(arguments, plan, question, found))
    }
}

fn csv(question: &Question, trials: &[Trial]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for trial in trials {
        let row = Row {
            search: trial.search,
            value: trial.value,
            unit: &question.from.unit,
            observed: trial.observed.map(|observed| observed.value),
            outcome: word(trial.outcome),
            reason: trial.reason.as_deref(),
        };
        writer.serialize(row).expect("memory can be written");
    }
    let bytes = writer.into_inner().expect("memory can be written");
    String::from_utf8(bytes).expect("rows are text")
}

/// What was observed at each value, with the limit.
fn picture(
    arguments: &CapacityArguments,
    plan: &Plan,
    question: &Question,
    found: &Found,
) -> String {
    let observed = || found.trials.iter().filter_map(|trial| Some((trial, trial.observed?)));
    let unit = observed().next().map_or(Unit::PerSecond, |(_, first)| unit(first.dimension));
    let scale = if unit == Unit::Milliseconds { 1e-3 } else { 1.0 };
    let trials = observed().map(|(trial, observed)| LimitTrial {
        value: trial.value,
        observed: observed.value * scale,
        holds: trial.outcome == Holds::Held,
    });
    let limit = found.limit.is_finite().then(|| FoundLimit {
        at: found.limit,
        name: question.from.of(found.limit).to_string(),
        interval: found.interval.map(|interval| (interval.lower, interval.upper)),
    });
    let percent = 100.0 * arguments.confidence.level();
    let grey = found.interval.filter(|_| limit.is_some()).map(|interval| {
        let [lower, upper] = [interval.lower, interval.upper].map(|end| question.from.of(end));
        format!("; grey: the limit at {percent} % confidence, {lower} to {upper}")
    });
    let runs = plural(found.trials.len() as u64, "run");
    let searches = found.limits.len();
    let searches = format!("{searches} search{}", if searches == 1 { "" } else { "es" });
    let unit_of_value = match question.from.unit.as_str() {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    let chart = LimitChart {
        title: format!("{}: {}", plan.name, question.expectation.text()),
        subtitle: format!("{runs} in {searches}{}", grey.unwrap_or_default()),
        x_label: format!("{}{unit_of_value}", question.vary),
        unit,
        trials: trials.collect(),
        threshold: question.expectation.threshold().map(|value| value * scale),
        limit,
    };
    limit_svg(&chart).standalone()
}

fn unit(dimension: Dimension) -> Unit {
    match dimension {
        Dimension::Latency => Unit::Milliseconds,
        Dimension::Share => Unit::Share,
        Dimension::Reward | Dimension::Count | Dimension::PerSecond => Unit::PerSecond,
    }
}
