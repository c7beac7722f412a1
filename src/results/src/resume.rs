//! Resuming a run that ended early.
//!
//! A run on the virtual clock is repeated from its start, and must produce the rows that its
//! folder holds. Any other run continues behind the last recorded iteration: files derived
//! from iterations are written again, files of observations are appended to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::entries::{PhaseEntry, Status};
use super::error::{CreateError, ReadError};
use super::files::{OnExisting, TEMPORARY_PREFIX, end_of_whole_rows, naming};
use super::growing::OpenModes;
use super::journal;
use super::layout::EVENTS;
use super::lock::FolderLock;
use super::manifest::{Manifest, Origin};
use super::read::{self, RunFolder};
use super::redact;
use super::replay;
use super::writer::Results;
use plan::Plan;
use plan::{ClockKind, OutputForm, TargetPlan};
use protocol::Evaluation;
use record::{IterationRecord, ObserveError, Observer};
use shard::Shard;

/// Why a run cannot be resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The folder cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder cannot be locked.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] ObserveError),
    /// The run is complete.
    #[error("the run in `{}` is complete", .0.display())]
    Complete(PathBuf),
    /// The run is one of another plan.
    #[error("`{}` holds a run of another plan\n{difference}", folder.display())]
    OtherPlan {
        /// The folder.
        folder: PathBuf,
        /// What differs, a line each.
        difference: String,
    },
    /// The learning loop was in memory.
    #[error(
        "a run of an embedded or served loop on the wall clock cannot be resumed: \
         its loop was in memory"
    )]
    LoopInMemory,
}

/// The folder of a resumed run, and where the run continues.
pub struct Resumed {
    /// The folder.
    pub results: Results,
    /// The phase; of parallel ones, the first.
    pub phase: usize,
    /// How much is already done of each phase that starts here: of this one and of those parallel to
    /// it, by their index.
    pub made: BTreeMap<usize, ResumedPhase>,
    /// What the service said before the change that the phase waits for.
    pub awaited: Option<String>,
}

/// How much of a phase was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResumedPhase {
    /// The first iteration to make.
    pub iteration: u64,
    /// Iterations before this one may have been sent.
    pub maybe_sent: u64,
}

impl Results {
    /// Resumes the run in `folder`, which must be one of `plan`.
    ///
    /// # Errors
    /// When the run is complete, is one of another plan, or its folder cannot be used.
    pub fn resume(plan: &Plan, folder: &Path, origin: &Origin) -> Result<Resumed, ResumeError> {
        let left = read::read_as_recorded(folder)?;
        if left.is_under_way {
            return Err(CreateError::Locked(folder.to_owned()).into());
        }
        if left.manifest.complete {
            finish_seal(folder)?;
            return Err(ResumeError::Complete(folder.to_owned()));
        }
        let is_same = left.manifest.plan_digest == plan.digest
            && left.manifest.shard == plan.shard
            && left.manifest.outputs == plan.outputs;
        if !is_same {
            let difference = difference(plan, &left)?;
            return Err(ResumeError::OtherPlan { folder: folder.to_owned(), difference });
        }
        let lock = FolderLock::relock(folder)?;
        remove_temporary_files(folder)?;
        match (&plan.target, plan.clock) {
            (_, ClockKind::Virtual) => repeat(plan, lock, origin, &left),
            (TargetPlan::Embedded(_) | TargetPlan::Served(_), ClockKind::Wall) => {
                Err(ResumeError::LoopInMemory)
            }
            (TargetPlan::Http(_), ClockKind::Wall) if plan.outputs.events == OutputForm::None => {
                Err(ReadError::NoEvents(folder.to_owned()).into())
            }
            (TargetPlan::Http(_), ClockKind::Wall) => continue_run(plan, lock, &left, origin),
        }
    }
}

/// Removes what a process that was killed at the very end of its run had still to remove.
fn finish_seal(folder: &Path) -> Result<(), ResumeError> {
    let Some(lock) = FolderLock::of_killed(folder)? else { return Ok(()) };
    remove_temporary_files(folder)?;
    journal::remove(folder)?;
    Ok(lock.release().map_err(naming(folder))?)
}

