//! The data sets of a scenario, read: visitors, actions and rewards.

use std::sync::Arc;

use super::catalogue::{OfferSpec, Supply, catalogue};
use super::dataset::generated::GeneratedActions;
use super::dataset::tabular::Table;
use super::dataset::{
    self, ActionIndex, ActionsFile, DatedAction, DatedFeatures, Dimension, Frame, Offer, Template,
    World,
};
use super::file::Files;
use super::format::{Placed, Share};
use super::model::{
    Classification, ClassifiedWorld, ContextDimension, DatasetFiles, Datasets, DriftFile,
    GeneratedWorld, LoggedWorld, OfferFile, Request, RewardFile, ScenarioFile,
};
use super::reward::{self, RewardWorld};
use diagnostic::{Diagnostic, Place, Report, Source};
use plan::{
    ActionRewards, Catalogue, Drift, LogKind, LogWorld, Phase, Plan, Population, Preference,
    RewardRule, Visitor,
};
use protocol::{MOST_ACTIONS, RankableAction};

/// What the data sets hold.
pub(super) struct Data {
    pub population: Population,
    pub actions: Arc<[RankableAction]>,
    pub template: Template,
    pub reward: RewardRule,
    /// Where there are more actions than a service of fifty takes.
    pub beyond: Option<Place>,
    /// What the world is made of, if it is a log.
    pub log: Option<LogWorld>,
    /// What is offered of the actions.
    offer: Option<OfferFile>,
    supply: ActionSupply,
    /// The reward rule as it is written.
    reward_file: RewardFile,
    dimensions: Vec<Dimension>,
    index: ActionIndex,
    /// Where the actions are, for messages.
    actions_file: String,
}

/// What decides how actions change in the course of a run.
enum ActionSupply {
    Dated(Vec<DatedAction>),
    Generated(Box<GeneratedActions>, Option<Placed<Share>>),
}

/// Reads what `datasets` names.
pub(super) fn data(file: &ScenarioFile, files: &Files, report: &mut Report) -> Option<Data> {
    let dimensions = file.context.as_ref().ok().map(|context| dataset::dimensions(context));
    refuse_all(file, report);
    let reward = file.reward.as_ref().ok();
    match file.datasets.as_ref().ok()? {
        Datasets::Files(of) => of_files(of, dimensions, reward, files, report),
        Datasets::Generated(GeneratedWorld { generate, offer, template }) => {
            let dimensions = dimensions?;
            let renewal = generate.renewal.as_ref().ok()?;
            let is_narrowed =
                offer.candidates.is_some() || offer.turnover.is_some() || renewal.is_some();
            let world = dataset::generated::world(generate, &dimensions, is_narrowed, report)?;
            let count = generate.actions.as_ref().ok()?;
            let mut data = of_world(world, dimensions, reward?, template, files, report);
            data.beyond = (data.actions.len() > MOST_ACTIONS).then(|| count.place.clone());
            if let ActionSupply::Generated(_, of) = &mut data.supply {
                of.clone_from(renewal);
            }
            data.offer = is_narrowed.then(|| offer.clone());
            refuse_calendar(offer, report);
            Some(data)
        }
        Datasets::Classified(ClassifiedWorld { classification, template }) => {
            let mut dimensions = dimensions?;
            let Classification { file, label, exclude } = classification;
            let before = report.errors();
            let table = Table::of(&files.read_table(file, &file.place, report)?, report);
            if report.errors() > before {
                return None;
            }
            let excluded = exclude.as_deref().unwrap_or_default();
            if dimensions.is_empty() {
                let all = dataset::classification::all_dimensions(&table, label, excluded);
                dimensions = all.map_err(|mistake| report.push(mistake.at(&file.place))).ok()?;
            }
            let world =
                dataset::classification::world(&table, label, excluded, &dimensions, report)?;
            let mut data = of_world(world, dimensions, reward?, template, files, report);
            data.beyond = (data.actions.len() > MOST_ACTIONS).then(|| label.place.clone());
            Some(data)
        }
        Datasets::Logged(world) => {
            let (dimensions, reward) = (dimensions?, reward?);
            of_log(world, file.context.as_ref().ok()?, dimensions, reward, files, report)
        }
    }
}

