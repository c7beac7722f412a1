//! `--live`: the page of a run or an experiment while it goes on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::charts::ModelHistory;
use super::compare;
use super::error::Error;
use super::exit::Exit;
use super::report::{self, RunNumbers, SecondNumbers};
use super::streams;
use comparison::Designs;
use engine::Stop;
use experiment::Listener;
use live_page::LivePage;
use metrics::{Operation, Second, Summary, Timeline, judge_so_far};
use plan::ClockKind;
use plan::Plan;
use record::{ObserveError, Observer, Progress};
use results::experiment::{CellResult, CellStatus, ExperimentManifest, ExperimentResults};
use results::{Status, SummaryDocument};
use scenario::Experiment;

/// The value of `--live`: an address with a port, an address, or a port of this machine.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let port = text.strip_prefix(':').unwrap_or(text).parse().map(|port| (LOOPBACK, port).into());
    let with_port = text.replace("localhost", "127.0.0.1").parse();
    let alone = text.parse::<IpAddr>().map(|address| (address, 0).into());
    port.or(with_port).or(alone).map_err(|_| {
        "expected an address and a port, such as `127.0.0.1:8090`, or a port of this machine"
            .to_owned()
    })
}

/// A page that is served.
pub struct Served(LivePage);

impl Served {
    fn start(
        address: SocketAddr,
        render: impl Fn() -> ::report::html::Page + Send + 'static,
    ) -> Result<Self, Error> {
        let page = LivePage::start(address, render).map_err(|error| {
            Error::usage(format!("cannot serve the live page on `{address}`: {error}"))
                .help("`--live` without an address takes any free port of this machine")
        })?;
        let url = page.address();
        streams::note(&format!("live page: http://{url}/"));
        if !url.ip().is_loopback() {
            streams::note(&format!(
                "warning: the live page has no key: whoever reaches {url} can read it"
            ));
        }
        Ok(Self(page))
    }

    /// Shows the report of the results until a signal, unless it was one that ended the run.
    fn keep(self, results: &Path, stop: &Stop) -> Result<(), Error> {
        if stop.is_asked() {
            return Ok(());
        }
        self.0.finish(report::html_of(results)?);
        streams::note(&format!("the report stays at http://{}/ until Ctrl-C", self.0.address()));
        world::block_on(stop.asked()).map_err(Error::from)
    }
}

/// How a run `ended`, after its page, if it has one, showed its `results` until a signal.
pub fn conclude(
    page: Option<Served>,
    ended: Result<Exit, Error>,
    results: &Path,
    stop: &Stop,
) -> Result<Exit, Error> {
    let Some(page) = page else { return ended };
    let exit = ended.unwrap_or_else(Error::report);
    page.keep(results, stop)?;
    Ok(exit)
}

/// What is known of a run that goes on.
struct RunState {
    summary: Summary,
    models: ModelHistory,
    timeline: Timeline,
    seconds: Vec<SecondNumbers>,
    phase: usize,
}

/// Observes a run for its page.
pub struct LiveRun(Arc<Mutex<RunState>>);

impl LiveRun {
    /// Serves the page of a run of `plan`, of which `summary` has happened.
    pub fn start(
        address: SocketAddr,
        plan: &Plan,
        summary: &Summary,
    ) -> Result<(Served, Self), Error> {
        let state = Arc::new(Mutex::new(RunState {
            summary: summary.clone(),
            models: ModelHistory::default(),
            timeline: Timeline::default(),
            seconds: Vec::new(),
            phase: 0,
        }));
        let (plan, shared) = (plan.clone(), Arc::clone(&state));
        let served = Served::start(address, move || run_page(&plan, &shared))?;
        Ok((served, Self(state)))
    }
}

impl Observer for LiveRun {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        let mut state = locked(&self.0);
        if let Progress::PhaseStarted(started) = progress {
            state.phase = started.phase;
        }
        state.summary.observe(progress);
        state.models.observe(progress)?;
        if let Progress::PhaseEnded(_) = progress {
            // Each page copies the summary.
            state.summary.compact();
        }
        let seconds = state.timeline.observe(progress);
        state.seconds.extend(seconds.iter().map(second));
        Ok(())
    }
}

