//! The room `statistics` against numbers made by scipy and numpy
//! (`tests/fixtures/statistics/make_golden.py`).

use runner::statistics::quantile;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("fixtures/statistics/golden.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Asserts that `ours` is `theirs` up to a relative (near zero: absolute) tolerance.
fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let error = (ours - theirs).abs() / theirs.abs().max(1e-3);
    assert!(error <= tolerance, "{what}: {ours} is not {theirs} (off by {error:e})");
}

/// Asserts that `law` maps the first numbers of each row to its last.
fn quantiles_match(name: &str, law: impl Fn(&[f64]) -> f64) {
    for row in golden()["quantiles"][name].as_array().unwrap() {
        let row = numbers(row);
        let (value, arguments) = row.split_last().unwrap();
        close(law(arguments), *value, 1e-9, &format!("{name}{arguments:?}"));
    }
}

#[test]
fn quantiles_are_those_of_scipy() {
    quantiles_match("normal", |of| quantile::normal(of[0]));
    quantiles_match("student", |of| quantile::student(of[0], of[1]));
    quantiles_match("chi_squared", |of| quantile::chi_squared(of[0], of[1]));
    quantiles_match("beta", |of| quantile::beta(of[0], of[1], of[2]));
}