/// Refuses `context: all` where no table has the names.
fn refuse_all(file: &ScenarioFile, report: &mut Report) {
    let is_all = file.context.as_ref().is_ok_and(Vec::is_empty);
    let is_table = matches!(file.datasets, Ok(Datasets::Classified(_)) | Err(_));
    if is_all && !is_table {
        let message = "`context: all` is for a `classification`, whose table names the columns";
        report.push(Diagnostic::error(message).help("list the dimensions: `context: [age, plan]`"));
    }
}

/// A log as a world.
fn of_log(
    world: &LoggedWorld,
    context: &[ContextDimension],
    dimensions: Vec<Dimension>,
    reward: &RewardFile,
    files: &Files,
    report: &mut Report,
) -> Option<Data> {
    reward::refuse_written(reward, &world.log[0].place, report);
    let played = dataset::logged::world(world, context, files, report)?;
    let index = ActionIndex::of(played.actions.iter().map(|action| action.id.to_string()));
    let beyond = (played.actions.len() > MOST_ACTIONS).then(|| world.log[0].place.clone());
    Some(Data {
        population: played.population.clone(),
        supply: ActionSupply::Dated(Vec::new()),
        actions: played.actions.clone(),
        template: Template {
            defer_activation: played.log.kind == LogKind::Replay,
            ..Template::default()
        },
        reward: played.reward.clone(),
        beyond,
        log: Some(played.log.clone()),
        offer: None,
        reward_file: reward.clone(),
        dimensions,
        index,
        actions_file: world.log[0].value.clone(),
    })
}

/// Generated actions have no days.
fn refuse_calendar(offer: &OfferFile, report: &mut Report) {
    if let Some(calendar) = &offer.calendar {
        let message = "generated actions do not depend on the day";
        let help = "use `turnover` and `generate.renewal`, which need no `calendar`";
        report.push(Diagnostic::error(message).at(&calendar.key).help(help));
    }
}