/// A panic in one thread does not make the numbers wrong.
fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are out of reach")]
fn second(second: &Second) -> SecondNumbers {
    let rank = second.latencies(Operation::Rank);
    SecondNumbers {
        start: second.start.as_secs_f64(),
        rate: second.rate(),
        errors: Some(second.errors as f64),
        p50_us: rank.quantile_us(0.5).map(|us| us as f64),
        p99_us: rank.quantile_us(0.99).map(|us| us as f64),
        max_us: rank.max_us().map(|us| us as f64),
    }
}

/// The state is copied, so that the run does not wait for the page.
fn run_page(plan: &Plan, state: &Mutex<RunState>) -> ::report::html::Page {
    let (mut summary, models, seconds, phase) = {
        let state = locked(state);
        (state.summary.clone(), state.models.clone(), state.seconds.clone(), state.phase)
    };
    // Its percentiles are asked for again and again.
    summary.compact();
    let tally = &summary.phases()[phase];
    let place = (tally.name(), tally.iterations(), tally.scope().iterations.unwrap_or_default());
    let place = (place.0.to_owned(), place.1, place.2);
    let is_whole = plan.shard.is_none();
    let verdicts = if is_whole { judge_so_far(&plan.expectations, &summary) } else { Vec::new() };
    let document = SummaryDocument {
        scenario: plan.name.clone(),
        seed: plan.seed.0,
        status: Status::Running,
        simulated_latencies: plan.clock == ClockKind::Virtual,
        numbers: summary.report(),
        expectations: verdicts,
    };
    let numbers = RunNumbers {
        title: format!("{}, seed {}", plan.name, plan.seed),
        simulated: plan.clock == ClockKind::Virtual,
        document: serde_json::to_value(document).unwrap_or_default(),
        summary,
        seconds,
    };
    report::run_under_way(plan, &numbers, &models, (&place.0, place.1, place.2))
}

/// What is known of an experiment that goes on.
struct ExperimentState {
    results: ExperimentResults,
    failed: u64,
}

/// Receives the cells of an experiment for its page.
pub struct LiveExperiment(Arc<Mutex<ExperimentState>>);

impl LiveExperiment {
    /// Serves the page of an experiment, of which `results` are there.
    pub fn start(
        address: SocketAddr,
        experiment: &Experiment,
        results: ExperimentResults,
    ) -> Result<(Served, Self), Error> {
        let state = Arc::new(Mutex::new(ExperimentState { results, failed: 0 }));
        let (gates, shared) = (experiment.gates.clone(), Arc::clone(&state));
        let served = Served::start(address, move || {
            let (results, failed) = {
                let state = locked(&shared);
                (state.results.clone(), state.failed)
            };
            let comparison = comparison_so_far(&results, &gates);
            report::experiment_under_way(&results, failed, &comparison)
        })?;
        Ok((served, Self(state)))
    }
}

impl Listener for LiveExperiment {
    fn begin(&mut self, _: usize, _: usize) {}

    fn ended(&mut self, result: Option<&CellResult>) {
        let mut state = locked(&self.0);
        match result {
            None => state.failed += 1,
            Some(result) => {
                state.results.manifest.cells[result.index].status = CellStatus::Complete;
                state.results.cells.push(result.clone());
                state.results.cells.sort_by_key(|cell| cell.index);
            }
        }
    }
}

/// What `comparison.json` would hold. Gates of a planned size are judged at the end; those of a
/// sequential design at its looks, for which the first seeds count, in their order.
fn comparison_so_far(results: &ExperimentResults, gates: &[metrics::Gate]) -> Value {
    let most = results.manifest.until_decided;
    let designs = most.map_or(Designs::default(), |most| Designs::until_decided(gates, most));
    let judged = match most {
        Some(_) => whole_seeds(results),
        None => results.clone(),
    };
    let mut document = compare::of_cells(&judged, gates, &designs);
    if most.is_none() {
        let (done, all) = (results.cells.len(), results.manifest.cells.len());
        document.refuse(&format!("{done} of {all} cells are complete"));
    }
    serde_json::from_slice(&compare::json(&document)).unwrap_or_default()
}

/// The cells of the first seeds of which every cell is complete.
fn whole_seeds(results: &ExperimentResults) -> ExperimentResults {
    let ExperimentManifest { cells, .. } = &results.manifest;
    let blocks = results.manifest.blocks();
    let absent = cells.iter().zip(&blocks).filter(|(cell, _)| cell.status != CellStatus::Complete);
    let end = absent.map(|(_, block)| *block).min().unwrap_or(u64::MAX);
    let mut whole = results.clone();
    whole.cells.retain(|cell| blocks[cell.index] < end);
    whole
}
