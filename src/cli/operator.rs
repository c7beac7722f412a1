use std::io::{IsTerminal, stdin};

use super::streams;
use engine::Operator;

/// The person at the terminal, or `--yes`.
pub struct Terminal {
    /// Whether every prompt is confirmed without asking.
    pub yes: bool,
    /// Whether progress is not shown.
    pub quiet: bool,
}

impl Terminal {
    /// Whether a prompt can be answered.
    pub fn answers(&self) -> bool {
        self.yes || stdin().is_terminal()
    }
}

impl Operator for Terminal {
    fn confirm(&self, prompt: &str) -> Result<(), String> {
        streams::note(prompt);
        if self.yes {
            return Ok(());
        }
        eprint!("Press Enter to continue. ");
        let read = stdin().read_line(&mut String::new());
        match read {
            Ok(0) => {
                Err("stdin ended before Enter was pressed; add `--yes` to confirm without asking"
                    .to_owned())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(format!("cannot read stdin: {error}")),
        }
    }

    /// Shows a sentence, unless quiet.
    fn tell(&self, text: &str) {
        if !self.quiet {
            streams::note(text);
        }
    }

    fn warn(&self, text: &str) {
        streams::note(&format!("warning: {text}"));
    }
}
