//! What a kept scenario says of exploration.

use std::path::Path;

use super::document::{Node, apply_overrides, interpolate, item_names, yaml};
use super::file::{self, LARGEST_SCENARIO};
use diagnostic::Report;

/// How a loop explores until another policy is applied or its settings are changed.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptExploration {
    /// The share of choices that explore, if it is written: else it is the policy's own.
    pub percentage: Option<f64>,
    /// The policy, if it is written, and is one of Vowpal Wabbit's.
    pub policy: Option<String>,
    /// The phases that iterate until then.
    pub phases: Vec<String>,
}

/// What the scenario at `path`, changed as it was when it was run, says of exploration; none, if it
/// cannot be read any more, or says it in another way.
#[must_use]
pub fn kept_exploration(
    path: &Path,
    overrides: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<KeptExploration> {
    let source = file::read(path, &path.display().to_string(), LARGEST_SCENARIO).ok()?;
    let mut report = Report::new();
    let mut root = yaml::read(&source, &mut report)?;
    apply_overrides(&mut root, overrides, &mut report);
    interpolate(&mut root, environment, &mut report);
    let of_loop = |key: &str| root.get("loop").and_then(|settings| settings.get(key));
    let percentage = match of_loop("exploration_percentage") {
        Some(written) => Some(written.number()?),
        None => None,
    };
    let policy = of_loop("learning_policy").and_then(Node::text).map(str::to_owned);
    let items = root.get("phases")?.items();
    let kind = |item: &Node| {
        let of_map = item.entries().first().map(|entry| entry.key.clone());
        item.text().map(str::to_owned).or(of_map).unwrap_or_default()
    };
    let is_same =
        |item: &&Node| ["iterate", "wait", "pause", "reset"].contains(&kind(item).as_str());
    let before = items.iter().take_while(is_same).count();
    let iterates = |item: &Node| item.get("iterate").is_some();
    let names = items.iter().zip(item_names(items)).take(before);
    let phases = names.filter(|(item, _)| iterates(item)).filter_map(|(_, name)| Some(name?.name));
    Some(KeptExploration { percentage, policy, phases: phases.collect() })
}
