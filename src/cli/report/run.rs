use std::path::Path;

use serde_json::Value;

use super::curves::together;
use super::tables::{self, items, json, text};
use super::{Picture, ReportSection};
use crate::cli::charts;
use crate::cli::console::{count, micros};
use metrics::{
    Dimension, LatencySummary, Metric, Operation, PhaseTally, Quantity, SlotMetric, Summary, Tagged,
};
use report::html::{Block, Cell};
use report::{LineChart, LinePoint, LineSeries, Unit};
use results::RunFolder;

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
    if let Some(stopped) = &run.stopped_at {
        let iteration = stopped.iteration.map(|at| format!(", iteration {}", count(at)));
        facts.push(fact("stopped in", stopped.phase.clone() + &iteration.unwrap_or_default()));
    }
    facts
}

/// The numbers of a run: of one that is read back, or of one that goes on.
pub struct RunNumbers {
    /// What it is, for the heading of a chart.
    pub title: String,
    /// Whether latencies are simulated.
    pub simulated: bool,
    /// What happened.
    pub summary: Summary,
    /// The same as `summary.json` has it, with verdicts.
    pub document: Value,
    /// Second by second.
    pub seconds: Vec<SecondNumbers>,
}

/// A second of a run. Latencies are those of Rank, in microseconds.
#[derive(Debug, Clone)]
pub struct SecondNumbers {
    /// When it began, in seconds of the run.
    pub start: f64,
    /// Calls per second.
    pub rate: Option<f64>,
    /// Calls that failed.
    pub errors: Option<f64>,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub max_us: Option<f64>,
}

impl RunNumbers {
    /// The numbers of a run that is read back.
    pub fn of(run: &RunFolder) -> Self {
        Self {
            title: format!("{}, seed {}", run.manifest.scenario, run.manifest.seed),
            simulated: run.manifest.latencies.simulated,
            summary: run.summary(),
            document: json(&run.folder, "summary.json"),
            seconds: seconds(&run.folder),
        }
    }
}

/// The sections of a run alone, after its `result` so far: what it is about comes first, the
/// `success` of a simulation and the calls of a load.
pub fn alone(
    numbers: &RunNumbers,
    result: ReportSection,
    warnings: ReportSection,
    success: Vec<Picture>,
) -> Vec<ReportSection> {
    let RunSections { phases, expectations, evaluation, latency, calls, rank } =
        RunSections::of(numbers, str::to_owned);
    if numbers.simulated {
        let result = result.with_pictures(success);
        let timeline = calls.with_pictures(rank);
        return vec![result, warnings, phases, expectations, evaluation, latency, timeline];
    }
    let result = result.with_pictures(rank);
    let success = ReportSection::drawn("Success", success);
    vec![result, warnings, expectations, latency, calls, phases, success, evaluation]
}

/// The sections of one run in a report of several. `heading` puts the name of the run into the title
/// of each chart.
pub fn one_of_several(
    numbers: &RunNumbers,
    heading: impl Fn(&str) -> String,
) -> Vec<ReportSection> {
    let RunSections { phases, expectations, evaluation, latency, calls, rank } =
        RunSections::of(numbers, heading);
    vec![phases, expectations, evaluation, latency, calls.with_pictures(rank)]
}

/// What is told of every run.
struct RunSections {
    phases: ReportSection,
    expectations: ReportSection,
    evaluation: ReportSection,
    latency: ReportSection,
    /// Calls and errors over time.
    calls: ReportSection,
    /// The latency of Rank over time.
    rank: Vec<Picture>,
}

impl RunSections {
    fn of(numbers: &RunNumbers, heading: impl Fn(&str) -> String) -> Self {
        let RunNumbers { summary, document, seconds, .. } = numbers;
        let expectations = tables::expectations(document).into_iter().collect();
        let timeline = |picture: Option<Picture>| picture.into_iter().collect();
        Self {
            phases: ReportSection::new(heading("Phases"), phases(summary)),
            expectations: ReportSection::new(heading("Expectations"), expectations),
            evaluation: ReportSection::new(
                heading("Offline evaluation"),
                tables::evaluations(document),
            ),
            latency: ReportSection::drawn(heading("Latency"), latency(numbers))
                .followed_by(percentiles(summary)),
            calls: ReportSection::drawn(
                heading("Timeline"),
                timeline(calls_over_time(seconds, &heading)),
            ),
            rank: timeline(rank_over_time(seconds, &heading)),
        }
    }
}

