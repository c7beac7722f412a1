//! From what a scenario says to a [`Mapping`].

use std::sync::Arc;

use super::compile::{Compiler, Setting};
use super::known::{Known, Stage, names};
use super::offer::{context_encoding, offer, service_ids};
use crate::document::Node;
use crate::format::{Misread, Named, Placed, Read};
use crate::model::{
    AnswerFile, CallFile, ErrorFile, FieldFile, HeaderFile, Preset, RewardCallFile, ServiceFile,
    StepCallFile, TakeFile, is_header_name,
};
use diagnostic::{Diagnostic, Place, Report};
use plan::mapping::call::{
    Body, Call, ErrorSign, Field, Format, Method, RewardCall, StepCall, Tree,
};
use plan::mapping::source::ValueSource;
use plan::mapping::template::{Position, Template, Templates, root};
use plan::mapping::variables::{ServiceId, Variables};
use plan::{Mapping, Phase, Plan, Population, Secret};
use protocol::{EventId, RankableAction};
use timestamp::Timestamp;

/// So many visitors each template is tried on.
const MOST_SAMPLES: usize = 1_000;

/// What the templates speak of.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub population: &'a Population,
    pub actions: &'a [RankableAction],
    pub excluded: &'a [String],
    /// The reward of a right choice.
    pub reward: f64,
    pub phases: &'a [Phase],
}

impl<'a> World<'a> {
    /// Everyone who turns up.
    fn populations(&self) -> impl Iterator<Item = &'a Population> {
        Plan::populations(self.population, self.phases)
    }
}

/// Reports keys that mean nothing without `rank`.
pub(crate) fn refuse_parts(service: &ServiceFile, report: &mut Report) {
    let keys = [
        ("reward", service.reward.as_ref().map(|part| &part.key)),
        ("session", service.session.as_ref().map(|part| &part.key)),
        ("setup", service.setup.as_ref().map(|part| &part.key)),
        ("teardown", service.teardown.as_ref().map(|part| &part.key)),
        ("actions", service.actions.as_ref().map(|part| &part.key)),
        ("ids", service.ids.as_ref().map(|part| &part.key)),
    ];
    for (name, key) in keys {
        let Some(key) = key else { continue };
        let message = format!("`{name}` is for services that have their own `rank`");
        let help = "add `rank:`, the call that asks for a decision; or leave it out for a service \
            that speaks the Personalizer contract";
        report.push(Diagnostic::error(message).at(key).help(help));
    }
}

/// The mapping of a service that has its own `rank`. `None`: its mistakes are reported, or the
/// world could not be read.
pub(crate) fn mapping(
    service: &ServiceFile,
    world: Option<World<'_>>,
    report: &mut Report,
) -> Option<Mapping> {
    let rank = service.rank.as_ref()?;
    refuse_contract_keys(service, report);
    let mut builder = Builder::new(service, world, report);
    let actions = builder.actions(service);
    let session = service.session.as_ref().map(|file| builder.session(file).ok_or(Misread));
    let headers = builder.every_header(service);
    let setup = builder.setup(service);
    let call = builder.call("rank", &rank.value.call, Stage::Rank);
    let take = builder.take(&rank.value.take);
    let reward = service.reward.as_ref().map(|file| builder.reward(&file.value).ok_or(Misread));
    let teardown = builder.teardown(service);
    let Builder { compiler, ids, variables, .. } = builder;
    let Compiler { templates, secrets, has_vectors, .. } = compiler;
    world?;
    Some(Mapping {
        rank: call?,
        take: take?,
        reward: reward.transpose().ok()?,
        session: session.transpose().ok()?,
        setup: setup?,
        teardown: teardown?,
        headers: headers?,
        ids,
        actions: actions.transpose().ok()?,
        templates,
        variables,
        secrets,
        has_vectors,
    })
}

/// Keys of the Personalizer contract, which a service with its own calls does not have.
fn refuse_contract_keys(service: &ServiceFile, report: &mut Report) {
    let preset = service.preset.as_ref();
    let is_contract = |preset: &&Placed<Preset>| matches!(preset.value, Preset::Personalizer);
    let described = if preset.is_some_and(|of| !is_contract(&of)) { "preset" } else { "rank" };
    let keys = [
        ("preset", preset.filter(is_contract).map(|preset| &preset.key)),
        ("paths", service.paths.written_key()),
        ("api", service.api.written_key()),
    ];
    for (name, key) in keys {
        let Some(key) = key else { continue };
        let message = format!(
            "`{name}` is for the Personalizer contract, but `{described}` says what is called"
        );
        report.push(Diagnostic::error(message).at(key).help("leave one of them out"));
    }
}

