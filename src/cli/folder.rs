//! The folder of a run: a new one, or that of a run that goes on.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::streams;
use clock::{Clock, WallClock};
use engine::{Made, StartPoint};
use plan::ClockKind;
use plan::Plan;
use results::{self, Destination, Origin, ReadError, Results, Resumed, ResumedPhase, shard_folder};
use shard::Shard;
use timestamp::Timestamp;

/// A folder that can be written to, the clock of its run, and where the run begins.
pub struct Opened {
    pub results: Results,
    pub wall: WallClock,
    pub start: StartPoint,
}

/// A new folder, of a run that starts now or at the time given.
pub fn create(
    plan: &Plan,
    out: Option<&Path>,
    start_at: Option<Timestamp>,
) -> Result<Opened, Error> {
    create_at(plan, &place(plan, out), start_at)
}

/// The folder of a shard, new or as it was left; none, if the shard is done.
pub fn of_shard(
    plan: &Plan,
    shard: Shard,
    out: Option<&Path>,
    start_at: Option<Timestamp>,
) -> Result<Option<Opened>, Error> {
    let usual = || shard_folder(Path::new("results"), &plan.name, shard);
    let folder = out.map_or_else(usual, Path::to_owned);
    let left = match results::read_manifest(&folder) {
        Err(ReadError::NoManifest(_)) => {
            return create_at(plan, &Destination::At(folder), start_at).map(Some);
        }
        left => left.map_err(Error::usage)?,
    };
    let same = left.plan_digest == plan.digest && left.shard == Some(shard);
    if left.complete && same {
        streams::note(&format!("shard {shard} is done: `{}`", folder.display()));
        return Ok(None);
    }
    resume(plan, &folder).map(Some)
}

fn create_at(
    plan: &Plan,
    place: &Destination,
    start_at: Option<Timestamp>,
) -> Result<Opened, Error> {
    let wall = start_at.map_or_else(WallClock::start_now, WallClock::starting_at);
    let results = Results::create(plan, place, &origin(plan, wall))?;
    Ok(Opened { results, wall, start: StartPoint::default() })
}

/// The folder of a run that was stopped or killed.
pub fn resume(plan: &Plan, folder: &Path) -> Result<Opened, Error> {
    let now = WallClock::start_now();
    let Resumed { results, phase, made, awaited } =
        Results::resume(plan, folder, &origin(plan, now))?;
    let wall = match plan.clock {
        ClockKind::Virtual => now,
        ClockKind::Wall => WallClock::starting_at(results.start()),
    };
    let made = made.into_iter().map(|(phase, ResumedPhase { iteration, maybe_sent })| {
        (phase, Made { iteration, maybe_sent })
    });
    let start = StartPoint { phase, made: made.collect(), awaited };
    Ok(Opened { results, wall, start })
}

fn place(plan: &Plan, out: Option<&Path>) -> Destination {
    match out {
        Some(folder) => Destination::At(folder.to_owned()),
        None => Destination::Under {
            root: PathBuf::from("results"),
            run: format!("seed-{}", plan.seed),
        },
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
