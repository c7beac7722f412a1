//! Runs against live targets, as the cells of an experiment.

use std::process::Stdio;

use tokio::process::Command;

use super::operator::Terminal;
use super::world;
use clock::WallClock;
use engine::{Ending, StartPoint, Stop};
use experiment::{LiveWorld, NextRun};
use record::Observer;
use scenario::{Between, Plan};

/// Makes runs against live targets. No operator is asked in between.
pub struct LiveRuns;

impl LiveWorld for LiveRuns {
    fn prepare(&self, between: &Between, run: &NextRun<'_>, stop: &Stop) -> Result<(), String> {
        let prepared = world::block_on(async {
            if let Some(command) = &between.command {
                make(command, run, stop).await?;
            }
            tokio::select! {
                () = tokio::time::sleep(between.wait) => {}
                () = stop.asked() => {}
            }
            Ok(())
        });
        prepared.map_err(|error| error.to_string())?
    }

    fn execute(
        &self,
        plan: &Plan,
        wall: WallClock,
        stop: Stop,
        observer: &mut dyn Observer,
    ) -> Result<Ending, String> {
        let operator = Terminal { yes: false, quiet: true };
        let ending = world::execute(plan, wall, &operator, StartPoint::default(), stop, observer);
        ending.map_err(|error| error.to_string())
    }
}

/// Runs a command to its end, or until the run is asked to stop. Its arguments may hold secrets,
/// so that errors name the program alone.
async fn make(command: &[String], run: &NextRun<'_>, stop: &Stop) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let failed = |error| format!("`between.command` cannot start `{program}`: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .env("RUNNER_CELL", run.name)
        .env("RUNNER_SEED", run.seed.to_string())
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let status = tokio::select! {
        status = child.wait() => status.map_err(failed)?,
        () = stop.asked() => return Ok(()),
    };
    if status.success() {
        return Ok(());
    }
    Err(format!("`between.command`: `{program}` ended with {status}"))
}
