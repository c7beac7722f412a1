//! `runner report`: folders as one page.

mod answer;
mod curves;
mod landmarks;
mod live;
mod run;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use self::answer::answer;
use self::curves::curves;
use self::landmarks::Landmarks;
pub use self::live::{experiment_under_way, run_under_way};
pub use self::run::{RunNumbers, SecondNumbers};
use super::compare::{Subject, sections};
use super::error::Error;
use super::exit::Exit;
use super::recorded::{self, VerdictCount};
use super::{output_file, remote_folder, streams};
use comparison::Group;
use diagnostic::{Diagnostic, Report};
use report::chart::Svg;
use report::html::{Block, Page, Readout, Section, page_html};
use report::{Layout, LineChart, line_svg};
use results::experiment::{CellResult, is_experiment, read_experiment};
use results::{self, RunFolder};
use statistics::Confidence;

/// `runner report`
#[derive(Debug, Clone, Args)]
pub struct ReportArguments {
    /// Folders of runs or experiments, or baseline files; the first is what the others are
    /// compared with.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The page, one self-contained file; an existing one is replaced, and `-` is stdout.
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    pub out: PathBuf,
    /// Write the charts to this folder, too, as SVG files.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
}

/// A picture with the name of its file.
struct Picture {
    name: String,
    svg: Svg,
    narrow: Option<Svg>,
    readout: Option<Readout>,
}

impl Picture {
    fn of(name: String, chart: &LineChart) -> Self {
        Self {
            name,
            svg: line_svg(chart, Layout::WIDE),
            narrow: Some(line_svg(chart, Layout::NARROW)),
            readout: Some(Readout::of(chart)),
        }
    }

    fn block(&self) -> Block {
        let Self { svg, narrow, readout, .. } = self;
        Block::Picture { svg: svg.clone(), narrow: narrow.clone(), readout: readout.clone() }
    }
}

/// A section of the page, and the pictures in it.
struct ReportSection {
    section: Section,
    pictures: Vec<Picture>,
}

impl ReportSection {
    fn new(heading: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { section: Section { heading: heading.into(), blocks }, pictures: Vec::new() }
    }

    fn drawn(heading: impl Into<String>, pictures: Vec<Picture>) -> Self {
        Self::new(heading, Vec::new()).with_pictures(pictures)
    }

    fn with_pictures(mut self, pictures: Vec<Picture>) -> Self {
        self.section.blocks.extend(pictures.iter().map(Picture::block));
        self.pictures.extend(pictures);
        self
    }

    fn followed_by(mut self, blocks: Vec<Block>) -> Self {
        self.section.blocks.extend(blocks);
        self
    }
}

/// Writes the page.
pub fn report(arguments: &ReportArguments) -> Result<Exit, Error> {
    let fetched = remote_folder::fetched(&arguments.folders)?;
    let sources = read(&fetched.folders)?;
    let sections = all_sections(&sources);
    write(arguments, &sources, &sections)?;
    if !output_file::is_stdout(&arguments.out) {
        streams::print(&format!("{}\n", arguments.out.display()))?;
    }
    Ok(Exit::Done)
}

/// A folder or a baseline file of the report.
struct Source {
    subject: Subject,
    content: Content,
    landmarks: Landmarks,
    verdicts: Vec<VerdictCount>,
    /// Whether no model was exported, though it was told of models.
    has_no_model: bool,
}

/// What a source is.
enum Content {
    Run(Box<RunFolder>),
    Runs,
    Experiment,
    ExperimentUnderWay,
    Baseline,
}

