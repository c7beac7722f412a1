use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::annotations::annotations;
use super::build::{self, Request};
use super::document::ComparisonDocument;
use super::markdown::markdown;
use super::openmetrics::openmetrics;
use super::subject::Subject;
use super::{json, null, text};
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::fold::on_stdout;
use crate::cli::verdict_files::VerdictFiles;
use crate::cli::{output_file, remote_folder, streams};
use diagnostic::{Diagnostic, Report};
use statistics::Confidence;

/// `runner compare`
#[derive(Debug, Clone, Args)]
pub struct CompareArguments {
    /// The base: the folder of a run, of runs or of an experiment, or a baseline file. Alone, the
    /// policies of an experiment are compared with each other.
    #[arg(value_name = "BASE", required_unless_present = "groups")]
    pub base: Option<PathBuf>,
    /// The folders that are compared with it.
    #[arg(value_name = "CANDIDATE")]
    pub candidates: Vec<PathBuf>,
    /// Runs that differ in their seeds only, by a name: their folders, as a pattern. The groups
    /// are compared with the first, run by run of one seed. May be given several times.
    #[arg(long = "group", value_name = "NAME=PATTERN", conflicts_with = "base")]
    #[arg(value_parser = parse_group)]
    pub groups: Vec<(String, String)>,
    /// A metric, such as `validation.success_rate[last 25%]` [default: the success rates].
    #[arg(long = "metric", short, value_name = "METRIC")]
    pub metrics: Vec<String>,
    /// Which policy of an experiment the others are compared with [default: the first].
    #[arg(long, value_name = "NAME", conflicts_with = "candidates")]
    pub base_policy: Option<String>,
    /// The confidence level of the intervals [default: 0.95].
    #[arg(long, value_name = "LEVEL", value_parser = crate::cli::confidence::parse_confidence)]
    pub confidence: Option<Confidence>,
    /// Judge these gates: a file with `gates:`, such as a scenario [default: the gates of the
    /// base's scenario] [exit code 3: a gate failed, 4: undecided where that is a failure,
    /// 5: incomplete results].
    #[arg(long, value_name = "FILE")]
    pub gates: Option<PathBuf>,
    /// Plan: how many seeds show a difference of this size, such as `0.02` or `2%`, with 80 %
    /// power.
    #[arg(long, value_name = "DIFFERENCE")]
    pub detect: Option<String>,
    /// Measure the noise instead: compare the runs of each policy with each other, which differ
    /// in their seeds only.
    #[arg(long, conflicts_with_all = ["candidates", "gates", "base_policy", "annotate", "detect"])]
    #[arg(conflicts_with_all = ["format", "junit", "markdown", "openmetrics"])]
    pub null: bool,
    /// Compare with a baseline of other visitors, rewards or phases, which is refused otherwise.
    /// No gate passes then.
    #[arg(long)]
    pub allow_incomparable: bool,
    #[command(flatten)]
    outputs: Outputs,
}

/// The formats of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people.
    Text,
    /// Tables for a step summary or a comment.
    Markdown,
    /// Every number, for programs.
    Json,
}

/// Where a comparison goes: stdout, and files for a CI server.
#[derive(Debug, Clone, Args)]
pub struct Outputs {
    /// What is written to stdout.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// End the output with a line `::error …` for each gate that fails, which GitHub shows on
    /// the pull request.
    #[arg(long)]
    annotate: bool,
    #[command(flatten)]
    files: VerdictFiles,
    /// Write the means, the differences and the gates as OpenMetrics text.
    #[arg(long, value_name = "FILE")]
    openmetrics: Option<PathBuf>,
}

impl Outputs {
    /// Writes the files and stdout, and returns the exit code of the gates.
    pub fn publish(&self, document: &ComparisonDocument) -> Result<Exit, Error> {
        self.write(document)?;
        streams::print(&self.render(document))?;
        Ok(document.exit())
    }

