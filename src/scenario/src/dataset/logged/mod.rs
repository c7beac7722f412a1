//! A log of choices as a world: its events one by one, or its twin.

mod twin_world;

use std::io;
use std::path::Path;
use std::sync::Arc;

use evaluation::run::{DsjsonLog, LogReader, LoggedChoice, LoggedLine, RejectedLine, Wants};
use evaluation::{SeenEvent, Shape, View, Viewed};
use table_log::{Input, Table};
use twin::LoggedEvent;

use crate::columns::{TableColumns, load_columns, open_bandit_dataset, parse_columns};
use crate::data::Data;
use crate::file::{Files, LogFile};
use crate::format::Placed;
use crate::model::{ContextDimension, LogPlay, LoggedWorld, PhaseItem};
use diagnostic::{Diagnostic, Place, Report, nearest};
use plan::{
    ActionRewards, LogKind, LogWorld, Logged, Phase, Population, Preference, RewardRule, Step,
    TargetPlan, Visitor,
};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// A log that can be played.
pub(crate) struct PlayedLog {
    pub population: Population,
    pub actions: Arc<[RankableAction]>,
    pub reward: RewardRule,
    pub log: LogWorld,
}

/// So many lines that cannot be used are shown.
const MOST_SHOWN: usize = 3;

/// The name of the preset of the Open Bandit Dataset.
const OPEN_BANDIT_DATASET: &str = "obd";

/// The world of a log. The variants of a matrix share it.
pub(crate) fn world(
    file: &LoggedWorld,
    context: &[ContextDimension],
    files: &Files,
    report: &mut Report,
) -> Option<Arc<PlayedLog>> {
    let names: Vec<&str> = file.log.iter().map(|name| name.value.as_str()).collect();
    let columns = file.columns.as_ref().map(|columns| columns.value.as_str());
    let dimensions: Vec<&str> = context.iter().map(|of| of.name.as_str()).collect();
    let key = format!("{names:?} {columns:?} {dimensions:?} {:?}", file.play);
    if let Some(known) = files.played(&key) {
        return Some(known);
    }
    let events = events(file, files, report)?;
    let place = &file.log[0].place;
    check_context(&events, context, place, report)?;
    let played = match file.play {
        LogPlay::Replay => replay(&events, &dimensions),
        LogPlay::Twin => twin_world::played(&events, &dimensions, place, report)?,
    };
    let played = Arc::new(played);
    files.keep_played(key, played.clone());
    Some(played)
}

/// The events of all logs, in their order.
fn events(file: &LoggedWorld, files: &Files, report: &mut Report) -> Option<Vec<LoggedEvent>> {
    let before = report.errors();
    let logs: Vec<(&Placed<String>, LogFile)> = file
        .log
        .iter()
        .filter_map(|name| Some((name, files.read_log(name, &name.place, report)?)))
        .collect();
    if report.errors() > before {
        return None;
    }
    let mut reading = Collected::default();
    let view = View { shape: Shape::AsTheyCame, without: None };
    let wants = Wants { views: vec![view], ..Wants::default() };
    match &file.columns {
        None => lines(&logs, wants, &mut reading, report),
        Some(columns) => {
            let table = table(columns, &file.log[0], files, report)?;
            rows(table, &logs, &wants, &mut reading, report);
        }
    }
    if report.errors() > before {
        return None;
    }
    reading.finish(&file.log[0].place, file.columns.is_some(), report)
}

/// Reads logs of DSJSON lines.
fn lines(
    logs: &[(&Placed<String>, LogFile)],
    wants: Wants,
    reading: &mut Collected,
    report: &mut Report,
) {
    let mut log = DsjsonLog::new(wants);
    for (name, file) in logs {
        let LogFile::Text(source) = file else {
            let message = format!("`{}` is a Parquet file: a table, not DSJSON lines", file.name());
            let help = "say what its columns are: `columns: \
                        action=COLUMN,reward=COLUMN,probability=COLUMN`";
            report.push(Diagnostic::error(message).at(&name.place).help(help));
            continue;
        };
        let read = reading.read(file.name(), &mut log.lines(source.text().as_bytes()));
        report_unread(read, file.name(), &name.place, report);
    }
}

