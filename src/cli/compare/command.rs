use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::annotations::annotations;
use super::document::{ComparisonDocument, Section};
use super::junit::junit;
use super::markdown::markdown;
use super::openmetrics::openmetrics;
use super::subject::Subject;
use super::{json, null, text, traces, within};
use crate::cli::error::{Error, not_written};
use crate::cli::exit::Exit;
use crate::cli::{output_file, remote_folder, streams};
use comparison::{
    GateOutcome, GateVerdict, Group, compare, default_terms, judge_between, judge_within,
};
use diagnostic::{Diagnostic, Report, Source};
use metrics::{Gate, Term};
use scenario::{GateScope, load_gates};
use statistics::Confidence;

/// `runner compare`
#[derive(Debug, Clone, Args)]
pub struct CompareArguments {
    /// The base: the folder of a run or of an experiment, or a baseline file. Alone, the
    /// policies of an experiment are compared with each other.
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// The folders that are compared with it.
    #[arg(value_name = "CANDIDATE")]
    pub candidates: Vec<PathBuf>,
    /// A metric, such as `validation.success_rate[last 25%]` [default: the success rates].
    #[arg(long = "metric", short, value_name = "METRIC")]
    pub metrics: Vec<String>,
    /// Which policy of an experiment the others are compared with [default: the first].
    #[arg(long, value_name = "NAME", conflicts_with = "candidates")]
    pub base_policy: Option<String>,
    /// The confidence level of intervals [default: 0.95].
    #[arg(long, value_name = "LEVEL", value_parser = crate::cli::evaluate::parse_confidence)]
    pub confidence: Option<Confidence>,
    /// Judge gates: a file with `gates:`, such as a scenario
    /// [exit code 3: a gate failed, 4: undecided where that is a failure].
    #[arg(long, value_name = "FILE")]
    pub gates: Option<PathBuf>,
    /// Measure the noise instead: compare the runs of each policy with each other, which differ
    /// in their seeds only.
    #[arg(long, conflicts_with_all = ["candidates", "gates", "base_policy", "annotate"])]
    #[arg(conflicts_with_all = ["format", "junit", "markdown", "openmetrics"])]
    pub null: bool,
    /// Compare with a baseline of other visitors, rewards or phases, which is refused otherwise.
    /// No gate passes then.
    #[arg(long)]
    pub allow_incomparable: bool,
    #[command(flatten)]
    outputs: Outputs,
}

/// What a comparison can be written as.
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
    /// Write the gates as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Append the tables as Markdown, such as for `$GITHUB_STEP_SUMMARY`.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the means, the differences and the gates as OpenMetrics text.
    #[arg(long, value_name = "FILE")]
    openmetrics: Option<PathBuf>,
}

impl Outputs {
    /// Writes the files, and what is asked for to stdout; gives what the gates decide.
    pub fn publish(&self, document: &ComparisonDocument) -> Result<Exit, Error> {
        self.write(document)?;
        streams::print(&self.render(document))?;
        Ok(document.exit())
    }

    fn render(&self, document: &ComparisonDocument) -> String {
        let text = match self.format {
            Format::Text => text(document),
            Format::Markdown => markdown(document),
            Format::Json => return String::from_utf8_lossy(&json(document)).into_owned(),
        };
        if self.annotate { text + &annotations(document) } else { text }
    }

