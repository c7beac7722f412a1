use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};
use tokio::runtime::{Builder, Runtime};

use super::GateArguments;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::interrupt::Signals;
use crate::cli::streams;

/// One side of the comparison.
pub struct Side<'a> {
    /// Its name.
    pub label: &'static str,
    /// The root of its files.
    pub root: &'a Path,
    /// The folder of its results.
    pub out: PathBuf,
}

/// Runs sides, each in processes that a signal stops.
pub struct Sides<'a> {
    arguments: &'a GateArguments,
    scenario: &'a Path,
    runtime: Runtime,
    signals: Signals,
}

impl<'a> Sides<'a> {
    /// Catches signals from now on.
    pub fn new(arguments: &'a GateArguments, scenario: &'a Path) -> Result<Self, Error> {
        let failed = |error| Error::new(Exit::Bug, format!("cannot start processes: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let signals = {
            let _within = runtime.enter();
            Signals::new().map_err(failed)?
        };
        Ok(Self { arguments, scenario, runtime, signals })
    }

    /// Builds a side, and runs the scenario in it. Its own gates and expectations (exit codes
    /// 3 and 4) do not decide: the comparison does.
    pub fn run(&mut self, side: &Side<'_>) -> Result<(), Error> {
        let label = side.label;
        if let Some(build) = &self.arguments.build {
            streams::note(&format!("building `{label}`: {build}"));
            let status = self.process(Command::new("sh").arg("-c").arg(build), side.root)?;
            if !status.success() {
                let message = format!("the build of `{label}` failed: {status}");
                return Err(Error::new(Exit::Incomplete, message));
            }
        }
        streams::note(&format!("running `{label}`"));
        let mut command = Command::new(self.program(side)?);
        command.arg("run").arg(self.scenario).arg("--quiet").arg("--out").arg(&side.out);
        command.args(self.arguments.changes.words());
        if let Some(threads) = self.arguments.threads {
            command.arg("--threads").arg(threads.to_string());
        }
        let status = self.process(&mut command, side.root)?;
        let exit = status.code().and_then(Exit::of_code);
        if matches!(exit, Some(Exit::Done | Exit::Failed | Exit::Inconclusive)) {
            return Ok(());
        }
        let message = format!("the scenario could not be run in `{label}`: {status}");
        Err(Error::new(exit.unwrap_or(Exit::Incomplete), message))
    }

    fn program(&self, side: &Side<'_>) -> Result<PathBuf, Error> {
        match &self.arguments.program {
            Some(path) => Ok(side.root.join(path)),
            None => std::env::current_exe().map_err(|error| {
                Error::usage(format!("the path of this program is unknown: {error}"))
                    .help("name a program with `--program`")
            }),
        }
    }

    /// Runs a command in `folder` until it ends or a signal comes. What it prints is not the
    /// result of this program, so all of it goes to stderr.
    fn process(&mut self, command: &mut Command, folder: &Path) -> Result<ExitStatus, Error> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let failed = |error| Error::usage(format!("cannot start `{name}`: {error}"));
        command.current_dir(folder).stdin(Stdio::null()).stdout(std::io::stderr());
        // A Ctrl-C is for this process alone, which then stops what it started.
        #[cfg(unix)]
        command.process_group(0);
        let signals = &mut self.signals;
        self.runtime.block_on(async {
            let mut child = command.spawn().map_err(failed)?;
            tokio::select! {
                biased;
                exit = signals.next() => {
                    stop(&mut child, signals).await;
                    Err(Error::new(exit, "stopped by a signal"))
                }
                status = child.wait() => status.map_err(failed),
            }
        })
    }
}

/// Asks a process and those that it started to end, and ends it at once at a second signal.
async fn stop(child: &mut Child, signals: &mut Signals) {
    terminate(child);
    tokio::select! {
        _ = child.wait() => {}
        _ = signals.next() => drop(child.kill().await),
    }
}

#[cfg(unix)]
fn terminate(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(group) = group {
        // It may have ended in the meantime.
        _ = kill_process_group(group, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    // It may have ended in the meantime.
    _ = child.start_kill();
}