/// Reads the rows of tables: first their actions, then their events.
fn rows(
    mut table: Table,
    logs: &[(&Placed<String>, LogFile)],
    wants: &Wants,
    reading: &mut Collected,
    report: &mut Report,
) {
    let before = report.errors();
    for (name, file) in logs {
        let scanned = file.table().and_then(|input| table.scan(file.name(), input, &[], report));
        report_unread(scanned, file.name(), &name.place, report);
    }
    table.end_scan(report);
    // There are no files of probabilities.
    let mut nothing = |_: &str| Ok(Input::Text(Box::new(io::empty())));
    let prepared = table.prepare(wants, &[], &mut nothing, report);
    if report.errors() > before || prepared.is_err() {
        return;
    }
    for (name, file) in logs {
        let log = file.table().and_then(|input| table.log(file.name(), input, report));
        let read =
            log.and_then(|log| log.map_or(Ok(()), |mut log| reading.read(file.name(), &mut log)));
        report_unread(read, file.name(), &name.place, report);
    }
}

fn report_unread(read: io::Result<()>, file: &str, place: &Place, report: &mut Report) {
    if let Err(error) = read {
        let message = format!("`{file}` cannot be read: {error}");
        report.push(Diagnostic::error(message).at(place));
    }
}

/// The table that `columns` describes, with its catalogue.
fn table(
    columns: &Placed<String>,
    log: &Placed<String>,
    files: &Files,
    report: &mut Report,
) -> Option<Table> {
    let folder_of = |name: &str| Path::new(name).parent().unwrap_or(Path::new("")).to_owned();
    let (found, folder) = if columns.value == OPEN_BANDIT_DATASET {
        (open_bandit_dataset(), folder_of(&log.value))
    } else if columns.contains('=') {
        (parse_columns(columns), Path::new("").to_owned())
    } else {
        files.read(columns, &columns.place, report)?;
        (load_columns(&files.folder().join(&columns.value)), folder_of(&columns.value))
    };
    let TableColumns { columns: of_table, catalogue, catalogue_may_be_missing } = match found {
        Ok(found) => found,
        Err(mistakes) => {
            report.append(mistakes);
            return None;
        }
    };
    if of_table.probability.is_none() {
        let message = "a log without probabilities cannot be played";
        let help = "name the column with the probability of the choice: `probability=COLUMN`";
        report.push(Diagnostic::error(message).at(&columns.place).help(help));
        return None;
    }
    let mut table = Table::new(of_table);
    if let Some(catalogue) = catalogue {
        let name = folder.join(&catalogue.text).display().to_string();
        if !catalogue_may_be_missing || files.folder().join(&name).exists() {
            let source = files.read(&name, &columns.place, report)?;
            let bytes = source.text().to_owned().into_bytes();
            let input = Input::Text(Box::new(io::Cursor::new(bytes)));
            let read = table.read_catalogue(source.path(), input, report);
            report_unread(read, source.path(), &columns.place, report);
        }
    }
    Some(table)
}

/// Events that can be played, and lines that are none.
#[derive(Default)]
struct Collected {
    events: Vec<LoggedEvent>,
    lines: u64,
    rejected: u64,
    /// The first of them.
    shown: Vec<String>,
    /// The last list of actions, and the same with features.
    last: Option<[Arc<[RankableAction]>; 2]>,
}

impl Collected {
    fn read(&mut self, name: &str, log: &mut dyn LogReader) -> io::Result<()> {
        while let Some(LoggedLine { number, choice }) = log.next_line()? {
            self.lines += 1;
            let added = match choice {
                Ok(choice) => self.add(choice),
                Err(RejectedLine { reason, .. }) if reason.is_expected() => continue,
                Err(RejectedLine { reason, column, found }) => {
                    let found = found.map_or(String::new(), |found| format!(", found `{found}`"));
                    Err(format!(":{column} {}{found}", reason.words()))
                }
            };
            if let Err(why) = added {
                self.rejected += 1;
                if self.shown.len() < MOST_SHOWN {
                    self.shown.push(format!("{name}:{number}{why}"));
                }
            }
        }
        Ok(())
    }

    /// Adds an event, or says behind the number of its line why it is none.
    fn add(&mut self, choice: LoggedChoice) -> Result<(), String> {
        match (choice.views.into_iter().next(), choice.label) {
            (Some(Viewed::AsItCame(SeenEvent { context, actions, .. })), Some(label)) => {
                let actions = self.with_features(actions);
                self.events.push(LoggedEvent {
                    context,
                    actions,
                    chosen: label.action,
                    probability: f64::from(label.probability).min(1.0),
                    distribution: choice.distribution,
                    reward: f64::from(-label.cost) + 0.0,
                    count: f64::from(choice.count),
                });
                Ok(())
            }
            (Some(Viewed::Unseen(why)), _) => Err(format!(" {why}")),
            _ => Err(" has no reward".to_owned()),
        }
    }

