//! How a choice becomes a reward.

use std::collections::BTreeMap;

use super::dataset::ActionIndex;
use super::document::Node;
use super::plan::RewardRule;
use diagnostic::Report;

/// The reward rule of a scenario: 1 for the preferred action, 0 for others, if it is
/// not said.
pub(super) fn rule(
    scenario: &Node,
    actions: &ActionIndex,
    file: &str,
    report: &mut Report,
) -> RewardRule {
    let reward = scenario.get("reward");
    let number = |key: &str, default: f64| {
        reward.and_then(|reward| reward.get(key)).and_then(Node::number).unwrap_or(default)
    };
    let table = reward.and_then(|reward| reward.get("table"));
    RewardRule {
        matched: number("match", 1.0),
        otherwise: number("otherwise", 0.0),
        noise: number("noise", 0.0),
        table: table.map(|table| rewards(table, actions, file, report)).unwrap_or_default(),
    }
}

fn rewards(
    table: &Node,
    actions: &ActionIndex,
    file: &str,
    report: &mut Report,
) -> BTreeMap<(usize, usize), f64> {
    let mut rewards = BTreeMap::new();
    for row in table.entries() {
        let preferred = actions.find(&row.key, &row.place, file, report);
        for cell in row.value.entries() {
            let chosen = actions.find(&cell.key, &cell.place, file, report);
            if let (Some(preferred), Some(chosen), Some(reward)) =
                (preferred, chosen, cell.value.number())
            {
                rewards.insert((preferred, chosen), reward);
            }
        }
    }
    rewards
}
