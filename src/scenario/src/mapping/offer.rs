//! What the service is offered: the actions under its names, and vectors of features.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Value;

use crate::format::{Named, Placed};
use crate::model::By;
use diagnostic::{Diagnostic, Report, nearest};
use plan::mapping::encoding::Encoding;
use plan::mapping::value::{Lookup, text_of};
use plan::mapping::variables::{Action, Features, Offer, ServiceId};
use plan::{Population, Secret, Visitor};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// What the service calls each action.
pub(super) fn service_ids(
    ids: &[Named<ServiceId>],
    actions: &[RankableAction],
    report: &mut Report,
) -> Vec<ServiceId> {
    for Named { name, place, .. } in ids {
        if !actions.iter().any(|action| *action.id == **name) {
            let near = nearest(name, actions.iter().map(|action| &*action.id));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("there is no action `{name}`");
            report.push(Diagnostic::error(message).at(place).maybe_help(help));
        }
    }
    let renamed = |action: &RankableAction| {
        let new = ids.iter().find(|named| *action.id == *named.name);
        new.map_or_else(|| ServiceId::Text(Arc::clone(&action.id)), |named| named.value.clone())
    };
    let service_ids: Vec<ServiceId> = actions.iter().map(renamed).collect();
    let texts: Vec<String> = service_ids.iter().map(ToString::to_string).collect();
    for (index, id) in texts.iter().enumerate() {
        let Some(first) = texts[..index].iter().position(|other| other == id) else {
            continue;
        };
        let message = format!(
            "`{}` and `{}` are both `{id}` at the service",
            actions[first].id, actions[index].id
        );
        let named = ids.iter().find(|named| named.value.to_string() == *id);
        let mistake = Diagnostic::error(message).help("give each action an id of its own");
        report.push(match named {
            Some(named) => mistake.at(&named.place),
            None => mistake,
        });
    }
    service_ids
}

/// What calls may use in every call.
pub(super) fn offer(
    actions: &[RankableAction],
    excluded: &[String],
    ids: &[ServiceId],
    secrets: &[Named<Secret>],
    context: Arc<Encoding>,
) -> Offer {
    let encoding = Arc::new(Encoding::new(&[], actions.iter().map(|action| &*action.features)));
    let action = |(index, action): (usize, &RankableAction)| {
        let features = Arc::clone(&action.features);
        let features = Value::from_object(Features { features, encoding: Arc::clone(&encoding) });
        Arc::new(Action { id: ids[index].clone(), index, features })
    };
    let all: Vec<Arc<Action>> = actions.iter().enumerate().map(action).collect();
    let sent = |action: &Arc<Action>| {
        Value::from_pairs([("id", action.id.value()), ("features", action.features.clone())])
    };
    let is_excluded =
        |(index, _): &(usize, &ServiceId)| excluded.iter().any(|id| **id == *actions[*index].id);
    let excluded = ids.iter().enumerate().filter(is_excluded);
    Offer {
        sent: all.iter().map(sent).collect(),
        ids: ids.iter().map(ServiceId::value).collect(),
        excluded: excluded.map(|(_, id)| id.value()).collect(),
        actions: all,
        secrets: Value::from_pairs(
            secrets
                .iter()
                .map(|Named { name, value, .. }| (name.clone(), Value::from(value.reveal()))),
        ),
        context,
    }
}

/// The columns of all visitors.
pub(super) fn context_encoding<'a>(
    dimensions: &[String],
    populations: impl Iterator<Item = &'a Population>,
) -> Arc<Encoding> {
    let rows = populations.flat_map(|population| &population.rows);
    Arc::new(Encoding::new(dimensions, rows.map(|visitor: &Visitor| &*visitor.features)))
}

/// Which action a service means by what it answers.
pub(super) fn lookup(
    by: Option<&Placed<By>>,
    actions: &[RankableAction],
    ids: &[ServiceId],
    report: &mut Report,
) -> Option<Lookup> {
    let texts: Vec<Option<String>> = match by.map(|by| &by.value) {
        None | Some(By::Id) => ids.iter().map(|id| Some(id.to_string())).collect(),
        Some(By::Index) => (0..actions.len()).map(|index| Some(index.to_string())).collect(),
        Some(By::Feature(names)) => {
            actions.iter().map(|action| feature(&action.features, names)).collect()
        }
    };
    let mut by_text = BTreeMap::new();
    for (index, text) in texts.into_iter().enumerate() {
        let refuse = |message: String, report: &mut Report| {
            let mistake = Diagnostic::error(message)
                .help("take the action by what every action has, each its own");
            report.push(match by {
                Some(by) => mistake.at(&by.place),
                None => mistake,
            });
        };
        let Some(text) = text else {
            let message = format!("the action `{}` has no such feature", actions[index].id);
            refuse(message, report);
            return None;
        };
        if let Some(first) = by_text.insert(text.clone(), index) {
            let message = format!(
                "`{text}` stands for `{}` and for `{}`",
                actions[first].id, actions[index].id
            );
            refuse(message, report);
            return None;
        }
    }
    Some(Lookup(Arc::new(by_text)))
}

/// The text of a feature of an action.
fn feature(objects: &[FeatureObject], names: &[String]) -> Option<String> {
    let (first, rest) = names.split_first()?;
    let all = objects.iter().flat_map(|object| &object.0);
    let mut value = &all.rev().find(|(name, _)| name == first)?.1;
    for name in rest {
        let FeatureValue::Object(object) = value else { return None };
        value = &object.0.iter().rev().find(|(inner, _)| inner == name)?.1;
    }
    text_of(&serde_json::to_value(value).ok()?)
}
