//! Folding lines that are wider than the terminal.

use std::io::{stderr, stdout};

use anstream::adapter::strip_str;
use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr;

/// The text as stdout shows it: on a terminal, lines that are wider than it are folded.
pub fn on_stdout(text: &str) -> String {
    on_terminal(text, columns(terminal_size_of(stdout())))
}

/// The same for stderr.
pub fn on_stderr(text: &str) -> String {
    on_terminal(text, columns_of_stderr())
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

/// The text with the lines that are wider than `width` columns folded at their blanks. What has no
/// blanks, such as a path, stays whole.
pub fn fold(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| folded(line, width)).collect()
}

fn folded(line: &str, width: usize) -> String {
    if width_of(line) <= width {
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
        if used > 0 && used + blanks + word > width {
            folded.push('\n');
            folded.push_str(INDENT);
            folded.push_str(&piece[blanks..]);
            used = INDENT.len() + word;
        } else {
            folded.push_str(piece);
            used += blanks + word;
        }
        rest = after;
    }
    folded.push_str(&line[content.len()..]);
    folded
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
    fn colours_take_no_columns() {
        let text = "\u{1b}[31m1 error\u{1b}[0m in \u{1b}[1mload\u{1b}[0m\n";
        assert_eq!(fold(text, 15), text);
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
