//! What templates may use.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use serde::Serialize;
use serde_json::{Number, Value as Json};

use super::encoding::Encoding;
use protocol::{EventId, FeatureObject, FeatureValue};
use timestamp::Timestamp;

/// What is the same in every call.
#[derive(Debug, Default)]
pub struct Offer {
    /// The actions by index, with the ids of the service.
    pub actions: Vec<Arc<Action>>,
    /// `actions`: as they are sent.
    pub sent: Value,
    /// `action_ids`
    pub ids: Value,
    /// `excluded_ids`
    pub excluded: Value,
    /// `secret`
    pub secrets: Value,
    /// How the features of a context become a vector.
    pub context: Arc<Encoding>,
}

impl Offer {
    /// The same, of which `actions` are sent as here.
    #[must_use]
    pub fn with_sent(&self, sent: Value) -> Self {
        Self {
            actions: self.actions.clone(),
            sent,
            ids: self.ids.clone(),
            excluded: self.excluded.clone(),
            secrets: self.secrets.clone(),
            context: Arc::clone(&self.context),
        }
    }
}

/// Values that were taken from answers before the first iteration, by name.
pub type Taken = Vec<(String, Json)>;

/// The variables of a call. Each has a value or not, by what is known when the call is made.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// What is the same in every call.
    pub offer: Arc<Offer>,
    /// `session`: what was taken from the first call.
    pub session: Arc<Taken>,
    /// `setup`: what was taken from the calls before the first iteration.
    pub setup: Arc<Taken>,
    /// `iteration`
    pub iteration: Option<u64>,
    /// `event_id`: our id.
    pub event_id: Option<Arc<str>>,
    /// `context`
    pub context: Option<Arc<[FeatureObject]>>,
    /// `event`: the id that the service gave, or ours.
    pub event: Option<Value>,
    /// `probability` of the chosen action.
    pub probability: Option<Value>,
    /// `action`: the index of the chosen one, or of the one that is rendered.
    pub action: Option<usize>,
    /// `reward`
    pub reward: Option<f64>,
    /// `now`: when the call is made.
    pub now: Option<Timestamp>,
    /// `request`: the call itself, for its headers.
    pub request: Option<Arc<Sent>>,
    /// `body`: of an answer.
    pub body: Option<Arc<str>>,
}

impl Variables {
    /// The variables of Rank.
    #[must_use]
    pub fn of_iteration(
        &self,
        iteration: u64,
        event_id: &EventId,
        context: &Arc<[FeatureObject]>,
    ) -> Self {
        Self {
            iteration: Some(iteration),
            event_id: Some(event_id.to_string().into()),
            context: Some(Arc::clone(context)),
            ..self.clone()
        }
    }

    /// The same, when Rank has chosen. `event` and `probability` are what the service gave, if it
    /// gave them.
    #[must_use]
    pub fn decided(&self, action: usize, event: Option<&Json>, probability: Option<&Json>) -> Self {
        let (event, probability) = (event.map(from_json), probability.map(from_json));
        Self { action: Some(action), event, probability, ..self.clone() }
    }

    /// The same, where the id of the decision is not known yet, and each part of it is its name.
    #[must_use]
    pub fn with_parts_of_event(&self) -> Self {
        let event = Value::from_object(Unanswered("event".to_owned()));
        Self { event: Some(event), ..self.clone() }
    }

    /// The same, when the reward is known.
    #[must_use]
    pub fn rewarded(&self, reward: f64) -> Self {
        Self { reward: Some(reward), ..self.clone() }
    }

    /// The same, with values that the answer to `session` gave.
    #[must_use]
    pub fn with_session(&self, taken: Vec<(String, Json)>) -> Self {
        Self { session: Arc::new(taken), ..self.clone() }
    }

    /// The same, with more values that the answers to `setup` gave.
    #[must_use]
    pub fn with_setup(&self, taken: Vec<(String, Json)>) -> Self {
        let all = self.setup.iter().cloned().chain(taken).collect();
        Self { setup: Arc::new(all), ..self.clone() }
    }

    /// The same, with nothing from `setup`.
    #[must_use]
    pub fn without_setup(&self) -> Self {
        Self { setup: Arc::default(), ..self.clone() }
    }

    /// The same, with what the session of `other` gave.
    #[must_use]
    pub fn in_session_of(&self, other: &Self) -> Self {
        Self { session: Arc::clone(&other.session), ..self.clone() }
    }

