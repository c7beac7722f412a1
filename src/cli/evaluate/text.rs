use super::judge::LogEvaluation;
use crate::cli::console::{Cell, Paint, Side, Table, count, name};
use evaluation::analysis::{Comparison, Doubt, Findings, PolicyReport, SegmentReport, Verdict};
use evaluation::run::{LogPlace, LogSummary, Origin};
use metrics::rounded;
use statistics::Confidence;
use statistics::off_policy::{Estimate, Unusable};

/// The report for people.
pub fn show(evaluation: &LogEvaluation) -> String {
    [
        heading(evaluation),
        values(evaluation, whole),
        to_baseline(evaluation),
        held_out(evaluation),
        breakdowns(evaluation),
        super::importance::table(evaluation),
        estimators(evaluation),
        arguments(evaluation),
        remarks(evaluation),
        super::gates::table(&evaluation.gates),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

/// What a search found is shown on the events that it has not seen only.
fn whole(report: &PolicyReport) -> Option<&Findings> {
    (report.origin != Origin::Discovered).then_some(&report.whole)
}

fn to_baseline(evaluation: &LogEvaluation) -> String {
    let Some(baseline) = &evaluation.baseline else { return String::new() };
    let table = differences(evaluation, |report| whole(report)?.to_baseline.as_ref());
    format!("compared with {}\n{table}", Paint::Name.over(&name(baseline)))
}

fn held_out(evaluation: &LogEvaluation) -> String {
    let Some(first) = evaluation.held_out_from else { return String::new() };
    let tail = count(evaluation.found.summary.labelled.saturating_sub(first));
    let table = values(evaluation, |report| report.held_out.as_ref());
    format!("on the last {tail} events, which the search has not seen\n{table}")
}

fn heading(evaluation: &LogEvaluation) -> String {
    let summary = &evaluation.found.summary;
    let actions = match summary.actions {
        None => String::new(),
        Some((fewest, most)) if fewest == most => format!(" of {fewest} actions"),
        Some((fewest, most)) => format!(" of {fewest} to {most} actions"),
    };
    let bounds = evaluation.analysis.bounds;
    let thinned = if summary.highest_count > 1.0 {
        format!(" that stand for {:.0}", summary.events)
    } else {
        String::new()
    };
    format!(
        "{} events{thinned}{actions}, rewards within {} to {}, weights up to {}\n",
        count(summary.labelled),
        bounds.rewards.lower,
        bounds.rewards.upper,
        number(bounds.weights.highest),
    )
}

/// What each policy would have earned, by Cressie-Read, and the difference to the log.
fn values<'a>(
    evaluation: &'a LogEvaluation,
    findings: impl Fn(&'a PolicyReport) -> Option<&'a Findings>,
) -> String {
    let confidence = evaluation.analysis.confidence;
    let interval = format!("{} interval", level(confidence));
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
    for report in &evaluation.reports {
        let Some(found) = findings(report) else { continue };
        let mut cells = vec![title(&report.name)];
        cells.extend(value_cells(report.origin == Origin::Online, &found.cressie_read));
        cells.extend(difference_cells(found.to_online.as_ref(), confidence));
        let overlap = &found.overlap;
        cells.push(format!("{:.0}", overlap.effective_examples).into());
        cells.push(format!("{:.1} %", 100.0 * overlap.match_fraction).into());
        table.row(cells);
    }
    table.text()
}

/// Of the online policy the reward is observed, of the others it is estimated.
fn value_cells(is_observed: bool, value: &Result<Estimate, Unusable>) -> [Cell; 2] {
    match value {
        Ok(estimate) if is_observed => {
            [Cell::painted(number(estimate.value), Paint::Strong), String::new().into()]
        }
        Ok(estimate) => {
            [Cell::painted(number(estimate.value), Paint::Strong), interval(estimate).into()]
        }
        Err(why) => ["-".to_owned().into(), Cell::painted(short(why), Paint::Doubtful)],
    }
}

fn differences<'a>(
    evaluation: &'a LogEvaluation,
    comparison: impl Fn(&'a PolicyReport) -> Option<&'a Comparison>,
) -> String {
    let mut table = Table::new(&[
        ("policy", Side::Left),
        ("difference", Side::Right),
        ("interval", Side::Left),
        ("p", Side::Right),
        ("", Side::Left),
    ]);
    for report in &evaluation.reports {
        let Some(comparison) = comparison(report) else { continue };
        let mut cells = vec![title(&report.name)];
        cells.extend(difference_cells(Some(comparison), evaluation.analysis.confidence));
        table.row(cells);
    }
    table.text()
}

pub fn difference_cells(comparison: Option<&Comparison>, confidence: Confidence) -> [Cell; 4] {
    let empty = || Cell::from(String::new());
    let Some(comparison) = comparison else { return [empty(), empty(), empty(), empty()] };
    let (word, paint) = verdict(comparison, confidence);
    match &comparison.compared {
        Ok(compared) => [
            Cell::painted(signed(compared.difference.value), paint),
            interval(&compared.difference).into(),
            comparison.p_holm.map_or_else(String::new, p_value).into(),
            Cell::painted(word, paint),
        ],
        Err(_) => ["-".to_owned().into(), empty(), empty(), Cell::painted(word, paint)],
    }
}

/// The verdict, or why there is none, in a word or two.
fn verdict(comparison: &Comparison, confidence: Confidence) -> (&'static str, Paint) {
    match comparison.verdict(confidence) {
        Verdict::Better => ("better", Paint::Good),
        Verdict::Worse => ("worse", Paint::Bad),
        Verdict::NotShown => ("~", Paint::Plain),
        Verdict::NotJudged => (why_not(comparison), Paint::Doubtful),
    }
}

/// Why there is no verdict, in a word or two.
pub fn why_not(comparison: &Comparison) -> &'static str {
    match (&comparison.compared, comparison.doubt) {
        (Err(why), _) => short(why),
        (_, Some(Doubt::Uncovered(_))) => "not covered",
        (_, Some(Doubt::FewEffective(_))) => "too few",
        (_, Some(Doubt::Searched)) => "searched",
        (_, Some(Doubt::Estimated)) => "estimated",
        _ => "wrong probabilities",
    }
}

fn breakdowns(evaluation: &LogEvaluation) -> String {
    let table = |(name, parts): (String, &[SegmentReport])| breakdown(evaluation, &name, parts);
    evaluation.breakdowns().map(table).collect::<Vec<_>>().join("\n")
}

fn breakdown(evaluation: &LogEvaluation, by: &str, parts: &[SegmentReport]) -> String {
    let confidence = evaluation.analysis.confidence;
    let interval = format!("{} interval", level(confidence));
    let mut table = Table::new(&[
        (by, Side::Left),
        ("policy", Side::Left),
        ("events", Side::Right),
        ("reward", Side::Right),
        (&interval, Side::Left),
        ("vs online", Side::Right),
        ("interval", Side::Left),
        ("p", Side::Right),
        ("", Side::Left),
    ]);
    for part in parts {
        for (row, found) in part.policies.iter().enumerate() {
            let segment = if row == 0 { title(&part.segment) } else { String::new().into() };
            let mut cells = vec![segment, title(&found.policy), count(found.events).into()];
            cells.extend(value_cells(found.to_online.is_none(), &found.value));
            cells.extend(difference_cells(found.to_online.as_ref(), confidence));
            table.row(cells);
        }
    }
    let comparisons = parts.iter().flat_map(|part| &part.policies);
    let judged = comparisons.filter(|found| found.to_online.is_some_and(|of| of.p_holm.is_some()));
    let family = count(judged.count() as u64);
    format!("by {by}; p is corrected for {family} comparisons (Holm)\n{}", table.text())
}

fn estimators(evaluation: &LogEvaluation) -> String {
    let findings = |report| whole(report).or(report.held_out.as_ref());
    let rows = || evaluation.reports.iter().filter_map(|report| Some((report, findings(report)?)));
    let has_direct = rows().any(|(_, found)| found.direct_method.is_some());
    let mut columns = vec![
        ("policy", Side::Left),
        ("IPS", Side::Right),
        ("SNIPS", Side::Right),
        ("MLE", Side::Right),
        ("Cressie-Read", Side::Right),
        ("DR", Side::Right),
    ];
    columns.extend(has_direct.then_some(("direct method", Side::Right)));
    let mut table = Table::new(&columns);
    for (report, found) in rows() {
        let estimate = |estimate: &Result<Estimate, Unusable>| match estimate {
            Ok(estimate) => plus_minus(estimate),
            Err(_) => "-".to_owned(),
        };
        let of_model = |found: &Option<Result<Estimate, Unusable>>| {
            Cell::from(found.as_ref().map_or_else(String::new, estimate))
        };
        let mut cells = vec![
            title(&report.name),
            estimate(&found.ips).into(),
            estimate(&found.snips).into(),
            found.mle.map_or_else(|_| "-".to_owned(), number).into(),
            estimate(&found.cressie_read).into(),
            of_model(&found.doubly_robust),
        ];
        cells.extend(has_direct.then(|| of_model(&found.direct_method)));
        table.row(cells);
    }
    let remark = if has_direct {
        "the direct method is what a policy's own model of rewards expects of its choices: it needs \
         no probabilities, and nothing in the log corrects the model\n"
    } else {
        ""
    };
    format!("every estimator\n{}{remark}", table.text())
}

/// The arguments behind names, so that a policy can be applied.
fn arguments(evaluation: &LogEvaluation) -> String {
    let mut table = Table::new(&[("policy", Side::Left), ("arguments", Side::Left)]);
    for report in &evaluation.reports {
        if let Some(arguments) = report.arguments.as_ref().filter(|text| **text != report.name) {
            table.row([title(&report.name), name(arguments).into()]);
        }
    }
    table.text()
}

/// What weakens the numbers.
fn remarks(evaluation: &LogEvaluation) -> String {
    let mut remarks = log_remarks(&evaluation.found.summary);
    for report in &evaluation.reports {
        let Some(found) = whole(report).or(report.held_out.as_ref()) else { continue };
        let doubts = found.doubts.iter().filter(|doubt| **doubt != Doubt::Probabilities);
        remarks.extend(doubts.map(|doubt| format!("{}: {doubt}", name(&report.name))));
        if let Err(why) = &found.cressie_read {
            remarks.push(format!("{}: {why}", name(&report.name)));
        }
    }
    for failure in &evaluation.found.failures {
        remarks.push(format!("{}: not judged: {failure}", name(&failure.policy)));
    }
    let line = |remark: &String| format!("{} {remark}\n", Paint::Doubtful.over("!"));
    remarks.iter().map(line).collect()
}

fn log_remarks(summary: &LogSummary) -> Vec<String> {
    let mut remarks = super::dropped(summary);
    if summary.unlabelled > 0 {
        let unlabelled = count(summary.unlabelled);
        remarks
            .push(format!("{unlabelled} events without a label were neither learned nor judged"));
    }
    if let Some(LogPlace { log, line, .. }) = &summary.first_without_time {
        let without_time = count(summary.without_time);
        remarks.push(format!(
            "{without_time} events have no time that can be read, the first at {log}:{line}: \
             expected RFC 3339, or a number since 1970 in a table"
        ));
    }
    if summary.probabilities_are_off() {
        let z = summary.propensity_z().map_or_else(String::new, |z| {
            format!(" ({z:+.1} standard errors from the number of actions)")
        });
        remarks.push(format!(
            "the probabilities of the log look wrong: one over them does not average the number \
             of actions{z}, so that nothing is judged"
        ));
    }
    remarks
}

/// How much of a name is shown.
const NAME: usize = 44;

pub fn title(text: &str) -> Cell {
    let mut text = name(text);
    if text.chars().count() > NAME {
        text = text.chars().take(NAME - 1).collect::<String>() + "…";
    }
    Cell::painted(text, Paint::Name)
}

pub fn number(value: f64) -> String {
    rounded(value, 4)
}

/// A difference with its sign.
pub fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    format!("{sign}{}", number(value.abs()))
}

fn interval(estimate: &Estimate) -> String {
    format!("[{}, {}]", number(estimate.lower), number(estimate.upper))
}

/// `0.5000 ± 0.0312`, or both distances where they differ: `0.5000 +0.0312 -0.0405`.
fn plus_minus(estimate: &Estimate) -> String {
    let above = number(estimate.upper - estimate.value);
    let below = number(estimate.value - estimate.lower);
    let value = number(estimate.value);
    if above == below {
        format!("{value} ± {above}")
    } else {
        format!("{value} +{above} -{below}")
    }
}

fn short(why: &Unusable) -> &'static str {
    match why {
        Unusable::NoOverlap => "no overlap",
        Unusable::NoExploration => "no exploration",
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