fn phases(summary: &Summary) -> Vec<Block> {
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
            // Of a replay it is not known.
            if phase.rejected() == 0 {
                of(Metric::Regret, Dimension::Reward)
            } else {
                Cell::plain("")
            },
            of(Metric::ExplorationCost, Dimension::Reward),
            of(Metric::Rate, Dimension::PerSecond),
            of(Metric::Errors, Dimension::Count),
        ]
    };
    let iterated = summary.phases().iter().filter(|phase| phase.iterations() > 0);
    let mut blocks = table(&head, iterated.map(row).collect());
    blocks.extend(tags(summary));
    blocks.extend(slots(summary));
    blocks
}

/// The phases together that have a tag in common.
fn tags(summary: &Summary) -> Vec<Block> {
    let head = [
        "tag",
        "phases",
        "iterations",
        "success",
        "mean reward",
        "errors",
        "rank p50",
        "rank p99",
        "reward p99",
    ];
    let row = |group: &Tagged<'_>| {
        let of = |value: Option<f64>, dimension: Dimension| {
            value.map_or(String::new(), |value| Quantity { value, dimension }.to_string())
        };
        let latency = |operation: Operation, at: fn(&LatencySummary) -> u64| {
            let summary = group.latencies(operation).summary();
            summary.map_or(String::new(), |summary| micros(at(&summary)))
        };
        let row = vec![
            format!("{}: {}", group.tag, group.value),
            group.names().collect::<Vec<_>>().join(", "),
            count(group.iterations()),
            of(group.success_rate(), Dimension::Share),
            of(group.mean_reward(), Dimension::Reward),
            count(group.errors()),
            latency(Operation::Rank, |summary| summary.p50_us),
            latency(Operation::Rank, |summary| summary.p99_us),
            latency(Operation::Reward, |summary| summary.p99_us),
        ];
        row.into_iter().map(Cell::plain).collect()
    };
    table(&head, summary.by_tag().iter().map(row).collect())
}

/// The slots of the phases that have some.
fn slots(summary: &Summary) -> Vec<Block> {
    let head = ["phase", "slot", "success", "mean reward", "regret"];
    let row = |phase: &PhaseTally, number: u8| {
        let of = |metric: SlotMetric, dimension: Dimension| {
            let value = phase.measure(Metric::Slot(number, metric), None);
            Cell::plain(
                value.map_or(String::new(), |value| Quantity { value, dimension }.to_string()),
            )
        };
        vec![
            Cell::plain(phase.name()),
            Cell::plain(count(number.into())),
            of(SlotMetric::SuccessRate, Dimension::Share),
            of(SlotMetric::MeanReward, Dimension::Reward),
            of(SlotMetric::Regret, Dimension::Reward),
        ]
    };
    let rows = summary.phases().iter().flat_map(|phase| {
        let numbers = (1..=u8::MAX).take(phase.scope().slots);
        numbers.map(move |number| row(phase, number))
    });
    table(&head, rows.collect())
}

/// A table; nothing without rows.
fn table(head: &[&str], rows: Vec<Vec<Cell>>) -> Vec<Block> {
    let head = head.iter().map(ToString::to_string).collect();
    (!rows.is_empty()).then_some(Block::Table { head, rows }).into_iter().collect()
}

/// The percentiles of each operation, phase by phase.
fn percentiles(summary: &Summary) -> Vec<Block> {
    let of = |phase: &PhaseTally, operation: Operation| {
        let latencies = phase.latencies(operation)?.summary_with(summary.percentiles())?;
        let mut shown = latencies.shown(&[
            ("p50", latencies.p50_us),
            ("p90", latencies.p90_us),
            ("p95", latencies.p95_us),
            ("p99", latencies.p99_us),
            ("p99.9", latencies.p99_9_us),
        ]);
        shown.push(("max".to_owned(), latencies.max_us));
        Some((phase.name().to_owned(), operation.name().to_owned(), latencies.count, shown))
    };
    let phases = summary.phases().iter();
    let all = phases.flat_map(|phase| Operation::ALL.into_iter().map(move |of| (phase, of)));
    let all: Vec<_> = all.filter_map(|(phase, operation)| of(phase, operation)).collect();
    let Some((_, _, _, first)) = all.first() else { return Vec::new() };
    let mut head = vec!["phase", "operation", "calls"];
    head.extend(first.iter().map(|(name, _)| name.as_str()));
    let row = |(phase, operation, calls, shown): &(String, String, u64, Vec<(String, u64)>)| {
        let mut row = vec![phase.clone(), operation.clone(), count(*calls)];
        row.extend(shown.iter().map(|(_, us)| micros(*us)));
        row.into_iter().map(Cell::plain).collect()
    };
    table(&head, all.iter().map(row).collect())
}

