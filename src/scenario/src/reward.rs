//! How a choice becomes a reward.

use std::collections::BTreeMap;

use super::dataset::ActionIndex;
use super::model::{RewardFile, Rewards};
use super::plan::RewardRule;
use diagnostic::Report;

/// The reward rule of a scenario whose actions are in `file`.
pub(super) fn rule(
    reward: &RewardFile,
    actions: &ActionIndex,
    file: &str,
    report: &mut Report,
) -> RewardRule {
    let RewardFile { matched, otherwise, ref table, noise } = *reward;
    let table = table.as_ref().map(|table| rewards(table, actions, file, report));
    RewardRule { matched, otherwise, noise, table: table.unwrap_or_default() }
}

fn rewards(
    table: &Rewards,
    actions: &ActionIndex,
    file: &str,
    report: &mut Report,
) -> BTreeMap<(usize, usize), f64> {
    let mut rewards = BTreeMap::new();
    for row in table {
        let preferred = actions.find(&row.name, &row.place, file, report);
        for cell in &row.value {
            let chosen = actions.find(&cell.name, &cell.place, file, report);
            if let (Some(preferred), Some(chosen), Ok(reward)) = (preferred, chosen, cell.value) {
                rewards.insert((preferred, chosen), reward);
            }
        }
    }
    rewards
}
