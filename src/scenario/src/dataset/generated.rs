//! A world that is generated: visitors, actions, and who prefers what.

use std::sync::Arc;

use super::dimension::features;
use super::{ActionIndex, Dimension, Offer, Row, World};
use crate::format::{Named, Placed};
use crate::model::Generate;
use diagnostic::{Diagnostic, Place, Report, nearest};
use plan::Preference;
use protocol::{FeatureObject, FeatureValue, RankableAction};
use seed::{Draws, PhaseKey, Purpose, Seed};

/// So many visitors may be generated.
const MOST_VISITORS: u64 = 100_000;

/// So many products of visitors and actions, or values of their features, are made.
const MOST_PRODUCTS: u64 = 20_000_000;

/// The world that `generate` asks for; `is_narrowed`, if an event does not offer every action.
///
/// Every combination of context values is a visitor. Each pair of a context value and a
/// value of an action feature has an affinity, which is standard normal; visitors prefer
/// the action whose features have most of it in sum. So the preference is one of products
/// of context and action features, and `-q ::` can learn it.
pub(crate) fn world(
    generate: &Generate,
    dimensions: &[Dimension],
    is_narrowed: bool,
    report: &mut Report,
) -> Option<World> {
    let contexts = generate.contexts.as_ref().ok()?;
    let sizes = sizes(contexts, dimensions, report)?;
    let visitors = sizes.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
    let Some(visitors) = visitors.filter(|visitors| *visitors <= MOST_VISITORS) else {
        let message = format!("more than {MOST_VISITORS} combinations of context values");
        report.push(Diagnostic::error(message).at(&contexts.place));
        return None;
    };
    let kinds = generate.features.as_ref().ok()?;
    let (seed, density) = (Seed(generate.seed.ok()?), generate.density.ok()?);
    let generated = GeneratedActions { seed, kinds: kinds.clone(), density };
    let count = generate.actions.as_ref().ok()?;
    let values_of_actions: u64 = kinds.iter().map(|kind| kind.value).sum();
    let products = visitors * if is_narrowed { values_of_actions } else { count.value };
    if products > MOST_PRODUCTS {
        let of = if is_narrowed { "values of features" } else { "actions" };
        let message = format!("{visitors} visitors and so many {of} are too many");
        let mistake = Diagnostic::error(message).at(&count.place);
        let help = "let an event offer fewer: `candidates: 200` in `datasets`";
        report.push(mistake.maybe_help((!is_narrowed).then(|| help.to_owned())));
        return None;
    }
    let made: Vec<Vec<(usize, u64)>> =
        (0..count.value).map(|action| generated.traits(action, 0)).collect();
    let taste = Taste::new(seed, &sizes, kinds);
    let rows = (0..visitors).map(|number| {
        let values = values(number, &sizes);
        let preference = if is_narrowed {
            Preference::Liking(taste.liking(&values))
        } else {
            Preference::Action(taste.preferred(&values, &made))
        };
        row(dimensions, &values, preference, &contexts.place)
    });
    let rows = rows.collect();
    let action = |(traits, number): (&Vec<(usize, u64)>, u64)| RankableAction {
        id: format!("action-{number}").into(),
        features: generated.features(traits),
    };
    let actions: Vec<RankableAction> = made.iter().zip(1..).map(action).collect();
    let ids = actions.iter().map(|action| action.id.to_string());
    let offer = Offer { index: ActionIndex::of(ids), actions: actions.into() };
    Some(World { offer, rows, generated: Some(generated) })
}

/// Actions that are generated.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedActions {
    seed: Seed,
    kinds: Vec<Named<u64>>,
    density: f64,
}

impl GeneratedActions {
    /// The draws of an action.
    pub fn draws(&self, purpose: &str, action: u64) -> Draws {
        self.seed.draws(PhaseKey::new(purpose), action, Purpose::World)
    }

    /// The traits of an action, kinds of features and their values: those that it has first, or
    /// after so many renewals.
    pub fn traits(&self, action: u64, renewals: u64) -> Vec<(usize, u64)> {
        let purpose =
            if renewals == 0 { "features".to_owned() } else { format!("features-{renewals}") };
        features_of(self.draws(&purpose, action), &self.kinds, self.density)
    }

    /// The same by the numbers of traits: the values of all kinds, one kind after the other.
    pub fn numbers(&self, traits: &[(usize, u64)]) -> Vec<usize> {
        let before =
            |kind: usize| self.kinds[..kind].iter().map(|of| index(of.value)).sum::<usize>();
        traits.iter().map(|(kind, value)| before(*kind) + index(*value)).collect()
    }

    /// The features of an action with these traits.
    pub fn features(&self, traits: &[(usize, u64)]) -> Arc<[FeatureObject]> {
        let feature = |(kind, value): &(usize, u64)| {
            let name = &self.kinds[*kind].name;
            (name.clone(), FeatureValue::Text(named_value(name, *value)))
        };
        Arc::from([FeatureObject(traits.iter().map(feature).collect())])
    }
}

