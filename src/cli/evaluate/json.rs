use serde::Serialize;
use serde_json::{Value, json};

use super::Evaluated;
use evaluation::comparison::{Compared, Findings, Shown, Verdict};
use evaluation::stream::{Account, Source};
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
pub fn show(evaluated: &Evaluated) -> String {
    let reading = &evaluated.reading;
    let policies: Vec<_> =
        evaluated.verdicts.iter().map(|verdict| policy(verdict, reading.confidence)).collect();
    let document = json!({
        "confidence": reading.confidence.level(),
        "reward_range": [reading.rewards.lower, reading.rewards.upper],
        "max_weight": reading.weights.highest,
        "baseline": evaluated.baseline,
        "held_out_from": evaluated.held_out_from,
        "log": log(&evaluated.account),
        "policies": policies,
    });
    serde_json::to_string_pretty(&document).expect("names are texts") + "\n"
}

fn log(account: &Account) -> Value {
    let dropped: Vec<_> = account
        .dropped
        .iter()
        .map(|(reason, drops)| {
            let first = &drops.first;
            json!({
                "reason": format!("{reason:?}"),
                "words": format!("the line {}", reason.words()),
                "lines": drops.count,
                "first": {"log": first.log, "line": first.line, "column": first.column},
            })
        })
        .collect();
    json!({
        "lines": account.lines,
        "events": account.labelled,
        "unlabelled": account.unlabelled,
        "actions": account.actions.map(|(fewest, most)| [fewest, most]),
        "rewards": account.rewards.map(|rewards| [rewards.lower, rewards.upper]),
        "lowest_probability": account.lowest_probability,
        "propensity_z": account.propensity_z(),
        "dropped": dropped,
    })
}

fn policy(verdict: &Verdict, confidence: Confidence) -> Value {
    json!({
        "name": verdict.name,
        "source": source(verdict.source),
        "arguments": verdict.arguments,
        "whole": findings(&verdict.whole, confidence),
        "held_out": verdict.held_out.as_ref().map(|found| findings(found, confidence)),
    })
}

/// Where a policy came from, in a word.
pub fn source(source: Source) -> &'static str {
    match source {
        Source::Online => "online",
        Source::FirstAction => "first_action",
        Source::AnyAction => "any_action",
        Source::Given => "given",
        Source::Discovered => "discovered",
    }
}

fn findings(found: &Findings, confidence: Confidence) -> Value {
    let mle = match found.mle {
        Ok(value) => Estimated::Value { value },
        Err(why) => Estimated::Unusable { unusable: why.to_string() },
    };
    let warnings: Vec<_> = found.warnings.iter().map(ToString::to_string).collect();
    let overlap = &found.overlap;
    json!({
        "events": found.events,
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
        "mean_weight_z": overlap.mean_weight_z,
        "warnings": warnings,
        "vs_online": found.to_online.as_ref().map(|compared| comparison(compared, confidence)),
        "vs_baseline": found.to_baseline.as_ref().map(|compared| comparison(compared, confidence)),
    })
}

fn comparison(compared: &Compared, confidence: Confidence) -> Value {
    json!({
        "difference": Estimated::from(&compared.difference),
        "p": compared.p,
        "p_holm": compared.p_holm,
        "shown": shown(compared.shown(confidence)),
    })
}

/// What a comparison shows, in a word.
pub fn shown(shown: Shown) -> &'static str {
    match shown {
        Shown::Better => "better",
        Shown::Worse => "worse",
        Shown::Nothing => "no difference shown",
    }
}
