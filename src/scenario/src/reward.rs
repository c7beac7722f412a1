//! The reward rule of a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dataset::ActionIndex;
use super::format::{Named, Placed, Read};
use super::model::{NoiseFile, RewardFile, Rewards};
use diagnostic::{Diagnostic, Place, Report, nearest};
use plan::reward::formula::{self, Name, Term, Variable, number, number_paths};
use plan::{Formula, Population, Preference, RewardRule};
use protocol::{FeatureObject, RankableAction};

/// The largest reward that a formula may give: what is learned of it has 32 bits.
const LARGEST: f64 = 1e6;

/// The reward rule of a scenario whose actions are in `file`. Its formula speaks of the
/// population: see [`complete`].
pub(super) fn rule(
    reward: &RewardFile,
    actions: &ActionIndex,
    file: &str,
    report: &mut Report,
) -> RewardRule {
    let RewardFile { matched, otherwise, ref table, ref values, ref noise, .. } = *reward;
    let table = table.as_ref().map(|table| rewards(table, actions, file, report));
    let values = values.as_ref().map(|values| by_action(values, actions, file, report));
    let (noise, deviation) = match noise.value {
        NoiseFile::Opposite(probability) => (probability, None),
        NoiseFile::Normal(deviation) => (0.0, Some(deviation)),
    };
    RewardRule {
        matched,
        otherwise,
        noise,
        deviation,
        table: table.unwrap_or_default(),
        values: values.unwrap_or_default(),
        formula: None,
    }
}

/// Refuses a rule where rewards are those of a log.
pub(super) fn refuse_written(reward: &RewardFile, log: &Place, report: &mut Report) {
    let is_written = reward.formula.is_some()
        || reward.table.is_some()
        || reward.values.is_some()
        || reward.noise.is_written
        || (reward.matched, reward.otherwise) != (1.0, 0.0);
    if is_written {
        let message = "`reward` has no effect: rewards are those of the log";
        let formula = reward.formula.as_ref().map(|of| &of.key);
        let tables = reward.table.as_ref().map(|of| &of.key);
        let values = reward.values.as_ref().map(|of| &of.key);
        let noise = reward.noise.is_written.then_some(&reward.noise.key);
        let place = formula.or(tables).or(values).or(noise).unwrap_or(log);
        report.push(Diagnostic::error(message).at(place).help("leave `reward` out"));
    }
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
        let of_row = by_action(&row.value, actions, file, report).into_iter();
        rewards.extend(of_row.filter_map(|(chosen, reward)| Some(((preferred?, chosen), reward))));
    }
    rewards
}

fn by_action(
    values: &[Named<Read<f64>>],
    actions: &ActionIndex,
    file: &str,
    report: &mut Report,
) -> BTreeMap<usize, f64> {
    let value = |Named { name, place, value }: &Named<Read<f64>>| {
        let action = actions.find(name, place, file, report);
        Some((action?, (*value).ok()?))
    };
    values.iter().filter_map(value).collect()
}

/// What the parts of a rule speak of.
#[derive(Clone, Copy)]
pub(super) struct RewardWorld<'a> {
    pub population: &'a Population,
    /// The actions, in every state that they have in the course of the run.
    pub actions: &'a [RankableAction],
}

/// Adds to the rule what depends on who turns up, and refuses what does not go with it.
pub(super) fn complete(
    rule: &mut RewardRule,
    reward: &RewardFile,
    world: RewardWorld<'_>,
    report: &mut Report,
) {
    let rows = || world.population.rows.iter();
    let has_rewards = rows().any(|row| matches!(row.preference, Preference::Rewards(_)));
    if let Some(table) = reward.table.as_ref().filter(|_| has_rewards) {
        let message = "`table` is for visitors who prefer an action, and these have `rewards`";
        let help = "say what a click on an action is worth by `values`, or leave it out";
        report.push(Diagnostic::error(message).at(&table.key).help(help));
    }
    refuse_pairs(reward, report);
    let Some(written) = &reward.formula else { return };
    let Some(formula) = formula(written, world, report) else { return };
    let (low, high) = formula.range(&|variable| range(variable, world));
    if !(low >= -LARGEST && high <= LARGEST) {
        let message = format!("the reward may be from {low} to {high}: more than {LARGEST}");
        report.push(Diagnostic::error(message).at(&written.place).help("scale it down"));
    }
    rule.formula = Some(formula);
}

