//! What the visitor of a record wants: one action, or each to some extent.

use std::collections::HashSet;
use std::sync::Arc;

use super::Frame;
use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Report};
use plan::{ActionRewards, Preference};

/// The largest mean reward.
const LARGEST_MEAN: f64 = 1e6;

/// The preference of a record or of a leaf of a tree: `preferred`, or `rewards`.
pub(super) fn of_record(item: &Node, frame: &Frame<'_>, report: &mut Report) -> Option<Preference> {
    match (item.get("preferred"), item.entry("rewards")) {
        (Some(preferred), None) => of_action(preferred, frame, report),
        (None, Some(rewards)) => of_rewards(&rewards.value, frame, report),
        (Some(_), Some(rewards)) => {
            let message = "a record has `preferred` or `rewards`, not both";
            let help =
                "leave one of them out: the preferred action is that with the largest reward";
            report.push(Diagnostic::error(message).at(&rewards.place).help(help));
            None
        }
        (None, None) => {
            let message = "a record needs `preferred` or `rewards`";
            report.push(Diagnostic::error(message).at(&item.place));
            None
        }
    }
}

/// The preference of one action.
pub(super) fn of_action(node: &Node, frame: &Frame<'_>, report: &mut Report) -> Option<Preference> {
    let id = node.text().unwrap_or_default();
    let found = frame.actions.find(id, &node.place, frame.actions_file, report);
    found.map(Preference::Action)
}

/// `{"tea": 0.03, "juice": 0.3}`
fn of_rewards(node: &Node, frame: &Frame<'_>, report: &mut Report) -> Option<Preference> {
    let is_map = matches!(node.value, Value::Map(_));
    if node.entries().is_empty() {
        let found = if is_map { "none" } else { node.kind() };
        let message = format!("`rewards` must be a map of actions and numbers, found {found}");
        let help = "write it as `{\"tea\": 0.03, \"juice\": 0.3}`";
        report.push(Diagnostic::error(message).at(&node.place).help(help));
        return None;
    }
    let mut of_entry = |Entry { key, place, value }: &Entry| {
        let action = frame.actions.find(key, place, frame.actions_file, report);
        let reward =
            reward(value.number(), value.place.text(), || value.place.clone(), frame, report);
        Some((action?, reward?))
    };
    let rewards: Vec<Option<_>> = node.entries().iter().map(&mut of_entry).collect();
    let rewards: Option<Vec<(usize, f64)>> = rewards.into_iter().collect();
    rewards.map(ActionRewards::new).map(Preference::Rewards)
}

/// `"actions": ["tea", "juice"]`: the actions that can be offered.
pub(super) fn own_actions(
    node: &Node,
    frame: &Frame<'_>,
    report: &mut Report,
) -> Option<Arc<[usize]>> {
    if node.items().is_empty() {
        let message = "`actions` must be a list of the actions that can be offered";
        let help = "write it as `[\"tea\", \"juice\"]`, or leave it out if all can";
        report.push(Diagnostic::error(message).at(&node.place).help(help));
        return None;
    }
    let mut find = |item: &Node| {
        let id = item.text().unwrap_or_default();
        frame.actions.find(id, &item.place, frame.actions_file, report)
    };
    let found: Vec<Option<usize>> = node.items().iter().map(&mut find).collect();
    let found = found.into_iter().collect::<Option<Vec<_>>>()?;
    distinct(found, &node.place, report)
}

/// Actions that are offered together, each once.
pub(super) fn distinct(
    actions: Vec<usize>,
    place: &Place,
    report: &mut Report,
) -> Option<Arc<[usize]>> {
    let mut seen = HashSet::new();
    if !actions.iter().all(|action| seen.insert(*action)) {
        report.push(Diagnostic::error("an action is offered twice").at(place));
        return None;
    }
    Some(actions.into())
}

/// Refuses a preferred action that is not offered.
pub(super) fn check_own(
    preference: &Preference,
    actions: Option<&[usize]>,
    place: &Place,
    report: &mut Report,
) -> Option<()> {
    let is_offered = match (preference, actions) {
        (Preference::Action(preferred), Some(actions)) => actions.contains(preferred),
        _ => true,
    };
    if !is_offered {
        let message = "the preferred action is not among the `actions` of the visitor";
        report.push(Diagnostic::error(message).at(place));
    }
    is_offered.then_some(())
}

/// A reward in its range: a probability, or a mean.
pub(super) fn reward(
    number: Option<f64>,
    text: &str,
    place: impl FnOnce() -> Place,
    frame: &Frame<'_>,
    report: &mut Report,
) -> Option<f64> {
    let range = if frame.are_means { -LARGEST_MEAN..=LARGEST_MEAN } else { 0.0..=1.0 };
    let reward = number.filter(|number| range.contains(number));
    if reward.is_none() {
        let what = if frame.are_means { "mean reward" } else { "probability of a click" };
        let (least, most) = (range.start(), range.end());
        let message = format!("a {what} must be a number from {least} to {most}, found `{text}`");
        let mistake = Diagnostic::error(message).at(&place());
        let is_mean = number.is_some_and(f64::is_finite) && !frame.are_means;
        let help = "for means of rewards, write `reward: { noise: normal 0.2 }` in the scenario";
        report.push(mistake.maybe_help(is_mean.then(|| help.to_owned())));
    }
    reward
}
