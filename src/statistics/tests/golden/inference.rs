//! The crate `statistics` against numbers made by scipy and numpy
//! (`src/statistics/tests/golden/make_inference.py`).

use serde_json::Value;
use statistics::{Caution, Confidence, Interval, holm, paired_t, quantile, sign_flip, welch_t};

fn golden() -> Value {
    serde_json::from_str(include_str!("inference.json")).unwrap()
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

fn ends(ours: Interval, theirs: &[f64], tolerance: f64, what: &str) {
    close(ours.lower, theirs[0], tolerance, what);
    close(ours.upper, theirs[1], tolerance, what);
}

#[test]
fn tests_of_pairs_are_those_of_scipy() {
    for set in golden()["sets"].as_array().unwrap() {
        let (first, second) = (numbers(&set["first"]), numbers(&set["second"]));
        let differences: Vec<_> = second.iter().zip(&first).map(|(b, a)| b - a).collect();
        let ours = paired_t(&differences, Confidence::P95).unwrap();
        let theirs = numbers(&set["paired"]);
        close(ours.difference, theirs[0], 1e-12, "difference");
        ends(ours.interval.unwrap(), &theirs[1..], 1e-9, "interval");
        close(ours.t.unwrap(), theirs[3], 1e-12, "t");
        close(ours.p.unwrap(), theirs[4], 1e-9, "p");
        assert_eq!(ours.cautions, []);

        let ours = welch_t(&first, &second, Confidence::P95).unwrap();
        let theirs = numbers(&set["welch"]);
        close(ours.t.unwrap(), theirs[0], 1e-12, "welch t");
        close(ours.freedom, theirs[1], 1e-12, "welch freedom");
        close(ours.p.unwrap(), theirs[2], 1e-9, "welch p");

        assert_eq!(sign_flip(&differences).unwrap().p, set["sign_flip"].as_f64().unwrap());
    }
}

#[test]
fn several_comparisons_are_adjusted_as_defined() {
    let golden = golden();
    let p = numbers(&golden["adjusted"]["p"]);
    let same = |ours: Vec<f64>, theirs: &Value| {
        ours.iter().zip(numbers(theirs)).for_each(|(a, b)| close(*a, b, 1e-14, "adjusted"));
    };
    same(holm(&p), &golden["adjusted"]["holm"]);
}

#[test]
fn what_cannot_be_inferred_is_said() {
    let of = |differences: &[f64]| paired_t(differences, Confidence::P95).unwrap();
    let few = Caution::TooFewForSignFlip;
    assert_eq!(of(&[0.3]).cautions, [Caution::OneRunEach, few]);
    assert_eq!(of(&[0.0; 8]).cautions, [Caution::Identical]);
    assert_eq!((of(&[0.0; 8]).p, of(&[0.0; 8]).interval), (None, None));
    assert_eq!(of(&[0.25; 8]).cautions, [Caution::NoSpread]);
    assert_eq!(of(&[0.1, 0.2, 0.3]).cautions, [few]);
    assert!(sign_flip(&[0.1, 0.2, 0.3, 0.4, 0.5]).unwrap().smallest > 0.05);
    let one_each = welch_t(&[0.1], &[0.2], Confidence::P95).unwrap();
    assert_eq!((one_each.cautions, one_each.p), (vec![Caution::OneRunEach], None));
    assert!(paired_t(&[], Confidence::P95).is_none() && sign_flip(&[]).is_none());
}