/// Refuses keys that say the same in two ways.
fn refuse_pairs(reward: &RewardFile, report: &mut Report) {
    let formula = reward.formula.as_ref().map(|formula| ("formula", &formula.key));
    let values = reward.values.as_ref().map(|values| ("values", &values.key));
    let table = reward.table.as_ref().map(|table| ("table", &table.key));
    let is_mean = matches!(*reward.noise, NoiseFile::Normal(_));
    let noise = is_mean.then_some(("noise: normal", &reward.noise.key));
    for (one, other) in [(formula, values), (formula, table), (noise, formula), (noise, values)] {
        let (Some((one, _)), Some((other, place))) = (one, other) else { continue };
        let message = match one {
            "formula" => {
                format!("`formula` says what every choice is worth, and so does `{other}`")
            }
            _ => format!("`{one}` varies a mean, and `{other}` is of a click"),
        };
        report.push(Diagnostic::error(message).at(place).help("leave one of them out"));
    }
}

/// The formula, with what its names stand for.
fn formula(
    written: &Placed<String>,
    world: RewardWorld<'_>,
    report: &mut Report,
) -> Option<Formula> {
    let term: Term<Name> = match formula::parse(written) {
        Ok(term) => term,
        Err(mistake) => {
            let place = written.within(mistake.span);
            report.push(Diagnostic::error(mistake.message).at(&place));
            return None;
        }
    };
    let root = term.resolve(&mut |name: &Name| {
        let found = variable(&name.name, world);
        found.map_err(|mistake| report.push(mistake.at(&written.within(name.span.clone())))).ok()
    });
    Some(Formula::new(written, root?))
}

/// What a name stands for.
fn variable(name: &str, world: RewardWorld<'_>) -> Result<Variable, Diagnostic> {
    if name == "clicked" {
        return Ok(Variable::Clicked);
    }
    if let Some(path) = name.strip_prefix("action.").filter(|path| is_of_actions(path, world)) {
        return Ok(Variable::OfAction(path.into()));
    }
    if let Some(path) = name.strip_prefix("context.").filter(|path| is_of_context(path, world)) {
        return Ok(Variable::OfContext(path.into()));
    }
    match (is_of_actions(name, world), is_of_context(name, world)) {
        (true, false) => Ok(Variable::OfAction(name.into())),
        (false, true) => Ok(Variable::OfContext(name.into())),
        (true, true) => {
            let message = format!("`{name}` is a number of the action and of the context");
            let help = format!("write `action.{name}` or `context.{name}`");
            Err(Diagnostic::error(message).help(help))
        }
        (false, false) => {
            let message =
                format!("`{name}` is not a number that every action has, or every visitor");
            Err(Diagnostic::error(message).help(known_names(name, world)))
        }
    }
}

fn known_names(name: &str, world: RewardWorld<'_>) -> String {
    let numbers = |features: Option<&Arc<[FeatureObject]>>| {
        features.map_or_else(Vec::new, |features| number_paths(features))
    };
    let of_action = numbers(world.actions.first().map(|action| &action.features));
    let of_context = numbers(world.population.rows.first().map(|row| &row.features));
    let known = ["clicked".to_owned()].into_iter().chain(of_action).chain(of_context);
    let known: Vec<String> = known.take(8).collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are `{}`", known.join("`, `")),
    }
}

fn is_of_actions(path: &str, world: RewardWorld<'_>) -> bool {
    world.actions.iter().all(|action| number(&action.features, path).is_some())
}

fn is_of_context(path: &str, world: RewardWorld<'_>) -> bool {
    let rows = &world.population.rows;
    !rows.is_empty() && rows.iter().all(|row| number(&row.features, path).is_some())
}

/// The least and the largest value of a variable.
fn range(variable: &Variable, world: RewardWorld<'_>) -> (f64, f64) {
    let ends = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    match variable {
        Variable::Clicked => (0.0, 1.0),
        Variable::OfAction(path) => {
            let values = world.actions.iter().filter_map(|of| number(&of.features, path));
            values.fold(none, ends)
        }
        Variable::OfContext(path) => {
            let rows = world.population.rows.iter();
            rows.filter_map(|row| number(&row.features, path)).fold(none, ends)
        }
    }
}
