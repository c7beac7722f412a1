//! Scenarios that ship with the program, with their data.

use clap::ValueEnum;

/// A scenario to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shipped {
    /// The tutorial of a learning loop: four coffees, a search for a better policy.
    Tutorial,
    /// A front page of twelve articles, with a context of numbers and nested objects.
    News,
    /// Open arrival: a load that does not wait for answers.
    Load,
    /// A service by its address.
    Service,
    /// Six learning policies under twenty seeds each, compared and gated.
    Experiment,
}

/// A file by the path that a scenario beside the folder `data` has for it.
type File = (&'static str, &'static str);

const COFFEE: [File; 3] = [
    ("data/users.json", include_str!("../../../data/users.json")),
    ("data/coffee.json", include_str!("../../../data/coffee.json")),
    ("data/rank-request.json", include_str!("../../../data/rank-request.json")),
];

const NEWS: [File; 3] = [
    ("data/news/readers.json", include_str!("../../../data/news/readers.json")),
    ("data/news/articles.json", include_str!("../../../data/news/articles.json")),
    ("data/news/request.json", include_str!("../../../data/news/request.json")),
];

impl Shipped {
    /// The scenario, whose data are in `data` beside it.
    pub fn scenario(self) -> String {
        let text = match self {
            Self::Tutorial => include_str!("../../../scenarios/baseline.yaml"),
            Self::News => include_str!("../../../scenarios/news.yaml"),
            Self::Load => include_str!("../../../scenarios/load.yaml"),
            Self::Service => include_str!("../../../scenarios/remote.yaml"),
            Self::Experiment => include_str!("../../../scenarios/policies.yaml"),
        };
        // The schema is not written beside it: `runner schema` prints it.
        let (_, text) =
            text.split_once("\n#\n").expect("a shipped scenario begins with its schema");
        text.replace("../data/", "data/")
    }

    /// The variables of the environment that must be set before it runs.
    pub fn variables(self) -> &'static [&'static str] {
        if self == Self::Service { &["PERSONALIZER_KEY"] } else { &[] }
    }

    /// The files that the scenario reads.
    pub fn data(self) -> &'static [File] {
        if self == Self::News { &NEWS } else { &COFFEE }
    }
}