/// A process that was killed may have left files that it had not renamed yet.
fn remove_temporary_files(folder: &Path) -> Result<(), ObserveError> {
    for entry in fs::read_dir(folder).map_err(naming(folder))? {
        let path = entry.map_err(naming(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(TEMPORARY_PREFIX) {
            fs::remove_file(&path).map_err(naming(&path))?;
        }
    }
    Ok(())
}

/// Repeats the run from its start. A run that was killed left a prefix of the rows to come;
/// one that was stopped ended its last batch and closed its loop, so its files are written
/// again.
fn repeat(
    plan: &Plan,
    lock: FolderLock,
    origin: &Origin,
    left: &RunFolder,
) -> Result<Resumed, ResumeError> {
    let was_killed = left.manifest.status == Status::Running;
    let all = if was_killed { OnExisting::Verify } else { OnExisting::Truncate };
    let modes = OpenModes { events: all, observed: all, derived: all };
    let manifest = Manifest::of(plan, origin);
    let results = Results::begin(plan, lock, manifest, modes)?;
    Ok(Resumed { results, phase: 0, made: BTreeMap::new(), awaited: None })
}

fn continue_run(
    plan: &Plan,
    lock: FolderLock,
    left: &RunFolder,
    origin: &Origin,
) -> Result<Resumed, ResumeError> {
    let sent = journal::read(&lock.folder)?;
    if plan.outputs.events == OutputForm::Plain {
        drop_torn_row(&lock.folder)?;
    }
    let modes = OpenModes {
        events: OnExisting::Verify,
        observed: OnExisting::Append,
        derived: OnExisting::Truncate,
    };
    let mut manifest = left.manifest.clone();
    manifest.reopen();
    manifest.wall_clock.resumed.push(origin.started);
    let evaluations = evaluations(&lock.folder, &manifest)?;
    let mut results = Results::begin(plan, lock, manifest.clone(), modes)?;
    let (phase, iterations) = replay(&mut results, &manifest, &left.records, evaluations)?;
    let made = |phase: usize| {
        let iteration = iterations.get(&phase).copied().unwrap_or_default();
        let sent = sent.iter().find(|sent| sent.phase == phase).map_or(0, |sent| sent.until);
        ResumedPhase { iteration, maybe_sent: sent.max(iteration) }
    };
    let made = manifest.together(phase).map(|phase| (phase, made(phase)));
    let made = made.filter(|(_, made)| *made != ResumedPhase::default()).collect();
    let awaited = manifest.phases.get(phase).and_then(|phase| phase.awaited.clone());
    Ok(Resumed { results, phase, made, awaited })
}

/// The row behind the last whole one was being written when the process ended.
fn drop_torn_row(folder: &Path) -> Result<(), ObserveError> {
    let path = folder.join(EVENTS);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        bytes => bytes.map_err(naming(&path))?,
    };
    let whole = end_of_whole_rows(&bytes);
    let file = fs::OpenOptions::new().write(true).open(&path).map_err(naming(&path))?;
    file.set_len(whole as u64).map_err(naming(&path))
}

/// The completed evaluations, in their order.
fn evaluations(folder: &Path, manifest: &Manifest) -> Result<Vec<Evaluation>, ResumeError> {
    let ended = |phase: &&PhaseEntry| phase.kind == "evaluate" && phase.ended_us.is_some();
    let mut evaluations = Vec::new();
    for number in 1..=manifest.phases.iter().filter(ended).count() {
        let suffix = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(format!("evaluation{suffix}.json"));
        let bytes = fs::read(&path).map_err(naming(&path))?;
        let evaluation =
            serde_json::from_slice(&bytes).map_err(|error| ReadError::json(path, &error));
        evaluations.push(evaluation?);
    }
    Ok(evaluations)
}

/// Replays what was recorded into the folder. Returns the phase to continue with, of parallel ones
/// the first, and how many iterations were made of each.
fn replay(
    results: &mut Results,
    manifest: &Manifest,
    records: &[IterationRecord],
    evaluations: Vec<Evaluation>,
) -> Result<(usize, BTreeMap<usize, u64>), ObserveError> {
    let mut evaluations = evaluations.into_iter();
    let mut next = 0;
    for history in replay::phases(manifest, manifest.status, records) {
        let (first, is_complete) = (history.together.start, history.is_complete());
        if !is_complete && history.records.is_empty() {
            return Ok((first, BTreeMap::new()));
        }
        let is_evaluation = is_complete && manifest.phases[first].kind == "evaluate";
        let evaluation = is_evaluation.then(|| evaluations.next()).flatten();
        history.replay(evaluation, |progress| results.observe(progress))?;
        if !is_complete {
            let made = history.phases.iter().map(|of| (of.phase.phase, of.phase.iterations));
            return Ok((first, made.collect()));
        }
        next = history.together.end;
    }
    Ok((next, BTreeMap::new()))
}

/// What differs between the plan and the one of the folder, a line each.
fn difference(plan: &Plan, left: &RunFolder) -> Result<String, ReadError> {
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
    if left.manifest.outputs != plan.outputs {
        lines.push("  the outputs differ".to_owned());
    }
    let before = read::scenario_text(&left.folder)?;
    let before = String::from_utf8_lossy(&before);
    let now = redact::scenario(plan);
    lines.extend(only_in(&before, &now).map(|line| format!("  - {line}")));
    lines.extend(only_in(&now, &before).map(|line| format!("  + {line}")));
    Ok(lines.join("\n"))
}

/// The first lines of one text that the other does not have.
fn only_in<'a>(text: &'a str, other: &'a str) -> impl Iterator<Item = &'a str> {
    const SHOWN: usize = 10;
    let is_new = |line: &&str| !other.lines().any(|known| known.trim() == line.trim());
    text.lines().filter(is_new).map(str::trim_end).take(SHOWN)
}
