use super::json::{origin, shown};
use super::judge::LogEvaluation;
use evaluation::analysis::{Comparison, Findings, PolicyReport};
use statistics::off_policy::{Estimate, Unusable};

const HEADER: [&str; 12] = [
    "policy",
    "source",
    "arguments",
    "events_from",
    "quantity",
    "value",
    "lower",
    "upper",
    "p_holm",
    "shown",
    "effective_sample_size",
    "match_fraction",
];

/// A row for every policy and quantity.
pub fn show(evaluation: &LogEvaluation) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[String]| {
        table.write_record(row).expect("memory can be written");
    };
    write(&HEADER.map(str::to_owned));
    for report in &evaluation.reports {
        rows(evaluation, report, "0", &report.whole).iter().for_each(|row| write(row));
        if let (Some(found), Some(first)) = (&report.held_out, evaluation.held_out_from) {
            rows(evaluation, report, &first.to_string(), found).iter().for_each(|row| write(row));
        }
    }
    String::from_utf8(table.into_inner().expect("memory can be written")).expect("texts")
}

fn rows(
    evaluation: &LogEvaluation,
    report: &PolicyReport,
    from: &str,
    found: &Findings,
) -> Vec<Vec<String>> {
    let overlap = &found.overlap;
    let row = |quantity: &str, numbers: [String; 3], p: String, shown: &str| {
        let arguments = report.arguments.clone().unwrap_or_default();
        let [value, lower, upper] = numbers;
        vec![
            report.name.clone(),
            origin(report.origin).to_owned(),
            arguments,
            from.to_owned(),
            quantity.to_owned(),
            value,
            lower,
            upper,
            p,
            shown.to_owned(),
            overlap.effective_examples.to_string(),
            overlap.match_fraction.to_string(),
        ]
    };
    let estimate = |quantity: &str, estimate: &Result<Estimate, Unusable>| {
        row(quantity, numbers(estimate), String::new(), "")
    };
    let compared = |quantity: &str, compared: &Comparison| {
        let p = compared.p_holm.map(|p| p.to_string()).unwrap_or_default();
        let shown = shown(compared.verdict(evaluation.analysis.confidence));
        row(quantity, numbers(&compared.compared.map(|found| found.difference)), p, shown)
    };
    let mle = found.mle.map(|value| value.to_string()).unwrap_or_default();
    let mut rows = vec![
        estimate("ips", &found.ips),
        estimate("snips", &found.snips),
        row("mle", [mle, String::new(), String::new()], String::new(), ""),
        estimate("cressie_read", &found.cressie_read),
    ];
    rows.extend(found.doubly_robust.as_ref().map(|dr| estimate("dr", dr)));
    rows.extend(found.direct_method.as_ref().map(|direct| estimate("direct_method", direct)));
    rows.extend(found.to_online.as_ref().map(|to| compared("vs_online", to)));
    rows.extend(found.to_baseline.as_ref().map(|to| compared("vs_baseline", to)));
    rows
}

/// Value and interval; empty where there is nothing to say.
fn numbers(estimate: &Result<Estimate, Unusable>) -> [String; 3] {
    match estimate {
        Ok(Estimate { value, lower, upper }) => [*value, *lower, *upper].map(|n| n.to_string()),
        Err(_) => Default::default(),
    }
}
