use super::differences::{DifferenceRow, differences};
use super::readout::Readout;

use crate::chart::{Element, Ink, Svg, style};
use crate::lines::Layout;

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// What that is, in a sentence.
    pub subtitle: String,
    /// Its parts; those with nothing in them are left out.
    pub sections: Vec<Section>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// Something in a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The result, in a sentence or two.
    Answer(String),
    /// Differences with their intervals.
    Differences {
        /// What they are of.
        caption: String,
        /// From top to bottom.
        rows: Vec<DifferenceRow>,
    },
    /// Contents of which one is shown at a time, by their names.
    Choice(Vec<(String, Vec<Block>)>),
    /// A sentence or two.
    Text(String),
    /// A sentence that should not be missed.
    Warning(String),
    /// How much of something is done.
    Progress {
        /// Of what, and how much, in words.
        label: String,
        /// So much.
        done: u64,
        /// Of so much.
        total: u64,
    },
    /// Names and what stands for them.
    Facts(Vec<(String, String)>),
    /// Rows under a head. The first column is text, the others are numbers or text.
    Table {
        /// The head.
        head: Vec<String>,
        /// As long as the head.
        rows: Vec<Vec<Cell>>,
    },
    /// A picture.
    Picture {
        /// The picture.
        svg: Svg,
        /// The same for a narrow screen, if it has a layout of its own.
        narrow: Option<Svg>,
        /// What it says when it is pointed at.
        readout: Option<Readout>,
    },
    /// Lines as they were written.
    Code(Vec<String>),
}

impl Block {
    /// Marks what it says as not known: its findings are neither good nor bad yet.
    pub fn doubt(&mut self) {
        let doubtful = |tone: &mut Tone| {
            if !matches!(tone, Tone::Plain | Tone::Code) {
                *tone = Tone::Doubtful;
            }
        };
        match self {
            Self::Differences { rows, .. } => {
                rows.iter_mut().for_each(|row| doubtful(&mut row.tone));
            }
            Self::Table { rows, .. } => {
                rows.iter_mut().flatten().for_each(|cell| doubtful(&mut cell.tone));
            }
            Self::Choice(contents) => {
                contents.iter_mut().flat_map(|(_, blocks)| blocks).for_each(Self::doubt);
            }
            Self::Answer(_)
            | Self::Text(_)
            | Self::Warning(_)
            | Self::Progress { .. }
            | Self::Facts(_)
            | Self::Picture { .. }
            | Self::Code(_) => {}
        }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

/// What something means, beside what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing more.
    Plain,
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
    /// It is not known.
    Doubtful,
    /// It is to be copied as it stands.
    Code,
}

impl Cell {
    /// A cell that means nothing more than it says.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// A cell to copy from.
    pub fn code(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Code }
    }

    /// Whether it stands in a column of numbers: what is not there does, too.
    fn is_number(&self) -> bool {
        let digits = self.text.trim_start_matches(|c: char| "+-−±~<[ \u{a0}".contains(c));
        let is_empty = self.text.is_empty();
        is_empty || self.tone == Tone::Plain && digits.starts_with(|c: char| c.is_ascii_digit())
    }
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubtful => "doubtful",
            Self::Code => "code-cell",
        }
    }
}

/// Nothing is loaded, and nothing runs but what stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The same, but that a page asks its own server for changes.
const LIVE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
    script-src 'unsafe-inline'; connect-src 'self'";

/// How pages look. It has the two schemes of colours, and nothing that it would load.
pub const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const LIVE_SCRIPT: &str = include_str!("live.js");

/// The page.
#[must_use]
pub fn page_html(page: &Page) -> String {
    html(page, POLICY, &[SCRIPT])
}

/// The page as one that asks its server, at `events`, for [`page_parts`] as they change.
#[must_use]
pub fn live_page_html(page: &Page) -> String {
    html(page, LIVE_POLICY, &[SCRIPT, LIVE_SCRIPT])
}

/// The header of the page, then its sections, each as HTML.
#[must_use]
pub fn page_parts(page: &Page) -> Vec<String> {
    let parts = numbered(page).map(|(part, number)| section(part, number));
    [header(page)].into_iter().chain(parts).map(Element::into_text).collect()
}

