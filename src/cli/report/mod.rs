//! `runner report`: folders as one page.

mod curves;
mod run;
mod tables;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use self::curves::curves;
use super::compare::{Subject, sections};
use super::error::{Error, not_written};
use super::exit::Exit;
use super::{remote_folder, streams};
use comparison::Group;
use diagnostic::{Diagnostic, Report};
use report::html::{Block, Page, Readout, Section, page_html};
use report::{LineChart, line_svg};
use results::experiment::is_experiment;
use results::{self, RunFolder};
use statistics::Confidence;

/// `runner report`
#[derive(Debug, Clone, Args)]
pub struct ReportArguments {
    /// Folders of runs or experiments, or baseline files; the first is what the others are
    /// compared with.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The page, one self-contained file; an existing one is replaced.
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    pub out: PathBuf,
    /// Write the charts to this folder, too, as SVG files.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
}

/// A picture with the name of its file.
struct Picture {
    name: String,
    svg: String,
    readout: Option<Readout>,
}

impl Picture {
    fn of(name: String, chart: &LineChart) -> Self {
        Self { name, svg: line_svg(chart), readout: Some(Readout::of(chart)) }
    }

    fn block(&self) -> Block {
        Block::Picture { svg: self.svg.clone(), readout: self.readout.clone() }
    }
}

/// A part of the page, and the pictures in it.
struct Part {
    section: Section,
    pictures: Vec<Picture>,
}

impl Part {
    fn new(heading: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { section: Section { heading: heading.into(), blocks }, pictures: Vec::new() }
    }

    fn drawn(heading: impl Into<String>, pictures: Vec<Picture>) -> Self {
        let blocks = pictures.iter().map(Picture::block).collect();
        Self { section: Section { heading: heading.into(), blocks }, pictures }
    }
}

/// Writes the page.
pub fn report(arguments: &ReportArguments) -> Result<Exit, Error> {
    let fetched = remote_folder::fetched(&arguments.folders)?;
    let subjects = read(&fetched.folders)?;
    let parts = all(&subjects);
    write(arguments, &subjects, &parts)?;
    streams::print(&format!("{}\n", arguments.out.display()))?;
    Ok(Exit::Done)
}

/// A folder, and the run in it, if it is one.
struct Told {
    subject: Subject,
    run: Option<RunFolder>,
}

fn read(folders: &[PathBuf]) -> Result<Vec<Told>, Error> {
    let (mut told, mut mistakes) = (Vec::new(), Report::new());
    for folder in folders {
        match one(folder) {
            Ok(one) => told.push(one),
            Err(error) => mistakes.push(Diagnostic::error(error)),
        }
    }
    if mistakes.is_empty() { Ok(told) } else { Err(mistakes.into()) }
}

fn one(folder: &Path) -> Result<Told, String> {
    let subject = Subject::read(folder)?;
    let is_run = !subject.is_baseline && !is_experiment(folder);
    let run = is_run.then(|| results::read(folder)).transpose();
    Ok(Told { subject, run: run.map_err(|error| error.to_string())? })
}

/// Every part of the page.
fn all(told: &[Told]) -> Vec<Part> {
    let groups = groups(told);
    let mut all = vec![Part::new("At a glance", told.iter().map(glance).collect())];
    all.push(Part::new("What was unusual", told.iter().flat_map(unusual).collect()));
    // Policies of several experiments are compared each with its own, in the tables.
    let are_comparable = told.len() == 1 || told.iter().all(|of| of.subject.groups.len() == 1);
    all.push(Part::drawn("Success", curves(&groups, are_comparable)));
    let subjects: Vec<&Subject> = told.iter().map(|told| &told.subject).collect();
    let compared = sections(&subjects, Confidence::P95);
    all.push(Part::new("Comparison", compared.iter().flat_map(tables::figures).collect()));
    all.push(Part::new(
        "Gates",
        subjects.iter().filter_map(|of| tables::gates(&of.path)).collect(),
    ));
    for (number, Told { subject, run }) in told.iter().enumerate() {
        let name = if told.len() == 1 { String::new() } else { format!(": {}", subject.name()) };
        let mut parts: Vec<Part> = run.iter().flat_map(|run| run::parts(run, &name)).collect();
        if told.len() > 1 {
            // Several runs have pictures of the same names.
            let pictures = parts.iter_mut().flat_map(|part| &mut part.pictures);
            pictures.for_each(|picture| picture.name = format!("{}-{}", number + 1, picture.name));
        }
        all.extend(parts);
        all.push(Part::new(format!("Configuration{name}"), configuration(subject)));
    }
    all
}

