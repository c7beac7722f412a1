use std::path::Path;

use serde_json::Value;

use super::tables::{self, items, json, text};
use super::{Picture, ReportSection};
use crate::cli::charts;
use crate::cli::console::{count, micros};
use metrics::{Dimension, Metric, Operation, PhaseTally, Quantity};
use report::html::{Block, Cell};
use report::{LineChart, LinePoint, LineSeries, Unit};
use results::{self, RunFolder};

/// What a run was, in a few facts.
pub fn facts(run: &RunFolder) -> Vec<(String, String)> {
    let manifest = &run.manifest;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![
        fact("seed", manifest.seed.to_string()),
        fact("called", format!("{}, {} clock", manifest.target, manifest.clock)),
        fact("iterations", count(run.records.len() as u64)),
        fact("plan", manifest.plan_digest.clone()),
    ];
    if !manifest.overrides.is_empty() {
        facts.push(fact("changed by", manifest.overrides.join(" ")));
    }
    if let Some(stopped) = &run.stopped_at {
        let iteration = stopped.iteration.map(|at| format!(", iteration {}", count(at)));
        facts.push(fact("stopped in", stopped.phase.clone() + &iteration.unwrap_or_default()));
    }
    facts
}

/// The sections of a run; `heading` names the run where there are several.
pub fn sections(run: &RunFolder, heading: impl Fn(&str) -> String) -> Vec<ReportSection> {
    let summary = json(&run.folder, "summary.json");
    vec![
        ReportSection::new(heading("Phases"), vec![phases(run)]),
        ReportSection::new(
            heading("Expectations"),
            tables::expectations(&summary).into_iter().collect(),
        ),
        ReportSection::new(heading("Offline evaluation"), tables::evaluations(&summary)),
        ReportSection::drawn(heading("Latency"), vec![latency(run)])
            .followed_by(vec![percentiles(run)]),
        ReportSection::drawn(heading("Timeline"), timeline(&run.folder)),
    ]
}

fn phases(run: &RunFolder) -> Block {
    let head = [
        "phase",
        "iterations",
        "success",
        "mean reward",
        "regret",
        "exploration cost",
        "calls/s",
        "errors",
    ];
    let summary = run.summary();
    let row = |phase: &PhaseTally| {
        let of = |metric: Metric, dimension: Dimension| {
            let value = phase.measure(metric, None);
            Cell::plain(
                value.map_or(String::new(), |value| Quantity { value, dimension }.to_string()),
            )
        };
        vec![
            Cell::plain(phase.name()),
            Cell::plain(count(phase.iterations())),
            of(Metric::SuccessRate, Dimension::Share),
            of(Metric::MeanReward, Dimension::Reward),
            of(Metric::Regret, Dimension::Reward),
            of(Metric::ExplorationCost, Dimension::Reward),
            of(Metric::Rate, Dimension::PerSecond),
            of(Metric::Errors, Dimension::Count),
        ]
    };
    let iterated = summary.phases().iter().filter(|phase| phase.iterations() > 0);
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: iterated.map(row).collect() }
}

/// The percentiles of each operation, phase by phase.
fn percentiles(run: &RunFolder) -> Block {
    let head = ["phase", "operation", "calls", "p50", "p90", "p95", "p99", "p99.9", "max"];
    let summary = run.summary();
    let row = |phase: &PhaseTally, operation: Operation| {
        let latencies = phase.latencies(operation)?.summary()?;
        let times = [
            latencies.p50_us,
            latencies.p90_us,
            latencies.p95_us,
            latencies.p99_us,
            latencies.p99_9_us,
            latencies.max_us,
        ];
        let mut row = vec![phase.name().to_owned(), operation.name().to_owned()];
        row.push(count(latencies.count));
        row.extend(times.map(micros));
        Some(row.into_iter().map(Cell::plain).collect())
    };
    let phases = summary.phases().iter();
    let rows = phases.flat_map(|phase| {
        Operation::ALL.into_iter().filter_map(move |operation| row(phase, operation))
    });
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}

