//! The data sets of a scenario, read: visitors, actions and rewards.

use std::sync::Arc;

use super::dataset::{self, ActionIndex, Dimension, Frame, Offer, Template, World};
use super::file::Files;
use super::model::{
    Classification, ClassifiedWorld, DatasetFiles, Datasets, DriftFile, GeneratedWorld, Request,
    RewardFile, ScenarioFile,
};
use super::plan::{ActionRewards, Drift, Population, Preference, RewardRule, Visitor};
use super::reward::{self, RewardWorld};
use diagnostic::{Diagnostic, Report, Source};
use protocol::RankableAction;

/// What the data sets hold.
pub(super) struct Data {
    pub population: Population,
    pub actions: Arc<[RankableAction]>,
    pub template: Template,
    pub reward: RewardRule,
    /// The reward rule as it is written.
    reward_file: RewardFile,
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
    let rule = reward.map(|reward| reward::rule(reward, &index, &actions_file, report));
    let dimensions = dimensions?;
    let frame = Frame {
        dimensions: &dimensions,
        actions: &index,
        actions_file: &actions_file,
        are_means: rule.as_ref().is_some_and(|rule| rule.deviation.is_some()),
    };
    let population = dataset::population(&users?, &frame, &template, report);
    let mut rule = rule?;
    let world = RewardWorld { population: &population, actions: &actions };
    reward::complete(&mut rule, reward?, world, report);
    Some(Data {
        population,
        actions,
        template,
        reward: rule,
        reward_file: reward?.clone(),
        dimensions,
        index,
        actions_file,
    })
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
    let mut rule = reward::rule(reward, index, &actions_file, report);
    let actions = actions.clone();
    let (population, index) = world.population(&dimensions, &template);
    let world = RewardWorld { population: &population, actions: &actions };
    reward::complete(&mut rule, reward, world, report);
    Data {
        population,
        actions,
        template,
        reward: rule,
        reward_file: reward.clone(),
        dimensions,
        index,
        actions_file,
    }
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
            let population = dataset::population(&users, &self.frame(), &self.template, report);
            self.check_reward(&population, report);
            population
        };
        Some(Drift { at, population })
    }

    /// Whether others than the first who turn up have what the reward speaks of.
    fn check_reward(&self, population: &Population, report: &mut Report) {
        let is_sound = self.reward.formula.is_some() == self.reward_file.formula.is_some();
        if is_sound {
            let world = RewardWorld { population, actions: &self.actions };
            reward::complete(&mut self.reward.clone(), &self.reward_file, world, report);
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            dimensions: &self.dimensions,
            actions: &self.index,
            actions_file: &self.actions_file,
            are_means: self.reward.deviation.is_some(),
        }
    }

    /// The same visitors, of whom everybody wants of each action what they wanted of another.
    fn rotated(&self, places: usize) -> Population {
        let moved = |action: usize| (action + places) % self.actions.len().max(1);
        let preference = |preference: &Preference| match preference {
            Preference::Action(preferred) => Preference::Action(moved(*preferred)),
            Preference::Rewards(rewards) => {
                let rewards = rewards.given().map(|(action, reward)| (moved(action), reward));
                Preference::Rewards(ActionRewards::new(rewards.collect()))
            }
        };
        let rotated = |visitor: &Visitor| Visitor {
            preference: preference(&visitor.preference),
            ..visitor.clone()
        };
        let rows = self.population.rows.iter().map(rotated).collect();
        Population { dimensions: self.population.dimensions.clone(), rows }
    }
}
