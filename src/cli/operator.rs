use std::io::{IsTerminal, stdin};

use engine::Operator;

/// The person at the terminal, or `--yes` in their place.
pub struct Terminal {
    /// Whether every prompt is answered with yes.
    pub yes: bool,
    /// Whether nothing is told that nobody asked for.
    pub quiet: bool,
}

impl Terminal {
    /// Whether a prompt can be answered.
    pub fn answers(&self) -> bool {
        self.yes || stdin().is_terminal()
    }

    /// Tells a sentence.
    pub fn tell(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

impl Operator for Terminal {
    fn confirm(&self, prompt: &str) -> Result<(), String> {
        eprintln!("{prompt}");
        if self.yes {
            return Ok(());
        }
        eprint!("Press Enter to go on. ");
        let read = stdin().read_line(&mut String::new());
        match read {
            Ok(0) => Err("nobody is there to press Enter; `--yes` goes on without".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the terminal cannot be read: {error}")),
        }
    }
}
