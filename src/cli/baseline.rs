//! `runner baseline`

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::compare::{Subject, read_baseline};
use super::console::{Cell, Paint, Side, Table, name};
use super::{Exit, kept, streams};
use comparison::{Baseline, Group, Provenance, usual_terms};
use metrics::Quantity;
use statistics::Moments;

/// `runner baseline`
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineCommand {
    /// Keep what runs came to in a file, for git, to be compared with later.
    Save(SaveArguments),
    /// Show what a baseline file holds.
    Show(ShowArguments),
}

/// `runner baseline save`
#[derive(Debug, Clone, Args)]
pub struct SaveArguments {
    /// The folder of a run or of an experiment.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The file to write, such as `baselines/policies.json`.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Why it is kept, for those who read it later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Write over a baseline that is there. Nothing else ever does.
    #[arg(long)]
    replace: bool,
}

/// `runner baseline show`
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// The baseline file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Saves or shows a baseline.
pub fn baseline(command: &BaselineCommand) -> Exit {
    match command {
        BaselineCommand::Save(arguments) => save(arguments),
        BaselineCommand::Show(arguments) => show(arguments),
    }
}

fn save(arguments: &SaveArguments) -> Exit {
    let fetched = match kept::fetched(std::slice::from_ref(&arguments.folder)) {
        Ok(fetched) => fetched,
        Err(exit) => return exit,
    };
    let subject = match Subject::read(&fetched.folders[0]) {
        Ok(subject) => subject,
        Err(error) => return fail(Exit::Usage, &error),
    };
    if !subject.complete {
        let message = format!(
            "`{}` is not complete\nhelp: go on with it by `runner run … --resume`, then save it",
            subject.name()
        );
        return fail(Exit::Incomplete, &message);
    }
    let provenance = Provenance {
        version: subject.version.clone(),
        scenario: subject.scenario.clone(),
        source: subject.name(),
        note: arguments.note.clone(),
    };
    let bytes = Baseline::of(&subject.groups, provenance).bytes();
    if let Err(message) = write(arguments, &bytes) {
        return message;
    }
    let runs: usize = subject.groups.iter().map(|group| group.samples.len()).sum();
    let (policies, file) = (subject.groups.len(), arguments.out.display());
    streams::print(&format!("{policies} policies, {runs} runs kept in {file}\n"))
}

fn write(arguments: &SaveArguments, bytes: &[u8]) -> Result<(), Exit> {
    let path = &arguments.out;
    if let Some(folder) = path.parent() {
        // If that fails, so does what follows, and says why.
        _ = std::fs::create_dir_all(folder);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => fail(
            Exit::Usage,
            &format!(
                "`{}` is there, and a baseline is never written over by itself\nhelp: `--replace` does",
                path.display()
            ),
        ),
        _ => fail(Exit::Results, &format!("`{}` cannot be written: {error}", path.display())),
    })
}

fn show(arguments: &ShowArguments) -> Exit {
    let read =
        read_baseline(&arguments.file).and_then(|baseline| Ok((baseline.groups()?, baseline)));
    match read {
        Ok((groups, baseline)) => streams::print(&told(&baseline, &groups)),
        Err(error) => fail(Exit::Usage, &error),
    }
}

fn told(baseline: &Baseline, groups: &[Group]) -> String {
    let Baseline { scenario, source, version, note, .. } = baseline;
    let (scenario, source) = (name(scenario), name(source));
    let head = format!("{scenario}, by runner {}, saved from {source}\n", name(version));
    let note = note.as_ref().map(|note| format!("{}\n", name(note)));
    head + &note.unwrap_or_default() + "\n" + &table(groups)
}

fn table(groups: &[Group]) -> String {
    let terms = usual_terms(groups);
    let columns = terms.iter().map(|term| (term.text(), Side::Right));
    let columns: Vec<_> =
        [("", Side::Left), ("runs", Side::Right)].into_iter().chain(columns).collect();
    let mut table = Table::new(&columns);
    for group in groups {
        let cells = terms.iter().map(|term| {
            let measured = group.samples.iter().filter_map(|of| term.measure(&of.phases).ok());
            let moments: Moments = measured.collect();
            let dimension = term.definition().dimension;
            let mean = moments.mean().map(|value| Quantity { value, dimension }.to_string());
            Cell::from(mean.unwrap_or("-".to_owned()))
        });
        let first = [
            Cell::painted(name(&group.name), Paint::Name),
            Cell::from(group.samples.len().to_string()),
        ];
        table.row(first.into_iter().chain(cells));
    }
    table.text()
}

fn fail(exit: Exit, message: &dyn std::fmt::Display) -> Exit {
    eprintln!("error: {message}");
    exit
}
