//! Data sets: who turns up, what is offered, what every request shares.

mod action;
mod by_context;
pub(super) mod classification;
mod dimension;
mod feature;
pub(super) mod generated;
mod inference;
pub(super) mod logged;
mod preference;
mod record;
mod request;
mod table;
pub(super) mod tabular;
mod tree;

use std::collections::HashMap;
use std::sync::Arc;

pub(super) use action::{ActionIndex, ActionsFile, DatedAction, DatedFeatures, actions};
pub use by_context::{ByContext, by_context};
pub(super) use dimension::{Dimension, dimensions};
pub use inference::{
    DimensionKind, InferenceError, UserDimension, infer_dimensions, preferred_actions,
};
pub(super) use request::{Template, template};

use super::document::{Node, Value, json, refuse_duplicates, yaml};
use diagnostic::{Diagnostic, Place, Report, Source};
use plan::{Population, Preference, Visitor};
use protocol::{FeatureObject, RankableAction};

/// After this many mistakes in a file the rest is counted.
const MOST_SHOWN: usize = 10;

/// What the rows of a population are made against.
pub(super) struct Frame<'a> {
    pub dimensions: &'a [Dimension],
    pub actions: &'a ActionIndex,
    /// The name of the file of the actions, for messages.
    pub actions_file: &'a str,
    /// Whether the rewards of a record are means, and not probabilities of a click.
    pub are_means: bool,
}

/// What is offered.
pub(super) struct Offer {
    pub actions: Arc<[RankableAction]>,
    pub index: ActionIndex,
}

/// A world that is made as one.
pub(super) struct World {
    pub offer: Offer,
    rows: Vec<Row>,
    /// How its actions were generated, if they were.
    pub generated: Option<generated::GeneratedActions>,
}

impl World {
    /// Who turns up in it.
    pub fn population(
        self,
        dimensions: &[Dimension],
        template: &Template,
    ) -> (Population, ActionIndex) {
        (of_rows(self.rows, dimensions, template), self.offer.index)
    }
}

/// A row of a data set of users.
struct Row {
    context: Vec<String>,
    features: FeatureObject,
    preference: Preference,
    /// The actions that can be offered to them; all, if none is given.
    actions: Option<Arc<[usize]>>,
    weight: f64,
    place: Place,
}

/// Reads the population.
pub(super) fn population(
    source: &Arc<Source>,
    frame: &Frame<'_>,
    template: &Template,
    report: &mut Report,
) -> Population {
    let mut mistakes = Report::new();
    let rows = match kind_of(source) {
        Kind::Table => {
            table::check_quotes(source, &mut mistakes);
            if mistakes.has_errors() {
                Vec::new()
            } else {
                let table = tabular::Table::csv(source);
                table::rows(&table, frame, &table::Form::users(), &mut mistakes)
            }
        }
        _ => match read(source, &mut mistakes) {
            Some(node) if matches!(node.value, Value::List(_)) => {
                record::rows(&node, frame, &mut mistakes)
            }
            Some(node) => tree::rows(&node, frame, &mut mistakes),
            None => Vec::new(),
        },
    };
    refuse_same_context(&rows, &mut mistakes);
    if rows.is_empty() && mistakes.is_empty() && frame.actions.is_complete() {
        mistakes.push(Diagnostic::error("the data set of users is empty").within(source, 0..0));
    }
    take_some(&mistakes, source, report);
    of_rows(rows, frame.dimensions, template)
}

fn of_rows(rows: Vec<Row>, dimensions: &[Dimension], template: &Template) -> Population {
    Population {
        dimensions: dimensions.iter().map(|dimension| dimension.name.clone()).collect(),
        rows: rows.into_iter().map(|row| visitor(row, template)).collect(),
    }
}

fn visitor(row: Row, template: &Template) -> Visitor {
    let features = [row.features].into_iter().chain(template.context.iter().cloned());
    Visitor {
        context: row.context.into(),
        features: features.collect(),
        preference: row.preference,
        actions: row.actions,
        weight: row.weight,
        offered: None,
        logged: None,
    }
}

/// A context that turns up twice would have two preferences.
fn refuse_same_context(rows: &[Row], report: &mut Report) {
    let mut seen: HashMap<String, &Row> = HashMap::new();
    for row in rows {
        let key = serde_json::to_string(&row.features).unwrap_or_default();
        if let Some(first) = seen.get(&key) {
            let message = format!("the context `{}` appears twice", row.context.join(", "));
            let diagnostic = Diagnostic::error(message).at(&row.place).label("again");
            let diagnostic = diagnostic.context(&first.place, "first");
            report.push(
                diagnostic.help(
                    "a context has one preference; use `weight` to let it turn up more often",
                ),
            );
        } else {
            seen.insert(key, row);
        }
    }
}

enum Kind {
    Json,
    Yaml,
    Table,
}

fn kind_of(source: &Source) -> Kind {
    let path = source.path().to_lowercase();
    match path.rsplit('.').next() {
        Some("csv" | "tsv") => Kind::Table,
        Some("yaml" | "yml") => Kind::Yaml,
        _ => Kind::Json,
    }
}

/// Reads a data set that is a tree.
fn read(source: &Arc<Source>, report: &mut Report) -> Option<Node> {
    if source.text().trim().is_empty() {
        report.push(Diagnostic::error("the file is empty").within(source, 0..0));
        return None;
    }
    if matches!(kind_of(source), Kind::Yaml) {
        return yaml::read(source, report);
    }
    match json::read(source) {
        Ok(mut node) => {
            refuse_duplicates(&mut node, report);
            Some(node)
        }
        Err(diagnostic) => {
            report.push(diagnostic);
            None
        }
    }
}

/// Takes over the mistakes of a file; of very many, the first, and how many more.
fn take_some(mistakes: &Report, source: &Arc<Source>, report: &mut Report) {
    let total = mistakes.diagnostics().len();
    let first = mistakes.diagnostics().iter().take(MOST_SHOWN).cloned();
    report.append(first.collect());
    if total > MOST_SHOWN {
        let more = total - MOST_SHOWN;
        let mistakes_word = if more == 1 { "mistake" } else { "mistakes" };
        let message = format!("{more} more {mistakes_word} in `{}`", source.path());
        report.push(if mistakes.has_errors() {
            Diagnostic::error(message)
        } else {
            Diagnostic::warning(message)
        });
    }
}