/// What is drawn: the policies of one folder, or the policies of each.
fn groups(told: &[Told]) -> Vec<Group> {
    let named = |told: &Told, group: &Group, alone: bool| {
        let folder = told.subject.name();
        let name = if alone { folder } else { format!("{} of {folder}", group.name) };
        Group { name, ..group.clone() }
    };
    match told {
        [only] => only.subject.groups.clone(),
        all => all
            .iter()
            .flat_map(|told| {
                let groups = &told.subject.groups;
                groups.iter().map(move |group| named(told, group, groups.len() == 1))
            })
            .collect(),
    }
}

/// What a folder holds, in a few facts.
fn glance(Told { subject, run }: &Told) -> Block {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let kind = if subject.is_baseline {
        "a baseline"
    } else if run.is_some() {
        "a run"
    } else {
        "an experiment"
    };
    let state = if subject.complete { "complete" } else { "not complete" };
    let mut facts = vec![
        fact("results", format!("{}, {kind}, {state}", subject.name())),
        fact("scenario", subject.scenario.clone()),
        fact("made by", format!("runner {}", subject.version)),
    ];
    if let Some(run) = run {
        facts.extend(run::facts(run));
    } else {
        let runs = subject.groups.iter().map(|group| group.samples.len());
        facts.push(fact("policies", subject.groups.len().to_string()));
        facts.push(fact("runs of each", runs.max().unwrap_or_default().to_string()));
    }
    Block::Facts(facts)
}

/// What was set beside the scenario, what the policies are, and the scenario as it was
/// written.
fn configuration(subject: &Subject) -> Vec<Block> {
    let text = fs::read_to_string(subject.path.join("scenario.yaml")).unwrap_or_default();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let scenario = (!lines.is_empty()).then_some(Block::Code(lines));
    tables::settings(&subject.path).into_iter().chain(scenario).collect()
}

/// What a reader might miss.
fn unusual(told: &Told) -> Vec<Block> {
    let subject = &told.subject;
    let name = subject.name();
    let mut said = Vec::new();
    if !subject.complete {
        said.push(format!("{name} is not complete: what is there is shown."));
    }
    said.extend(tables::failed_cells(&subject.path));
    said.extend(told.run.iter().flat_map(run::unusual));
    said.into_iter().map(Block::Warning).collect()
}

fn write(arguments: &ReportArguments, told: &[Told], parts: &[Part]) -> Result<(), Error> {
    let page = Page {
        title: told[0].subject.scenario.clone(),
        subtitle: subtitle(told),
        sections: parts.iter().map(|part| part.section.clone()).collect(),
    };
    replace(&arguments.out, &page_html(&page))
        .map_err(|error| not_written(&arguments.out, &error))?;
    let Some(folder) = &arguments.svg else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
    for picture in parts.iter().flat_map(|part| &part.pictures) {
        let path = folder.join(format!("{}.svg", picture.name));
        replace(&path, &picture.svg).map_err(|error| not_written(&path, &error))?;
    }
    Ok(())
}

fn subtitle(told: &[Told]) -> String {
    match told {
        [Told { run: Some(run), .. }] => {
            let description = run.manifest.description.clone();
            description.unwrap_or_else(|| format!("One run, seed {}.", run.manifest.seed))
        }
        [only] => format!("{} policies, compared by runs.", only.subject.groups.len()),
        [first, rest @ ..] => {
            let count = rest.len();
            let folders = if count == 1 { "folder" } else { "folders" };
            format!("{} and {count} other {folders}, compared with it.", first.subject.name())
        }
        [] => String::new(),
    }
}

/// Puts a file in the place of another as a whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    readable(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// As any file that a program writes: a temporary one is its owner's alone.
#[cfg(unix)]
fn readable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &fs::File) -> io::Result<()> {
    Ok(())
}