fn latency(run: &RunFolder) -> Picture {
    let manifest = &run.manifest;
    let title = format!("{}, seed {}", manifest.scenario, manifest.seed);
    let simulated = manifest.latencies.simulated;
    let svg = charts::latencies(title, simulated, &run.summary());
    Picture { name: "latency".to_owned(), svg, narrow: None, readout: None }
}

/// What happened second by second, of the whole run.
fn timeline(folder: &Path) -> Vec<Picture> {
    let Ok(mut table) = csv::Reader::from_path(folder.join("timeline.csv")) else {
        return Vec::new();
    };
    let header = table.headers().cloned().unwrap_or_default();
    let rows: Vec<csv::StringRecord> = table.records().map_while(Result::ok).collect();
    let column = |name: &str, scale: f64| -> Vec<LinePoint> {
        let find = |name: &str| header.iter().position(|column| column == name);
        let (Some(start), Some(value)) = (find("start_us"), find(name)) else { return Vec::new() };
        let number = |row: &csv::StringRecord, at: usize| row.get(at)?.parse::<f64>().ok();
        let point = |row: &csv::StringRecord| {
            let (x, y) = (number(row, start)? / 1e6, number(row, value)? * scale);
            Some(LinePoint { x, y, half: None })
        };
        thinned(&rows.iter().filter_map(point).collect::<Vec<_>>())
    };
    let chart = |title: &str, unit: Unit, lines: &[(&str, &str, f64)]| {
        let line = |(colour, (name, of, scale)): (usize, &(&str, &str, f64))| LineSeries {
            name: (*name).to_owned(),
            colour,
            points: column(of, *scale),
            runs: Vec::new(),
        };
        let series = lines.iter().enumerate().map(line);
        LineChart {
            title: title.to_owned(),
            subtitle: "second by second, the worst of those that share a point".to_owned(),
            x_label: "second".to_owned(),
            unit,
            series: series.filter(|series| !series.points.is_empty()).collect(),
            levels: Vec::new(),
            breaks: Vec::new(),
        }
    };
    let calls = [("calls", "rate", 1.0), ("errors", "errors", 1.0)];
    let rank =
        [("p50", "rank_p50_us", 1e-3), ("p99", "rank_p99_us", 1e-3), ("max", "rank_max_us", 1e-3)];
    let charts = [
        ("timeline-calls", chart("Calls and errors a second", Unit::PerSecond, &calls)),
        ("timeline-rank", chart("Latency of Rank, milliseconds", Unit::Milliseconds, &rank)),
    ];
    let drawn = charts.into_iter().filter(|(_, chart)| !chart.series.is_empty());
    drawn.map(|(name, chart)| Picture::of(name.to_owned(), &chart)).collect()
}

/// So many points a line, each the highest of its neighbours.
const MOST_POINTS: usize = 400;

fn thinned(points: &[LinePoint]) -> Vec<LinePoint> {
    let together = points.len().div_ceil(MOST_POINTS).max(1);
    let highest = |points: &[LinePoint]| {
        points.iter().copied().reduce(|high, other| if other.y > high.y { other } else { high })
    };
    points.chunks(together).filter_map(highest).collect()
}

/// What a reader of a run must not miss.
pub fn warnings(run: &RunFolder) -> Vec<String> {
    let summary = json(&run.folder, "summary.json");
    let mut said = run.notes.clone();
    match results::notices(&run.folder) {
        Ok(notices) => said.extend(notices),
        Err(error) => said.push(error.to_string()),
    }
    for phase in items(&summary, "phases") {
        let name = text(&phase["name"]);
        let why = phase["saturation"].as_str();
        said.extend(why.map(|why| format!("phase {name}: {why}")));
        let dropped = phase["dropped"].as_u64().filter(|dropped| *dropped > 0);
        said.extend(
            dropped.map(|dropped| format!("phase {name}: {dropped} iterations were dropped")),
        );
        let errors = phase["errors"].as_object().into_iter().flatten();
        said.extend(errors.map(|(kind, times)| format!("phase {name}: {kind}, {}", number(times))));
    }
    said.dedup();
    said
}

fn number(value: &Value) -> String {
    value.as_u64().map_or(String::new(), |times| format!("{times} times"))
}
