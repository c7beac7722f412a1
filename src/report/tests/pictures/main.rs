//! The pictures of a run: what they hold, and that they hold for any data.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

mod limits;
mod lines;
mod pages;

use std::path::Path;

use proptest::prelude::*;
use report::chart::width;
use report::{
    LatencyChart, LatencyCurve, Layout, LinePart, Quantile, SuccessBatch, SuccessChart,
    SuccessPhase, latency_svg, line_svg, success_curve_svg,
};

/// Numbers in [0, 1) that look random and are the same everywhere (splitmix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64) / (1_u64 << 53) as f64
    }
}

/// Batches of 10 whose success rate goes from one level to another.
fn batches(iterations: u64, from: f64, to: f64, half_way: f64) -> Vec<SuccessBatch> {
    let mut draws = Draws(iterations);
    let rate = |index: u64| to - (to - from) * libm::pow(0.5, index as f64 / half_way);
    let batch = |first: u64| SuccessBatch {
        first_iteration: first,
        last_iteration: (first + 9).min(iterations - 1),
        events: 10.min(iterations - first),
        successes: (first..(first + 10).min(iterations))
            .filter(|index| draws.next() < rate(*index))
            .count() as u64,
    };
    (0..iterations).step_by(10).map(batch).collect()
}

fn phase(name: &str, batches: Vec<SuccessBatch>) -> SuccessPhase {
    let iterations = batches.last().map_or(0, |batch| batch.last_iteration + 1);
    let from = iterations - iterations.div_ceil(10);
    let last = || batches.iter().filter(|batch| batch.last_iteration >= from);
    let (successes, events): (u64, u64) =
        (last().map(|batch| batch.successes).sum(), last().map(|batch| batch.events).sum());
    SuccessPhase {
        name: name.to_owned(),
        before: Vec::new(),
        iterations,
        last_tenth: Some(successes as f64 / events as f64),
        batches,
        model_exports: Vec::new(),
        drift: None,
        exploration: Some(0.2),
        actions: 4,
        slots: 1,
    }
}

fn tutorial() -> SuccessChart {
    let baseline = SuccessPhase {
        model_exports: (1..=10).map(|check| check * 1000).collect(),
        ..phase("baseline", batches(10_000, 0.25, 0.54, 2000.0))
    };
    let validation = SuccessPhase {
        before: vec![
            "evaluation: applied Inter-len4".to_owned(),
            "settings: export 5m, wait 5m".to_owned(),
        ],
        ..phase("validation", batches(2000, 0.83, 0.83, 100.0))
    };
    SuccessChart { title: "Coffee".to_owned(), phases: vec![baseline, validation] }
}

/// The quantiles of log-normal latencies with this median and 99th percentile.
fn latency(phase: &str, operation: &str, calls: u64, median_us: f64, p99_us: f64) -> LatencyCurve {
    let mut draws = Draws(calls + operation.len() as u64);
    let sigma = libm::log(p99_us / median_us) / 2.326;
    let mut normal = || (0..12).map(|_| draws.next()).sum::<f64>() - 6.0;
    let mut latencies: Vec<_> =
        (0..calls).map(|_| (median_us * libm::exp(sigma * normal())) as u64).collect();
    latencies.sort_unstable();
    let quantile = |(index, latency_us): (usize, &u64)| Quantile {
        share: (index + 1) as f64 / calls as f64,
        latency_us: *latency_us,
    };
    let quantiles = latencies.iter().enumerate().map(quantile).collect();
    LatencyCurve { phase: phase.to_owned(), operation: operation.to_owned(), calls, quantiles }
}

fn latencies() -> LatencyChart {
    let curves = vec![
        latency("baseline", "Rank", 10_000, 8_000.0, 40_000.0),
        latency("baseline", "Reward", 10_000, 6_000.0, 25_000.0),
        latency("validation", "Rank", 2_000, 8_000.0, 40_000.0),
        latency("validation", "Reward", 2_000, 6_000.0, 25_000.0),
    ];
    LatencyChart { title: "Coffee".to_owned(), simulated: true, curves }
}