impl Source {
    fn read(path: &Path) -> Result<Self, String> {
        let failed = |error: results::ReadError| error.to_string();
        if is_experiment(path) && results::runs_within(path).is_empty() {
            let experiment = read_experiment(path).map_err(failed)?;
            tables::check(path)?;
            let subject = Subject::of_results(&experiment);
            let landmarks = Landmarks::of_experiment(&experiment);
            let verdicts = recorded::verdicts(path)?;
            let has_no_model = exported_none(&experiment.cells);
            let content = Content::Experiment;
            return Ok(Self { subject, content, landmarks, verdicts, has_no_model });
        }
        let subject = Subject::read(path)?;
        tables::check(path)?;
        let content = if subject.is_baseline {
            Content::Baseline
        } else if results::runs_within(path).is_empty() {
            let run = results::read(path).map_err(failed)?;
            let landmarks = Landmarks::of_run(&run);
            let verdicts = recorded::verdicts(path)?;
            let exports = run.manifest.phases.iter().filter_map(|phase| phase.model_exports).max();
            let has_no_model = exports == Some(0);
            let content = Content::Run(Box::new(run));
            return Ok(Self { subject, content, landmarks, verdicts, has_no_model });
        } else {
            Content::Runs
        };
        let (landmarks, verdicts) = (Landmarks::default(), Vec::new());
        Ok(Self { subject, content, landmarks, verdicts, has_no_model: false })
    }

    fn run(&self) -> Option<&RunFolder> {
        match &self.content {
            Content::Run(run) => Some(run),
            Content::Runs
            | Content::Experiment
            | Content::ExperimentUnderWay
            | Content::Baseline => None,
        }
    }

    fn is_under_way(&self) -> bool {
        matches!(self.content, Content::ExperimentUnderWay)
    }
}

fn read(folders: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let (mut sources, mut mistakes) = (Vec::new(), Report::new());
    for folder in folders {
        match Source::read(folder) {
            Ok(source) => sources.push(source),
            Err(error) => mistakes.push(Diagnostic::error(error)),
        }
    }
    if mistakes.is_empty() { Ok(sources) } else { Err(mistakes.into()) }
}

/// The sections of the page: the result first, the configuration last.
fn all_sections(sources: &[Source]) -> Vec<ReportSection> {
    let groups = groups(sources);
    let subjects: Vec<&Subject> = sources.iter().map(|source| &source.subject).collect();
    let compared = sections(&subjects, Confidence::P95);
    // Policies of several experiments are compared each with its own, in the tables.
    let are_comparable =
        sources.len() == 1 || sources.iter().all(|of| of.subject.groups.len() == 1);
    let curves = curves(&groups, &sources[0].landmarks, are_comparable);
    let result = ReportSection::new("Result", answer(sources, &compared));
    let warnings = ReportSection::new("Warnings", sources.iter().flat_map(warnings).collect());
    if let [Source { content: Content::Run(run), .. }] = sources {
        let mut all = run::alone(&RunNumbers::of(run), result, warnings, curves.pictures);
        all.push(ReportSection::new("Configuration", configuration(&sources[0])));
        return all;
    }
    let gates = subjects
        .iter()
        .filter_map(|of| tables::gates(&tables::json(&of.path, "comparison.json"), true))
        .collect();
    let mut all = vec![
        result,
        warnings,
        ReportSection::drawn("Success", curves.pictures).followed_by(curves.remarks),
        ReportSection::new("Comparison", compared.iter().flat_map(tables::figures).collect()),
        ReportSection::new("Gates", gates),
    ];
    let heading = |what: &str, source: &Source| match sources.len() {
        1 => what.to_owned(),
        _ => format!("{what}: {}", source.subject.name()),
    };
    for (number, source) in sources.iter().enumerate() {
        let Some(run) = source.run() else { continue };
        let mut of_run = run::one_of_several(&RunNumbers::of(run), |what| heading(what, source));
        // Several runs have pictures of the same names.
        let pictures = of_run.iter_mut().flat_map(|section| &mut section.pictures);
        pictures.for_each(|picture| picture.name = format!("{}-{}", number + 1, picture.name));
        all.extend(of_run);
    }
    all.extend(
        sources.iter().map(|source| {
            ReportSection::new(heading("Configuration", source), configuration(source))
        }),
    );
    all
}

/// What is drawn: the policies of one folder, or the policies of each.
fn groups(sources: &[Source]) -> Vec<Group> {
    if let [only] = sources {
        return only.subject.groups.clone();
    }
    let named = |source: &Source, group: &Group| {
        let folder = source.subject.name();
        let is_alone = source.subject.groups.len() == 1;
        let name = if is_alone { folder } else { format!("{} of {folder}", group.name) };
        Group { name, ..group.clone() }
    };
    let all = sources.iter();
    all.flat_map(|source| source.subject.groups.iter().map(|group| named(source, group))).collect()
}

