//! What a scenario's data sets come to: who turns up, what is offered, what it is worth.

use std::sync::Arc;

use super::dataset::{self, ActionIndex, Dimension, Frame, Offer, Template, World};
use super::document::Node;
use super::file::Files;
use super::model::as_count;
use super::phase::count_or_share;
use super::plan::{Drift, Population, RewardRule, Visitor};
use super::reward;
use diagnostic::{Diagnostic, Report};
use protocol::RankableAction;

/// What the data sets hold.
pub(super) struct Data {
    pub population: Population,
    pub actions: Arc<[RankableAction]>,
    pub template: Template,
    pub reward: RewardRule,
    dimensions: Vec<Dimension>,
    index: ActionIndex,
    /// Where the actions are, for messages.
    actions_file: String,
}

/// Reads what `datasets` names.
pub(super) fn data(root: &Node, files: &Files, report: &mut Report) -> Option<Data> {
    let datasets = root.get("datasets")?;
    let dimensions = dataset::dimensions(root, report);
    if datasets.get("generate").is_some() || datasets.get("classification").is_some() {
        return world(root, datasets, dimensions?, files, report);
    }
    let mut open = |key: &str| files.read(datasets.get(key)?, report);
    let (users, offered, request) = (open("users"), open("actions"), open("request"));
    let offered = offered?;
    let (actions, index) = dataset::actions(&offered, report);
    let template = request.map(|request| dataset::template(&request, &index, report));
    let template = template.unwrap_or_default();
    let actions_file = offered.path().to_owned();
    let reward = reward::rule(root, &index, &actions_file, report);
    let dimensions = dimensions?;
    let frame = Frame { dimensions: &dimensions, actions: &index, actions_file: &actions_file };
    let population = dataset::population(&users?, &frame, &template, report);
    Some(Data { population, actions, template, reward, dimensions, index, actions_file })
}

/// A world that is made as one: of a generator, or of a classification table.
fn world(
    root: &Node,
    datasets: &Node,
    dimensions: Vec<Dimension>,
    files: &Files,
    report: &mut Report,
) -> Option<Data> {
    let world = match (datasets.get("generate"), datasets.get("classification")) {
        (Some(node), _) => dataset::generated::world(node, &dimensions, report)?,
        (None, node) => {
            let node = node?;
            let table = files.read(node.get("file")?, report)?;
            dataset::classification::world(&table, node, &dimensions, report)?
        }
    };
    let World { offer: Offer { actions, index }, .. } = &world;
    let request = datasets.get("request").and_then(|node| files.read(node, report));
    let template = request.map(|request| dataset::template(&request, index, report));
    let template = template.unwrap_or_default();
    let actions_file = "datasets".to_owned();
    let reward = reward::rule(root, index, &actions_file, report);
    let actions = actions.clone();
    let (population, index) = world.population(&dimensions, &template);
    Some(Data { population, actions, template, reward, dimensions, index, actions_file })
}

impl Data {
    /// The drift of a phase of so many iterations.
    pub fn drift(
        &self,
        node: &Node,
        iterations: u64,
        files: &Files,
        report: &mut Report,
    ) -> Option<Drift> {
        let at = node.get("at").and_then(count_or_share).map_or(0, |share| share.of(iterations));
        if at >= iterations {
            let message = format!("the phase makes {iterations} iterations, so nothing drifts");
            report.push(Diagnostic::error(message).at(&node.get("at")?.place));
        }
        let population = if let Some(places) = node.get("rotate").and_then(as_count) {
            self.rotated(usize::try_from(places).ok()?)
        } else {
            let users = files.read(node.get("users")?, report)?;
            dataset::population(&users, &self.frame(), &self.template, report)
        };
        Some(Drift { at, population })
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            dimensions: &self.dimensions,
            actions: &self.index,
            actions_file: &self.actions_file,
        }
    }

    /// The same visitors, of whom everybody prefers another action.
    fn rotated(&self, places: usize) -> Population {
        let rotated = |visitor: &Visitor| Visitor {
            preferred: (visitor.preferred + places) % self.actions.len().max(1),
            ..visitor.clone()
        };
        let rows = self.population.rows.iter().map(rotated).collect();
        Population { dimensions: self.population.dimensions.clone(), rows }
    }
}
