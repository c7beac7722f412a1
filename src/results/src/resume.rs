//! Going on with a run that ended early.
//!
//! A run on the virtual clock is made once more from its start, and must repeat what is
//! there. Any other run goes on behind the last iteration that was recorded: what is
//! derived from the iterations is made anew of them, what was told once is kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::files::{Existing, end_of_whole_rows, naming};
use super::growing::WhatIsThere;
use super::journal;
use super::manifest::{Manifest, PhaseEntry, Status};
use super::place::{Claim, CreateError};
use super::read::{self, ReadError, RunFolder};
use super::redact;
use super::writer::{Origin, Results};
use protocol::Evaluation;
use record::{IterationRecord, ObserveError, Observer, PhaseRecord, PhaseStarted, Progress};
use scenario::Plan;
use scenario::plan::{ClockKind, TargetPlan};
use shard::Shard;

/// Why a run cannot be resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The folder cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder cannot be taken.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] ObserveError),
    /// There is nothing left to do.
    #[error("the run in `{}` is complete", .0.display())]
    Complete(PathBuf),
    /// The plan is another one.
    #[error("`{}` holds a run of another plan\n{difference}", folder.display())]
    OtherPlan {
        /// The folder.
        folder: PathBuf,
        /// What differs, a line each.
        difference: String,
    },
    /// The loop is gone.
    #[error("the loop inside ended with its process, and its clock was the machine's")]
    LoopIsGone,
}

/// A folder that is going on, and where its run does.
pub struct Resumed {
    /// The folder.
    pub results: Results,
    /// The phase.
    pub phase: usize,
    /// The first iteration of it to be made.
    pub iteration: u64,
    /// Iterations of it before this one may have been sent.
    pub maybe_sent: u64,
    /// What the service said before the change that the phase waits for.
    pub awaited: Option<String>,
}

impl Results {
    /// Goes on with the run in `folder`, which must be one of `plan`.
    ///
    /// # Errors
    /// When there is nothing to go on with, the plan is another one, or the folder cannot
    /// be used.
    pub fn resume(plan: &Plan, folder: &Path, origin: &Origin) -> Result<Resumed, ResumeError> {
        let left = read::read(folder)?;
        if left.is_under_way {
            return Err(CreateError::Locked(folder.to_owned()).into());
        }
        if left.manifest.complete {
            return Err(ResumeError::Complete(folder.to_owned()));
        }
        if left.manifest.plan_digest != plan.digest || left.manifest.shard != plan.shard {
            let difference = difference(plan, &left);
            return Err(ResumeError::OtherPlan { folder: folder.to_owned(), difference });
        }
        let claim = Claim::take_back(folder)?;
        sweep(folder)?;
        match (&plan.target, plan.clock) {
            (_, ClockKind::Virtual) => repeat(plan, claim, origin, &left),
            (TargetPlan::Embedded(_) | TargetPlan::Served(_), ClockKind::Wall) => {
                Err(ResumeError::LoopIsGone)
            }
            (TargetPlan::Http(_), ClockKind::Wall) => go_on(plan, claim, &left, origin),
        }
    }
}

/// A process that was killed may have left files it was about to put in place.
fn sweep(folder: &Path) -> Result<(), ObserveError> {
    let entries = fs::read_dir(folder).map_err(naming(folder))?;
    let left = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(".writing-")
    };
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(left);
    paths.try_for_each(|path| fs::remove_file(&path).map_err(naming(&path)))
}

/// From the start again. A run that was killed left a part of what comes; one that was
/// stopped ended its last batch and closed its loop, so its files come anew.
fn repeat(
    plan: &Plan,
    claim: Claim,
    origin: &Origin,
    left: &RunFolder,
) -> Result<Resumed, ResumeError> {
    let was_killed = left.manifest.status == Status::Running;
    let all = if was_killed { Existing::Repeated } else { Existing::Dropped };
    let there = WhatIsThere { events: all, told: all, derived: all };
    let manifest = Manifest::of(plan, origin);
    let results = Results::begin(plan, claim, manifest, there)?;
    Ok(Resumed { results, phase: 0, iteration: 0, maybe_sent: 0, awaited: None })
}

fn go_on(
    plan: &Plan,
    claim: Claim,
    left: &RunFolder,
    origin: &Origin,
) -> Result<Resumed, ResumeError> {
    let sent = journal::read(&claim.folder);
    drop_torn_row(&claim.folder)?;
    let there = WhatIsThere {
        events: Existing::Repeated,
        told: Existing::Kept,
        derived: Existing::Dropped,
    };
    let mut manifest = left.manifest.clone();
    (manifest.status, manifest.stopped_at) = (Status::Running, None);
    manifest.wall_clock.resumed.push(origin.started);
    let evaluations = evaluations(&claim.folder, &manifest)?;
    let mut results = Results::begin(plan, claim, manifest.clone(), there)?;
    let (phase, iteration) = replay(&mut results, &manifest, &left.records, evaluations)?;
    let maybe_sent = sent.filter(|sent| sent.phase == phase).map_or(iteration, |sent| sent.until);
    let awaited = manifest.phases.get(phase).and_then(|phase| phase.awaited.clone());
    Ok(Resumed { results, phase, iteration, maybe_sent: maybe_sent.max(iteration), awaited })
}