fn latency(numbers: &RunNumbers) -> Vec<Picture> {
    let RunNumbers { title, simulated, summary, .. } = numbers;
    if summary.phases().iter().all(|phase| phase.iterations() == 0) {
        return Vec::new();
    }
    let svg = charts::latencies(title.clone(), *simulated, summary);
    vec![Picture { name: "latency".to_owned(), svg, narrow: None, readout: None }]
}

/// The seconds of a run that is read back.
fn seconds(folder: &Path) -> Vec<SecondNumbers> {
    let Ok(mut table) = csv::Reader::from_path(folder.join("timeline.csv")) else {
        return Vec::new();
    };
    let header = table.headers().cloned().unwrap_or_default();
    let column = |name: &str| header.iter().position(|column| column == name);
    let columns = ["rate", "errors", "rank_p50_us", "rank_p99_us", "rank_max_us"].map(column);
    let start = column("start_us");
    let second = |row: csv::StringRecord| {
        let number = |at: Option<usize>| row.get(at?)?.parse::<f64>().ok();
        let [rate, errors, p50_us, p99_us, max_us] = columns.map(number);
        Some(SecondNumbers { start: number(start)? / 1e6, rate, errors, p50_us, p99_us, max_us })
    };
    table.records().map_while(Result::ok).filter_map(second).collect()
}

/// Where nothing happened between two seconds: they are further apart than seconds of this run mostly
/// are.
fn gaps(seconds: &[SecondNumbers]) -> Vec<f64> {
    const FURTHER: f64 = 4.0;
    let pairs = || seconds.windows(2).map(|pair| (pair[0].start, pair[1].start));
    let mut steps: Vec<f64> = pairs().map(|(one, next)| next - one).collect();
    steps.sort_by(f64::total_cmp);
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
    let is_gap = |(one, next): &(f64, f64)| next - one > FURTHER * usual.max(1.0);
    pairs().filter(is_gap).map(|(one, next)| f64::midpoint(one, next)).collect()
}

/// A number of each second, and what it is called.
type Line = (&'static str, fn(&SecondNumbers) -> Option<f64>);

fn calls_over_time(seconds: &[SecondNumbers], heading: impl Fn(&str) -> String) -> Option<Picture> {
    let lines: [Line; 2] = [("calls", |second| second.rate), ("errors", |second| second.errors)];
    let title = heading("Calls and errors a second");
    over_time(seconds, "timeline-calls", title, Unit::PerSecond, &lines)
}

fn rank_over_time(seconds: &[SecondNumbers], heading: impl Fn(&str) -> String) -> Option<Picture> {
    let lines: [Line; 3] = [
        ("p50", |second| second.p50_us.map(milliseconds)),
        ("p99", |second| second.p99_us.map(milliseconds)),
        ("max", |second| second.max_us.map(milliseconds)),
    ];
    let title = heading("Latency of Rank, milliseconds");
    over_time(seconds, "timeline-rank", title, Unit::Milliseconds, &lines)
}

/// A chart of a value in each second of the run; none, if there are no values.
fn over_time(
    seconds: &[SecondNumbers],
    name: &str,
    title: String,
    unit: Unit,
    lines: &[Line],
) -> Option<Picture> {
    let line = |(colour, (name, value)): (usize, &Line)| {
        let point = |second: &SecondNumbers| {
            Some(LinePoint { x: second.start, y: value(second)?, half: None })
        };
        let points: Vec<LinePoint> = seconds.iter().filter_map(point).collect();
        LineSeries { name: (*name).to_owned(), colour, points: thinned(&points), runs: Vec::new() }
    };
    let series = lines.iter().enumerate().map(line).filter(|series| !series.points.is_empty());
    let chart = LineChart {
        title,
        subtitle: "second by second, the worst of those that share a point".to_owned(),
        x_label: "second".to_owned(),
        unit,
        series: together(series),
        levels: Vec::new(),
        breaks: Vec::new(),
        gaps: gaps(seconds),
        parts: Vec::new(),
    };
    (!chart.series.is_empty()).then(|| Picture::of(name.to_owned(), &chart))
}

fn milliseconds(micros: f64) -> f64 {
    micros * 1e-3
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

/// What a reader of a run that is read back must not miss.
pub fn warnings(run: &RunFolder) -> Vec<String> {
    let mut said = run.notes.clone();
    said.extend(warnings_in(&json(&run.folder, "summary.json")));
    said.dedup();
    said
}

/// What a reader of a summary must not miss.
pub fn warnings_in(summary: &Value) -> Vec<String> {
    let mut said: Vec<String> = items(summary, "notices").map(text).collect();
    for phase in items(summary, "phases") {
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
    said
}

fn number(value: &Value) -> String {
    value.as_u64().map_or(String::new(), |times| format!("{times} times"))
}