pub(super) struct Builder<'a, 'r> {
    pub compiler: Compiler<'r>,
    pub world: Option<World<'a>>,
    /// What the service calls the actions.
    pub ids: Vec<ServiceId>,
    variables: Variables,
    /// Samples of the variables of Rank, and of Reward.
    ranks: Vec<Variables>,
    rewards: Vec<Variables>,
}

impl<'a, 'r> Builder<'a, 'r> {
    fn new(service: &ServiceFile, world: Option<World<'a>>, report: &'r mut Report) -> Self {
        let renamed = service.ids.as_ref().map_or(&[][..], |ids| &ids.value);
        let ids = world.map(|world| service_ids(renamed, world.actions, report));
        let ids = ids.unwrap_or_default();
        let secrets = service.secrets.as_deref().unwrap_or_default();
        let variables = world.map(|world| variables(&world, &ids, secrets)).unwrap_or_default();
        let known = Known {
            secrets: secrets.iter().map(|named| named.name.clone()).collect(),
            context: world.map(|world| {
                let rows = world.populations().flat_map(|population| &population.rows);
                names(rows.map(|visitor| &*visitor.features))
            }),
            features: world
                .map(|world| names(world.actions.iter().map(|action| &*action.features))),
            probability: service.rank.as_ref().is_some_and(|rank| {
                let TakeFile { probability, ranking, .. } = &rank.value.take;
                let of_ranking = ranking.as_ref().and_then(|of| of.probability.as_ref());
                probability.is_some() || of_ranking.is_some()
            }),
            ..Known::default()
        };
        let compiler = Compiler {
            templates: Templates::default(),
            known,
            secrets: secrets.iter().map(|named| named.value.clone()).collect(),
            has_vectors: false,
            report,
        };
        let mut builder =
            Self { compiler, world, ids, variables, ranks: Vec::new(), rewards: Vec::new() };
        builder.sample();
        builder
    }

    /// Makes the samples that templates are tried on: each visitor, and each action in turn.
    fn sample(&mut self) {
        let Some(world) = self.world else { return };
        let visitors = world.populations().flat_map(|population| &population.rows);
        let event_id = EventId::from("00000000000000000000000000000000");
        let rank =
            |visitor: &plan::Visitor| self.variables.of_iteration(0, &event_id, &visitor.features);
        self.ranks = visitors.take(MOST_SAMPLES).map(rank).collect();
        let actions = world.actions.len().max(1);
        let rewarded = |(index, rank): (usize, &Variables)| {
            rank.decided(index % actions, None, None).rewarded(world.reward)
        };
        self.rewards = self.ranks.iter().enumerate().map(rewarded).collect();
        // Every action is tried, also where there are more actions than visitors.
        let first = self.ranks.first().cloned();
        let rest = (self.rewards.len()..actions.min(MOST_SAMPLES)).filter_map(|index| {
            Some(first.as_ref()?.decided(index, None, None).rewarded(world.reward))
        });
        self.rewards.extend(rest.collect::<Vec<_>>());
    }

    fn samples(&self, stage: Stage) -> Vec<Variables> {
        match stage {
            Stage::Rank => self.ranks.clone(),
            Stage::Reward => self.rewards.clone(),
            Stage::Action => {
                let all = 0..self.variables.offer.actions.len();
                all.map(|index| self.variables.decided(index, None, None)).collect()
            }
            Stage::Answer => vec![Variables { body: Some("{}".into()), ..Variables::default() }],
            _ if self.world.is_some() => vec![self.variables.clone()],
            _ => Vec::new(),
        }
    }

    /// How an action is sent; `actions` then stands for a list of these.
    fn actions(&mut self, service: &ServiceFile) -> Option<Read<Tree>> {
        let file = service.actions.as_ref()?;
        let samples = self.samples(Stage::Action);
        let setting = Setting { stage: Stage::Action, samples: &samples };
        let tree = self.compiler.tree(&file.value, setting);
        if let Some(tree) = &tree {
            let templates = &self.compiler.templates;
            let sent = samples
                .iter()
                .filter_map(|sample| tree.value(templates, &root(sample.clone())).ok());
            let sent = sent.collect();
            let offer = Arc::clone(&self.variables.offer);
            self.variables.offer = Arc::new(offer.with_sent(sent));
            self.sample();
        }
        Some(tree.ok_or(Misread))
    }

