use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CapacityArguments, Found, Question, Trial, word};
use crate::cli::error::{Error, not_written};
use crate::cli::output_file;
use metrics::Dimension;
use plan::Plan;
use report::{Layout, LineChart, LinePoint, LineSeries, Unit, line_svg};
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

/// What was observed at each value, with the limit. Beyond some times the threshold the line is
/// cut off: a queue that grows has any latency.
fn picture(
    arguments: &CapacityArguments,
    plan: &Plan,
    question: &Question,
    found: &Found,
) -> String {
    const FURTHEST: f64 = 4.0;
    let threshold = question.expectation.threshold();
    let latency = |trial: &Trial| {
        trial.observed.is_some_and(|observed| observed.dimension == Dimension::Latency)
    };
    let share = |trial: &Trial| {
        trial.observed.is_some_and(|observed| observed.dimension == Dimension::Share)
    };
    let (unit, scale) = if found.trials.iter().any(latency) {
        (Unit::Milliseconds, 1e-3)
    } else if found.trials.iter().any(share) {
        (Unit::Share, 1.0)
    } else {
        (Unit::PerSecond, 1.0)
    };
    let highest = threshold.filter(|_| unit == Unit::Milliseconds).map(|value| value * FURTHEST);
    let mut points: Vec<LinePoint> = found
        .trials
        .iter()
        .filter_map(|trial| {
            let value = trial.observed?.value;
            let y = highest.map_or(value, |highest| value.min(highest)) * scale;
            Some(LinePoint { x: trial.value, y, half: None })
        })
        .collect();
    points.sort_by(|left, right| left.x.total_cmp(&right.x).then(left.y.total_cmp(&right.y)));
    let breaks = found
        .limit
        .is_finite()
        .then(|| (found.limit, format!("limit {}", question.from.of(found.limit))));
    let chart = LineChart {
        title: format!("{}: {}", plan.name, question.expectation.text()),
        subtitle: format!("every run of {} searches", arguments.repeats),
        x_label: format!("{} ({})", question.vary, question.from.unit),
        unit,
        series: vec![LineSeries {
            name: "observed".to_owned(),
            colour: 0,
            points: mean_by_x(&points),
            runs: Vec::new(),
        }],
        levels: threshold
            .map(|value| (value * scale, "threshold".to_owned()))
            .into_iter()
            .collect(),
        breaks: breaks.into_iter().collect(),
        gaps: Vec::new(),
        parts: Vec::new(),
    };
    line_svg(&chart, Layout::WIDE).standalone()
}

/// Points at one place become their mean.
fn mean_by_x(points: &[LinePoint]) -> Vec<LinePoint> {
    let same = |left: &LinePoint, right: &LinePoint| left.x.total_cmp(&right.x).is_eq();
    let mean = |chunk: &[LinePoint]| {
        let mut moments = statistics::Moments::default();
        chunk.iter().for_each(|point| moments.add(point.y));
        LinePoint { x: chunk[0].x, y: moments.mean().unwrap_or(f64::NAN), half: None }
    };
    points.chunk_by(same).map(mean).collect()
}
