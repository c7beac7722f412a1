use serde::Serialize;
use serde_json::{Value, json};

use super::gates::GateVerdict;
use super::judge::LogEvaluation;
use evaluation::analysis::{Comparison, Findings, PolicyReport, SegmentReport, Verdict};
use evaluation::run::{LogSummary, Origin, PolicyFailure};
use statistics::Confidence;
use statistics::off_policy::{Estimate, Unusable};

/// An estimate, or the words why there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Estimated {
    Interval { value: f64, lower: f64, upper: f64 },
    Value { value: f64 },
    Unusable { unusable: String },
}

impl From<&Result<Estimate, Unusable>> for Estimated {
    fn from(estimate: &Result<Estimate, Unusable>) -> Self {
        match estimate {
            Ok(Estimate { value, lower, upper }) => {
                Self::Interval { value: *value, lower: *lower, upper: *upper }
            }
            Err(why) => Self::Unusable { unusable: why.to_string() },
        }
    }
}

/// Everything as JSON, one document.
pub fn show(evaluation: &LogEvaluation) -> String {
    let LogEvaluation { analysis, found, baseline, held_out_from, .. } = evaluation;
    let confidence = analysis.confidence;
    let policies: Vec<_> =
        evaluation.reports.iter().map(|report| policy(report, confidence)).collect();
    let breakdowns: Vec<_> = evaluation
        .breakdowns()
        .map(|(name, parts)| {
            let parts: Vec<_> = parts.iter().map(|part| segment(part, confidence)).collect();
            json!({"by": name, "parts": parts})
        })
        .collect();
    let rewards = analysis.bounds.rewards;
    let document = json!({
        "confidence": confidence.level(),
        "reward_range": [rewards.lower, rewards.upper],
        "max_weight": analysis.bounds.weights.highest,
        "baseline": baseline,
        "held_out_from": held_out_from,
        "log": log(&found.summary),
        "policies": policies,
        "failed": found.failures.iter().map(failed).collect::<Vec<_>>(),
        "breakdowns": breakdowns,
        "importance": super::importance::json(evaluation),
        "gates": evaluation.gates.iter().map(gate).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).expect("names are texts") + "\n"
}

fn log(summary: &LogSummary) -> Value {
    let dropped: Vec<_> = summary
        .dropped
        .iter()
        .map(|(reason, lines)| {
            let first = &lines.first;
            json!({
                "reason": reason.name(),
                "words": format!("the line {}", reason.words()),
                "lines": lines.count,
                "first": {"log": first.log, "line": first.line, "column": first.column},
            })
        })
        .collect();
    json!({
        "lines": summary.lines,
        "events": summary.labelled,
        "represented_events": summary.events,
        "unlabelled": summary.unlabelled,
        "actions": summary.actions.map(|(fewest, most)| [fewest, most]),
        "rewards": summary.rewards.map(|rewards| [rewards.lower, rewards.upper]),
        "lowest_probability": summary.lowest_probability,
        "propensity_z": summary.propensity_z(),
        "probabilities_are_off": summary.probabilities_are_off(),
        "dropped": dropped,
    })
}

fn policy(report: &PolicyReport, confidence: Confidence) -> Value {
    json!({
        "name": report.name,
        "source": origin(report.origin),
        "arguments": report.arguments,
        "whole": findings(&report.whole, confidence),
        "held_out": report.held_out.as_ref().map(|found| findings(found, confidence)),
    })
}

fn failed(failure: &PolicyFailure) -> Value {
    let place = &failure.place;
    json!({
        "name": failure.policy,
        "reason": failure.to_string(),
        "at": {"log": place.log, "line": place.line},
    })
}

/// Where a policy came from, in a word.
pub fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Online => "online",
        Origin::FirstAction => "first_action",
        Origin::AnyAction => "any_action",
        Origin::Given => "given",
        Origin::Discovered => "discovered",
        Origin::Logged => "logged",
    }
}

fn findings(found: &Findings, confidence: Confidence) -> Value {
    let mle = match found.mle {
        Ok(value) => Estimated::Value { value },
        Err(why) => Estimated::Unusable { unusable: why.to_string() },
    };
    let warnings: Vec<_> = found.doubts.iter().map(ToString::to_string).collect();
    let overlap = &found.overlap;
    let mut findings = json!({
        "events": found.events,
        "represented_events": found.represented,
        "estimates": {
            "ips": Estimated::from(&found.ips),
            "snips": Estimated::from(&found.snips),
            "mle": mle,
            "cressie_read": Estimated::from(&found.cressie_read),
            "dr": found.doubly_robust.as_ref().map(Estimated::from),
        },
        "effective_sample_size": overlap.effective_examples,
        "match_fraction": overlap.match_fraction,
        "highest_weight_share": overlap.highest_share,
        "mean_weight": overlap.mean_weight,
        "mean_weight_z": found.mean_weight_z,
        "warnings": warnings,
        "vs_online": found.to_online.as_ref().map(|compared| comparison(compared, confidence)),
        "vs_baseline": found.to_baseline.as_ref().map(|compared| comparison(compared, confidence)),
    });
    if let Some(direct) = &found.direct_method {
        findings["estimates"]["direct_method"] = json!(Estimated::from(direct));
    }
    findings
}

pub fn comparison(comparison: &Comparison, confidence: Confidence) -> Value {
    json!({
        "difference": Estimated::from(&comparison.compared.map(|compared| compared.difference)),
        "p": comparison.compared.ok().map(|compared| compared.p),
        "p_holm": comparison.p_holm,
        "shown": shown(comparison.verdict(confidence)),
        "reason": comparison.reason(),
    })
}

fn segment(part: &SegmentReport, confidence: Confidence) -> Value {
    let policies: Vec<_> = part
        .policies
        .iter()
        .map(|found| {
            json!({
                "name": found.policy,
                "events": found.events,
                "value": Estimated::from(&found.value),
                "effective_sample_size": found.overlap.effective_examples,
                "vs_online": found.to_online.as_ref().map(|of| comparison(of, confidence)),
            })
        })
        .collect();
    json!({"part": part.segment, "policies": policies})
}

fn gate(verdict: &GateVerdict) -> Value {
    let observed = verdict.observed.map(|difference| Estimated::from(&Ok(difference)));
    json!({
        "gate": verdict.gate,
        "policy": verdict.subject,
        "outcome": verdict.word(),
        "words": verdict.words(),
        "difference": observed,
    })
}

/// What a comparison shows, in a word.
pub fn shown(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NotShown => "no difference shown",
        Verdict::NotJudged => "not judged",
    }
}
