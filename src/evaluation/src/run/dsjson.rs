//! Logs of DSJSON lines.

use std::io::{self, BufRead};
use std::sync::Arc;

use foldhash::HashMap;
use memchr::memchr;
use protocol::{FeatureObject, FeatureValue, RankableAction};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::choice::{LogReader, LoggedChoice, LoggedLine, RejectedLine, Wants};
use super::log_summary::Rejection;
use super::segment;
use crate::view::{SeenEvent, Shape, Unseen, View, Viewed};
use crate::{FeatureName, FeatureOwner};
use learner::{DropReason, Dropped, DsjsonReader, Event, LoggedEvent};

/// Reads lines of DSJSON; what recurs is made once for all logs.
pub struct DsjsonLog {
    wants: Wants,
    /// Every line is read by it, whatever policies see.
    reader: DsjsonReader,
    views: Vec<ViewReader>,
}

/// One log of lines.
pub struct DsjsonLines<'a, R> {
    log: &'a mut DsjsonLog,
    input: R,
    number: u64,
    text: Vec<u8>,
}

/// Reads events in one form.
enum ViewReader {
    /// As [`DsjsonLog::reader`] does.
    OfLine,
    Hashed(DsjsonReader),
    HashedWithout(DsjsonReader, FeatureName),
    AsTheyCame(SeenReader, Option<FeatureName>),
}

impl DsjsonLog {
    /// A reader of these parts of lines.
    #[must_use]
    pub fn new(wants: Wants) -> Self {
        let hashings = wants.views.iter().filter_map(|view| match view {
            View { shape: Shape::Hashed(hashing), without: None } => Some(*hashing),
            _ => None,
        });
        let first = hashings.clone().next();
        let reader = |view: &View| match (view.shape, &view.without) {
            (Shape::Hashed(hashing), None) if Some(hashing) == first => ViewReader::OfLine,
            (Shape::Hashed(hashing), None) => ViewReader::Hashed(DsjsonReader::new(hashing)),
            (Shape::Hashed(hashing), Some(name)) => {
                ViewReader::HashedWithout(DsjsonReader::new(hashing), name.clone())
            }
            (Shape::AsTheyCame, without) => {
                ViewReader::AsTheyCame(SeenReader::default(), without.clone())
            }
        };
        let views = wants.views.iter().map(reader).collect();
        Self { reader: DsjsonReader::new(first.unwrap_or_default()), views, wants }
    }

    /// The lines of one log.
    pub fn lines<R>(&mut self, input: R) -> DsjsonLines<'_, R> {
        DsjsonLines { log: self, input, number: 0, text: Vec::new() }
    }

    /// What a line says; none of a blank one.
    fn line(&mut self, text: &[u8], number: u64) -> LineChoice {
        let line = text.trim_ascii_end();
        (!line.is_empty()).then(|| self.choice(line, number))
    }

    fn choice(&mut self, line: &[u8], number: u64) -> Result<LoggedChoice, RejectedLine> {
        let Self { wants, reader, views } = self;
        let logged = reader.read(line).map_err(rejected)?;
        if !wants.unlisted && !logged.event.listed {
            return Err(rejected(Dropped { reason: DropReason::Actions, column: 1 }));
        }
        let probability = logged.label.map(|label| f64::from(label.probability));
        if let Some(reason) = probability.and_then(Rejection::of_probability) {
            return Err(RejectedLine { reason, column: 1, found: None });
        }
        let LoggedEvent { id, time, event, label, distribution } = logged;
        let (choices, count) = (event.choices(), event.weight);
        let views = match views.as_mut_slice() {
            // So it is most often, and nothing is copied.
            [ViewReader::OfLine] => vec![Viewed::Hashed(event)],
            views => {
                let viewed = views.iter_mut().map(|view| view.read(line, &event, number));
                viewed.collect::<Result<_, _>>().map_err(rejected)?
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let id = id.as_deref().filter(|_| wants.ids);
        let time = time.as_deref().filter(|_| wants.times);
        Ok(LoggedChoice {
            id: id.map(text),
            time: time.and_then(|time| std::str::from_utf8(time).ok()?.parse().ok()),
            choices,
            count,
            views,
            label,
            distribution,
            candidates: Vec::new(),
            features: wants.features.iter().map(|path| segment::feature(line, path)).collect(),
        })
    }
}

fn rejected(Dropped { reason, column }: Dropped) -> RejectedLine {
    RejectedLine { reason: Rejection::Line(reason), column, found: None }
}

impl<R: BufRead + Send> LogReader for DsjsonLines<'_, R> {
    fn next_line(&mut self) -> io::Result<Option<LoggedLine>> {
        loop {
            self.number += 1;
            let Some(line) = self.line()? else { return Ok(None) };
            if let Some(choice) = line {
                return Ok(Some(LoggedLine { number: self.number, choice }));
            }
        }
    }
}

