//! Folding lines that are wider than the terminal.

use std::io::{stderr, stdout};

use anstream::adapter::strip_str;
use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr;

use diagnostic::Report;

/// The text as stdout shows it: on a terminal, lines that are wider than it are folded.
pub fn on_stdout(text: &str) -> String {
    on_terminal(text, columns(terminal_size_of(stdout())))
}

/// Markdown as stdout shows it: on a terminal, its paragraphs are as wide as that.
pub fn prose_on_stdout(text: &str) -> String {
    match columns(terminal_size_of(stdout())) {
        Some(columns) => prose(text, columns),
        None => text.to_owned(),
    }
}

/// The same for stderr.
pub fn on_stderr(text: &str) -> String {
    on_terminal(text, columns_of_stderr())
}

/// Mistakes as stderr shows them, in colours: on a terminal, a line of a file that is wider than it
/// is cut around what is meant.
pub fn mistakes_on_stderr(mistakes: &Report) -> String {
    match columns_of_stderr() {
        Some(columns) => fold(&mistakes.render_within(columns), columns),
        None => mistakes.render(true),
    }
}

/// The width of the terminal that stderr is connected to, in columns.
pub fn columns_of_stderr() -> Option<usize> {
    columns(terminal_size_of(stderr()))
}

fn columns(terminal: Option<(Width, Height)>) -> Option<usize> {
    let (Width(columns), _) = terminal?;
    (columns > 0).then_some(columns.into())
}

fn on_terminal(text: &str, columns: Option<usize>) -> String {
    columns.map_or_else(|| text.to_owned(), |columns| fold(text, columns))
}

/// Spaces before each continuation of a folded line.
const INDENT: &str = "  ";

/// Between the cells of a table are so many blanks or more.
const GAP: &str = "  ";

/// Folds lines that are wider than `width` columns. A line of a table is folded between cells, if each
/// cell fits into a line of its own; other lines are folded at blanks. A word without blanks, such as
/// a path, is never split. Lines of a file that an error quotes are not folded, because the line below
/// them marks a column.
pub fn fold(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| folded(line, width, INDENT)).collect()
}

/// Markdown whose paragraphs and list items are folded anew.
fn prose(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut is_code, mut is_open) = (false, false);
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        let is_apart = is_code || is_fence || line.is_empty() || line.starts_with(['#', '|']);
        let is_item = ["- ", "* "].iter().any(|mark| line.trim_start().starts_with(mark));
        match lines.last_mut().filter(|_| is_open && !is_apart && !is_item) {
            Some(last) => *last = format!("{last} {}", line.trim_start()),
            None => lines.push(line.to_owned()),
        }
        is_code ^= is_fence;
        is_open = !is_apart;
    }
    let folded = |line: &String| {
        let is_plain = line.starts_with(|first: char| !" -*|".contains(first));
        folded(&format!("{line}\n"), width, if is_plain { "" } else { INDENT })
    };
    lines.iter().map(folded).collect()
}

/// Whether it shows a line of a file: `14 | phases:`.
fn is_excerpt(line: &str) -> bool {
    let plain = strip_str(line).to_string();
    plain.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|')
}

fn folded(line: &str, width: usize, indent: &str) -> String {
    if width_of(line) <= width || is_excerpt(line) {
        return line.to_owned();
    }
    let content = line.trim_end_matches('\n');
    let mut folded = String::with_capacity(line.len());
    let mut used = 0;
    let mut rest = content;
    while !rest.is_empty() {
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let end = rest[blanks..].find(' ').map_or(rest.len(), |end| blanks + end);
        let (piece, after) = rest.split_at(end);
        let word = width_of(&piece[blanks..]);
        let cell = if blanks < GAP.len() { 0 } else { width_of(first_cell(&rest[blanks..])) };
        let fits = |text: usize| used + blanks + text <= width;
        let is_whole_below = indent.len() + cell <= width;
        if used > 0 && (!fits(word) || !fits(cell) && is_whole_below) {
            folded.push('\n');
            folded.push_str(indent);
            folded.push_str(&piece[blanks..]);
            used = indent.len() + word;
        } else {
            folded.push_str(piece);
            used += blanks + word;
        }
        rest = after;
    }
    folded.push_str(&line[content.len()..]);
    folded
}

/// The first cell of a line of a table.
fn first_cell(text: &str) -> &str {
    text.split_once(GAP).map_or(text, |(cell, _)| cell)
}

/// The columns that a text takes, without its colours.
fn width_of(text: &str) -> usize {
    strip_str(text).map(UnicodeWidthStr::width).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_line_is_folded_at_blanks_and_indented() {
        let text = "train  1,000  20.0/s, success 50.2 % (last 500), 0 errors\nshort\n";
        let expected = "train  1,000  20.0/s, success 50.2 %\n  (last 500), 0 errors\nshort\n";
        assert_eq!(fold(text, 40), expected);
        assert_eq!(fold(text, 57), text, "what fits stays as it is");
    }

    #[test]
    fn a_cell_stays_whole_where_it_fits_below() {
        let text = "baseline  10,000   32.1 % → 50.2 %   0.481\n";
        let expected = "baseline  10,000\n  32.1 % → 50.2 %   0.481\n";
        assert_eq!(fold(text, 30), expected);
        let expected = "baseline  10,000\n  32.1 % → 50.2\n  %   0.481\n";
        assert_eq!(fold(text, 16), expected, "a cell that is too wide is folded as a sentence");
    }

    #[test]
    fn colours_take_no_columns() {
        let text = "\u{1b}[31m1 error\u{1b}[0m in \u{1b}[1mload\u{1b}[0m\n";
        assert_eq!(fold(text, 15), text);
    }

    #[test]
    fn prose_is_folded_anew_and_code_stays_apart() {
        let page = "# Read\n\nA line of\nprose that goes on.\n\n- one item\n  of two lines\n- another\n\n```sh\nrunner a\nrunner b\n```\n";
        let expected = "# Read\n\nA line of prose\nthat goes on.\n\n- one item of\n  two lines\n- another\n\n```sh\nrunner a\nrunner b\n```\n";
        assert_eq!(prose(page, 16), expected);
    }

    #[test]
    fn lines_of_a_file_stay_above_their_marks() {
        let text =
            "14 |   - iterate: { iteratons: 5000, arrival: open }\n   |                ^^^^^^^^^\n";
        assert_eq!(fold(text, 40), text);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_and_no_word_is_lost(
            words in prop::collection::vec("[a-zäß0-9%/,]{1,30}|喫茶店", 0..30),
            width in prop::sample::select(vec![40_usize, 60, 80]),
        ) {
            let text = words.join("  ");
            let folded = fold(&text, width);
            for line in folded.lines() {
                prop_assert!(width_of(line) <= width, "{line}");
            }
            let found: Vec<&str> = folded.split_whitespace().collect();
            prop_assert_eq!(found, words);
        }
    }
}
