//! Why a command ends without doing what it was asked for.

use std::fmt::{Display, Write as _};

use super::exit::Exit;
use super::fold::{mistakes_on_stderr, on_stderr};
use diagnostic::{Diagnostic, Report};
use engine::RunError;
use merge::MergeError;
use record::ObserveError;
use results::experiment::OpenError;
use results::{CreateError, ReadError, ResumeError};
use store::StoreError;

/// An error for the user: its text with its help, and the exit code that it leads to.
///
/// Every command returns one, and [`report`](Self::report) is called at the end of the
/// program. The exit code and the help of the errors of libraries are defined here only.
#[derive(Debug)]
pub struct Error {
    exit: Exit,
    /// Whole lines, with colours; the stream takes the colours out where they are not wanted.
    text: String,
}

impl Error {
    /// An error with a message: lower case, no full stop.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, text: format!("error: {message}\n") }
    }

    /// Wrong arguments, or an input that cannot be used.
    pub fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn help(self, help: impl Display) -> Self {
        self.line("help", help)
    }

    /// Adds a fact that the user should know beside it.
    #[must_use]
    pub fn note(self, note: impl Display) -> Self {
        self.line("note", note)
    }

    /// The same error with another exit code.
    #[must_use]
    pub fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    fn line(mut self, label: &str, text: impl Display) -> Self {
        // Writing to a string cannot fail.
        _ = writeln!(self.text, "{label}: {text}");
        self
    }

    /// The exit code that it leads to.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Its text without colours and without the word that it begins with.
    pub fn message(&self) -> String {
        let text = anstream::adapter::strip_str(&self.text).to_string();
        text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
    }

    /// Writes it to stderr, and gives its exit code.
    pub fn report(self) -> Exit {
        anstream::eprint!("{}", on_stderr(&self.text));
        self.exit
    }
}

/// A file that cannot be written.
pub fn not_written(path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::new(Exit::Results, format!("`{}` cannot be written: {error}", path.display()))
}

/// Mistakes in what the user gave.
impl From<Report> for Error {
    fn from(mistakes: Report) -> Self {
        Self { exit: Exit::Usage, text: mistakes_on_stderr(&mistakes) }
    }
}

impl From<Diagnostic> for Error {
    fn from(mistake: Diagnostic) -> Self {
        Report::from(mistake).into()
    }
}

const NEVER_OVERWRITTEN: &str = "results are never overwritten: name a new folder with `--out`";

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        let (exit, help) = match error {
            CreateError::NotEmpty(_) => (
                Exit::Usage,
                "results are never overwritten: name a new folder with `--out`, or continue what \
                 is there with `--resume`",
            ),
            CreateError::Locked(_) => {
                (Exit::Usage, "wait until it ends, or name another folder with `--out`")
            }
            CreateError::Io { .. } => {
                (Exit::Results, "name a folder that can be written to with `--out`")
            }
        };
        Self::new(exit, error).help(help)
    }
}

impl From<ObserveError> for Error {
    fn from(error: ObserveError) -> Self {
        Self::new(Exit::Results, error)
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Create(error) => error.into(),
            OpenError::Write(error) => error.into(),
            error @ (OpenError::Other { .. } | OpenError::OtherShard { .. }) => {
                Self::usage(error).help("name a new folder with `--out`")
            }
            OpenError::Read(error) => Self::usage(error).help("name a new folder with `--out`"),
        }
    }
}

impl From<ResumeError> for Error {
    fn from(error: ResumeError) -> Self {
        const AFRESH: &str = "start a new run without `--resume`";
        match error {
            ResumeError::Create(error) => error.into(),
            ResumeError::Write(error) => error.into(),
            ResumeError::Read(error) => Self::usage(error),
            ResumeError::OtherPlan { ref folder, .. } => {
                let scenario = folder.join("scenario.yaml");
                let as_it_was = format!(
                    "resume with the scenario as it was (`{}`), or {AFRESH}",
                    scenario.display()
                );
                Self::usage(error).help(as_it_was)
            }
            error @ (ResumeError::LoopInMemory | ResumeError::Complete(_)) => {
                Self::usage(error).help(AFRESH)
            }
        }
    }
}

impl From<MergeError> for Error {
    fn from(error: MergeError) -> Self {
        let exit = match &error {
            MergeError::Missing(_)
            | MergeError::Nothing
            | MergeError::Differs { .. }
            | MergeError::Read(ReadError::Io { .. } | ReadError::Malformed { .. }) => {
                Exit::Incomplete
            }
            MergeError::Write(_)
            | MergeError::Create(CreateError::Io { .. })
            | MergeError::Open(OpenError::Write(_) | OpenError::Create(CreateError::Io { .. })) => {
                Exit::Results
            }
            MergeError::Read(_)
            | MergeError::Open(_)
            | MergeError::Create(_)
            | MergeError::NotCut(_)
            | MergeError::Mixed { .. }
            | MergeError::OtherPlan { .. } => Exit::Usage,
        };
        let help = match &error {
            MergeError::Missing(missing) => &missing.help,
            MergeError::Differs { .. } => {
                "one of them was changed, or written by another version: run that shard again"
            }
            MergeError::OtherPlan { .. } | MergeError::Mixed { .. } => {
                "merge shards of one scenario that one version of the program ran"
            }
            MergeError::Nothing => "run the shards, and merge again",
            MergeError::NotCut(_) => "merge folders of `runner run SCENARIO --shard k/n`",
            MergeError::Create(CreateError::NotEmpty(_))
            | MergeError::Open(OpenError::Create(CreateError::NotEmpty(_))) => NEVER_OVERWRITTEN,
            _ => return Self::new(exit, error),
        };
        Self::new(exit, &error).help(help)
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Target { .. } | RunError::Preflight(_) | RunError::Close(_) => {
                Self::new(Exit::Target, error)
            }
            RunError::Observe(error) => error.into(),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let exit = if error.is_usage { Exit::Usage } else { Exit::Results };
        Self::new(exit, &error).help(error.help)
    }
}
