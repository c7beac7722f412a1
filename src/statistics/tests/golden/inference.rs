//! The crate `statistics` against numbers made by scipy and numpy
//! (`src/statistics/tests/golden/make_inference.py`).

use serde_json::Value;
use statistics::{Analysis, Confidence, Interval, Runs, Spread, holm, power, quantile, sign_flip};

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

fn paired(first: &[f64], second: &[f64]) -> Runs {
    let pairs = first.iter().zip(second).map(|(first, second)| [*first, *second]).collect();
    Runs { pairs, ..Runs::default() }
}

fn unpaired(first: &[f64], second: &[f64]) -> Runs {
    Runs { pairs: Vec::new(), first_only: first.to_vec(), second_only: second.to_vec() }
}

#[test]
fn tests_of_runs_are_those_of_scipy() {
    for set in golden()["sets"].as_array().unwrap() {
        let (first, second) = (numbers(&set["first"]), numbers(&set["second"]));
        let runs = paired(&first, &second);
        assert_eq!(runs.analysis(), Analysis::Paired);
        let ours = runs.test(Confidence::P95).unwrap();
        let theirs = numbers(&set["paired"]);
        close(ours.difference, theirs[0], 1e-12, "difference");
        ends(ours.interval.unwrap(), &theirs[1..], 1e-9, "interval");
        close(ours.t.unwrap(), theirs[3], 1e-12, "t");
        close(ours.p.unwrap(), theirs[4], 1e-9, "p");
        assert_eq!(sign_flip(&runs.differences()).unwrap().p, set["sign_flip"].as_f64().unwrap());

        let runs = unpaired(&first, &second);
        assert_eq!(runs.analysis(), Analysis::Unpaired);
        let ours = runs.test(Confidence::P95).unwrap();
        let theirs = numbers(&set["welch"]);
        close(ours.t.unwrap(), theirs[0], 1e-12, "welch t");
        close(ours.freedom, theirs[1], 1e-12, "welch freedom");
        close(ours.p.unwrap(), theirs[2], 1e-9, "welch p");
    }
}

/// The numbers are those of the definition (Derrick et al. 2017), by numpy and scipy.
#[test]
fn partly_paired_runs_are_tested_as_defined() {
    for set in golden()["partly_paired"].as_array().unwrap() {
        let of = |key: &str| numbers(&set[key]);
        let (first, second) = (of("first"), of("second"));
        let pairs = first.iter().zip(&second).map(|(first, second)| [*first, *second]).collect();
        let runs = Runs { pairs, first_only: of("first_only"), second_only: of("second_only") };
        assert_eq!(runs.analysis(), Analysis::PartlyPaired);
        let ours = runs.test(Confidence::P95).unwrap();
        close(ours.t.unwrap(), set["t"].as_f64().unwrap(), 1e-11, "t");
        close(ours.freedom, set["freedom"].as_f64().unwrap(), 1e-11, "freedom");
        close(ours.p.unwrap(), set["p"].as_f64().unwrap(), 1e-9, "p");
    }
}

#[test]
fn power_is_that_of_the_noncentral_t() {
    for row in golden()["power"].as_array().unwrap() {
        let row = numbers(row);
        let [effect, freedom, level, theirs] = row[..] else { panic!("{row:?}") };
        close(power(effect, freedom, level), theirs, 1e-4, &format!("power of {row:?}"));
    }
}

#[test]
fn several_comparisons_are_adjusted_as_defined() {
    let golden = golden();
    let p = numbers(&golden["adjusted"]["p"]);
    let theirs = numbers(&golden["adjusted"]["holm"]);
    holm(&p).iter().zip(theirs).for_each(|(ours, theirs)| close(*ours, theirs, 1e-14, "holm"));
}

#[test]
fn what_cannot_be_inferred_is_said() {
    let of = |differences: &[f64]| {
        paired(
            &vec![1.0; differences.len()],
            &differences.iter().map(|d| 1.0 + d).collect::<Vec<_>>(),
        )
        .test(Confidence::P95)
        .unwrap()
    };
    assert_eq!(of(&[0.3]).spread, Spread::Unknown);
    assert_eq!(of(&[0.0; 8]).spread, Spread::Identical);
    assert_eq!((of(&[0.0; 8]).p, of(&[0.0; 8]).interval), (None, None));
    assert_eq!(of(&[0.25; 8]).spread, Spread::Constant);
    assert_eq!(of(&[0.1, 0.2, 0.3]).spread, Spread::Varying);
    let one_each = unpaired(&[0.1], &[0.2]).test(Confidence::P95).unwrap();
    assert_eq!((one_each.spread, one_each.p), (Spread::Unknown, None));
    assert!(Runs::default().test(Confidence::P95).is_none() && sign_flip(&[]).is_none());
}