/// What is behind the last whole row was being written when the process ended.
fn drop_torn_row(folder: &Path) -> Result<(), ObserveError> {
    let path = folder.join("events.csv");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        bytes => bytes.map_err(naming(&path))?,
    };
    let whole = end_of_whole_rows(&bytes);
    let file = fs::OpenOptions::new().write(true).open(&path).map_err(naming(&path))?;
    file.set_len(whole as u64).map_err(naming(&path))
}

/// The evaluations that the service answered, in their order.
fn evaluations(folder: &Path, manifest: &Manifest) -> Result<Vec<Evaluation>, ResumeError> {
    let ended = |phase: &&PhaseEntry| phase.kind == "evaluate" && phase.ended_us.is_some();
    let mut evaluations = Vec::new();
    for number in 1..=manifest.phases.iter().filter(ended).count() {
        let suffix = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(format!("evaluation{suffix}.json"));
        let bytes = fs::read(&path).map_err(naming(&path))?;
        let evaluation = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, message) = (error.line() as u64, error.to_string());
            ReadError::Malformed { path, line, message }
        });
        evaluations.push(evaluation?);
    }
    Ok(evaluations)
}

/// Tells the folder once more what happened. Returns the phase to go on with, and its
/// first iteration to be made.
fn replay(
    results: &mut Results,
    manifest: &Manifest,
    records: &[IterationRecord],
    evaluations: Vec<Evaluation>,
) -> Result<(usize, u64), ObserveError> {
    let mut evaluations = evaluations.into_iter();
    for (phase, entry) in manifest.phases.iter().enumerate() {
        let of_phase: Vec<_> = records.iter().filter(|record| record.phase == phase).collect();
        let made = of_phase.len() as u64;
        let later = records.iter().any(|record| record.phase > phase)
            || manifest.phases[phase + 1..].iter().any(|later| later.started_us.is_some());
        let is_over = entry.iterations.map_or(entry.ended_us.is_some() || later, |all| made >= all);
        if !is_over && made == 0 {
            return Ok((phase, 0));
        }
        let at = |us: Option<u64>| us.map(Duration::from_micros);
        let first = of_phase.first().map_or(Duration::ZERO, |record| record.due);
        let started = at(entry.started_us).unwrap_or(first);
        results.observe(&Progress::PhaseStarted(PhaseStarted { phase, at: started }))?;
        for record in &of_phase {
            results.observe(&Progress::Iteration((*record).clone()))?;
        }
        if !is_over {
            return Ok((phase, made));
        }
        if entry.kind == "evaluate"
            && let Some(evaluation) = evaluations.next()
        {
            results.observe(&Progress::Evaluated(Arc::new(evaluation)))?;
        }
        let end =
            |record: &&IterationRecord| record.rank_start + record.rank_latency.unwrap_or_default();
        let last = of_phase.iter().map(end).max().unwrap_or(started);
        let ended = at(entry.ended_us).unwrap_or(last);
        results.observe(&Progress::PhaseEnded(PhaseRecord {
            phase,
            started,
            ended,
            iterations: made,
        }))?;
    }
    Ok((manifest.phases.len(), 0))
}

/// What differs between the plan and the one of the folder, a line each.
fn difference(plan: &Plan, left: &RunFolder) -> String {
    let (old, new) = (&left.manifest.plan_parts, plan.parts());
    let mut lines: Vec<String> = new
        .keys()
        .chain(old.keys().filter(|name| !new.contains_key(*name)))
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| format!("  {name} differs"))
        .collect();
    if left.manifest.shard != plan.shard {
        let name = |shard: Option<Shard>| shard.map_or("none".to_owned(), |of| of.to_string());
        let (before, now) = (name(left.manifest.shard), name(plan.shard));
        lines.push(format!("  the shard was {before}, and is {now}"));
    }
    let before = fs::read_to_string(left.folder.join("scenario.yaml")).unwrap_or_default();
    let now = redact::scenario(plan);
    lines.extend(only_in(&before, &now).map(|line| format!("  - {line}")));
    lines.extend(only_in(&now, &before).map(|line| format!("  + {line}")));
    lines.join("\n")
}

/// The first lines of one text that the other does not have.
fn only_in<'a>(text: &'a str, other: &'a str) -> impl Iterator<Item = &'a str> {
    const SHOWN: usize = 10;
    let is_new = |line: &&str| !other.lines().any(|known| known.trim() == line.trim());
    text.lines().filter(is_new).map(str::trim_end).take(SHOWN)
}