/// How many values each dimension has, in the order of the scenario.
fn sizes(
    contexts: &Placed<Vec<Named<u64>>>,
    dimensions: &[Dimension],
    report: &mut Report,
) -> Option<Vec<u64>> {
    let is_dimension = |name: &str| dimensions.iter().any(|dimension| dimension.name == name);
    for entry in contexts.iter() {
        if !is_dimension(&entry.name) {
            let message = format!("`context` does not name `{}`", entry.name);
            let near = nearest(&entry.name, dimensions.iter().map(|of| of.name.as_str()));
            let help = near.map_or_else(
                || "add it to `context` of the scenario".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            report.push(Diagnostic::error(message).at(&entry.place).help(help));
        }
    }
    let size = |dimension: &Dimension| {
        let found = contexts.iter().find(|of| of.name == dimension.name);
        let is_misspelt = || {
            let is_near = |of: &Named<u64>| nearest(&of.name, [dimension.name.as_str()]).is_some();
            contexts.iter().filter(|of| !is_dimension(&of.name)).any(is_near)
        };
        if found.is_none() && !is_misspelt() {
            let message = format!("`contexts` has no number of values for `{}`", dimension.name);
            let help = format!("add `{}: 4` to `contexts`", dimension.name);
            report.push(Diagnostic::error(message).at(&contexts.place).help(help));
        }
        found.map(|of| of.value)
    };
    let sizes: Vec<Option<u64>> = dimensions.iter().map(size).collect();
    sizes.into_iter().collect()
}

/// The features of an action: of each kind none, or one of its values; never none at all.
fn features_of(mut draws: Draws, kinds: &[Named<u64>], density: f64) -> Vec<(usize, u64)> {
    let feature =
        |(kind, of): (usize, &Named<u64>)| (draws.chance(density), (kind, draws.below(of.value)));
    let possible: Vec<(bool, (usize, u64))> = kinds.iter().enumerate().map(feature).collect();
    let there = possible.iter().filter(|(is_there, _)| *is_there);
    let mut features: Vec<(usize, u64)> = there.map(|(_, feature)| *feature).collect();
    if features.is_empty() {
        features.extend(possible.first().map(|(_, feature)| *feature));
    }
    features
}

/// The values of the dimensions in the combination of this number, from 0.
fn values(number: u64, sizes: &[u64]) -> Vec<u64> {
    let mut rest = number;
    let mut values: Vec<u64> = sizes
        .iter()
        .rev()
        .map(|size| {
            let value = rest % size;
            rest /= size;
            value
        })
        .collect();
    values.reverse();
    values
}

/// Who likes what.
struct Taste {
    /// By dimension and its value, then by kind of feature and its value.
    affinities: Vec<Vec<Vec<Vec<f64>>>>,
}

impl Taste {
    fn new(seed: Seed, sizes: &[u64], kinds: &[Named<u64>]) -> Self {
        let mut pairs = 0..;
        let mut affinity = || {
            let pair = pairs.next().unwrap_or_default();
            seed.draws(PhaseKey::new("affinity"), pair, Purpose::World).normal()
        };
        let mut of_kinds = || {
            let kinds = kinds.iter();
            kinds.map(|of| (0..of.value).map(|_| affinity()).collect()).collect()
        };
        let of_size = |size: &u64| (0..*size).map(|_| of_kinds()).collect();
        Self { affinities: sizes.iter().map(of_size).collect() }
    }

    /// How much each trait is liked, by its number.
    fn liking(&self, values: &[u64]) -> Arc<[f64]> {
        let of_values = || self.affinities.iter().zip(values).map(|(of, value)| &of[index(*value)]);
        let mut liking: Vec<f64> = Vec::new();
        for affinities in of_values() {
            let all: Vec<f64> = affinities.iter().flatten().copied().collect();
            liking.resize(all.len(), 0.0);
            liking.iter_mut().zip(all).for_each(|(sum, affinity)| *sum += affinity);
        }
        liking.into()
    }

    /// The action that is liked most; of several, the first.
    fn preferred(&self, values: &[u64], actions: &[Vec<(usize, u64)>]) -> usize {
        let liking = |features: &Vec<(usize, u64)>| {
            let of_value = |(dimension, value): (&Vec<Vec<Vec<f64>>>, &u64)| {
                let affinities = &dimension[index(*value)];
                features.iter().map(|(kind, value)| affinities[*kind][index(*value)]).sum::<f64>()
            };
            self.affinities.iter().zip(values).map(of_value).sum::<f64>()
        };
        let liked = actions.iter().map(liking).enumerate();
        let best = liked.reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.map_or(0, |(action, _)| action)
    }
}

fn index(value: u64) -> usize {
    usize::try_from(value).expect("values are counted in memory")
}

fn row(dimensions: &[Dimension], values: &[u64], preference: Preference, place: &Place) -> Row {
    let named = dimensions.iter().zip(values);
    let context: Vec<String> = named.map(|(of, value)| named_value(&of.name, *value)).collect();
    let features_of_row = context.iter().cloned().map(FeatureValue::Text).collect();
    Row {
        features: features(dimensions, features_of_row),
        context,
        preference,
        actions: None,
        weight: 1.0,
        place: place.clone(),
    }
}

/// `topic-1`, `topic-2` …
fn named_value(name: &str, value: u64) -> String {
    format!("{name}-{}", value + 1)
}