    fn write(&self, document: &ComparisonDocument) -> Result<(), Error> {
        if let Some(path) = &self.junit {
            output_file::write(path, &junit(document))?;
        }
        if let Some(path) = &self.openmetrics {
            output_file::write(path, &openmetrics(document))?;
        }
        if let Some(path) = &self.markdown {
            append(path, &markdown(document)).map_err(|error| not_written(path, &error))?;
        }
        Ok(())
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// Compares runs, and prints the result.
pub fn run(arguments: &CompareArguments) -> Result<Exit, Error> {
    let folders = [std::slice::from_ref(&arguments.base), &arguments.candidates].concat();
    let fetched = remote_folder::fetched(&folders)?;
    let mut report = Report::new();
    let subjects = read(&fetched.folders, &mut report);
    if arguments.null {
        return noise(arguments, &subjects, report);
    }
    let document =
        if report.has_errors() { None } else { document(arguments, &subjects, &mut report) };
    let Some(document) = document.filter(|_| !report.has_errors()) else {
        return Err(report.into());
    };
    anstream::eprint!("{}", report.render(true));
    arguments.outputs.publish(&document)
}

/// Prints the comparisons of every policy with itself.
fn noise(
    arguments: &CompareArguments,
    subjects: &[Subject],
    mut report: Report,
) -> Result<Exit, Error> {
    let groups = subjects.first().map_or(&[][..], |subject| &subject.groups);
    let terms =
        if report.has_errors() { None } else { terms(&arguments.metrics, groups, &mut report) };
    let Some(terms) = terms else { return Err(report.into()) };
    anstream::eprint!("{}", report.render(true));
    streams::print(&null::text(groups, &terms, arguments.confidence()))?;
    Ok(Exit::Done)
}

impl CompareArguments {
    fn confidence(&self) -> Confidence {
        self.confidence.unwrap_or(Confidence::P95)
    }
}

fn read(paths: &[PathBuf], report: &mut Report) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for path in paths {
        match Subject::read(path) {
            Ok(subject) => {
                if !subject.complete {
                    let message = format!("`{}` is not complete", subject.name());
                    let help =
                        "what is there is compared; go on with it by `runner run … --resume`";
                    report.push(Diagnostic::warning(message).help(help));
                }
                subjects.push(subject);
            }
            Err(error) => report.push(Diagnostic::error(error)),
        }
    }
    subjects
}

fn document(
    arguments: &CompareArguments,
    subjects: &[Subject],
    report: &mut Report,
) -> Option<ComparisonDocument> {
    let (base, candidates) = subjects.split_first()?;
    let terms = terms(&arguments.metrics, &base.groups, report)?;
    let gates = gates(arguments, base, report)?;
    let inside = candidates.is_empty();
    if inside {
        inside_is_sound(arguments, base, report)?;
    }
    let strange = subjects[1..].iter().filter_map(|other| incomparable(base, other));
    let strange: Vec<Diagnostic> = strange.collect();
    if !strange.is_empty() && !arguments.allow_incomparable {
        strange.into_iter().for_each(|mistake| report.push(mistake));
        return None;
    }
    let (sections, mut verdicts) = if inside {
        let base_policy = arguments.base_policy.as_deref();
        let metrics = within(&base.groups, base_policy, &terms, arguments.confidence());
        let section = Section { title: None, remarks: Vec::new(), metrics };
        (vec![section], judge_within(&gates, &base.groups, base_policy))
    } else {
        across_all(subjects, &terms, &gates, arguments.confidence())
    };
    if sections.is_empty() {
        report.push(nothing_in_common());
        return None;
    }
    if !strange.is_empty() {
        let reason = "the baseline is of another world".to_owned();
        verdicts.iter_mut().for_each(|of| of.outcome = GateOutcome::NotMeasured(reason.clone()));
    }
    let confidence = arguments.confidence();
    Some(ComparisonDocument { name: base.scenario.clone(), sections, verdicts, confidence })
}

/// What a report shows of folders: the policies of one against each other, or each policy
/// of the first in the others.
pub fn sections(subjects: &[&Subject], confidence: Confidence) -> Vec<Section> {
    let [only] = subjects else {
        let alone = subjects.iter().all(|subject| subject.groups.len() == 1);
        let groups = subjects.first().map_or(&[][..], |subject| &subject.groups);
        let sides = groups.iter().filter_map(|group| Sides::of(subjects, group, alone));
        return sides.map(|sides| sides.section(&[], confidence)).collect();
    };
    if only.groups.len() < 2 {
        return Vec::new();
    }
    let metrics = within(&only.groups, None, &[], confidence);
    vec![Section { title: None, remarks: Vec::new(), metrics }]
}

/// The part in which what is compared may differ: the loop with its learning policy.
const UNDER_TEST: &str = "the target";

/// How a baseline and a folder are of different worlds.
fn incomparable(base: &Subject, other: &Subject) -> Option<Diagnostic> {
    if !base.is_baseline && !other.is_baseline {
        return None;
    }
    let alone = base.groups.len() == 1 && other.groups.len() == 1;
    let common = base.groups.iter().filter_map(|of| Some((of, other.counterpart(of, alone)?)));
    let different = common.flat_map(|(left, right)| left.differing_parts(right));
    let mut different: Vec<String> = different.filter(|part| part != UNDER_TEST).collect();
    different.sort();
    different.dedup();
    let (left, right) = (base.name(), other.name());
    let parts = different.join(", ");
    let message = format!("`{right}` is not comparable with `{left}`: they differ in {parts}");
    let help = "save a new baseline, or compare all the same with `--allow-incomparable`";
    (!different.is_empty()).then(|| Diagnostic::error(message).help(help))
}

/// The gates that are asked for; none, if something is wrong with one.
fn gates(arguments: &CompareArguments, base: &Subject, report: &mut Report) -> Option<Vec<Gate>> {
    let Some(path) = &arguments.gates else { return Some(Vec::new()) };
    let phases = base.groups.iter().find(|group| !group.samples.is_empty())?.scopes();
    let policies: Vec<String> = base.groups.iter().map(|group| group.name.clone()).collect();
    match load_gates(path, GateScope { phases: &phases, policies: &policies }) {
        Ok(gates) => Some(gates),
        Err(mistakes) => {
            report.append(mistakes);
            None
        }
    }
}

/// The metrics that are asked for; none, if something is wrong with one.
fn terms(metrics: &[String], groups: &[Group], report: &mut Report) -> Option<Vec<Term>> {
    let Some(group) = groups.iter().find(|group| !group.samples.is_empty()) else {
        report.push(Diagnostic::error("the base has no run that is done"));
        return None;
    };
    let scopes = group.scopes();
    let mut terms = Vec::new();
    for text in metrics {
        match Term::parse(text, &scopes) {
            Ok(term) => terms.push(term),
            Err(errors) => {
                let source = Source::new("--metric", text.as_str());
                let place = |error: metrics::ExpectationError| {
                    let mistake = Diagnostic::error(error.message).within(&source, error.span);
                    mistake.maybe_help(error.help)
                };
                errors.into_iter().map(place).for_each(|mistake| report.push(mistake));
            }
        }
    }
    (terms.len() == metrics.len()).then_some(terms)
}

/// Says why the policies of a folder cannot be compared with each other.
fn inside_is_sound(
    arguments: &CompareArguments,
    subject: &Subject,
    report: &mut Report,
) -> Option<()> {
    let base = arguments.base_policy.as_deref();
    if let Some(base) = base.filter(|base| subject.groups.iter().all(|group| group.name != *base)) {
        let names: Vec<&str> = subject.groups.iter().map(|group| group.name.as_str()).collect();
        let message = format!("there is no policy `{base}` in `{}`", subject.name());
        report.push(Diagnostic::error(message).help(format!("it has `{}`", names.join("`, `"))));
        return None;
    }
    if subject.groups.len() < 2 {
        let message = format!("`{}` is alone: there is nothing to compare it with", subject.name());
        let help = "name a second folder, or the folder of an experiment with several policies";
        report.push(Diagnostic::error(message).help(help));
        return None;
    }
    Some(())
}

/// Compares every policy of the first folder with the same policy of the others.
pub fn between(
    subjects: &[Subject],
    metrics: &[String],
    gates: &[Gate],
    confidence: Confidence,
) -> Result<ComparisonDocument, Report> {
    let mut report = Report::new();
    let groups = subjects.first().map_or(&[][..], |base| &base.groups);
    let Some(terms) = terms(metrics, groups, &mut report) else { return Err(report) };
    let (sections, verdicts) = across_all(subjects, &terms, gates, confidence);
    if sections.is_empty() {
        return Err(nothing_in_common().into());
    }
    let name = subjects.first().map_or_else(String::new, |base| base.scenario.clone());
    Ok(ComparisonDocument { name, sections, verdicts, confidence })
}

fn nothing_in_common() -> Diagnostic {
    Diagnostic::error("no policy is in all of the results")
        .help("compare experiments with the same policies")
}

/// Every policy of the base in the other folders.
fn across_all(
    subjects: &[Subject],
    terms: &[Term],
    gates: &[Gate],
    confidence: Confidence,
) -> (Vec<Section>, Vec<GateVerdict>) {
    let alone = subjects.iter().all(|subject| subject.groups.len() == 1);
    let subjects: Vec<&Subject> = subjects.iter().collect();
    let (mut sections, mut verdicts) = (Vec::new(), Vec::new());
    for group in &subjects[0].groups {
        let Some(side) = Sides::of(&subjects, group, alone) else { continue };
        sections.push(side.section(terms, confidence));
        verdicts.extend(judge_between(gates, &group.name, &side.base, &side.candidates));
    }
    (sections, verdicts)
}

/// One policy in several folders, called as the folders are.
struct Sides {
    title: Option<String>,
    remarks: Vec<String>,
    base: Group,
    candidates: Vec<Group>,
}

impl Sides {
    /// None, where no other folder has the policy.
    fn of(subjects: &[&Subject], group: &Group, alone: bool) -> Option<Self> {
        let (base, candidates) = subjects.split_first()?;
        let others: Vec<(&Subject, &Group)> = candidates
            .iter()
            .filter_map(|subject| Some((*subject, subject.counterpart(group, alone)?)))
            .collect();
        (!others.is_empty()).then_some(())?;
        let remarks = others.iter().flat_map(|other| traces::remarks((base, group), *other));
        let called = |subject: &Subject, group: &Group| {
            let name = subject.name();
            let name = if alone { name } else { format!("{} of {name}", group.name) };
            Group { name, ..group.clone() }
        };
        Some(Self {
            title: (!alone).then(|| group.name.clone()),
            remarks: remarks.collect(),
            base: called(base, group),
            candidates: others.iter().map(|(subject, group)| called(subject, group)).collect(),
        })
    }

    fn section(&self, terms: &[Term], confidence: Confidence) -> Section {
        let usual;
        let terms = if terms.is_empty() {
            usual = default_terms(std::slice::from_ref(&self.base));
            &usual[..]
        } else {
            terms
        };
        let candidates: Vec<&Group> = self.candidates.iter().collect();
        let compared = |term: &Term| compare(term, &self.base, &candidates, confidence);
        let metrics = terms.iter().map(|term| (term.clone(), compared(term)));
        let (title, remarks) = (self.title.clone(), self.remarks.clone());
        Section { title, remarks, metrics: metrics.collect() }
    }
}
