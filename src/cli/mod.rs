//! One file per command; a command wires rooms and fits a screen.
//!
//! Must not know: logic.

mod arguments;
mod exit;
mod interrupt;
mod operator;
mod streams;

pub use exit::Exit;

use std::ffi::OsString;

use clap::Parser;

use self::arguments::{Arguments, Command};

/// Does what the arguments (the program's name first) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return arguments::explain(&error),
    };
    let (Command::Run(_) | Command::Check(_) | Command::Schema) = arguments.command();
    streams::print("")
}
