use std::io::{IsTerminal, Write, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::fold::{columns_of_stderr, on_stderr};

/// Where progress is shown.
pub enum Screen {
    /// Nowhere.
    Dark,
    /// Line by line, for logs.
    Lines(Box<dyn Write>),
    /// On a terminal, with a bar below the lines.
    Live(ProgressBar),
}

/// How often a second the bar is drawn at the most.
const DRAWS_PER_SECOND: u8 = 15;

impl Screen {
    /// What suits stderr, as it is.
    pub fn of_stderr(quiet: bool) -> Self {
        match (quiet, is_live()) {
            (true, _) => Self::Dark,
            (false, true) => Self::Live(ProgressBar::hidden()),
            (false, false) => Self::Lines(Box::new(anstream::stderr())),
        }
    }

    /// Whether there is a bar.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Shows a line above the bar. What cannot be shown is lost: a run does not stop
    /// because nobody can look.
    pub fn line(&mut self, text: &str) {
        match self {
            Self::Dark => {}
            Self::Lines(out) => drop(writeln!(out, "{text}")),
            // `println` of the bar drops the text where there is no terminal.
            Self::Live(bar) => {
                let text = on_stderr(text);
                bar.suspend(|| drop(writeln!(anstream::stderr(), "{text}")));
            }
        }
    }

    /// Shows a progress bar. It estimates the time left unless its messages state it.
    pub fn open_bar(&mut self, prefix: &str, total: u64, estimates: bool) {
        if let Self::Live(bar) = self {
            *bar = new_bar(prefix, total, estimates);
        }
    }

    /// Moves the bar.
    pub fn move_bar(&mut self, done: u64, message: impl FnOnce() -> String) {
        if let Self::Live(bar) = self {
            bar.set_message(message());
            bar.set_position(done);
        }
    }

    /// Takes the bar away.
    pub fn close_bar(&mut self) {
        if let Self::Live(bar) = self {
            bar.finish_and_clear();
            *bar = ProgressBar::hidden();
        }
    }
}

/// Whether lines can be drawn over. Some CI has a terminal that nobody looks at.
fn is_live() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stderr().is_terminal() && !is_set("CI") && !is_dumb
}

/// On a terminal narrower than this many columns only the numbers are shown, without a bar.
const ROOM_FOR_A_BAR: usize = 80;

fn new_bar(prefix: &str, total: u64, estimates: bool) -> ProgressBar {
    let columns = columns_of_stderr().unwrap_or(ROOM_FOR_A_BAR);
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    ProgressBar::with_draw_target(Some(total), target)
        .with_style(style(columns, estimates))
        .with_finish(ProgressFinish::AndClear)
        .with_prefix(cut(prefix, columns / 3))
}

/// The line of a bar: the message takes what is left of the columns, and is cut there.
fn style(columns: usize, estimates: bool) -> ProgressStyle {
    let template = match (columns < ROOM_FOR_A_BAR, estimates) {
        (true, true) => "{prefix} {percent} %  {eta} left  {wide_msg}",
        (true, false) => "{prefix} {percent} %  {wide_msg}",
        (false, true) => {
            "{prefix} {bar:10.cyan/dim} {human_pos}/{human_len}  {eta} left  {wide_msg}"
        }
        (false, false) => "{prefix} {bar:10.cyan/dim} {human_pos}/{human_len}  {wide_msg}",
    };
    let style = ProgressStyle::with_template(template).expect("a template that indicatif reads");
    style.progress_chars("━╸─")
}

/// The text, cut to `most` columns with an ellipsis if it is wider.
fn cut(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used < most
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use anstream::adapter::strip_str;
    use indicatif::TermLike;

    use super::*;

    /// A terminal of so many columns that remembers what was written to it last.
    #[derive(Debug, Clone)]
    struct Paper {
        columns: u16,
        last: Arc<Mutex<String>>,
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            self.columns
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            let text = strip_str(text).to_string();
            if !text.trim().is_empty() {
                *self.last.lock().unwrap() = text.trim_end().to_owned();
            }
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The bar of a phase with a long name and a long message takes one line, whatever the width.
    #[test]
    fn a_bar_takes_one_line_of_any_terminal() {
        let name = "validation of what was learned 喫茶店";
        let message = "12m 10s left, 20.0/s, p50 1.2 ms, p99 5.0 ms, success 50.2 %, 3 errors";
        for columns in [40, 60, 80, 120] {
            for estimates in [true, false] {
                let paper = Paper { columns, last: Arc::default() };
                let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
                let bar = ProgressBar::with_draw_target(Some(1_000_000), target)
                    .with_style(style(columns.into(), estimates))
                    .with_prefix(cut(name, usize::from(columns) / 3));
                bar.set_message(message);
                bar.set_position(999_999);
                bar.force_draw();
                let shown = paper.last.lock().unwrap().clone();
                assert!(shown.width() <= columns.into(), "{columns}: {shown}");
                assert!(shown.contains("validation") && shown.contains(" left"), "{shown}");
            }
        }
    }

    #[test]
    fn a_long_name_is_cut_by_its_columns() {
        assert_eq!(cut("baseline", 8), "baseline");
        assert_eq!(cut("baseline", 5), "base…");
        assert_eq!(cut("喫茶店", 5), "喫茶…");
    }
}