    /// The actions as a service accepts them: one without features has its id.
    fn with_features(&mut self, actions: Arc<[RankableAction]>) -> Arc<[RankableAction]> {
        let lacks = |action: &RankableAction| action.features.iter().all(|of| of.0.is_empty());
        if !actions.iter().any(lacks) {
            return actions;
        }
        if let Some([before, after]) = &self.last
            && Arc::ptr_eq(before, &actions)
        {
            return after.clone();
        }
        let complete = |action: &RankableAction| {
            let id = ("id".to_owned(), FeatureValue::Text(action.id.to_string()));
            let features = [FeatureObject(vec![id])].into();
            if lacks(action) {
                RankableAction { features, ..action.clone() }
            } else {
                action.clone()
            }
        };
        let after: Arc<[_]> = actions.iter().map(complete).collect();
        self.last = Some([actions, after.clone()]);
        after
    }

    fn finish(
        self,
        place: &Place,
        is_table: bool,
        report: &mut Report,
    ) -> Option<Vec<LoggedEvent>> {
        let Self { events, lines, rejected, shown, .. } = self;
        let what = if is_table { "rows" } else { "lines" };
        if events.is_empty() {
            let message = format!("the log has no event to play, in {lines} {what}");
            let found = if shown.is_empty() { String::new() } else { shown.join("; ") + "; " };
            let help = format!(
                "{found}expected DSJSON lines with `_label_cost`, `_label_probability` and \
                 `_labelIndex`, or a table whose `columns` are named"
            );
            report.push(Diagnostic::error(message).at(place).help(help));
            return None;
        }
        if rejected > 0 {
            let message = format!("{rejected} of {lines} {what} cannot be played");
            let diagnostic = Diagnostic::warning(message).at(place);
            report.push(diagnostic.help(format!("the first are {}", shown.join("; "))));
        }
        Some(events)
    }
}

/// Refuses dimensions that no event has.
fn check_context(
    events: &[LoggedEvent],
    context: &[ContextDimension],
    log: &Place,
    report: &mut Report,
) -> Option<()> {
    /// So many events are looked at for the names of features.
    const MOST_LOOKED_AT: usize = 1000;
    let before = report.errors();
    for ContextDimension { name, .. } in context {
        if events.iter().any(|event| value(&event.context, name).is_some()) {
            continue;
        }
        let mut known = Vec::new();
        for event in events.iter().take(MOST_LOOKED_AT) {
            event.context.iter().for_each(|object| names(object, "", &mut known));
        }
        known.sort();
        known.dedup();
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its contexts have {}", listed(&known)),
        };
        let message = format!("no context of the log has `{}`", name.value);
        let diagnostic = Diagnostic::error(message).at(&name.place).help(help);
        report.push(diagnostic.context(log, "the log"));
    }
    (report.errors() == before).then_some(())
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    match (shown.is_empty(), names.len() > shown.len()) {
        (true, _) => "no features".to_owned(),
        (false, more) => shown.join(", ") + if more { ", …" } else { "" },
    }
}

fn names(object: &FeatureObject, prefix: &str, into: &mut Vec<String>) {
    for (key, value) in &object.0 {
        let name = format!("{prefix}{key}");
        match value {
            FeatureValue::Object(inner) => names(inner, &format!("{name}."), into),
            _ => into.push(name),
        }
    }
}

/// The value of a feature, by a name with dots.
fn value(context: &[FeatureObject], name: &str) -> Option<String> {
    context.iter().find_map(|object| value_in(object, name))
}

fn value_in(object: &FeatureObject, name: &str) -> Option<String> {
    object.0.iter().find_map(|(key, value)| match value {
        FeatureValue::Object(inner) => value_in(inner, name.strip_prefix(key)?.strip_prefix('.')?),
        _ if key != name => None,
        FeatureValue::Null => None,
        FeatureValue::Text(text) => Some(text.clone()),
        other => serde_json::to_string(other).ok(),
    })
}

fn values(context: &[FeatureObject], dimensions: &[&str]) -> Arc<[String]> {
    dimensions.iter().map(|name| value(context, name).unwrap_or_default()).collect()
}

/// What a visitor is offered: which actions, if not all in their order, and with which features,
/// if these are not those that the actions always have.
struct Offer {
    indices: Option<Arc<[usize]>>,
    features: Option<Arc<[RankableAction]>>,
}

/// The actions of all events.
struct Offers {
    actions: Arc<[RankableAction]>,
}

impl Offers {
    fn of_visitor(&self, offered: &Arc<[RankableAction]>, indices: &[usize]) -> Offer {
        let is_all = indices.len() == self.actions.len()
            && indices.iter().enumerate().all(|(at, index)| at == *index);
        let is_same = |(action, index): (&RankableAction, &usize)| {
            action.features == self.actions[*index].features
        };
        let are_known = offered.iter().zip(indices).all(is_same);
        Offer {
            indices: (!is_all || !are_known).then(|| indices.into()),
            features: (!are_known).then(|| offered.clone()),
        }
    }
}

