//! Pages: what they load and run, and what their charts say.

use report::html::{Block, Cell, DifferenceRow, Page, Readout, Section, Tone, page_html};
use report::{LineChart, LinePoint, LineSeries, Unit};

use super::*;

/// A page of everything that a page may hold, with names that would be markup.
fn hostile_page() -> Page {
    let hostile = "<script>alert(1)</script>\" onload='x' </script> \u{202e}\u{7} &amp;";
    let points = |offset: f64| {
        let point = |x: u32| LinePoint { x: f64::from(x), y: offset, half: Some(0.1) };
        (0..20).map(point).collect()
    };
    let series = |name: &str, colour| LineSeries {
        name: name.to_owned(),
        colour,
        points: points(0.2 * f64::from(u32::try_from(colour).unwrap())),
        runs: vec![vec![(0.0, 0.1), (19.0, 0.3)]],
    };
    let part = |name: &str, from: f64, to: f64| LinePart {
        name: name.to_owned(),
        from,
        to,
        levels: vec![(0.2, name.to_owned())],
        marks: vec![from + 1.0, from + 1.1, to],
    };
    let chart = LineChart {
        title: hostile.to_owned(),
        subtitle: hostile.to_owned(),
        x_label: hostile.to_owned(),
        unit: Unit::Difference,
        series: vec![series(hostile, 0), series("plain", 1)],
        levels: vec![(0.1, hostile.to_owned())],
        breaks: vec![(5.0, hostile.to_owned())],
        gaps: Vec::new(),
        parts: [(0.0, 5.0), (5.0, 10.0)].map(|(from, to)| part(hostile, from, to)).to_vec(),
    };
    let cell = |tone| Cell { text: hostile.to_owned(), tone };
    let blocks = vec![
        Block::Answer(hostile.to_owned()),
        Block::Differences {
            caption: hostile.to_owned(),
            rows: vec![DifferenceRow {
                name: hostile.to_owned(),
                value: f64::NAN,
                interval: Some((-1.0, 2.0)),
                text: hostile.to_owned(),
                finding: hostile.to_owned(),
                tone: Tone::Good,
            }],
        },
        Block::Choice(vec![(hostile.to_owned(), vec![Block::Text(hostile.to_owned())])]),
        Block::Text(hostile.to_owned()),
        Block::Warning(hostile.to_owned()),
        Block::Facts(vec![(hostile.to_owned(), hostile.to_owned())]),
        Block::Table {
            head: vec![hostile.to_owned(); 2],
            rows: vec![vec![cell(Tone::Good), cell(Tone::Bad)]],
        },
        Block::Picture {
            svg: line_svg(&chart, Layout::WIDE),
            narrow: Some(line_svg(&chart, Layout::NARROW)),
            readout: Some(Readout::of(&chart)),
        },
        Block::Code(vec![hostile.to_owned(), String::new(), "  indented".to_owned()]),
    ];
    let section = Section { heading: hostile.to_owned(), blocks };
    let empty = Section { heading: "empty".to_owned(), blocks: Vec::new() };
    Page { title: hostile.to_owned(), subtitle: hostile.to_owned(), sections: vec![section, empty] }
}

#[test]
fn a_page_is_well_formed_loads_nothing_and_runs_nothing_of_what_it_shows() {
    let html = page_html(&hostile_page());
    assert_eq!(html, page_html(&hostile_page()), "the same values, the same bytes");
    let (kind, markup) = html.split_once('\n').unwrap();
    assert_eq!(kind, "<!DOCTYPE html>");
    // The style and the script of the page are its own; the rest is read as strict XML.
    let strict = markup
        .replace("<script>\n", "<script><![CDATA[\n")
        .replace("\n</script>", "\n]]></script>");
    let document = roxmltree::Document::parse(&strict).unwrap();
    let all = || document.descendants().filter(roxmltree::Node::is_element);
    assert_eq!(all().filter(|node| node.tag_name().name() == "script").count(), 1);
    for node in all() {
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
            let loads = ["src", "action", "data", "poster"].contains(&attribute.name());
            assert!(!loads, "{attribute:?}");
            if attribute.name() == "href" {
                assert!(attribute.value().starts_with('#'), "{attribute:?}");
            }
        }
    }
    let policy = all().find(|node| node.attribute("http-equiv") == Some("Content-Security-Policy"));
    assert!(policy.unwrap().attribute("content").unwrap().starts_with("default-src 'none'"));
    assert!(!html.contains("<script>alert"), "text became markup");
    let headings = all().filter(|node| node.tag_name().name() == "h2");
    assert_eq!(headings.count(), 1, "an empty part is left out");
}

#[test]
fn a_readout_says_what_is_drawn_where_it_is_drawn() {
    let point = |x: f64, y: f64| LinePoint { x, y, half: None };
    let chart = LineChart {
        title: "t".to_owned(),
        subtitle: "s".to_owned(),
        x_label: "iteration".to_owned(),
        unit: Unit::Share,
        series: vec![LineSeries {
            name: "one".to_owned(),
            colour: 0,
            points: vec![point(0.0, 0.25), point(1000.0, 0.5)],
            runs: Vec::new(),
        }],
        levels: Vec::new(),
        breaks: Vec::new(),
        gaps: Vec::new(),
        parts: Vec::new(),
    };
    let readout = serde_json::to_value(Readout::of(&chart)).unwrap();
    assert_eq!(readout["texts"][1], "iteration 1,000: one 50\u{a0}%");
    let places: Vec<f64> = serde_json::from_value(readout["places"].clone()).unwrap();
    assert!(places[0].abs() < 1e-9 && (places[1] - 1.0).abs() < 1e-9, "{places:?}");
}

/// What is doubted is neither good nor bad, wherever it stands.
#[test]
fn a_block_that_is_doubted_has_no_verdict() {
    let cell = |tone| Cell { text: "better".to_owned(), tone };
    let table = Block::Table {
        head: vec!["policy".to_owned(), "finding".to_owned(), "gate".to_owned()],
        rows: vec![vec![Cell::plain("a"), cell(Tone::Good), cell(Tone::Bad)]],
    };
    let mut block = Block::Choice(vec![("metric".to_owned(), vec![table])]);
    let html = |block: &Block| {
        let section = Section { heading: "Comparison".to_owned(), blocks: vec![block.clone()] };
        let page =
            Page { title: "a".to_owned(), subtitle: "b".to_owned(), sections: vec![section] };
        page_html(&page)
    };
    let has = |html: &str, tone: &str| html.contains(&format!("class=\"{tone}\""));
    assert!(has(&html(&block), "good") && has(&html(&block), "bad"));
    block.doubt();
    let doubted = html(&block);
    assert!(!has(&doubted, "good") && !has(&doubted, "bad") && has(&doubted, "doubtful"));
}
