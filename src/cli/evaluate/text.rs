use super::Evaluated;
use crate::cli::console::{Cell, Paint, Side, Table, count, name};
use evaluation::comparison::{Compared, Findings, Shown, Verdict};
use statistics::Confidence;
use statistics::off_policy::{Estimate, Unusable};

/// The report for people.
pub fn show(evaluated: &Evaluated) -> String {
    [
        heading(evaluated),
        values(evaluated, |verdict| Some(&verdict.whole)),
        to_baseline(evaluated),
        held_out(evaluated),
        estimators(evaluated),
        arguments(evaluated),
        remarks(evaluated),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

fn to_baseline(evaluated: &Evaluated) -> String {
    let Some(baseline) = &evaluated.baseline else { return String::new() };
    let table = differences(evaluated, |verdict| verdict.whole.to_baseline.as_ref());
    format!("compared with {}\n{table}", Paint::Name.over(&name(baseline)))
}

fn held_out(evaluated: &Evaluated) -> String {
    let Some(first) = evaluated.held_out_from else { return String::new() };
    let tail = count(evaluated.account.labelled.saturating_sub(first));
    let table = values(evaluated, |verdict| verdict.held_out.as_ref());
    format!("on the last {tail} events, which the search has not seen\n{table}")
}

fn heading(evaluated: &Evaluated) -> String {
    let account = &evaluated.account;
    let actions = match account.actions {
        None => String::new(),
        Some((fewest, most)) if fewest == most => format!(" of {fewest} actions"),
        Some((fewest, most)) => format!(" of {fewest} to {most} actions"),
    };
    let rewards = evaluated.reading.rewards;
    format!(
        "{} events{actions}, rewards within {} to {}, weights up to {:.4}\n",
        count(account.labelled),
        rewards.lower,
        rewards.upper,
        evaluated.reading.weights.highest,
    )
}

/// What each policy would have earned, by Cressie-Read, and the difference to the log.
fn values<'a>(
    evaluated: &'a Evaluated,
    findings: impl Fn(&'a Verdict) -> Option<&'a Findings>,
) -> String {
    let interval = format!("{} interval", level(evaluated.reading.confidence));
    let mut table = Table::new(&[
        ("policy", Side::Left),
        ("reward", Side::Right),
        (&interval, Side::Left),
        ("vs online", Side::Right),
        ("interval", Side::Left),
        ("p", Side::Right),
        ("", Side::Left),
        ("effective", Side::Right),
        ("match", Side::Right),
    ]);
    for verdict in &evaluated.verdicts {
        let Some(found) = findings(verdict) else { continue };
        let mut cells = vec![title(verdict)];
        cells.extend(value_cells(verdict, found));
        cells.extend(difference_cells(found.to_online.as_ref(), evaluated.reading.confidence));
        let overlap = &found.overlap;
        cells.push(format!("{:.0}", overlap.effective_examples).into());
        cells.push(format!("{:.1} %", 100.0 * overlap.match_fraction).into());
        table.row(cells);
    }
    table.text()
}

/// Of the online policy the reward is observed, of the others it is estimated.
fn value_cells(verdict: &Verdict, found: &Findings) -> [Cell; 2] {
    let observed = verdict.source == evaluation::stream::Source::Online;
    match &found.cressie_read {
        Ok(estimate) if observed => {
            [Cell::painted(number(estimate.value), Paint::Strong), String::new().into()]
        }
        Ok(estimate) => {
            [Cell::painted(number(estimate.value), Paint::Strong), interval(estimate).into()]
        }
        Err(why) => ["-".to_owned().into(), Cell::painted(short(why), Paint::Doubtful)],
    }
}

fn differences<'a>(
    evaluated: &'a Evaluated,
    compared: impl Fn(&'a Verdict) -> Option<&'a Compared>,
) -> String {
    let mut table = Table::new(&[
        ("policy", Side::Left),
        ("difference", Side::Right),
        ("interval", Side::Left),
        ("p", Side::Right),
        ("", Side::Left),
    ]);
    for verdict in &evaluated.verdicts {
        let Some(compared) = compared(verdict) else { continue };
        let mut cells = vec![title(verdict)];
        cells.extend(difference_cells(Some(compared), evaluated.reading.confidence));
        table.row(cells);
    }
    table.text()
}

fn difference_cells(compared: Option<&Compared>, confidence: Confidence) -> [Cell; 4] {
    let empty = || Cell::from(String::new());
    let Some(compared) = compared else { return [empty(), empty(), empty(), empty()] };
    let (paint, word) = match compared.shown(confidence) {
        Shown::Better => (Paint::Good, "better"),
        Shown::Worse => (Paint::Bad, "worse"),
        Shown::Nothing => (Paint::Plain, "~"),
    };
    match &compared.difference {
        Ok(estimate) => [
            Cell::painted(format!("{:+.4}", estimate.value), paint),
            interval(estimate).into(),
            compared.p_holm.map_or_else(String::new, p_value).into(),
            Cell::painted(word, paint),
        ],
        Err(_) => ["-".to_owned().into(), empty(), empty(), Cell::painted("~", paint)],
    }
}

fn estimators(evaluated: &Evaluated) -> String {
    let mut table = Table::new(&[
        ("policy", Side::Left),
        ("IPS", Side::Right),
        ("SNIPS", Side::Right),
        ("MLE", Side::Right),
        ("Cressie-Read", Side::Right),
        ("DR", Side::Right),
    ]);
    for verdict in &evaluated.verdicts {
        let found = &verdict.whole;
        let estimate = |estimate: &Result<Estimate, Unusable>| match estimate {
            Ok(estimate) => plus_minus(estimate),
            Err(_) => "-".to_owned(),
        };
        table.row([
            title(verdict),
            estimate(&found.ips).into(),
            estimate(&found.snips).into(),
            found.mle.map_or_else(|_| "-".to_owned(), number).into(),
            estimate(&found.cressie_read).into(),
            found.doubly_robust.as_ref().map_or_else(String::new, estimate).into(),
        ]);
    }
    format!("every estimator\n{}", table.text())
}

/// The arguments behind names, for those who want to apply one.
fn arguments(evaluated: &Evaluated) -> String {
    let mut table = Table::new(&[("policy", Side::Left), ("arguments", Side::Left)]);
    for verdict in &evaluated.verdicts {
        if let Some(arguments) = verdict.arguments.as_ref().filter(|text| **text != verdict.name) {
            table.row([title(verdict), name(arguments).into()]);
        }
    }
    table.text()
}

/// What speaks against the numbers.
fn remarks(evaluated: &Evaluated) -> String {
    let account = &evaluated.account;
    let mut remarks = Vec::new();
    for (reason, drops) in &account.dropped {
        let place = &drops.first;
        let first = format!("{}:{}:{}", name(&place.log), place.line, place.column);
        let lines = if drops.count == 1 {
            "1 line".to_owned()
        } else {
            format!("{} lines", count(drops.count))
        };
        remarks.push(format!("{lines} dropped: it {}; first at {first}", reason.words()));
    }
    if account.unlabelled > 0 {
        let unlabelled = count(account.unlabelled);
        remarks
            .push(format!("{unlabelled} events without a label were neither learned nor judged"));
    }
    let z = account.propensity_z();
    if z.abs() > 3.0 {
        remarks.push(format!(
            "one over the logged probabilities averages {z:+.1} standard errors away from the number \
             of actions: the probabilities of the log look wrong"
        ));
    }
    for verdict in &evaluated.verdicts {
        let warnings = verdict.whole.warnings.iter();
        remarks.extend(warnings.map(|warning| format!("{}: {warning}", name(&verdict.name))));
        if let Err(why) = &verdict.whole.cressie_read {
            remarks.push(format!("{}: {why}", name(&verdict.name)));
        }
    }
    let line = |remark: &String| format!("{} {remark}\n", Paint::Doubtful.over("!"));
    remarks.iter().map(line).collect()
}

/// How much of a name is shown.
const NAME: usize = 44;

fn title(verdict: &Verdict) -> Cell {
    let mut text = name(&verdict.name);
    if text.chars().count() > NAME {
        text = text.chars().take(NAME - 1).collect::<String>() + "…";
    }
    Cell::painted(text, Paint::Name)
}

fn number(value: f64) -> String {
    format!("{value:.4}")
}

fn interval(estimate: &Estimate) -> String {
    format!("[{:.4}, {:.4}]", estimate.lower, estimate.upper)
}

fn plus_minus(estimate: &Estimate) -> String {
    format!("{:.4} ± {:.4}", estimate.value, (estimate.upper - estimate.lower) / 2.0)
}

fn short(why: &Unusable) -> &'static str {
    match why {
        Unusable::NoOverlap => "no overlap",
        Unusable::TooFew { .. } => "too few",
        Unusable::NotNumbers { .. } => "not numbers",
        Unusable::RewardOutOfRange { .. } => "rewards out of range",
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<.001".to_owned()
    } else {
        format!("{p:.3}").trim_start_matches('0').to_owned()
    }
}

fn level(confidence: Confidence) -> String {
    let percent = format!("{:.1}", 100.0 * confidence.level());
    format!("{} %", percent.trim_end_matches(".0"))
}
