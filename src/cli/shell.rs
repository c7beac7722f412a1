//! What a shell wants to know of this program: completions and manual pages.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::error::{Error, not_written};
use super::exit::Exit;
use super::streams;

/// `runner completions`
#[derive(Debug, Clone, Args)]
pub struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

/// `runner man`
#[derive(Debug, Clone, Args)]
pub struct ManArguments {
    /// The folder for the pages, `runner.1` and one for each command.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the completions of `program` for a shell.
pub fn completions(
    arguments: &CompletionsArguments,
    mut program: clap::Command,
) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "runner", &mut script);
    streams::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Writes the manual pages of `program`.
pub fn man(arguments: &ManArguments, program: clap::Command) -> Result<Exit, Error> {
    let folder = &arguments.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(program, folder))
        .map_err(|error| not_written(folder, &error))?;
    Ok(Exit::Done)
}