/// A probability with four significant digits: a file may have it in single precision.
fn shortened(probability: f64) -> f64 {
    format!("{probability:.3e}").parse().unwrap_or(probability)
}

/// The world in which each event turns up in its turn (Li, Chu, Langford, Wang, "Unbiased Offline
/// Evaluation of Contextual-bandit-based News Article Recommendation Algorithms", WSDM 2011; with
/// rejection for loggers that are not uniform: Dudík, Erhan, Langford, Li, "Sample-efficient
/// Nonstationary Policy Evaluation for Contextual Bandits", UAI 2012, without its clipping).
fn replay(events: &[LoggedEvent], dimensions: &[&str]) -> PlayedLog {
    let mut actions: Vec<RankableAction> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for action in events.iter().flat_map(|event| event.actions.iter()) {
        index.entry(action.id.clone()).or_insert_with(|| {
            actions.push(action.clone());
            actions.len() - 1
        });
    }
    let offers = Offers { actions: actions.into() };
    // A line that stands for several events counts as often as one that was that much less probable.
    let share = |event: &LoggedEvent| event.probability / event.count;
    let lowest = events.iter().map(share).fold(1.0, f64::min);
    let visitor = |event: &LoggedEvent| {
        let indices: Vec<usize> = event.actions.iter().map(|action| index[&action.id]).collect();
        let chosen = indices[event.chosen];
        let offer = offers.of_visitor(&event.actions, &indices);
        Visitor {
            context: values(&event.context, dimensions),
            features: event.context.clone(),
            preference: Preference::Rewards(ActionRewards::new(vec![(chosen, event.reward)])),
            actions: offer.indices,
            weight: 1.0,
            offered: offer.features,
            logged: Some(Logged::Event {
                chosen,
                reward: event.reward,
                keep: lowest / share(event),
            }),
        }
    };
    let rows = events.iter().map(visitor).collect();
    let kept: f64 = events.iter().map(|event| lowest / share(event)).sum();
    let note = format!(
        "replay of {} events: a choice counts where it is the logged one and, for propensities of \
         {} to {}, in {:.1} % of these",
        events.len(),
        shortened(events.iter().map(|event| event.probability).fold(1.0, f64::min)),
        shortened(events.iter().map(|event| event.probability).fold(0.0, f64::max)),
        100.0 * kept / real(events.len()),
    );
    PlayedLog {
        population: Population { dimensions: owned(dimensions), rows },
        actions: offers.actions,
        reward: RewardRule { matched: 1.0, ..RewardRule::default() },
        log: LogWorld {
            kind: LogKind::Replay,
            notes: [note].into_iter().chain(thinned(events)).collect(),
        },
    }
}

/// How many events a log stands for that has a part of them only.
fn thinned(events: &[LoggedEvent]) -> Option<String> {
    let all: f64 = events.iter().map(|event| event.count).sum();
    let lines = events.len();
    (all > real(lines))
        .then(|| format!("the {lines} events of the log stand for {all:.0} (`pdrop`)"))
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of events")]
fn real(count: usize) -> f64 {
    count as f64
}

/// Refuses what does not go with a log that is replayed.
pub(crate) fn check(
    data: &Data,
    items: &[PhaseItem],
    phases: &[Phase],
    target: Option<&TargetPlan>,
    report: &mut Report,
) {
    if data.log.as_ref().is_none_or(|log| log.kind != LogKind::Replay) {
        return;
    }
    if target.is_some_and(|target| target.mapping().is_some()) {
        let message = "a service with calls of its own cannot replay a log";
        let help = "it would learn of choices that have no reward; use `play: twin`";
        report.push(Diagnostic::error(message).help(help));
    }
    if let Some(item) = items.iter().find(|item| item.parallel.is_some()) {
        let message = "a replay plays its events in their order, which parallel phases do not keep";
        let help = "list the phases one after the other, or use `play: twin`";
        report.push(Diagnostic::error(message).at(&item.place).help(help));
    }
    let events = data.population.rows.len() as u64;
    let mut asked = 0;
    for phase in phases {
        let Step::Iterate(iterate) = &phase.step else { continue };
        asked += iterate.iterations;
        if asked > events {
            let item = items.iter().find(|item| item.name == phase.name);
            let message = format!("a replay of {events} events cannot make {asked} iterations");
            let help = format!("each event turns up once: make {events} iterations at most");
            let diagnostic = Diagnostic::error(message).help(help);
            report.push(match item {
                Some(item) => diagnostic.at(&item.place),
                None => diagnostic,
            });
            return;
        }
    }
}
