//! From folders to a comparison: which metrics, which gates, and what may be compared.

use std::path::Path;

use super::document::{ComparisonDocument, Section};
use super::subject::Subject;
use super::{traces, within};
use comparison::{
    Designs, GateVerdict, Group, are_indistinguishable, compare, default_terms, groups,
    judge_between, judge_within, refuse_identical,
};
use diagnostic::{Diagnostic, Report, Source};
use metrics::{ExpectationError, Gate, Term};
use results::experiment::ExperimentResults;
use scenario::{GateScope, kept_gates, load_gates};
use statistics::Confidence;

/// What is asked of a comparison.
pub struct Request<'a> {
    /// The metrics; none for the usual ones.
    pub metrics: &'a [String],
    /// The policy that the others are compared with; none for the first.
    pub base_policy: Option<&'a str>,
    /// The confidence level of the intervals.
    pub confidence: Confidence,
    /// A file with gates; none for those of the base's scenario.
    pub gates: Option<&'a Path>,
    /// A difference for which seeds are planned.
    pub detect: Option<&'a str>,
    /// Whether a baseline may be of another world.
    pub allow_incomparable: bool,
}

/// Compares the policies of the only folder, or each policy of the first in the others.
pub fn document(
    request: &Request<'_>,
    subjects: &[Subject],
    report: &mut Report,
) -> Option<ComparisonDocument> {
    let (base, candidates) = subjects.split_first()?;
    let terms = terms(request.metrics, &base.groups, report)?;
    let gates = gates(request, base, report)?;
    let is_within = candidates.is_empty();
    if is_within {
        check_within(request, base, report)?;
    }
    let incomparable: Vec<Diagnostic> =
        candidates.iter().filter_map(|other| incomparable(base, other)).collect();
    let is_comparable = incomparable.is_empty();
    if !is_comparable && !request.allow_incomparable {
        incomparable.into_iter().for_each(|mistake| report.push(mistake));
        return None;
    }
    let compared = if is_within {
        within_one(request, base, &terms, &gates)
    } else {
        between_folders(subjects, &terms, &gates, request.confidence)
    };
    if compared.0.is_empty() {
        report.push(nothing_in_common());
        return None;
    }
    check_judged(request, &gates, &compared.1, report)?;
    let mut document = finished(subjects, compared, request.confidence);
    document.detect = request.detect.map(str::to_owned);
    check_detect(&document, report)?;
    if !is_comparable {
        document.refuse("the baseline is of another world");
    }
    Some(document)
}

/// Compares the policies of an experiment by the usual metrics and its own gates.
pub fn of_experiment(experiment: Subject, report: &mut Report) -> Option<ComparisonDocument> {
    let request = Request {
        metrics: &[],
        base_policy: None,
        confidence: Confidence::P95,
        gates: None,
        detect: None,
        allow_incomparable: false,
    };
    document(&request, &[experiment], report)
}

/// The policies of an experiment, as far as its cells are complete, with the verdicts of gates.
pub fn of_cells(
    results: &ExperimentResults,
    gates: &[Gate],
    designs: &Designs,
) -> ComparisonDocument {
    let groups = groups(results);
    let confidence = Confidence::P95;
    let metrics = within(&groups, None, &[], confidence);
    ComparisonDocument {
        name: results.manifest.scenario.clone(),
        sections: vec![Section { title: None, remarks: log_notes(&groups), metrics }],
        verdicts: judge_within(gates, &groups, None, designs),
        confidence,
        detect: None,
        is_complete: results.cells.len() == results.manifest.cells.len(),
    }
}

/// What is to be known of policies that played in a log.
fn log_notes(groups: &[Group]) -> Vec<String> {
    groups.iter().flat_map(Group::log_notes).collect()
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
    let compared = between_folders(subjects, &terms, gates, confidence);
    if compared.0.is_empty() {
        return Err(nothing_in_common().into());
    }
    Ok(finished(subjects, compared, confidence))
}

/// A comparison whose gates do not pass on incomplete results.
fn finished(
    subjects: &[Subject],
    (sections, verdicts): Compared,
    confidence: Confidence,
) -> ComparisonDocument {
    let name = subjects.first().map_or_else(String::new, |base| base.scenario.clone());
    let (detect, is_complete) = (None, subjects.iter().all(|subject| subject.complete));
    let mut document =
        ComparisonDocument { name, sections, verdicts, confidence, detect, is_complete };
    for subject in subjects.iter().filter(|subject| !subject.complete) {
        document.refuse(&format!("`{}` is not complete", subject.name()));
    }
    document
}

fn nothing_in_common() -> Diagnostic {
    Diagnostic::error("no policy is in all of the results")
        .help("compare experiments with the same policies")
}

/// The comparisons and the gate verdicts.
type Compared = (Vec<Section>, Vec<GateVerdict>);

/// The sections of a report: the policies of one folder against each other, or each policy of
/// the first in the others.
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
    vec![Section { title: None, remarks: log_notes(&only.groups), metrics }]
}