fn of_files(
    of: &DatasetFiles,
    dimensions: Option<Vec<Dimension>>,
    reward: Option<&RewardFile>,
    files: &Files,
    report: &mut Report,
) -> Option<Data> {
    let DatasetFiles { users, actions, offer, template } = of;
    let users = files.read(users, &users.place, report);
    let offered = files.read(actions, &actions.place, report);
    let request = request(template, files, report);
    let offered = offered?;
    let ActionsFile { actions, index, dated, beyond } = dataset::actions(&offered, report);
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
    let mut data = Data {
        population,
        actions,
        template,
        reward: rule?,
        beyond,
        log: None,
        offer: Some(offer.clone()),
        supply: ActionSupply::Dated(dated),
        reward_file: reward?.clone(),
        dimensions,
        index,
        actions_file,
    };
    data.complete_reward(report);
    Some(data)
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
    let rule = reward::rule(reward, index, &actions_file, report);
    let actions = actions.clone();
    let supply = match world.generated.clone() {
        Some(generated) => ActionSupply::Generated(Box::new(generated), None),
        None => ActionSupply::Dated(Vec::new()),
    };
    let (population, index) = world.population(&dimensions, &template);
    let mut data = Data {
        population,
        actions,
        template,
        reward: rule,
        beyond: None,
        log: None,
        offer: None,
        supply,
        reward_file: reward.clone(),
        dimensions,
        index,
        actions_file,
    };
    data.complete_reward(report);
    data
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
        if self.log.is_some() {
            let message = "a log does not drift: what changed in it is in its events";
            report.push(Diagnostic::error(message).at(&begins.key).help("leave `drift` out"));
            return None;
        }
        let at = begins.of(iterations);
        if at >= iterations {
            let message = format!("the phase makes {iterations} iterations, so nothing drifts");
            report.push(Diagnostic::error(message).at(&begins.place));
        }
        let population = if let Some(places) = rotate {
            self.rotated(*places)
        } else {
            self.users(users.as_ref()?, files, report)?
        };
        Some(Drift { at, population })
    }

    /// Others who turn up, from a file.
    pub fn users(
        &self,
        users: &Placed<String>,
        files: &Files,
        report: &mut Report,
    ) -> Option<Population> {
        if self.log.is_some() {
            let message = "the visitors of a log are those of its events";
            report.push(Diagnostic::error(message).at(&users.place).help("leave `users` out"));
            return None;
        }
        let users = files.read(users, &users.place, report)?;
        let population = dataset::population(&users, &self.frame(), &self.template, report);
        self.check_reward(&population, report);
        Some(population)
    }

    /// Which actions each event of a run of these phases offers; none, if all.
    pub fn catalogue(&self, phases: &[Phase], report: &mut Report) -> Option<Arc<Catalogue>> {
        let populations: Vec<&Population> = self.populations(phases).collect();
        let spec = OfferSpec {
            file: self.offer.as_ref()?,
            supply: match &self.supply {
                ActionSupply::Dated(dated) => Supply::Dated(dated),
                ActionSupply::Generated(actions, renewal) => {
                    Supply::Generated(actions, renewal.as_ref())
                }
            },
            actions: &self.actions,
            has_excluded: !self.template.excluded.is_empty(),
            populations: &populations,
            iterations: phases.iter().filter_map(|phase| phase.scope().iterations).sum(),
        };
        if !self.index.is_complete() {
            return None;
        }
        catalogue(&spec, report).map(Arc::new)
    }

    /// Whether some visitors are offered other actions than the rest.
    pub fn has_own_actions(&self, phases: &[Phase]) -> bool {
        self.populations(phases).flat_map(|of| &of.rows).any(|row| row.actions.is_some())
    }

    /// Everyone who turns up.
    pub fn populations<'a>(&'a self, phases: &'a [Phase]) -> impl Iterator<Item = &'a Population> {
        Plan::populations(&self.population, phases)
    }

    /// Adds to the reward rule what depends on who turns up.
    fn complete_reward(&mut self, report: &mut Report) {
        let states = self.states();
        let world = RewardWorld { population: &self.population, actions: &states };
        reward::complete(&mut self.reward, &self.reward_file, world, report);
    }

    /// Whether others than the first who turn up have what the reward speaks of.
    fn check_reward(&self, population: &Population, report: &mut Report) {
        let is_sound = self.reward.formula.is_some() == self.reward_file.formula.is_some();
        if is_sound {
            let world = RewardWorld { population, actions: &self.states() };
            reward::complete(&mut self.reward.clone(), &self.reward_file, world, report);
        }
    }

    /// The actions, with every change of their features.
    fn states(&self) -> Vec<RankableAction> {
        let ActionSupply::Dated(dated) = &self.supply else { return self.actions.to_vec() };
        let changed = self.actions.iter().zip(dated).flat_map(|(action, dated)| {
            let state = |of: &DatedFeatures| RankableAction {
                id: action.id.clone(),
                features: of.features.clone(),
            };
            dated.changes.iter().map(state)
        });
        self.actions.iter().cloned().chain(changed).collect()
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
            Preference::Liking(liking) => {
                let mut liking = liking.to_vec();
                let places = places % liking.len().max(1);
                liking.rotate_right(places);
                Preference::Liking(liking.into())
            }
        };
        let rotated = |visitor: &Visitor| Visitor {
            preference: preference(&visitor.preference),
            actions: visitor.actions.as_ref().map(|of| of.iter().map(|of| moved(*of)).collect()),
            ..visitor.clone()
        };
        let rows = self.population.rows.iter().map(rotated).collect();
        Population { dimensions: self.population.dimensions.clone(), rows }
    }
}
