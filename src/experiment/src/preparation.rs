use std::process::Stdio;

use tokio::process::Command;

use engine::Stop;
use scenario::Between;

/// The run against a live target that is made next.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextRun<'a> {
    /// Its values on all axes.
    pub name: &'a str,
    pub seed: u64,
}

/// Does what is to be done before a run.
///
/// # Errors
/// Why the run cannot be made.
pub(super) fn prepare(between: &Between, run: &NextRun<'_>, stop: &Stop) -> Result<(), String> {
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
