use serde::Serialize;

use super::document::ComparisonDocument;
use super::gates;
use comparison::{
    Comparison, Description, Difference, Estimate, Finding, GateOutcome, GateVerdict,
};
use metrics::Term;
use statistics::Analysis;

#[derive(Serialize)]
struct Document<'a> {
    confidence: f64,
    metrics: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gates: Vec<Judged<'a>>,
}

/// One metric.
#[derive(Serialize)]
struct Row<'a> {
    metric: &'a str,
    base: Side<'a>,
    candidates: Vec<Candidate<'a>>,
}

#[derive(Serialize)]
struct Side<'a> {
    name: &'a str,
    mean: Option<f64>,
    standard_deviation: Option<f64>,
    runs: u64,
    #[serde(skip_serializing_if = "is_zero")]
    censored: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_measured: &'a [String],
}

#[derive(Serialize)]
struct Candidate<'a> {
    #[serde(flatten)]
    side: Side<'a>,
    difference: Option<f64>,
    interval: Option<[f64; 2]>,
    p: Option<f64>,
    adjusted_p: Option<f64>,
    sign_flip_p: Option<f64>,
    pairs: u64,
    analysis: &'static str,
    detectable: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detect: Option<Detect>,
    finding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// How many seeds show a difference, in the unit of the metric.
#[derive(Serialize)]
struct Detect {
    difference: f64,
    seeds: Option<u64>,
    seeds_at_most: Option<u64>,
}

/// A gate and a policy.
#[derive(Serialize)]
struct Judged<'a> {
    gate: String,
    base: &'a str,
    candidate: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    difference: Option<f64>,
    interval: Option<[f64; 2]>,
    confidence: f64,
}

/// What was found, as JSON.
pub fn json(document: &ComparisonDocument) -> Vec<u8> {
    let metrics = document.sections.iter().flat_map(|section| &section.metrics);
    let document = Document {
        confidence: document.confidence.level(),
        metrics: metrics
            .map(|(term, comparison)| Row {
                metric: term.text(),
                base: side(&comparison.base),
                candidates: candidates(document, term, comparison),
            })
            .collect(),
        gates: document.verdicts.iter().map(judged).collect(),
    };
    // Its keys are texts, and it is written to memory.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn judged(verdict: &GateVerdict) -> Judged<'_> {
    let test = verdict.difference.as_ref().and_then(|difference| difference.test.as_ref());
    Judged {
        gate: verdict.gate.to_string(),
        base: &verdict.base,
        candidate: &verdict.candidate,
        outcome: gates::word(&verdict.outcome),
        reason: match &verdict.outcome {
            GateOutcome::Inconclusive(why) | GateOutcome::NotMeasured(why) => Some(why),
            GateOutcome::Pass | GateOutcome::Fail => None,
        },
        difference: test.map(|test| test.difference),
        interval: test.and_then(|test| test.interval).map(|of| [of.lower, of.upper]),
        confidence: verdict.gate.confidence.level(),
    }
}

fn side(estimate: &Estimate) -> Side<'_> {
    Side {
        name: &estimate.group,
        mean: estimate.mean,
        standard_deviation: estimate.deviation,
        runs: estimate.runs,
        censored: estimate.censored,
        not_measured: &estimate.missing,
    }
}

fn candidates<'a>(
    document: &ComparisonDocument,
    term: &Term,
    comparison: &'a Comparison,
) -> Vec<Candidate<'a>> {
    let effect = document.detect.as_ref().and_then(|text| term.value(text).ok());
    comparison.candidates.iter().map(|difference| candidate(difference, effect)).collect()
}

fn candidate(difference: &Difference, effect: Option<f64>) -> Candidate<'_> {
    let test = difference.test.as_ref();
    Candidate {
        side: side(&difference.estimate),
        difference: test.map(|test| test.difference),
        interval: test.and_then(|test| test.interval).map(|of| [of.lower, of.upper]),
        p: test.and_then(|test| test.p),
        adjusted_p: difference.adjusted_p,
        sign_flip_p: difference.sign_flip.as_ref().map(|flip| flip.p),
        pairs: difference.pairs,
        analysis: analysis(difference.analysis),
        detectable: difference.detectable,
        detect: effect.and_then(|effect| detect(difference, effect)),
        finding: word(difference.finding),
        reason: reason(difference.finding),
    }
}

fn detect(candidate: &Difference, difference: f64) -> Option<Detect> {
    let [seeds, seeds_at_most] = candidate.pairs_to_detect(difference)?;
    Some(Detect { difference, seeds, seeds_at_most })
}

fn analysis(analysis: Analysis) -> &'static str {
    match analysis {
        Analysis::Paired => "paired",
        Analysis::PairsOnly => "pairs_only",
        Analysis::PartlyPaired => "partly_paired",
        Analysis::Unpaired => "unpaired",
    }
}

/// A finding in a word, for programs.
fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::Different => "different",
        Finding::Identical => "identical",
        Finding::NotShown => "not_shown",
        Finding::Description(_) => "no_inference",
    }
}

/// Why nothing is inferred, in a word, for programs.
fn reason(finding: Finding) -> Option<&'static str> {
    let Finding::Description(why) = finding else { return None };
    Some(match why {
        Description::NoRuns => "no_runs",
        Description::OneRunEach => "one_run_each",
        Description::FewPairs => "few_pairs",
        Description::FewRuns => "few_runs",
        Description::NoSpread => "no_spread",
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