fn html(page: &Page, policy: &str, scripts: &[&'static str]) -> String {
    let meta = |name: &'static str, content: &str| {
        Element::new("meta").with("name", name).with("content", content)
    };
    let policy =
        Element::new("meta").with("http-equiv", "Content-Security-Policy").with("content", policy);
    let head = Element::new("head")
        .child(Element::new("meta").with("charset", "utf-8"))
        .child(policy)
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(Element::new("title").text(&page.title))
        .child(Element::new("style").verbatim(STYLE).verbatim(style()));
    let parts = numbered(page).map(|(part, number)| section(part, number));
    let scripts = scripts.iter().map(|script| Element::new("script").verbatim(*script));
    let body = Element::new("body")
        .child(header(page))
        .child(Element::new("main").text("").children(parts))
        .children(scripts);
    let html = Element::new("html").with("lang", "en").child(head).child(body);
    format!("<!DOCTYPE html>\n{}\n", html.into_text())
}

/// The sections with something in them, numbered from 1.
fn numbered(page: &Page) -> impl Iterator<Item = (&Section, usize)> {
    page.sections.iter().filter(|section| !section.blocks.is_empty()).zip(1..)
}

fn header(page: &Page) -> Element {
    let links = numbered(page).map(|(section, number)| {
        Element::new("a").with("href", format!("#part-{number}")).text(&section.heading)
    });
    Element::new("header")
        .child(Element::new("h1").text(&page.title))
        .child(Element::new("p").text(&page.subtitle))
        .child(Element::new("nav").text("").children(links))
}

fn section(section: &Section, number: usize) -> Element {
    Element::new("section")
        .with("id", format!("part-{number}"))
        .child(Element::new("h2").text(&section.heading))
        .children(section.blocks.iter().map(block))
}

fn block(block: &Block) -> Element {
    match block {
        Block::Answer(text) => prose(text).with("class", "answer"),
        Block::Differences { caption, rows } => differences(caption, rows),
        Block::Choice(choices) => choice(choices),
        Block::Text(text) => prose(text),
        Block::Warning(text) => prose(text).with("class", "warning"),
        Block::Progress { label, done, total } => progress(label, *done, *total),
        Block::Facts(facts) => Element::new("dl").text("").children(facts.iter().flat_map(fact)),
        Block::Table { head, rows } => table(head, rows),
        Block::Picture { svg, narrow, readout } => picture(svg, narrow.as_ref(), readout.as_ref()),
        Block::Code(lines) => Element::new("div")
            .with("class", "code")
            .with("tabindex", "0")
            .text("")
            .children(lines.iter().map(|line| Element::new("div").text(indented(line)))),
    }
}

/// A paragraph. What stands between backticks is code, as in messages of the terminal.
fn prose(text: &str) -> Element {
    with_code(Element::new("p"), text, |paragraph, part| paragraph.text(part))
}

/// An element with a text in it, of which `plain` adds what is not code.
fn with_code(element: Element, text: &str, plain: impl Fn(Element, &str) -> Element) -> Element {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(element, text);
    }
    parts.iter().enumerate().fold(element, |element, (index, part)| match index % 2 {
        0 => plain(element, part),
        _ => element.child(Element::new("code").text(*part)),
    })
}

fn progress(label: &str, done: u64, total: u64) -> Element {
    let bar = Element::new("progress")
        .with("value", done.to_string())
        .with("max", total.max(1).to_string())
        .text("");
    Element::new("label")
        .with("class", "progress")
        .child(Element::new("span").text(label))
        .child(bar)
}

/// Without scripts everything is shown.
fn choice(choices: &[(String, Vec<Block>)]) -> Element {
    let options = choices.iter().map(|(name, _)| Element::new("option").text(name));
    let select = Element::new("select").with("aria-label", "metric").children(options);
    let parts = choices.iter().map(|(name, blocks)| {
        Element::new("div")
            .with("class", "chosen")
            .with("aria-label", name)
            .children(blocks.iter().map(block))
    });
    let label = Element::new("label").with("hidden", "").text("Metric ").child(select);
    Element::new("div").with("class", "choice").child(label).children(parts)
}

/// Blanks at the beginning are kept; an empty line has a height.
fn indented(line: &str) -> String {
    let rest = line.trim_start_matches(' ');
    "\u{a0}".repeat((line.len() - rest.len()).max(usize::from(rest.is_empty()))) + rest
}

fn fact((name, value): &(String, String)) -> [Element; 2] {
    let value = if value.starts_with("--") {
        Element::new("dd").child(code(value))
    } else {
        Element::new("dd").text(value)
    };
    [Element::new("dt").text(name), value]
}

