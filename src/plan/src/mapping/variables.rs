//! What templates may use.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use serde_json::{Number, Value as Json};

use super::encoding::Encoding;
use protocol::{EventId, FeatureObject, FeatureValue};

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

    /// The id that was sent, as text.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    fn value(&self, name: &str) -> Option<Value> {
        let text = |text: &Arc<str>| Value::from(Arc::clone(text));
        match name {
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

/// An action: its id as a text, with parts.
#[derive(Debug)]
pub struct Action {
    /// Its id at the service.
    pub id: Arc<str>,
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
            "id" => Some(Value::from(Arc::clone(&self.id))),
            "index" => Some(Value::from(self.index)),
            "features" => Some(self.features.clone()),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
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