    fn render(&self, document: &ComparisonDocument) -> String {
        let text = match self.format {
            Format::Text => on_stdout(&text(document)),
            Format::Markdown => markdown(document),
            Format::Json => return String::from_utf8_lossy(&json(document)).into_owned(),
        };
        if self.annotate { text + &annotations(document) } else { text }
    }

    fn write(&self, document: &ComparisonDocument) -> Result<(), Error> {
        if let Some(path) = &self.openmetrics {
            output_file::write(path, &openmetrics(document))?;
        }
        document.write_files(&self.files)
    }
}

/// Compares runs, writes the outputs, and returns the exit code of the gates.
pub fn run(arguments: &CompareArguments) -> Result<Exit, Error> {
    let folders: Vec<PathBuf> =
        arguments.base.iter().chain(&arguments.candidates).cloned().collect();
    let fetched = remote_folder::fetched(&folders)?;
    let mut report = Report::new();
    let subjects = if arguments.groups.is_empty() {
        read(&fetched.folders, &mut report)
    } else {
        named(&arguments.groups, &mut report)
    };
    if report.has_errors() {
        return Err(report.into());
    }
    if arguments.null {
        return noise(arguments, &subjects, report);
    }
    let document = build::document(&arguments.request(), &subjects, &mut report);
    let Some(document) = document.filter(|_| !report.has_errors()) else {
        return Err(report.into());
    };
    streams::explain(&report);
    arguments.outputs.publish(&document)
}

/// Prints the comparisons of the runs of each policy with each other.
fn noise(
    arguments: &CompareArguments,
    subjects: &[Subject],
    mut report: Report,
) -> Result<Exit, Error> {
    let groups = subjects.first().map_or(&[][..], |subject| &subject.groups);
    let terms = build::terms(&arguments.metrics, groups, &mut report);
    let Some(terms) = terms else { return Err(report.into()) };
    streams::explain(&report);
    streams::tell(&null::text(groups, &terms, arguments.confidence()))?;
    Ok(Exit::Done)
}

impl CompareArguments {
    fn request(&self) -> Request<'_> {
        Request {
            metrics: &self.metrics,
            base_policy: self.base_policy.as_deref(),
            confidence: self.confidence(),
            gates: self.gates.as_deref(),
            detect: self.detect.as_deref(),
            allow_incomparable: self.allow_incomparable,
        }
    }

    fn confidence(&self) -> Confidence {
        self.confidence.unwrap_or(Confidence::P95)
    }
}

fn parse_group(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, pattern)) if !name.is_empty() && !pattern.is_empty() => {
            Ok((name.to_owned(), pattern.to_owned()))
        }
        _ => Err("expected a name and folders, such as `old='results/old/*'`".to_owned()),
    }
}

/// The groups as one subject, whose groups are compared with each other.
fn named(groups: &[(String, String)], report: &mut Report) -> Vec<Subject> {
    for (index, (name, _)) in groups.iter().enumerate() {
        if groups[..index].iter().any(|(other, _)| other == name) {
            report.push(Diagnostic::error(format!("there are two groups `{name}`")));
        }
    }
    let read = groups.iter().map(|(name, pattern)| Subject::named(name, pattern));
    let subjects = complete(read, report);
    Subject::of_groups(subjects).into_iter().collect()
}

fn read(paths: &[PathBuf], report: &mut Report) -> Vec<Subject> {
    complete(paths.iter().map(|path| Subject::read(path)), report)
}

/// The subjects that can be read; with a warning about those that are not complete.
fn complete(
    read: impl Iterator<Item = Result<Subject, String>>,
    report: &mut Report,
) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for subject in read {
        match subject {
            Ok(subject) => {
                if !subject.complete {
                    let message = format!("`{}` is not complete", subject.name());
                    let help = "the runs that exist are compared, and no gate passes; \
                                complete it with `runner run … --resume`";
                    report.push(Diagnostic::warning(message).help(help));
                }
                subjects.push(subject);
            }
            Err(error) => report.push(Diagnostic::error(error)),
        }
    }
    subjects
}