fn empty() -> SuccessPhase {
    SuccessPhase { last_tenth: None, iterations: 0, ..phase("p", batches(10, 0.5, 0.5, 1.0)) }
}

/// Names that a careless writer of XML would choke on.
const HOSTILE: &str = "</text><script>alert(\"x\")</script>&amp;'\u{0}\u{7}\u{202e}\u{fffe}喫茶店";

/// Charts that are as odd as data can be, by name.
fn odd_success() -> Vec<(&'static str, SuccessChart)> {
    let chart = |phases| SuccessChart { title: HOSTILE.to_owned(), phases };
    let hostile = |index: u64| SuccessPhase {
        name: format!("{index}{HOSTILE}"),
        before: vec![HOSTILE.repeat(3), String::new(), "wait 5m".to_owned()],
        ..phase("", batches(50 + 700 * index, 0.9, 0.1 * index as f64, 100.0))
    };
    let silent = SuccessPhase {
        batches: vec![SuccessBatch {
            first_iteration: 0,
            last_iteration: 9,
            events: 0,
            successes: 0,
        }],
        last_tenth: None,
        exploration: None,
        actions: 0,
        iterations: 10,
        ..empty()
    };
    let perfect = SuccessPhase {
        exploration: Some(0.0),
        actions: 1,
        ..phase("perfect", batches(100, 1.0, 1.0, 1.0))
    };
    let failing =
        SuccessPhase { exploration: Some(1.0), ..phase("failing", batches(100, 0.0, 0.0, 1.0)) };
    vec![
        ("nothing", chart(vec![])),
        ("one", chart(vec![phase("only", batches(7, 0.5, 0.5, 1.0))])),
        ("silent", chart(vec![silent, SuccessPhase { batches: vec![], ..empty() }])),
        ("hostile", chart((0..3).map(hostile).collect())),
        ("many", chart((0..12).map(hostile).collect())),
        ("ends", chart(vec![perfect, failing])),
        ("long", chart(vec![phase("long", batches(300_000, 0.1, 0.9, 50_000.0))])),
    ]
}

fn odd_latencies() -> Vec<(&'static str, LatencyChart)> {
    let chart = |curves| LatencyChart { title: HOSTILE.to_owned(), simulated: false, curves };
    let single = LatencyCurve {
        quantiles: vec![Quantile { share: 1.0, latency_us: 0 }],
        ..latency("one call", "Rank", 1, 1.0, 1.0)
    };
    let silent = LatencyCurve { quantiles: vec![], calls: 0, ..single.clone() };
    let many =
        |index: u64| latency(&format!("{index}{HOSTILE}"), HOSTILE, 100 * index + 1, 9e2, 9e6);
    vec![
        ("nothing", chart(vec![])),
        ("single", chart(vec![single, silent])),
        ("many", chart((0..9).map(many).collect())),
    ]
}

