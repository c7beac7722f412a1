//! A classification data set as a bandit: every row is a visitor, whose class is the action
//! that they prefer. (The reduction of Beygelzimer and Langford, "The Offset Tree", KDD 2009:
//! full labels are hidden, and only the class that was chosen is told right or wrong.)

use std::sync::Arc;

use super::table::{self, Form};
use super::{ActionIndex, Dimension, Frame, Offer, World, take_some};
use crate::format::Placed;
use diagnostic::{Report, Source};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// The world of a table of which `label` names the column with the classes. Rows may repeat.
pub(crate) fn world(
    source: &Arc<Source>,
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
    for named in [label].into_iter().chain(excluded) {
        table::check_named(source, named, &mut mistakes);
    }
    let classes = table::values(source, form.preferred);
    let index = ActionIndex::of(classes.iter().cloned());
    let frame =
        Frame { dimensions, actions: &index, actions_file: source.path(), are_means: false };
    let rows = if mistakes.has_errors() {
        Vec::new()
    } else {
        table::rows(source, &frame, &form, &mut mistakes)
    };
    let is_sound = !mistakes.has_errors();
    take_some(&mistakes, source, report);
    let actions = classes.iter().map(|class| action(class)).collect();
    is_sound.then_some(World { offer: Offer { actions, index }, rows, generated: None })
}

fn action(class: &str) -> RankableAction {
    let feature = ("class".to_owned(), FeatureValue::Text(class.to_owned()));
    RankableAction { id: class.into(), features: Arc::from([FeatureObject(vec![feature])]) }
}
