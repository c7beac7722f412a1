//! One file per command; a command wires rooms and fits a screen.
//!
//! Must not know: logic.

mod arguments;
mod baseline;
mod charts;
mod check;
mod compare;
mod console;
mod evaluate;
mod exit;
mod experiment;
mod folder;
mod guide;
mod interrupt;
mod kept;
mod load;
mod merge;
mod operator;
mod plan;
mod report;
mod run;
mod schema;
mod serve;
mod served;
mod shard;
mod streams;
mod submit;
mod world;

pub use exit::Exit;

use std::ffi::OsString;

use clap::Parser;

use self::arguments::{Arguments, Command};

/// Does what the arguments (the program's name first) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments::with_command(arguments)) {
        Ok(arguments) => arguments,
        Err(error) => return arguments::explain(&error),
    };
    match arguments.command {
        Command::Run(run) => run::run(&run),
        Command::Plan(plan) => plan::plan(&plan),
        Command::Submit(submit) => submit::submit(&submit),
        Command::Merge(merge) => merge::merge(&merge),
        Command::Check(check) => check::check(&check),
        Command::Evaluate(evaluate) => evaluate::evaluate(&evaluate),
        Command::Compare(compare) => compare::run(&compare),
        Command::Baseline(command) => baseline::baseline(&command),
        Command::Serve(serve) => serve::serve(&serve),
        Command::Report(arguments) => report::report(&arguments),
        Command::Schema => schema::schema(),
        Command::Guide(arguments) => guide::guide(arguments.topic),
    }
}
