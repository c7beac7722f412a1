//! Which variables a template may use, by where it stands.

use std::collections::BTreeSet;

use diagnostic::nearest;
use plan::mapping::template::Position;
use plan::mapping::variables::{Moment, Sent};
use protocol::FeatureObject;

/// Where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In `actions`: one of them.
    Action,
    Session,
    /// In a header of every call.
    Every,
    Setup,
    Rank,
    Reward,
    Teardown,
    /// In `answer`, of the body that came.
    Answer,
}

impl Stage {
    /// The variables at a place of a call of this stage.
    fn roots(self, position: Position) -> Vec<&'static str> {
        let mut roots = self.own_roots().to_vec();
        // What an action is does not change from call to call.
        if !matches!(self, Self::Action | Self::Answer) {
            roots.extend(["secret", "now"]);
        }
        if position == Position::Header {
            roots.push("request");
        }
        roots
    }

    fn own_roots(self) -> &'static [&'static str] {
        match self {
            Self::Action => &["action"],
            Self::Answer => &["body"],
            Self::Session => &["actions", "action_ids", "columns"],
            Self::Every => &["session"],
            Self::Setup | Self::Teardown => {
                &["actions", "action_ids", "columns", "session", "setup"]
            }
            Self::Rank => &[
                "context",
                "actions",
                "action_ids",
                "excluded_ids",
                "event_id",
                "iteration",
                "columns",
                "session",
                "setup",
            ],
            Self::Reward => &[
                "context",
                "actions",
                "action_ids",
                "excluded_ids",
                "event_id",
                "event",
                "probability",
                "action",
                "reward",
                "iteration",
                "columns",
                "session",
                "setup",
            ],
        }
    }
}

/// The names that are known. `None` is what could not be read.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The features of contexts.
    pub context: Option<BTreeSet<String>>,
    /// The features of actions.
    pub features: Option<BTreeSet<String>>,
    /// Whether the answer to Rank gives a probability.
    pub probability: bool,
    /// The names of `secrets`.
    pub secrets: Vec<String>,
    /// What `session` takes.
    pub session: Vec<String>,
    /// What `setup` takes.
    pub setup: Vec<String>,
}

/// A name that is not known.
pub(super) struct Unknown {
    pub message: String,
    pub help: String,
}

impl Known {
    /// Why a variable has no value at a stage, if it has none: `context.weather`.
    pub fn unknown(&self, variable: &str, stage: Stage, position: Position) -> Option<Unknown> {
        let mut names = variable.split('.');
        let root = names.next().unwrap_or_default();
        let roots = stage.roots(position);
        if !roots.contains(&root) {
            return Some(unknown_root(root, &roots));
        }
        if root == "probability" && !self.probability {
            let message = "`probability` has no value: `take` has none".to_owned();
            let help = "say where the answer has it: `take: { probability: $.propensity }`";
            return Some(Unknown { message, help: help.to_owned() });
        }
        let (inner, of_features) = (names.next()?, names.next());
        match root {
            "context" => among(root, inner, self.context.as_ref()?.iter().map(String::as_str)),
            "secret" => among(root, inner, self.secrets.iter().map(String::as_str)),
            "now" => among(root, inner, Moment::PARTS),
            "request" => among(root, inner, Sent::PARTS),
            "session" => among(root, inner, self.session.iter().map(String::as_str)),
            "setup" => among(root, inner, self.setup.iter().map(String::as_str)),
            "action" => among(root, inner, ["id", "index", "features"]).or_else(|| {
                let features = self.features.as_ref()?.iter().map(String::as_str);
                among("action.features", of_features?, features)
            }),
            _ => None,
        }
    }
}

fn unknown_root(root: &str, roots: &[&'static str]) -> Unknown {
    let is_elsewhere = Stage::Reward.roots(Position::Header).contains(&root);
    let message = if is_elsewhere {
        format!("`{root}` has no value here")
    } else {
        format!("unknown variable `{root}`")
    };
    let help = match nearest(root, roots.iter().copied()) {
        Some(near) if !is_elsewhere => format!("did you mean `{near}`?"),
        _ => format!("variables here are {}", listed(roots.iter().copied())),
    };
    Unknown { message, help }
}

fn among<'a>(owner: &str, name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<Unknown> {
    let names: Vec<&str> = names.into_iter().collect();
    if names.contains(&name) {
        return None;
    }
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{owner}.{near}`?"),
        None if names.is_empty() => format!("`{owner}` takes no values"),
        None => format!("`{owner}` has {}", listed(names.into_iter())),
    };
    Some(Unknown { message: format!("`{owner}` has no `{name}`"), help })
}

/// The first of some names.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 16;
    let mut shown: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if shown.len() > MOST {
        shown.truncate(MOST);
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// The names of features.
pub(super) fn names<'a>(
    objects: impl IntoIterator<Item = &'a [FeatureObject]>,
) -> BTreeSet<String> {
    let objects = objects.into_iter().flatten();
    objects.flat_map(|object| &object.0).map(|(name, _)| name.clone()).collect()
}
