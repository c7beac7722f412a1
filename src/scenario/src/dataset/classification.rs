//! A classification data set as a bandit: every row is a visitor, whose class is the action
//! that they prefer. (The reduction of Beygelzimer and Langford, "The Offset Tree", KDD 2009:
//! full labels are hidden, and only the class that was chosen is told right or wrong.)

use std::sync::Arc;

use super::dimension::DimensionKind;
use super::inference::inferred;
use super::table::{self, Form};
use super::tabular::Table;
use super::{ActionIndex, Dimension, Frame, Offer, World, take_some};
use crate::format::Placed;
use crate::model::is_feature_name;
use diagnostic::{Diagnostic, Report};
use protocol::{FeatureObject, FeatureValue, RankableAction};
use table_log::alike;

/// The world of a table of which `label` names the column with the classes. Rows may repeat.
pub(crate) fn world(
    table: &Table,
    label: &Placed<String>,
    excluded: &[Placed<String>],
    dimensions: &[Dimension],
    report: &mut Report,
) -> Option<World> {
    let form = Form {
        preferred: label,
        takes_rewards: false,
        ignored: excluded.iter().map(|column| column.value.as_str()).collect(),
    };
    let mut mistakes = Report::new();
    if table.records().next().is_none() {
        mistakes.push(Diagnostic::error("the file is empty").within(&table.source, 0..0));
    } else {
        for named in [label].into_iter().chain(excluded) {
            table::check_named(table, named, &mut mistakes);
        }
    }
    let classes = table::values(table, form.preferred);
    warn_of_classes(&classes, label, report);
    let index = ActionIndex::of(classes.iter().cloned());
    let frame =
        Frame { dimensions, actions: &index, actions_file: table.source.path(), are_means: false };
    let rows = if mistakes.has_errors() {
        Vec::new()
    } else {
        table::rows(table, &frame, &form, &mut mistakes)
    };
    let is_sound = !mistakes.has_errors();
    take_some(&mistakes, &table.source, report);
    let actions = classes.iter().map(|class| action(class)).collect();
    is_sound.then_some(World { offer: Offer { actions, index }, rows, generated: None })
}

/// Warns of a single class, and of two that are probably one.
fn warn_of_classes(classes: &[String], label: &Placed<String>, report: &mut Report) {
    let warn = |message: String| Diagnostic::warning(message).at(&label.place);
    if let [only] = classes {
        let message = format!("with a single class, `{only}`, there is nothing to choose");
        report.push(warn(message));
    }
    if let Some((one, other)) = alike(classes.iter().map(String::as_str)) {
        let message =
            format!("`{one}` and `{other}` are two classes: they are compared as written");
        report.push(warn(message).help("if they are one, write them alike in every row"));
    }
}

/// Every column of a table but the class and those that are passed over, as context dimensions:
/// numbers, if all their values are.
///
/// # Errors
/// A column that cannot be one.
pub(crate) fn all_dimensions(
    table: &Table,
    label: &str,
    excluded: &[Placed<String>],
) -> Result<Vec<Dimension>, Diagnostic> {
    let mut records = table.records();
    let header = records.next().unwrap_or_default();
    let mut kinds: Vec<Option<DimensionKind>> =
        header.iter().map(|column| table.kind(column)).collect();
    let unknown: Vec<usize> = (0..header.len()).filter(|at| kinds[*at].is_none()).collect();
    if !unknown.is_empty() {
        for record in records {
            for at in &unknown {
                if let Some(value) = record.get(*at).filter(|value| !value.is_empty()) {
                    kinds[*at] = Some(inferred(kinds[*at], value));
                }
            }
        }
    }
    let is_excluded = |name: &str| name == label || excluded.iter().any(|of| of.value == name);
    let mut dimensions: Vec<Dimension> = Vec::new();
    for (name, kind) in header.iter().zip(kinds).filter(|(name, _)| !is_excluded(name)) {
        if name == "weight" {
            continue;
        }
        check_dimension_name(name)?;
        let kind = kind.unwrap_or(DimensionKind::Text);
        dimensions.push(Dimension { name: name.to_owned(), kind });
    }
    Ok(dimensions)
}

fn check_dimension_name(name: &str) -> Result<(), Diagnostic> {
    if is_feature_name(name) && !name.contains('.') {
        return Ok(());
    }
    let message = format!("the column `{name}` cannot be a context dimension by its name");
    let help = "a name has no blanks and no dots, and does not begin with `_`: rename the column, \
                or name it under `exclude`";
    Err(Diagnostic::error(message).help(help))
}

fn action(class: &str) -> RankableAction {
    let feature = ("class".to_owned(), FeatureValue::Text(class.to_owned()));
    RankableAction { id: class.into(), features: Arc::from([FeatureObject(vec![feature])]) }
}
