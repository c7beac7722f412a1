use anstyle::{AnsiColor, Style};

/// What a text is, as far as its colour tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// Nothing special.
    #[default]
    Plain,
    /// The name of something.
    Name,
    /// What names other things: headers, labels.
    Faint,
    /// A number to be seen first.
    Strong,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Worth a look.
    Doubtful,
}

impl Paint {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Name => AnsiColor::Cyan.on_default(),
            Self::Faint => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Doubtful => AnsiColor::Yellow.on_default(),
        }
    }

    /// The text in its colour.
    pub fn over(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}
