/// How the program ends. The table is part of the interface: README.md, and a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// A bug in the program.
    Bug,
    /// Bad arguments or an invalid scenario; nothing was sent.
    Usage,
    /// An expectation or a gate failed.
    Failed,
    /// Undecided, where that was asked to be a failure.
    Inconclusive,
    /// The results are incomplete.
    Incomplete,
    /// The target cannot be used.
    Target,
    /// The results could not be written.
    Results,
    /// Stopped by SIGINT; the results are sealed.
    Interrupted,
    /// Stopped by SIGTERM; the results are sealed.
    Terminated,
}

impl Exit {
    /// Every way to end, in the order of the codes.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Bug,
        Self::Usage,
        Self::Failed,
        Self::Inconclusive,
        Self::Incomplete,
        Self::Target,
        Self::Results,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Inconclusive => 4,
            Self::Incomplete => 5,
            Self::Target => 6,
            Self::Results => 7,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The way to end that has this code.
    #[must_use]
    pub fn of_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// Whether a retry fails in the same way: the cause is the request, not the machine, the
    /// service or the time.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Bug | Self::Usage | Self::Failed | Self::Inconclusive | Self::Incomplete => true,
            Self::Done | Self::Target | Self::Results | Self::Interrupted | Self::Terminated => {
                false
            }
        }
    }

    /// What the code means, as README.md says it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, and every expectation held",
            Self::Bug => "a bug in the program",
            Self::Usage => "usage or invalid scenario; nothing was sent",
            Self::Failed => "an expectation or a gate failed",
            Self::Inconclusive => "inconclusive, when asked to fail on it",
            Self::Incomplete => "incomplete results",
            Self::Target => "the target cannot be used",
            Self::Results => "the results could not be written",
            Self::Interrupted => "stopped by SIGINT; the results are sealed",
            Self::Terminated => "stopped by SIGTERM; the results are sealed",
        }
    }
}
