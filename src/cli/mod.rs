//! One file or folder per command. A command connects crates; it holds no logic of its own.

mod abort;
mod arguments;
mod audit;
mod baseline;
mod capacity;
mod charts;
mod check;
mod compare;
mod confidence;
mod console;
mod describe;
mod error;
mod evaluate;
mod exit;
mod expectations;
mod experiment;
mod export;
mod fold;
mod folder;
mod gate;
mod guide;
mod init;
mod interrupt;
mod list;
mod live_page;
mod load;
mod merge;
mod monitor;
mod operator;
mod output_file;
mod plan;
mod probe;
mod recorded;
mod remote_folder;
mod report;
mod run;
mod schema;
mod serve;
mod shard;
mod shell;
mod show;
mod shown_call;
mod streams;
mod submit;
mod text_file;
mod verdict_files;

pub use exit::Exit;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use self::arguments::{Arguments, Command};
use self::error::Error;

/// Does what the arguments (the program's name first) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    match Arguments::try_parse_from(arguments::with_command(arguments)) {
        Ok(arguments) => command(&arguments.command).unwrap_or_else(Error::report),
        Err(error) => arguments::explain(&error),
    }
}

fn command(command: &Command) -> Result<Exit, Error> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Plan(arguments) => plan::plan(arguments),
        Command::Submit(arguments) => submit::submit(arguments),
        Command::Merge(arguments) => merge::merge(arguments),
        Command::Init(arguments) => init::init(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::World(command) => describe::world(command),
        Command::Probe(arguments) => probe::probe(arguments),
        Command::Audit(arguments) => audit::audit(arguments),
        Command::Evaluate(arguments) => evaluate::evaluate(arguments),
        Command::Capacity(arguments) => capacity::capacity(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Baseline(arguments) => baseline::baseline(arguments),
        Command::List(arguments) => list::list(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::Serve(arguments) => serve::serve(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Export(arguments) => export::export(arguments),
        Command::Schema(arguments) => schema::schema(arguments),
        Command::Guide(arguments) => guide::guide(arguments),
        Command::Gate(arguments) => gate::gate(arguments),
        Command::Completions(arguments) => shell::completions(arguments, Arguments::command()),
        Command::Man(arguments) => shell::man(arguments, Arguments::command()),
    }
}
