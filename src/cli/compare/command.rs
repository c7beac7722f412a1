use std::path::PathBuf;

use clap::Args;

use super::subject::Subject;
use super::{json, tables, traces, within};
use crate::cli::console::{Paint, name};
use crate::cli::{Exit, streams};
use crate::comparison::{Comparison, Group, compare, usual_terms};
use crate::diagnostic::{Diagnostic, Report, Source};
use crate::metrics::Term;
use crate::statistics::Confidence;

/// `runner compare`
#[derive(Debug, Clone, Args)]
pub struct CompareArguments {
    /// The base: the folder of a run or of an experiment. Alone, the policies of an
    /// experiment are compared with each other.
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// What is compared with it.
    #[arg(value_name = "CANDIDATE")]
    pub candidates: Vec<PathBuf>,
    /// A metric, such as `validation.success_rate[last 25%]` [default: the success rates].
    #[arg(long = "metric", short, value_name = "METRIC")]
    pub metrics: Vec<String>,
    /// Which policy of an experiment the others are compared with [default: the first].
    #[arg(long, value_name = "NAME", conflicts_with = "candidates")]
    pub base_policy: Option<String>,
    /// How sure the intervals are [default: 0.95].
    #[arg(long, value_name = "LEVEL", value_parser = crate::cli::evaluate::parse_confidence)]
    pub confidence: Option<Confidence>,
    /// What is written to stdout.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: crate::cli::arguments::Format,
}

/// A comparison of several folders, or within one.
struct Compared {
    /// What stands above the table.
    title: Option<String>,
    /// What is said of it before the figures.
    remarks: Vec<String>,
    figures: Vec<(Term, Comparison)>,
}

/// Compares runs, and shows what that shows.
pub fn run(arguments: &CompareArguments) -> Exit {
    let mut report = Report::new();
    let subjects = read(arguments, &mut report);
    let compared =
        if report.has_errors() { Vec::new() } else { all(arguments, &subjects, &mut report) };
    anstream::eprint!("{}", report.render(true));
    if report.has_errors() {
        return Exit::Usage;
    }
    let confidence = arguments.confidence.unwrap_or(Confidence::P95);
    let text = match arguments.format {
        crate::cli::arguments::Format::Json => {
            let figures: Vec<_> =
                compared.into_iter().flat_map(|compared| compared.figures).collect();
            String::from_utf8_lossy(&json(&figures, confidence)).into_owned()
        }
        crate::cli::arguments::Format::Text => {
            let shown = compared.iter().map(|compared| shown(compared, confidence));
            shown.collect::<Vec<_>>().join("\n")
        }
    };
    streams::print(&text)
}

fn read(arguments: &CompareArguments, report: &mut Report) -> Vec<Subject> {
    let paths = [&arguments.base].into_iter().chain(&arguments.candidates);
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
            Err(error) => report.push(Diagnostic::error(error.to_string())),
        }
    }
    subjects
}

fn all(arguments: &CompareArguments, subjects: &[Subject], report: &mut Report) -> Vec<Compared> {
    let Some((base, candidates)) = subjects.split_first() else { return Vec::new() };
    let Some(terms) = terms(arguments, &base.groups, report) else { return Vec::new() };
    let confidence = arguments.confidence.unwrap_or(Confidence::P95);
    if candidates.is_empty() {
        return inside(arguments, base, &terms, confidence, report).into_iter().collect();
    }
    let alone = subjects.iter().all(|subject| subject.groups.len() == 1);
    let compared: Vec<Compared> = base
        .groups
        .iter()
        .filter_map(|group| across(base, group, candidates, alone, &terms, confidence))
        .collect();
    if compared.is_empty() {
        let message = "the folders have no policy in common";
        report.push(Diagnostic::error(message).help("compare experiments with the same policies"));
    }
    compared
}

/// The metrics that are asked for; none, if something is wrong with one.
fn terms(arguments: &CompareArguments, groups: &[Group], report: &mut Report) -> Option<Vec<Term>> {
    let Some(group) = groups.iter().find(|group| !group.samples.is_empty()) else {
        report.push(Diagnostic::error("the base has no run that is done"));
        return None;
    };
    let scopes = group.scopes();
    let mut terms = Vec::new();
    for text in &arguments.metrics {
        match Term::parse(text, &scopes) {
            Ok(term) => terms.push(term),
            Err(errors) => {
                let source = Source::new("--metric", text.as_str());
                let place = |error: crate::metrics::ExpectationError| {
                    let mistake = Diagnostic::error(error.message).within(&source, error.span);
                    mistake.maybe_help(error.help)
                };
                errors.into_iter().map(place).for_each(|mistake| report.push(mistake));
            }
        }
    }
    (terms.len() == arguments.metrics.len()).then_some(terms)
}

/// The policies of one experiment.
fn inside(
    arguments: &CompareArguments,
    subject: &Subject,
    terms: &[Term],
    confidence: Confidence,
    report: &mut Report,
) -> Option<Compared> {
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
    let figures = within(&subject.groups, base, terms, confidence);
    Some(Compared { title: None, remarks: Vec::new(), figures })
}

/// One policy in several folders.
fn across(
    base: &Subject,
    group: &Group,
    candidates: &[Subject],
    alone: bool,
    terms: &[Term],
    confidence: Confidence,
) -> Option<Compared> {
    let others: Vec<(&Subject, &Group)> = candidates
        .iter()
        .filter_map(|subject| Some((subject, subject.counterpart(group, alone)?)))
        .collect();
    (!others.is_empty()).then_some(())?;
    let remarks = others.iter().flat_map(|(subject, other)| {
        let (left, right) = ((base, group), (*subject, *other));
        traces::remarks(left, right)
    });
    let called = |subject: &Subject, group: &Group| Group { name: subject.name(), ..group.clone() };
    let named: Vec<Group> = others.iter().map(|(subject, other)| called(subject, other)).collect();
    let named_base = called(base, group);
    let usual;
    let terms = if terms.is_empty() {
        usual = usual_terms(std::slice::from_ref(group));
        &usual
    } else {
        terms
    };
    let refs: Vec<&Group> = named.iter().collect();
    let figures =
        terms.iter().map(|term| (term.clone(), compare(term, &named_base, &refs, confidence)));
    Some(Compared {
        title: (!alone).then(|| group.name.clone()),
        remarks: remarks.collect(),
        figures: figures.collect(),
    })
}

fn shown(compared: &Compared, confidence: Confidence) -> String {
    let title = compared.title.as_ref();
    let title =
        title.map_or(String::new(), |title| format!("{}\n", Paint::Strong.over(&name(title))));
    let mut remarks: Vec<String> = compared.remarks.iter().map(|remark| name(remark)).collect();
    if !remarks.is_empty() {
        remarks.push("\n".to_owned());
    }
    format!("{title}{}{}", remarks.join("\n"), tables(&compared.figures, confidence))
}