    /// Whether both are of one session, which begins anew with each `with_session`.
    #[must_use]
    pub fn is_in_session_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.session, &other.session)
    }

    /// The same, at the time at which the call is made.
    pub(super) fn at(&self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self.clone() }
    }

    /// The same, when all of the call but its headers is known.
    pub(super) fn sending(self, request: Sent) -> Self {
        Self { request: Some(Arc::new(request)), ..self }
    }

    /// The id that was sent, as text.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    fn value(&self, name: &str) -> Option<Value> {
        let text = |text: &Arc<str>| Value::from(Arc::clone(text));
        match name {
            "secret" => Some(self.offer.secrets.clone()),
            "now" => self.now.map(|now| Value::from_object(Moment(now))),
            "body" => self.body.as_ref().map(text),
            "request" => self.request.clone().map(Value::from_dyn_object),
            "session" => Some(taken(&self.session)),
            "setup" => Some(taken(&self.setup)),
            "iteration" => self.iteration.map(Value::from),
            "event_id" => self.event_id.as_ref().map(text),
            "event" => match &self.event {
                Some(event) => Some(event.clone()),
                None => self.event_id.as_ref().map(text),
            },
            "probability" => self.probability.clone(),
            "context" => {
                let features = Arc::clone(self.context.as_ref()?);
                let encoding = Arc::clone(&self.offer.context);
                Some(Value::from_object(Features { features, encoding }))
            }
            "actions" => Some(self.offer.sent.clone()),
            "action_ids" => Some(self.offer.ids.clone()),
            "excluded_ids" => Some(self.offer.excluded.clone()),
            "action" => {
                let action = self.offer.actions.get(self.action?)?;
                Some(Value::from_dyn_object(Arc::clone(action)))
            }
            "reward" => self.reward.map(Value::from),
            "columns" => Some(Value::from(self.offer.context.columns().to_vec())),
            _ => None,
        }
    }
}

/// [`Variables`] as the root of a template.
#[derive(Debug)]
pub(super) struct Root(pub Variables);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.value(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.value(key)
    }
}

fn taken(values: &Taken) -> Value {
    Value::from_pairs(values.iter().map(|(name, value)| (name.clone(), from_json(value))))
}

fn from_json(json: &Json) -> Value {
    Value::from(minijinja::value::Serde(json))
}

/// What an answer will give, by its name, and its parts by theirs.
#[derive(Debug)]
struct Unanswered(String);

impl Object for Unanswered {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Value::from_object(Self(format!("{}.{key}", self.0))))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// A time, as RFC 3339 has it, with parts.
#[derive(Debug)]
pub struct Moment(Timestamp);

impl Moment {
    /// The names of its parts.
    pub const PARTS: [&str; 2] = ["unix", "unix_ms"];
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let micros = self.0.unix_micros();
        match key.as_str()? {
            "unix" => Some(Value::from(micros.div_euclid(1_000_000))),
            "unix_ms" => Some(Value::from(micros.div_euclid(1_000))),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A call as it is sent, for the header that signs it.
#[derive(Debug, Default)]
pub struct Sent {
    /// Its method.
    pub method: &'static str,
    /// The path with its query.
    pub path: String,
    /// The body.
    pub body: String,
}

impl Sent {
    /// The names of its parts.
    pub const PARTS: [&str; 3] = ["method", "path", "body"];
}

impl Object for Sent {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "method" => Some(Value::from(self.method)),
            "path" => Some(Value::from(self.path.as_str())),
            "body" => Some(Value::from(self.body.as_str())),
            _ => None,
        }
    }
}

/// What a service calls an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ServiceId {
    /// A text.
    Text(Arc<str>),
    /// Sent as a number.
    Number(i64),
}

impl ServiceId {
    /// As it is sent.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(Arc::clone(text)),
            Self::Number(number) => Value::from(*number),
        }
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// An action: its id, with parts.
#[derive(Debug)]
pub struct Action {
    /// Its id at the service.
    pub id: ServiceId,
    /// Its index in the plan.
    pub index: usize,
    /// Its [`Features`].
    pub features: Value,
}

impl Object for Action {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "id" => Some(self.id.value()),
            "index" => Some(Value::from(self.index)),
            "features" => Some(self.features.clone()),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)
    }
}

/// The features of a visitor or an action as one map. Of a name that comes twice, the last
/// counts.
#[derive(Debug)]
pub struct Features {
    /// The features.
    pub features: Arc<[FeatureObject]>,
    /// How they become a vector.
    pub encoding: Arc<Encoding>,
}

impl Object for Features {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let mut all = self.features.iter().flat_map(|object| &object.0).rev();
        all.find(|(name, _)| name == key).map(|(_, value)| from_feature(value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.features.iter().flat_map(|object| &object.0) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        Enumerator::Values(names.into_iter().map(Value::from).collect())
    }
}

fn from_feature(feature: &FeatureValue) -> Value {
    match feature {
        FeatureValue::Null => Value::from(()),
        FeatureValue::Bool(value) => Value::from(*value),
        FeatureValue::Number(number) => from_number(number),
        FeatureValue::Text(text) => Value::from(text.as_str()),
        FeatureValue::List(items) => items.iter().map(from_feature).collect(),
        FeatureValue::Object(object) => Value::from_pairs(
            object.0.iter().map(|(name, value)| (name.clone(), from_feature(value))),
        ),
    }
}

/// An integer stays one.
pub(super) fn from_number(number: &Number) -> Value {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => Value::from(number),
        (_, Some(number), _) => Value::from(number),
        (.., number) => Value::from(number.unwrap_or(f64::NAN)),
    }
}
