//! The data sets of a scenario, read: visitors, actions and rewards.

use std::sync::Arc;

use super::dataset::{self, ActionIndex, Dimension, Frame, Offer, Template, World};
use super::file::Files;
use super::model::{
    Classification, ClassifiedWorld, DatasetFiles, Datasets, DriftFile, GeneratedWorld, Request,
    RewardFile, ScenarioFile,
};
use super::plan::{Drift, Population, RewardRule, Visitor};
use super::reward;
use diagnostic::{Diagnostic, Report, Source};
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
pub(super) fn data(file: &ScenarioFile, files: &Files, report: &mut Report) -> Option<Data> {
    let dimensions = file.context.as_ref().ok().map(|context| dataset::dimensions(context));
    let reward = file.reward.as_ref().ok();
    match file.datasets.as_ref().ok()? {
        Datasets::Files(of) => of_files(of, dimensions, reward, files, report),
        Datasets::Generated(GeneratedWorld { generate, template }) => {
            let dimensions = dimensions?;
            let world = dataset::generated::world(generate, &dimensions, report)?;
            Some(of_world(world, dimensions, reward?, template, files, report))
        }
        Datasets::Classified(ClassifiedWorld { classification, template }) => {
            let dimensions = dimensions?;
            let Classification { file, label, exclude } = classification;
            let table = files.read(file, &file.place, report)?;
            let excluded = exclude.as_deref().unwrap_or_default();
            let world =
                dataset::classification::world(&table, label, excluded, &dimensions, report)?;
            Some(of_world(world, dimensions, reward?, template, files, report))
        }
    }
}

fn of_files(
    of: &DatasetFiles,
    dimensions: Option<Vec<Dimension>>,
    reward: Option<&RewardFile>,
    files: &Files,
    report: &mut Report,
) -> Option<Data> {
    let DatasetFiles { users, actions, template } = of;
    let users = files.read(users, &users.place, report);
    let offered = files.read(actions, &actions.place, report);
    let request = request(template, files, report);
    let offered = offered?;
    let (actions, index) = dataset::actions(&offered, report);
    let template = request.map(|request| dataset::template(&request, &index, report));
    let template = template.unwrap_or_default();
    let actions_file = offered.path().to_owned();
    let reward = reward.map(|reward| reward::rule(reward, &index, &actions_file, report));
    let dimensions = dimensions?;
    let frame = Frame { dimensions: &dimensions, actions: &index, actions_file: &actions_file };
    let population = dataset::population(&users?, &frame, &template, report);
    Some(Data { population, actions, template, reward: reward?, dimensions, index, actions_file })
}

fn request(template: &Request, files: &Files, report: &mut Report) -> Option<Arc<Source>> {
    let request = template.request.as_ref()?;
    files.read(request, &request.place, report)
}

/// A world that is made as one: of a generator, or of a classification table.
fn of_world(
    world: World,
    dimensions: Vec<Dimension>,
    reward: &RewardFile,
    template: &Request,
    files: &Files,
    report: &mut Report,
) -> Data {
    let World { offer: Offer { actions, index }, .. } = &world;
    let request = request(template, files, report);
    let template = request.map(|request| dataset::template(&request, index, report));
    let template = template.unwrap_or_default();
    let actions_file = "datasets".to_owned();
    let reward = reward::rule(reward, index, &actions_file, report);
    let actions = actions.clone();
    let (population, index) = world.population(&dimensions, &template);
    Data { population, actions, template, reward, dimensions, index, actions_file }
}

impl Data {
    /// The drift of a phase of so many iterations.
    pub fn drift(
        &self,
        drift: &DriftFile,
        iterations: u64,
        files: &Files,
        report: &mut Report,
    ) -> Option<Drift> {
        let DriftFile { at: begins, users, rotate } = drift;
        let at = begins.of(iterations);
        if at >= iterations {
            let message = format!("the phase makes {iterations} iterations, so nothing drifts");
            report.push(Diagnostic::error(message).at(&begins.place));
        }
        let population = if let Some(places) = rotate {
            self.rotated(*places)
        } else {
            let users = users.as_ref()?;
            let users = files.read(users, &users.place, report)?;
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
