use std::io::{IsTerminal, Write, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

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
            Self::Live(bar) => bar.suspend(|| drop(writeln!(anstream::stderr(), "{text}"))),
        }
    }

    /// Puts up a bar.
    pub fn open_bar(&mut self, prefix: String, total: u64) {
        if let Self::Live(bar) = self {
            *bar = new_bar(prefix, total);
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

fn new_bar(prefix: String, total: u64) -> ProgressBar {
    let template = "{prefix} {wide_bar:.cyan/dim} {human_pos}/{human_len}  {msg}  {eta} left";
    let style = ProgressStyle::with_template(template).expect("a template that indicatif reads");
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    ProgressBar::with_draw_target(Some(total), target)
        .with_style(style.progress_chars("━╸─"))
        .with_finish(ProgressFinish::AndClear)
        .with_prefix(prefix)
}
