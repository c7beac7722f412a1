//! Charts of searches: a dot for each run, and axes that can be read for any values.

use proptest::prelude::*;
use report::{FoundLimit, LimitChart, LimitTrial, Unit, limit_svg};

fn chart(unit: Unit, threshold: f64, trials: Vec<LimitTrial>) -> LimitChart {
    LimitChart {
        title: "load: rank.p99 < 8ms".to_owned(),
        subtitle: "3 runs in 1 search".to_owned(),
        x_label: "phases.steady.rate (/s)".to_owned(),
        unit,
        trials,
        threshold: Some(threshold),
        limit: None,
    }
}

/// The texts of a picture that end or begin at the plot, or are in the middle below it.
fn labels(svg: &str, anchor: Option<&str>) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let of_kind = texts.filter(|node| node.attribute("text-anchor") == anchor);
    of_kind.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// How many dots are drawn in each colour.
fn dots(svg: &str) -> Vec<usize> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let paths = document.descendants().filter(|node| node.has_tag_name("path"));
    paths.filter_map(|path| Some(path.attribute("d")?.matches("h0").count())).collect()
}

proptest! {
    /// Every run is a dot in the colour of its outcome, and no two ticks of an axis are the same:
    /// for rates of millions as for shares of a hundredth.
    #[test]
    fn every_run_is_a_dot_between_axes_with_labels(
        exponent in -2_i32..6,
        values in prop::collection::vec((1.0_f64..40.0, 0.0_f64..3.0), 2..20),
        unit in prop::sample::select(vec![Unit::Share, Unit::PerSecond, Unit::Milliseconds]),
    ) {
        let threshold = if unit == Unit::Share { 0.5 } else { 1.5 };
        let trial = |&(value, observed): &(f64, f64)| {
            let value = value * libm::pow(10.0, f64::from(exponent));
            let observed = if unit == Unit::Share { observed / 3.0 } else { observed };
            LimitTrial { value, observed, holds: observed < threshold }
        };
        let chart = chart(unit, threshold, values.iter().map(trial).collect());
        let held = chart.trials.iter().filter(|trial| trial.holds).count();
        let svg = limit_svg(&chart).standalone();
        prop_assert_eq!(dots(&svg), vec![held, values.len() - held]);
        for anchor in ["end", "middle"] {
            let labels = labels(&svg, Some(anchor));
            let different: std::collections::BTreeSet<&String> = labels.iter().collect();
            prop_assert!(different.len() == labels.len() && labels.len() > 1, "{:?}", labels);
        }
    }
}

/// A queue that grows has any latency: its run stands at the upper edge, and the others can still be
/// told apart.
#[test]
fn what_is_far_beyond_the_threshold_does_not_flatten_the_rest() {
    let trial = |value: f64, observed: f64| LimitTrial { value, observed, holds: observed < 8.0 };
    let trials = vec![trial(100.0, 2.0), trial(200.0, 7.0), trial(400.0, 60_000.0)];
    let limit = FoundLimit { at: 250.0, name: "250/s".to_owned(), interval: Some((210.0, 300.0)) };
    let chart = LimitChart { limit: Some(limit), ..chart(Unit::Milliseconds, 8.0, trials) };
    let svg = limit_svg(&chart).standalone();
    let axis = labels(&svg, Some("end"));
    assert_eq!(axis.first().map(String::as_str), Some("0\u{a0}ms"));
    // Four times the threshold, rounded up.
    assert_eq!(axis.last().map(String::as_str), Some("40\u{a0}ms"));
    assert!(labels(&svg, Some("middle")).contains(&"limit 250/s".to_owned()));
    let beside = labels(&svg, None);
    assert!(beside.contains(&"threshold 8.0\u{a0}ms".to_owned()), "{beside:?}");
    assert!(beside.contains(&"holds".to_owned()) && beside.contains(&"fails".to_owned()));
}