/// Every picture that is tested, by name.
fn pictures() -> Vec<(String, String)> {
    let success = std::iter::once(("tutorial", tutorial())).chain(odd_success());
    let success = success
        .map(|(name, chart)| (format!("success_{name}"), success_curve_svg(&chart).standalone()));
    let latency = std::iter::once(("tutorial", latencies())).chain(odd_latencies());
    let latency =
        latency.map(|(name, chart)| (format!("latency_{name}"), latency_svg(&chart).standalone()));
    success.chain(latency).collect()
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;

/// Every coordinate of an element: pairs of x and y.
fn points(element: roxmltree::Node<'_, '_>) -> Vec<(f64, f64)> {
    let number = |name: &str| element.attribute(name).map_or(0.0, |value| value.parse().unwrap());
    match element.tag_name().name() {
        "line" => vec![(number("x1"), number("y1")), (number("x2"), number("y2"))],
        "text" => vec![(number("x"), number("y"))],
        "rect" => vec![
            (number("x"), number("y")),
            (number("x") + number("width"), number("y") + number("height")),
        ],
        "path" => path_points(element.attribute("d").unwrap()),
        _ => Vec::new(),
    }
}

/// The points of a path; it is made of `Mx y`, `Lx y`, `h0` and `Z` only.
fn path_points(path: &str) -> Vec<(f64, f64)> {
    let steps = path
        .split_inclusive(['M', 'L', 'h', 'Z'])
        .map(|step| step.trim_end_matches(['M', 'L', 'h', 'Z']));
    let pair = |step: &str| {
        let (x, y) = step.split_once(' ')?;
        Some((x.parse().unwrap(), y.parse().unwrap()))
    };
    steps.filter_map(pair).collect()
}

/// About where a text is: left, top, right, bottom.
fn text_box(text: roxmltree::Node<'_, '_>) -> [f64; 4] {
    let number = |name: &str| text.attribute(name).unwrap().parse::<f64>().unwrap();
    let (x, y, size) = (number("x"), number("y"), number("font-size"));
    let content: String = text
        .children()
        .filter_map(|child| if child.is_text() { child.text() } else { None })
        .collect();
    let width = width(&content, size);
    let left = match text.attribute("text-anchor") {
        Some("end") => x - width,
        Some("middle") => x - width / 2.0,
        _ => x,
    };
    [left, y - 0.72 * size, left + width, y + 0.2 * size]
}

#[test]
fn pictures_are_as_they_were() {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let golden = Path::new("tests/fixtures");
    let mut changed = Vec::new();
    for (name, svg) in pictures() {
        let file = format!("{name}.svg");
        std::fs::write(made.join(&file), &svg).unwrap();
        let is_golden = name.ends_with("_tutorial");
        if is_golden && std::fs::read_to_string(golden.join(&file)).ok() != Some(svg) {
            changed.push(file);
        }
    }
    let made = made.display();
    assert!(changed.is_empty(), "look at {changed:?} in {made}; if better, copy to {golden:?}");
}

#[test]
fn a_strict_reader_finds_pictures_and_nothing_else() {
    let allowed = ["svg", "title", "desc", "style", "rect", "g", "line", "path", "text"];
    for (name, svg) in pictures() {
        let document =
            roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
        for element in document.descendants().filter(roxmltree::Node::is_element) {
            assert!(allowed.contains(&element.tag_name().name()), "{name}: {element:?}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}

#[test]
fn hostile_names_are_text() {
    let readable = HOSTILE.replace(['\u{0}', '\u{7}', '\u{202e}', '\u{fffe}'], "\u{fffd}");
    for (name, svg) in pictures().iter().filter(|(name, _)| !name.ends_with("_tutorial")) {
        let document = roxmltree::Document::parse(svg).unwrap();
        let mut texts = document.descendants().filter_map(|node| node.text());
        assert!(texts.any(|text| text.contains(&readable)), "{name}");
    }
}

#[test]
fn everything_is_inside_the_picture() {
    for (name, svg) in pictures() {
        let document = roxmltree::Document::parse(&svg).unwrap();
        for element in document.descendants() {
            for (x, y) in points(element) {
                let is_inside = (0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y);
                assert!(is_inside, "{name}: {element:?} at {x} {y}");
            }
        }
    }
}

/// What is wrong with the places of the labels, by their estimated extents.
fn misplaced(svg: &str) -> Option<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let is_level = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("text") && !node.has_attribute("transform")
    };
    let texts: Vec<_> = document.descendants().filter(is_level).collect();
    let boxes: Vec<_> = texts.iter().map(|text| text_box(*text)).collect();
    for (index, [left, top, right, bottom]) in boxes.iter().enumerate() {
        if *left < 0.0 || *top < 0.0 || *right > WIDTH || *bottom > HEIGHT {
            return Some(format!("{:?} leaves the picture", texts[index].text()));
        }
        let meets = |other: &[f64; 4]| {
            *right > other[0] && other[2] > *left && *bottom > other[1] && other[3] > *top
        };
        if let Some(other) = boxes[index + 1..].iter().position(meets) {
            return Some(format!(
                "{:?} over {:?}",
                texts[index].text(),
                texts[index + 1 + other].text()
            ));
        }
    }
    None
}

/// But for phases so many that they are narrower than their names.
#[test]
fn labels_are_inside_the_picture_and_apart() {
    for (name, svg) in pictures().iter().filter(|(name, _)| name != "success_many") {
        assert_eq!(misplaced(svg), None, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn labels_are_apart_whatever_the_curves_do(
        phases in prop::collection::vec((1_u64..30_000, 0.0_f64..1.0, 0.0_f64..1.0), 1..4),
        exploration in prop::option::of(0.0_f64..=1.0),
        actions in 1_usize..2000,
    ) {
        let phase = |(iterations, from, to)| SuccessPhase {
            exploration,
            actions,
            ..phase("validation", batches(iterations, from, to, 300.0))
        };
        let phases = phases.into_iter().map(phase).collect();
        let svg = success_curve_svg(&SuccessChart { title: "t".to_owned(), phases }).standalone();
        prop_assert_eq!(misplaced(&svg), None);
    }

    #[test]
    fn latency_labels_are_apart_whatever_the_latencies_are(
        curves in prop::collection::vec((1_u64..3000, 1.0_f64..1e6, 1.0_f64..1e3), 1..5),
    ) {
        let curve = |(index, (calls, median, spread)): (usize, (u64, f64, f64))| {
            latency(&format!("phase {index}"), "Rank", calls, median, median * spread)
        };
        let curves = curves.into_iter().enumerate().map(curve).collect();
        let svg = latency_svg(&LatencyChart { title: "t".to_owned(), simulated: true, curves }).standalone();
        prop_assert_eq!(misplaced(&svg), None);
    }
}

#[test]
fn pictures_say_when_latencies_are_simulated() {
    let measured = LatencyChart { simulated: false, ..latencies() };
    assert!(latency_svg(&latencies()).standalone().contains("simulated"));
    assert!(!latency_svg(&measured).standalone().contains("simulated"));
}

#[test]
fn the_ceiling_is_what_exploration_allows() {
    let phase = phase("p", batches(10, 0.5, 0.5, 1.0));
    assert!((phase.ceiling().unwrap() - 0.85).abs() < 1e-12);
    assert_eq!(phase.chance(), Some(0.25));
    assert_eq!(SuccessPhase { exploration: None, ..phase.clone() }.ceiling(), None);
    assert_eq!(SuccessPhase { actions: 0, ..phase.clone() }.ceiling(), None);
    // Two of four: six choices, one of which is the best.
    let slots = SuccessPhase { slots: 2, actions: 4, ..phase };
    assert!((slots.chance().unwrap() - 1.0 / 6.0).abs() < 1e-12);
    let explored = slots.exploration.unwrap();
    let first = 1.0 - explored + explored * 2.0 / 4.0;
    let second = 1.0 - explored + explored / 3.0;
    assert!((slots.ceiling().unwrap() - first * second).abs() < 1e-12);
}

/// What was averaged over a drift belongs to neither of the two populations.
#[test]
fn a_curve_is_not_smoothed_across_a_drift() {
    let before = |index: u64| index < 100;
    let batch = |index: u64| SuccessBatch {
        first_iteration: 10 * index,
        last_iteration: 10 * index + 9,
        events: 10,
        successes: if before(index) { 10 } else { 0 },
    };
    let phase =
        SuccessPhase { drift: Some(1000), ..phase("drifting", (0..200).map(batch).collect()) };
    let chart = SuccessChart { title: "drift".to_owned(), phases: vec![phase] };
    let svg = success_curve_svg(&chart).standalone();
    let document = roxmltree::Document::parse(&svg).unwrap();
    // Dots have no joins.
    let curve = document.descendants().find(|node| {
        node.attribute("stroke-width") == Some("3") && node.has_attribute("stroke-linejoin")
    });
    let path = curve.unwrap().attribute("d").unwrap().to_owned();
    let heights: Vec<&str> =
        path.split(['M', 'L']).filter_map(|point| point.split_once(' ')).map(|at| at.1).collect();
    let (top, bottom) = (heights[0], heights[heights.len() - 1]);
    assert!(heights.iter().all(|at| *at == top || *at == bottom), "{path}");
    assert_eq!(path.matches('M').count(), 2, "the curve is broken at the drift");
    assert!(svg.contains("the population drifts at iteration 1,000"), "the drift is marked");
}