fn within_one(request: &Request<'_>, base: &Subject, terms: &[Term], gates: &[Gate]) -> Compared {
    let metrics = within(&base.groups, request.base_policy, terms, request.confidence);
    let section = Section { title: None, remarks: log_notes(&base.groups), metrics };
    let designs =
        base.most_seeds.map_or(Designs::default(), |most| Designs::until_decided(gates, most));
    let verdicts = judge_within(gates, &base.groups, request.base_policy, &designs);
    (vec![section], verdicts)
}

/// Compares each policy of the first folder with the same in the others.
fn between_folders(
    subjects: &[Subject],
    terms: &[Term],
    gates: &[Gate],
    confidence: Confidence,
) -> Compared {
    let alone = subjects.iter().all(|subject| subject.groups.len() == 1);
    let subjects: Vec<&Subject> = subjects.iter().collect();
    let (mut sections, mut verdicts) = (Vec::new(), Vec::new());
    for group in &subjects[0].groups {
        let Some(side) = Sides::of(&subjects, group, alone) else { continue };
        sections.push(side.section(terms, confidence));
        verdicts.extend(judge_between(gates, &group.name, &side.base, &side.candidates));
    }
    if subjects.iter().any(|subject| are_indistinguishable(&subject.groups)) {
        verdicts.iter_mut().for_each(refuse_identical);
    }
    (sections, verdicts)
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

/// The gates of `--gates`, or of the base's scenario; none, if something is wrong with one.
fn gates(request: &Request<'_>, base: &Subject, report: &mut Report) -> Option<Vec<Gate>> {
    let phases = base.groups.iter().find(|group| !group.samples.is_empty())?.scopes();
    let policies: Vec<String> = base.groups.iter().map(|group| group.name.clone()).collect();
    let scope = GateScope { phases: &phases, policies: &policies };
    let environment = |name: &str| std::env::var(name).ok();
    let read = match (request.gates, &base.overrides) {
        (Some(path), _) => load_gates(path, scope),
        (None, Some(overrides)) => {
            kept_gates(&base.path.join("scenario.yaml"), overrides, &environment, scope)
        }
        (None, None) => Ok(Vec::new()),
    };
    match read {
        Ok(gates) => Some(gates),
        Err(mistakes) => {
            report.append(mistakes);
            None
        }
    }
}

/// Gates that judge nothing must not look like gates that pass.
fn check_judged(
    request: &Request<'_>,
    gates: &[Gate],
    verdicts: &[GateVerdict],
    report: &mut Report,
) -> Option<()> {
    if !verdicts.is_empty() {
        return Some(());
    }
    let help = "a gate judges the policies other than the base; with `against` it compares \
                policies of one experiment";
    match (request.gates, gates.len()) {
        (Some(path), _) => {
            let message = format!("no gate of `{}` judges these results", path.display());
            report.push(Diagnostic::error(message).help(help));
            None
        }
        (None, 0) => Some(()),
        (None, count) => {
            let message = format!("none of the {count} gates of the scenario judges these results");
            report.push(Diagnostic::warning(message).help(help));
            Some(())
        }
    }
}

/// The metrics that are asked for; none, if something is wrong with one.
pub fn terms(metrics: &[String], groups: &[Group], report: &mut Report) -> Option<Vec<Term>> {
    let Some(group) = groups.iter().find(|group| !group.samples.is_empty()) else {
        report.push(Diagnostic::error("the base has no complete run"));
        return None;
    };
    let scopes = group.scopes();
    let mut terms = Vec::new();
    for text in metrics {
        match Term::parse(text, &scopes) {
            Ok(term) => terms.push(term),
            Err(errors) => {
                errors.into_iter().for_each(|error| report.push(misread("--metric", text, error)));
            }
        }
    }
    (terms.len() == metrics.len()).then_some(terms)
}

/// `--detect` must be a positive value of every metric that is compared.
fn check_detect(document: &ComparisonDocument, report: &mut Report) -> Option<()> {
    let Some(text) = &document.detect else { return Some(()) };
    let mut terms = document.sections.iter().flat_map(|section| &section.metrics);
    let mistake = terms.find_map(|(term, _)| match term.value(text) {
        Ok(value) if value > 0.0 => None,
        Ok(_) => {
            let message = format!("a difference to detect is above zero, found `{text}`");
            Some(Diagnostic::error(message).help("write such as `--detect 0.02`"))
        }
        Err(error) => Some(misread("--detect", text, error)),
    });
    let Some(mistake) = mistake else { return Some(()) };
    report.push(mistake);
    None
}

fn misread(argument: &str, text: &str, error: ExpectationError) -> Diagnostic {
    let source = Source::new(argument, text);
    Diagnostic::error(error.message).within(&source, error.span).maybe_help(error.help)
}

/// Says why the policies of a folder cannot be compared with each other.
fn check_within(request: &Request<'_>, subject: &Subject, report: &mut Report) -> Option<()> {
    let has = |name: &str| subject.groups.iter().any(|group| group.name == name);
    if let Some(base) = request.base_policy.filter(|base| !has(base)) {
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

/// One policy in several folders; its groups have the names of the folders.
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