    fn session(&mut self, file: &Placed<StepCallFile>) -> Option<StepCall> {
        let step = self.step("session", &file.value, Stage::Session);
        self.compiler.known.session = taken(&file.value);
        step
    }

    fn setup(&mut self, service: &ServiceFile) -> Option<Vec<StepCall>> {
        let files = service.setup.as_ref().map_or(&[][..], |files| &files.value);
        let mut steps = Vec::new();
        for (index, file) in files.iter().enumerate() {
            steps.push(self.step(&format!("setup[{index}]"), file, Stage::Setup));
            self.compiler.known.setup.extend(taken(file));
        }
        steps.into_iter().collect()
    }

    fn reward(&mut self, file: &RewardCallFile) -> Option<RewardCall> {
        let call = self.call("reward", &file.call, Stage::Reward);
        let samples = self.samples(Stage::Reward);
        let setting = Setting { stage: Stage::Reward, samples: &samples };
        let when = file.when.as_ref();
        let when = when.map(|when| self.compiler.expression(when, setting).ok_or(Misread));
        Some(RewardCall { call: call?, when: when.transpose().ok()? })
    }

    fn teardown(&mut self, service: &ServiceFile) -> Option<Vec<Call>> {
        let files = service.teardown.as_ref().map_or(&[][..], |files| &files.value);
        let call = |(index, file): (usize, &CallFile)| {
            self.call(&format!("teardown[{index}]"), file, Stage::Teardown)
        };
        let calls: Vec<Option<Call>> = files.iter().enumerate().map(call).collect();
        calls.into_iter().collect()
    }

    fn step(&mut self, name: &str, file: &StepCallFile, stage: Stage) -> Option<StepCall> {
        let call = self.call(name, &file.call, stage);
        let taken = file.take.iter().flatten();
        let taken: Vec<Option<(String, ValueSource)>> =
            taken.map(|named| Some((named.name.clone(), self.source(&named.value)?))).collect();
        Some(StepCall { call: call?, take: taken.into_iter().collect::<Option<_>>()? })
    }

    fn call(&mut self, name: &str, file: &CallFile, stage: Stage) -> Option<Call> {
        let samples = self.samples(stage);
        let setting = Setting { stage, samples: &samples };
        let (method, path) = self.method(file)?;
        let path = self.compiler.template(path, Position::Path, setting);
        let query = self.fields(file.query.as_deref().unwrap_or_default(), setting);
        let headers = self.headers(file.headers.as_deref().unwrap_or_default(), setting);
        let body = self.body(file, setting);
        let format = self.format(&file.answer);
        Some(Call {
            name: name.to_owned(),
            url: file.url.clone(),
            method,
            path: path?,
            query: query?,
            headers: headers?,
            body: body?,
            is_in_session: stage != Stage::Session,
            statuses: file.status.clone().unwrap_or_default(),
            format: format?,
            error: file.error.as_ref().map(|ErrorFile { path, unless }| ErrorSign {
                path: path.clone(),
                unless: unless.clone(),
            }),
        })
    }

    fn format(&mut self, answer: &AnswerFile) -> Option<Format> {
        let within = match answer {
            AnswerFile::Json => return Some(Format::Json),
            AnswerFile::Text => return Some(Format::Text),
            AnswerFile::Within(within) => within,
        };
        let samples = self.samples(Stage::Answer);
        match (&within.json_in, &within.value) {
            (Some(_), Some(value)) => {
                let message = "an answer has its JSON in a `value` or by `json_in`, not both";
                let mistake = Diagnostic::error(message).at(&value.key);
                self.compiler.report.push(mistake.help("leave one of them out"));
                None
            }
            (Some(path), None) => Some(Format::JsonIn(path.clone())),
            (None, value) => {
                let setting = Setting { stage: Stage::Answer, samples: &samples };
                self.text(&value.as_ref()?.value, setting).map(Format::Made)
            }
        }
    }

