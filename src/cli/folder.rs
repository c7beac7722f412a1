//! The folder of a run: a new one, or that of a run that goes on.

use std::path::{Path, PathBuf};

use super::Exit;
use super::arguments::RunArguments;
use clock::{Clock, WallClock};
use engine::Beginning;
use results::{self, CreateError, Origin, Place, Results, ResumeError, Resumed, shard_folder};
use scenario::Plan;
use scenario::plan::ClockKind;
use shard::Shard;
use timestamp::Timestamp;

/// A folder that can be written to, the clock of its run, and where the run begins.
pub struct Opened {
    pub results: Results,
    pub wall: WallClock,
    pub beginning: Beginning,
}

/// A new folder, of a run that starts now or at the time given.
pub fn create(
    plan: &Plan,
    arguments: &RunArguments,
    start_at: Option<Timestamp>,
) -> Result<Opened, (Exit, String)> {
    create_at(plan, &place(plan, arguments), start_at)
}

/// The folder of a shard, new or as it was left; none, if the shard is done.
pub fn of_shard(
    plan: &Plan,
    shard: Shard,
    arguments: &RunArguments,
    start_at: Option<Timestamp>,
) -> Result<Option<Opened>, (Exit, String)> {
    let usual = || shard_folder(Path::new("results"), &plan.name, shard);
    let folder = arguments.out.clone().unwrap_or_else(usual);
    let Ok(left) = results::read(&folder) else {
        return create_at(plan, &Place::At(folder), start_at).map(Some);
    };
    let same = left.manifest.plan_digest == plan.digest && left.manifest.shard == Some(shard);
    if left.manifest.complete && same {
        eprintln!("shard {shard} is done: `{}`", folder.display());
        return Ok(None);
    }
    resume(plan, &folder).map(Some)
}

fn create_at(
    plan: &Plan,
    place: &Place,
    start_at: Option<Timestamp>,
) -> Result<Opened, (Exit, String)> {
    let wall = start_at.map_or_else(WallClock::start_now, WallClock::starting_at);
    match Results::create(plan, place, &origin(plan, wall)) {
        Ok(results) => Ok(Opened { results, wall, beginning: Beginning::default() }),
        Err(error) => Err((exit_of(&error), format!("{error}{}", remedy(&error)))),
    }
}

/// The folder of a run that was stopped or killed.
pub fn resume(plan: &Plan, folder: &Path) -> Result<Opened, (Exit, String)> {
    let now = WallClock::start_now();
    let resumed = Results::resume(plan, folder, &origin(plan, now));
    let Resumed { results, phase, iteration, maybe_sent, awaited } =
        resumed.map_err(|error| (exit_of_resume(&error), told(&error, folder)))?;
    let wall = match plan.clock {
        ClockKind::Virtual => now,
        ClockKind::Wall => WallClock::starting_at(results.start()),
    };
    Ok(Opened { results, wall, beginning: Beginning { phase, iteration, maybe_sent, awaited } })
}

fn place(plan: &Plan, arguments: &RunArguments) -> Place {
    match &arguments.out {
        Some(folder) => Place::At(folder.clone()),
        None => Place::Under { root: PathBuf::from("results"), run: format!("seed-{}", plan.seed) },
    }
}

fn origin(plan: &Plan, wall: WallClock) -> Origin {
    let started = wall.start();
    let clock_start = match plan.clock {
        ClockKind::Virtual => Timestamp::VIRTUAL_START,
        ClockKind::Wall => started,
    };
    Origin { clock_start, started, host: host() }
}

/// The name of the machine, if it is known.
pub fn host() -> Option<String> {
    std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty())
}

fn exit_of(error: &CreateError) -> Exit {
    match error {
        CreateError::NotEmpty(_) | CreateError::Locked(_) => Exit::Usage,
        CreateError::Io { .. } => Exit::Results,
    }
}

fn remedy(error: &CreateError) -> &'static str {
    match error {
        CreateError::NotEmpty(_) => {
            "\nhelp: results are never overwritten; name a new folder with `--out`"
        }
        CreateError::Locked(_) => "\nhelp: wait for it, or name another folder with `--out`",
        CreateError::Io { .. } => "\nhelp: name a folder that can be written to with `--out`",
    }
}

fn exit_of_resume(error: &ResumeError) -> Exit {
    match error {
        ResumeError::Create(error) => exit_of(error),
        ResumeError::Write(_) => Exit::Results,
        _ => Exit::Usage,
    }
}

fn told(error: &ResumeError, folder: &Path) -> String {
    let help = match error {
        ResumeError::Create(error) => remedy(error).to_owned(),
        ResumeError::OtherPlan { .. } => format!(
            "\nhelp: resume with the scenario as it was (`{}`), or start a new run without `--resume`",
            folder.join("scenario.yaml").display()
        ),
        ResumeError::LoopIsGone | ResumeError::Complete(_) => {
            "\nhelp: start a new run without `--resume`".to_owned()
        }
        ResumeError::Read(_) | ResumeError::Write(_) => String::new(),
    };
    format!("{error}{help}")
}
