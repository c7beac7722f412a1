use diagnostic::Place;

/// What the columns of a table say.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The action that was taken.
    pub action: Named,
    /// Its reward; an empty one is not known.
    pub reward: Named,
    /// The probability with which the action was taken. Without it, probabilities are estimated
    /// by how often each action was taken.
    pub probability: Option<Named>,
    /// The features of the context: names, or patterns with `*`.
    pub context: Vec<Named>,
    /// The features of the action that was taken: names or patterns with `*`; those of every
    /// action: patterns with `{action}`, which stands for the id.
    pub features: Vec<Named>,
    /// Columns whose values are words, even where they look like numbers.
    pub text: Vec<Named>,
    /// The actions that could be chosen. All that the table has, if it is not said.
    pub actions: Option<ActionsColumn>,
    /// The id of the event.
    pub id: Option<Named>,
    /// When the action was taken.
    pub time: Option<Named>,
}

/// Which actions could be chosen.
#[derive(Debug, Clone)]
pub enum ActionsColumn {
    /// These, always.
    Listed(Vec<Named>),
    /// Those of a column: a list in JSON, or ids separated by `|`.
    Column(Named),
}

/// A name, and where it is written.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub text: String,
    /// Its place.
    pub place: Place,
}