/// What a line says; none of a blank one.
type LineChoice = Option<Result<LoggedChoice, RejectedLine>>;

impl<R: BufRead> DsjsonLines<'_, R> {
    /// The next line. It is read in place, but where it goes on beyond the buffer.
    fn line(&mut self) -> io::Result<Option<LineChoice>> {
        let buffer = match self.input.fill_buf() {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            buffer => buffer.unwrap_or_default(),
        };
        if let Some(end) = memchr(b'\n', buffer) {
            let choice = self.log.line(&buffer[..end], self.number);
            self.input.consume(end + 1);
            return Ok(Some(choice));
        }
        self.text.clear();
        let length = self.input.read_until(b'\n', &mut self.text)?;
        Ok((length > 0).then(|| self.log.line(&self.text, self.number)))
    }
}

impl ViewReader {
    fn read(&mut self, line: &[u8], event: &Event, number: u64) -> Result<Viewed, Dropped> {
        Ok(match self {
            Self::OfLine => Viewed::Hashed(event.clone()),
            Self::Hashed(reader) => Viewed::Hashed(reader.read(line)?.event),
            Self::HashedWithout(reader, name) => match without(line, name) {
                Some(line) => Viewed::Hashed(reader.read(&line)?.event),
                None => Viewed::Unseen(Unseen::Unreadable),
            },
            Self::AsTheyCame(reader, without) => {
                let seen = unseen(event).map_or_else(|| reader.read(line, number), Err);
                let left_out = |event: SeenEvent| match without {
                    None => event,
                    Some(name) => {
                        let (context, actions) = name.left_out(&event.context, &event.actions);
                        SeenEvent { context, actions, ..event }
                    }
                };
                seen.map(left_out).map_or_else(Viewed::Unseen, Viewed::AsItCame)
            }
        })
    }
}

fn unseen(event: &Event) -> Option<Unseen> {
    if event.slots.is_some() {
        return Some(Unseen::Slots);
    }
    (!event.listed).then_some(Unseen::Unlisted)
}

/// Some writers put it before a line (UTF-8's byte order mark).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The namespace of a service's context, and those of its actions.
const CONTEXT: &str = "FromUrl";
const ACTION: &str = "j";
const IDENTITY: &str = "i";
const ACTIONS: &str = "_multi";

/// A line as far as policies see it that see events as they came.
#[derive(Deserialize)]
struct SeenLine<'a> {
    #[serde(rename = "EventId", default)]
    id: Option<String>,
    #[serde(borrow)]
    c: &'a RawValue,
}

#[derive(Deserialize)]
struct ActionsOf<'a> {
    #[serde(rename = "_multi", borrow)]
    actions: &'a RawValue,
}

/// Reads contexts and actions of lines. Actions that events share are read once.
#[derive(Default)]
pub(super) struct SeenReader {
    actions: HashMap<Box<str>, Arc<[RankableAction]>>,
}

/// The number of lists of actions that are shared.
const CAPACITY: usize = 256;

impl SeenReader {
    pub fn read(&mut self, line: &[u8], number: u64) -> Result<SeenEvent, Unseen> {
        self.event(line, number).map_err(|_| Unseen::Unreadable)
    }

    fn event(&mut self, line: &[u8], number: u64) -> serde_json::Result<SeenEvent> {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        let SeenLine { id, c } = serde_json::from_slice(line)?;
        let context: FeatureObject = serde_json::from_str(c.get())?;
        let actions = serde_json::from_str::<ActionsOf<'_>>(c.get())?.actions.get();
        Ok(SeenEvent {
            id: id.unwrap_or_else(|| number.to_string()),
            context: objects(context, CONTEXT).into(),
            actions: self.shared(actions)?,
        })
    }