    fn method<'f>(&mut self, file: &'f CallFile) -> Option<(Method, &'f Node)> {
        let all = [
            (Method::Post, &file.post),
            (Method::Get, &file.get),
            (Method::Put, &file.put),
            (Method::Patch, &file.patch),
            (Method::Delete, &file.delete),
        ];
        let mut written =
            all.into_iter().filter_map(|(method, path)| Some((method, path.as_ref()?)));
        let first = written.next()?;
        if let Some((_, second)) = written.next() {
            let mistake = Diagnostic::error("a call has one method").at(&second.place);
            self.compiler.report.push(mistake.help("leave one of the paths out"));
        }
        Some(first)
    }

    fn body(&mut self, file: &CallFile, setting: Setting<'_>) -> Option<Body> {
        match (&file.body, &file.form, &file.text) {
            (Some(_), Some(Placed { key, .. }), _) | (Some(_), _, Some(Placed { key, .. })) => {
                self.one_body("body", key)
            }
            (None, Some(_), Some(text)) => self.one_body("form", &text.key),
            (Some(body), None, None) => self.compiler.tree(body, setting).map(Body::Json),
            (None, Some(form), None) => self.fields(&form.value, setting).map(Body::Form),
            (None, None, Some(text)) => self.text(&text.value, setting).map(Body::Text),
            (None, None, None) => Some(Body::Nothing),
        }
    }

    /// Reports a second body.
    fn one_body(&mut self, first: &str, second: &Place) -> Option<Body> {
        let message = format!("a call has a `{first}` or a `{}`, not both", second.text());
        let mistake = Diagnostic::error(message).at(second);
        self.compiler.report.push(mistake.help("leave one of them out"));
        None
    }

    /// The fields of a query or a form.
    fn fields(
        &mut self,
        fields: &[Named<FieldFile>],
        setting: Setting<'_>,
    ) -> Option<Vec<(String, Field)>> {
        let field = |Named { name, value, .. }: &Named<FieldFile>| {
            let value = match value {
                FieldFile::One(node) => self.text(node, setting).map(Field::One),
                FieldFile::Each(nodes) => {
                    let texts: Vec<_> = nodes.iter().map(|node| self.text(node, setting)).collect();
                    texts.into_iter().collect::<Option<_>>().map(Field::Each)
                }
            };
            Some((name.clone(), value?))
        };
        let fields: Vec<Option<_>> = fields.iter().map(field).collect();
        fields.into_iter().collect()
    }

    fn text(&mut self, node: &Node, setting: Setting<'_>) -> Option<Template> {
        self.compiler.template(node, Position::Other, setting)
    }

    fn header(&mut self, node: &Node, setting: Setting<'_>) -> Option<Template> {
        self.compiler.template(node, Position::Header, setting)
    }

    fn headers(
        &mut self,
        headers: &[Named<Node>],
        setting: Setting<'_>,
    ) -> Option<Vec<(String, Template)>> {
        for Named { name, place, .. } in headers {
            if !is_header_name(name) {
                let message = format!("`{name}` is not the name of a header");
                self.compiler.report.push(Diagnostic::error(message).at(place));
            }
        }
        let header =
            |named: &Named<Node>| Some((named.name.clone(), self.header(&named.value, setting)?));
        let headers: Vec<Option<_>> = headers.iter().map(header).collect();
        headers.into_iter().collect()
    }

    /// The headers of every call that are templates; the others are sent as they are.
    fn every_header(&mut self, service: &ServiceFile) -> Option<Vec<(String, Template)>> {
        let node = |Named { name, place, value }: &Named<HeaderFile>| Named {
            name: name.clone(),
            place: place.clone(),
            value: value.node.clone(),
        };
        let headers: Vec<Named<Node>> = service
            .headers
            .iter()
            .flatten()
            .filter(|named| named.value.is_template())
            .map(node)
            .collect();
        let samples = self.samples(Stage::Every);
        self.headers(&headers, Setting { stage: Stage::Every, samples: &samples })
    }
}

fn variables(world: &World<'_>, ids: &[ServiceId], secrets: &[Named<Secret>]) -> Variables {
    let context = context_encoding(&world.population.dimensions, world.populations());
    let offer = offer(world.actions, world.excluded, ids, secrets, context);
    // What a template may speak of when it is tried.
    let (now, request) = (Some(Timestamp::VIRTUAL_START), Some(Arc::default()));
    Variables { offer: Arc::new(offer), now, request, ..Variables::default() }
}

/// The names of the values that a call takes.
fn taken(file: &StepCallFile) -> Vec<String> {
    file.take.iter().flatten().map(|named| named.name.clone()).collect()
}