/// What is selected as a whole, and broken between words only: not at the hyphens of options.
fn code(text: &str) -> Element {
    let words = text.split(' ').map(|word| Element::new("span").text(word));
    Element::new("code").with("class", "whole").children(words)
}

/// On a narrow screen a row is a list of its cells, each with the name of its column. The roles
/// keep it a table for screen readers.
fn table(head: &[String], rows: &[Vec<Cell>]) -> Element {
    let of_role = |name: &'static str, role: &'static str| Element::new(name).with("role", role);
    let is_number = |column: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(column));
        column > 0 && cells.clone().any(|cell| !cell.text.is_empty()) && cells.all(Cell::is_number)
    };
    let numbers: Vec<bool> = (0..head.len()).map(is_number).collect();
    let names = head.iter().zip(&numbers).map(|(name, is_number)| {
        let cell = of_role("th", "columnheader").with("scope", "col");
        let cell = if *is_number { cell.with("class", "number") } else { cell };
        breakable(cell, name)
    });
    let row = |row: &Vec<Cell>| {
        let cell = |((cell, name), is_number): ((&Cell, &String), &bool)| {
            let class = if *is_number { "number" } else { cell.tone.class() };
            let element = of_role("td", "cell").with("class", class).with("data-column", name);
            match cell.tone {
                Tone::Code if !cell.text.is_empty() => element.child(code(&cell.text)),
                // On a narrow screen a cell has two columns, the second of which is all of it.
                _ if cell.text.contains('`') || break_in(&cell.text).is_some() => {
                    element.child(with_code(Element::new("span"), &cell.text, breakable))
                }
                _ => breakable(element, &cell.text),
            }
        };
        of_role("tr", "row").children(row.iter().zip(head).zip(&numbers).map(cell))
    };
    let head_row = of_role("tr", "row").children(names);
    let table = of_role("table", "table")
        .child(of_role("thead", "rowgroup").child(head_row))
        .child(of_role("tbody", "rowgroup").text("").children(rows.iter().map(row)));
    Element::new("div").with("class", "wide").with("tabindex", "0").child(table)
}

/// Text with the places at which a long name is broken first: behind a dot or an underscore, and
/// before a bracket.
fn breakable(element: Element, text: &str) -> Element {
    let mut rest = text;
    let mut element = element;
    while let Some(end) = break_in(rest) {
        element = element.text(&rest[..end]).child(Element::new("wbr"));
        rest = &rest[end..];
    }
    element.text(rest)
}

/// The byte at which a line may first break within a word.
fn break_in(text: &str) -> Option<usize> {
    let pairs = text.char_indices().zip(text.chars().skip(1));
    pairs.into_iter().find_map(|((at, character), next)| match character {
        '.' | '_' if next.is_alphabetic() => Some(at + 1),
        _ if next == '[' && character.is_alphanumeric() => Some(at + character.len_utf8()),
        _ => None,
    })
}

fn picture(svg: &Svg, narrow: Option<&Svg>, readout: Option<&Readout>) -> Element {
    let drawn = |class: &str, svg: &Svg, layout: Layout| {
        let [from, to] = layout.ends();
        Element::new("div")
            .with("class", class)
            .with("data-from", format!("{from:.4}"))
            .with("data-to", format!("{to:.4}"))
            .verbatim(svg.within_page())
    };
    let figure = match narrow {
        // On a narrow screen the table beside it says the same.
        None => Element::new("figure").child(drawn("drawing large", svg, Layout::WIDE)),
        Some(narrow) => Element::new("figure")
            .child(drawn("drawing large", svg, Layout::WIDE))
            .child(drawn("drawing small", narrow, Layout::NARROW)),
    };
    let Some(readout) = readout else { return figure };
    // A text attribute is escaped as any other.
    let said = serde_json::to_string(readout).unwrap_or_default();
    let name =
        |(name, ink): &(String, Ink)| Element::new("li").with("class", ink.name()).text(name);
    let names = readout.key.iter().map(name);
    let class = if readout.is_cut { "key always" } else { "key" };
    let key = Element::new("ul").with("class", class).text("").children(names);
    figure.child(key).with("tabindex", "0").with("data-readout", said).child(
        Element::new("figcaption")
            .with("aria-live", "polite")
            .text("Point at the picture, or use the arrow keys, to read its values."),
    )
}