    fn shared(&mut self, text: &str) -> serde_json::Result<Arc<[RankableAction]>> {
        if let Some(actions) = self.actions.get(text) {
            return Ok(actions.clone());
        }
        let parsed: Vec<FeatureObject> = serde_json::from_str(text)?;
        let actions: Arc<[_]> = parsed.into_iter().enumerate().map(action).collect();
        if self.actions.len() >= CAPACITY {
            self.actions.clear();
        }
        self.actions.insert(text.into(), actions.clone());
        Ok(actions)
    }
}

/// The objects of a namespace, then other namespaces and features in one object.
fn objects(of: FeatureObject, namespace: &str) -> Vec<FeatureObject> {
    let (mut objects, mut others) = (Vec::new(), Vec::new());
    for (key, value) in of.0 {
        match value {
            _ if !policy::is_feature(&key) => {}
            FeatureValue::Object(object) if key == namespace => objects.push(object),
            FeatureValue::List(values) if key == namespace => {
                objects.extend(values.into_iter().filter_map(|value| match value {
                    FeatureValue::Object(object) => Some(object),
                    _ => None,
                }));
            }
            value => others.push((key, value)),
        }
    }
    if !others.is_empty() {
        objects.push(FeatureObject(others));
    }
    objects
}

/// An action is known by its `_tag`, the `id` in `i`, or its number.
fn action((index, object): (usize, FeatureObject)) -> RankableAction {
    let text = |object: &FeatureObject, name: &str| {
        object.0.iter().find_map(|(key, value)| match value {
            FeatureValue::Text(text) if key == name => Some(text.clone()),
            _ => None,
        })
    };
    let identity = object.0.iter().find_map(|(key, value)| match value {
        FeatureValue::Object(object) if key == IDENTITY => text(object, "id"),
        _ => None,
    });
    let id = text(&object, "_tag").or(identity).unwrap_or_else(|| (index + 1).to_string());
    let others = object.0.into_iter().filter(|(key, _)| key != IDENTITY).collect();
    RankableAction { id: id.into(), features: objects(FeatureObject(others), ACTION).into() }
}

/// A line whose context or actions do not have a feature.
fn without(line: &[u8], name: &FeatureName) -> Option<Vec<u8>> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let mut object: FeatureObject = serde_json::from_slice(line).ok()?;
    let contexts = object.0.iter_mut().filter(|(key, _)| key == "c");
    for (_, context) in contexts {
        let FeatureValue::Object(context) = context else { return None };
        match name.of {
            FeatureOwner::Context => remove(context, CONTEXT, &name.path),
            FeatureOwner::Action => {
                let lists = context.0.iter_mut().filter(|(key, _)| key == ACTIONS);
                for (_, list) in lists {
                    let FeatureValue::List(actions) = list else { return None };
                    for action in actions {
                        let FeatureValue::Object(action) = action else { continue };
                        remove(action, ACTION, &name.path);
                    }
                }
            }
        }
    }
    serde_json::to_vec(&object).ok()
}

/// Removes a feature from a namespace, in which it stands without its name, and from all others.
fn remove(object: &mut FeatureObject, namespace: &str, path: &[String]) {
    for (key, value) in &mut object.0 {
        if key == namespace {
            each_object(value, &mut |object| remove_path(object, path));
        }
    }
    remove_path(object, path);
}

fn remove_path(object: &mut FeatureObject, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    object.0.retain(|(key, value)| {
        key != first || !rest.is_empty() || matches!(value, FeatureValue::Object(_))
    });
    for (key, value) in &mut object.0 {
        if key == first
            && let FeatureValue::Object(inner) = value
        {
            remove_path(inner, rest);
        }
    }
}

fn each_object(value: &mut FeatureValue, with: &mut dyn FnMut(&mut FeatureObject)) {
    match value {
        FeatureValue::Object(object) => with(object),
        FeatureValue::List(values) => values.iter_mut().for_each(|value| each_object(value, with)),
        _ => {}
    }
}
