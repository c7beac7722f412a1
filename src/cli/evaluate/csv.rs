use super::Evaluated;
use super::json::{shown, source};
use evaluation::comparison::{Compared, Findings, Verdict};
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
pub fn show(evaluated: &Evaluated) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[String]| {
        table.write_record(row).expect("memory can be written");
    };
    write(&HEADER.map(str::to_owned));
    for verdict in &evaluated.verdicts {
        rows(evaluated, verdict, "0", &verdict.whole).iter().for_each(|row| write(row));
        if let (Some(found), Some(first)) = (&verdict.held_out, evaluated.held_out_from) {
            rows(evaluated, verdict, &first.to_string(), found).iter().for_each(|row| write(row));
        }
    }
    String::from_utf8(table.into_inner().expect("memory can be written")).expect("texts")
}

fn rows(
    evaluated: &Evaluated,
    verdict: &Verdict,
    from: &str,
    found: &Findings,
) -> Vec<Vec<String>> {
    let overlap = &found.overlap;
    let row = |quantity: &str, numbers: [String; 3], p: String, shown: &str| {
        let arguments = verdict.arguments.clone().unwrap_or_default();
        let [value, lower, upper] = numbers;
        vec![
            verdict.name.clone(),
            source(verdict.source).to_owned(),
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
    let compared = |quantity: &str, compared: &Compared| {
        let p = compared.p_holm.map(|p| p.to_string()).unwrap_or_default();
        let shown = shown(compared.shown(evaluated.reading.confidence));
        row(quantity, numbers(&compared.difference), p, shown)
    };
    let mle = found.mle.map(|value| value.to_string()).unwrap_or_default();
    let mut rows = vec![
        estimate("ips", &found.ips),
        estimate("snips", &found.snips),
        row("mle", [mle, String::new(), String::new()], String::new(), ""),
        estimate("cressie_read", &found.cressie_read),
    ];
    rows.extend(found.doubly_robust.as_ref().map(|dr| estimate("dr", dr)));
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