/// Where a source comes from, what was set, and its scenario.
fn configuration(source: &Source) -> Vec<Block> {
    let folder = &source.subject.path;
    let text = fs::read_to_string(folder.join("scenario.yaml")).unwrap_or_default();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let scenario = (!lines.is_empty()).then_some(Block::Code(lines));
    let facts = facts(source).into_iter().chain(tables::settings(folder)).collect();
    [Block::Facts(facts)].into_iter().chain(scenario).collect()
}

fn facts(source: &Source) -> Vec<(String, String)> {
    let subject = &source.subject;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let kind = match source.content {
        Content::Run(_) => "a run",
        Content::Runs => "runs",
        Content::Experiment | Content::ExperimentUnderWay => "an experiment",
        Content::Baseline => "a baseline",
    };
    let state = match subject.complete {
        true => "complete",
        false if source.is_under_way() => "under way",
        false => "not complete",
    };
    let mut facts = vec![
        fact("results", format!("{}, {kind}, {state}", subject.name())),
        fact("scenario", subject.scenario.clone()),
        fact("made by", format!("runner {}", subject.version)),
    ];
    if let Some(run) = source.run() {
        facts.extend(run::facts(run));
    } else {
        let runs = subject.groups.iter().map(|group| group.samples.len());
        facts.push(fact("policies", subject.groups.len().to_string()));
        facts.push(fact("runs of each", runs.max().unwrap_or_default().to_string()));
    }
    facts
}

/// What a reader must not miss.
fn warnings(source: &Source) -> Vec<Block> {
    let mut warnings = tables::failed_cells(&source.subject.path);
    warnings.extend(source.run().iter().flat_map(|run| run::warnings(run)));
    warnings.extend(source.has_no_model.then(|| NO_MODEL.to_owned()));
    warnings.into_iter().map(Block::Warning).collect()
}

/// Whether the cells exported no model, though their target tells of models.
fn exported_none(cells: &[CellResult]) -> bool {
    let told = cells.first().into_iter().flat_map(|cell| cell.phases.iter());
    let exports = told.filter_map(|phase| phase.summary().model_exports).max();
    exports == Some(0) && cells.iter().all(|cell| cell.model_exports.is_empty())
}

/// What is said of runs that exported no model.
const NO_MODEL: &str = "no model was exported: the loop served what it began with or what an \
    evaluation applied, and nothing that it learned";

fn write(
    arguments: &ReportArguments,
    sources: &[Source],
    sections: &[ReportSection],
) -> Result<(), Error> {
    output_file::write(&arguments.out, &page_html(&page(sources, sections)))?;
    let Some(folder) = &arguments.svg else { return Ok(()) };
    for picture in sections.iter().flat_map(|section| &section.pictures) {
        output_file::write(
            &folder.join(format!("{}.svg", picture.name)),
            &picture.svg.standalone(),
        )?;
    }
    Ok(())
}

fn page(sources: &[Source], sections: &[ReportSection]) -> Page {
    Page {
        title: sources[0].subject.scenario.clone(),
        subtitle: subtitle(sources),
        sections: sections.iter().map(|section| section.section.clone()).collect(),
    }
}

/// The report of one folder, as HTML.
pub fn html_of(folder: &Path) -> Result<String, Error> {
    let sources = read(&[folder.to_owned()])?;
    Ok(page_html(&page(&sources, &all_sections(&sources))))
}

fn subtitle(sources: &[Source]) -> String {
    match sources {
        [Source { content: Content::Run(run), .. }] => {
            let description = run.manifest.description.clone();
            description.unwrap_or_else(|| format!("One run, seed {}.", run.manifest.seed))
        }
        [Source { content: Content::Runs, subject, .. }] => {
            let runs: usize = subject.groups.iter().map(|group| group.samples.len()).sum();
            format!("{runs} runs, which differ in their seeds.")
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
