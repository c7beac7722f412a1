//! `runner baseline`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::compare::{Subject, read_baseline};
use super::console::{Cell, Paint, Side, Table, name};
use super::error::Error;
use super::exit::Exit;
use super::{output_file, remote_folder, streams, text_file};
use comparison::{Group, Provenance, default_terms, write_baseline};
use metrics::Quantity;
use statistics::Moments;

/// `runner baseline`
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineCommand {
    /// Save the metrics of runs in a file for git, to be compared with later.
    Save(SaveArguments),
    /// Show a baseline file.
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
    /// Why it is saved, for later readers.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Overwrite an existing baseline.
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
pub fn baseline(command: &BaselineCommand) -> Result<Exit, Error> {
    match command {
        BaselineCommand::Save(arguments) => save(arguments),
        BaselineCommand::Show(arguments) => show(arguments),
    }
}

fn save(arguments: &SaveArguments) -> Result<Exit, Error> {
    let fetched = remote_folder::fetched(std::slice::from_ref(&arguments.folder))?;
    let subject = Subject::read(&fetched.folders[0]).map_err(Error::usage)?;
    if !subject.complete {
        let message = format!("`{}` is not complete", subject.name());
        let help = "continue it with `runner run … --resume`, then save it";
        return Err(Error::new(Exit::Incomplete, message).help(help));
    }
    let provenance = Provenance {
        version: subject.version.clone(),
        scenario: subject.scenario.clone(),
        source: subject.name(),
        note: arguments.note.clone(),
    };
    write(arguments, &subject.groups, provenance)?;
    let runs: usize = subject.groups.iter().map(|group| group.samples.len()).sum();
    let (policies, file) = (subject.groups.len(), arguments.out.display());
    if !output_file::is_stdout(&arguments.out) {
        streams::tell(&format!("{policies} policies, {runs} runs saved in {file}\n"))?;
    }
    Ok(Exit::Done)
}

fn write(arguments: &SaveArguments, groups: &[Group], provenance: Provenance) -> Result<(), Error> {
    let path = &arguments.out;
    if path.is_file() && !arguments.replace {
        let error = Error::usage(format!("the baseline `{}` exists already", path.display()));
        return Err(error.help("add `--replace` to overwrite it"));
    }
    output_file::write_with(path, |file| {
        write_baseline(groups, provenance, Bounded { file, left: text_file::LARGEST })
    })
}

/// Stops what would be longer than a baseline that is read.
struct Bounded<'a> {
    file: &'a mut (dyn Write + Send),
    left: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            io::Error::other("it would be larger than 64 MiB: save fewer seeds or shorter runs")
        })?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn show(arguments: &ShowArguments) -> Result<Exit, Error> {
    let baseline = read_baseline(&arguments.file).map_err(Error::usage)?;
    let groups = baseline.groups().map_err(Error::usage)?;
    streams::tell(&shown(baseline.provenance(), &groups))?;
    Ok(Exit::Done)
}

fn shown(provenance: &Provenance, groups: &[Group]) -> String {
    let Provenance { scenario, source, version, note } = provenance;
    let (scenario, source) = (name(scenario), name(source));
    let head = format!("{scenario}, by runner {}, saved from {source}\n", name(version));
    let note = note.as_ref().map(|note| format!("{}\n", name(note)));
    head + &note.unwrap_or_default() + "\n" + &table(groups)
}

fn table(groups: &[Group]) -> String {
    let terms = default_terms(groups);
    let columns = terms.iter().map(|term| (term.text(), Side::Right));
    let columns: Vec<_> =
        [("", Side::Left), ("runs", Side::Right)].into_iter().chain(columns).collect();
    let mut table = Table::new(&columns);
    for group in groups {
        let cells = terms.iter().map(|term| {
            let measured = group.samples.iter().filter_map(|of| of.measure(term).ok());
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What fits to the byte is written; one byte more leaves no file, and says what to do.
    #[test]
    fn a_baseline_is_not_larger_than_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            let saved = output_file::write_with(&path, |file| {
                let mut bounded = Bounded { file, left: 8 };
                bytes.chunks(3).try_for_each(|part| bounded.write_all(part))
            });
            (saved.map_err(|error| format!("{error:?}")), path)
        };
        let (saved, path) = save("fits", b"12345678");
        saved.unwrap();
        assert_eq!(fs::read(path).unwrap(), b"12345678");
        let (saved, path) = save("too-large", b"123456789");
        assert!(saved.unwrap_err().contains("save fewer seeds or shorter runs"));
        assert!(!path.exists() && fs::read_dir(folder.path()).unwrap().count() == 1);
    }
}
