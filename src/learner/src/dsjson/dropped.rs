use std::fmt;

/// Why a line was dropped, and where reading it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// Why.
    pub reason: DropReason,
    /// The byte of the line, from one.
    pub column: usize,
}

/// Why a line was dropped. The order is that of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// It does not start with a brace.
    NotAnObject,
    /// It is not JSON where VW looks.
    Syntax,
    /// A value is of a type that its key cannot have.
    Type,
    /// Objects are nested too deeply.
    Depth,
    /// There is no `c`, or more than one.
    Context,
    /// There is no `_multi` with actions in it, or more than one.
    Actions,
    /// `a`, the actions as they were ranked, is missing or empty.
    Ranking,
    /// `_skipLearn` is true: the event was never activated.
    NotActivated,
    /// The label does not say which action it belongs to, or names one that is not there.
    LabelIndex,
    /// The label stands where VW cannot read it.
    LabelPlace,
    /// The label has no probability above zero.
    Probability,
    /// The cost is not a finite number.
    Cost,
    /// `pdrop` is not in [0, 1).
    DropProbability,
    /// The slots do not fit the actions, or the outcomes do not fit the slots.
    Slots,
}

impl DropReason {
    /// What is wrong with the line.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::NotAnObject => "does not start with `{`",
            Self::Syntax => "is not JSON",
            Self::Type => "has a value of a type that does not fit its key",
            Self::Depth => "is nested too deeply",
            Self::Context => "has no context `c`, or two",
            Self::Actions => "has no actions in `_multi`",
            Self::Ranking => "has no ranking `a`",
            Self::NotActivated => "was never activated (`_skipLearn`)",
            Self::LabelIndex => "has a label whose `_labelIndex` names no action",
            Self::LabelPlace => "has a label where none belongs",
            Self::Probability => "has a label without a `_label_probability` above 0",
            Self::Cost => "has a `_label_cost` that is not finite",
            Self::DropProbability => "has a `pdrop` outside [0, 1)",
            Self::Slots => {
                "has slots that do not fit its actions, or outcomes that do not fit its slots"
            }
        }
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (column {})", self.reason.description(), self.column)
    }
}
