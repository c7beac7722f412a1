//! What is taken from the answer to Rank.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::path::SingularPath;
use super::source::{Reply, ValueSource};
use record::Violation;

/// How far the sum of probabilities may be from one.
const SUM_TOLERANCE: f64 = 0.01;

/// How far a probability may be above one: services that count in 32 bits round.
const ROUNDING: f64 = 1e-6;

/// What the answer to Rank gives, and where.
#[derive(Debug, Clone, Serialize)]
pub struct Take {
    pub(super) action: Option<Choice>,
    pub(super) ranking: Option<Ranking>,
    pub(super) probability: Option<Probability<ValueSource>>,
    pub(super) event: Option<ValueSource>,
    pub(super) echo: Option<ValueSource>,
}

/// Where an action is, and which one stands for what.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Choice {
    #[serde(rename = "path")]
    pub source: ValueSource,
    pub lookup: Lookup,
}

/// Where a probability is, and what its number says.
#[derive(Debug, Clone)]
pub(super) struct Probability<S> {
    pub source: S,
    pub scale: Scale,
}

/// A fraction is written as its place alone.
impl<S: Serialize> Serialize for Probability<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        match self.scale {
            Scale::Fraction => self.source.serialize(serializer),
            scale => (&self.source, scale).serialize(serializer),
        }
    }
}

/// What the number of a probability says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// The probability itself.
    Fraction,
    /// A hundred times as much.
    Percent,
    /// Its natural logarithm.
    Log,
}

/// Which action of a ranking is chosen, where the answer does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    /// The best.
    Best,
    /// One that is drawn by the probabilities.
    Draw,
}

impl Pick {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_best(&self) -> bool {
        *self == Self::Best
    }
}

/// Where a ranking is; paths within it begin at an item.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ranking {
    pub path: SingularPath,
    pub action: Item,
    pub probability: Option<Probability<SingularPath>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<SingularPath>,
    #[serde(skip_serializing_if = "Pick::is_best")]
    pub choose: Pick,
    pub lookup: Lookup,
}

/// Where an item of a ranking gives its action.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Item {
    /// Its name in an object, or its place in a list. The places are those of the actions, unless
    /// `by` says what they stand for.
    Key {
        #[serde(skip)]
        is_place: bool,
    },
    #[serde(untagged)]
    Path(SingularPath),
}

/// The index of an action by what a service calls it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Lookup(pub Arc<BTreeMap<String, usize>>);

/// What an answer to Rank gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The index of the chosen action.
    pub action: usize,
    /// The probability with which it was chosen.
    pub probability: Option<f32>,
    /// The most probable action.
    pub favourite: Option<usize>,
    /// The probability of each action, in their order, if those of all are given.
    pub probabilities: Option<Vec<f64>>,
    /// The id of the decision at the service.
    pub event: Option<Json>,
}

/// How an answer is not what the scenario says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeError {
    /// What kind of violation, for counting.
    pub violation: Violation,
    /// What was found, for a person.
    pub message: String,
}

impl Take {
    /// Whether the answer gives the probability of the choice.
    #[must_use]
    pub fn gives_probability(&self) -> bool {
        self.probability.is_some()
            || self.ranking.as_ref().is_some_and(|ranking| ranking.probability.is_some())
    }

    /// Whether the service gives the id of the decision.
    #[must_use]
    pub fn gives_event(&self) -> bool {
        self.event.is_some()
    }

    /// Whether something is taken from the body of the answer.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        let probability = self.probability.as_ref().map(|probability| &probability.source);
        let action = self.action.as_ref().map(|action| &action.source);
        let mut sources =
            [action, probability, self.event.as_ref(), self.echo.as_ref()].into_iter();
        self.ranking.is_some() || sources.any(|of| of.is_some_and(|source| !source.is_header()))
    }

    /// Reads an answer to the Rank that was sent with `event_id`. `draw` gives a number from 0 to
    /// 1 (exclusive), uniformly.
    ///
    /// # Errors
    /// How the answer is not what the scenario says.
    pub fn read(
        &self,
        answer: Reply<'_>,
        event_id: &str,
        draw: impl FnOnce() -> f64,
    ) -> Result<Taken, TakeError> {
        self.check_echo(answer, event_id)?;
        let event = self.event.as_ref().map(|source| event(answer, source)).transpose()?;
        let ranked = self.ranking.as_ref().map(|ranking| ranking.read(answer.body)).transpose()?;
        let action = match (&self.action, &self.ranking, &ranked) {
            (Some(choice), ..) => choice.action(answer)?,
            (None, Some(ranking), Some(ranked)) => ranking.chosen(ranked, draw)?,
            _ => return Err(json("the answer gives no action".to_owned())),
        };
        let of_ranking = match &ranked {
            Some(ranked) => chosen_probability(ranked, action)?,
            None => None,
        };
        let probability = match &self.probability {
            Some(Probability { source, scale }) => {
                let value = source.find(answer).ok_or_else(|| json(source.nothing()))?;
                Some(probability(&value, *scale, source.text())?)
            }
            None => of_ranking,
        };
        if probability == Some(0.0) {
            return Err(violates(
                Violation::Probability,
                "the chosen action has probability 0".to_owned(),
            ));
        }
        let favourite = ranked.as_deref().and_then(favourite);
        let probabilities = match (&self.ranking, &ranked) {
            (Some(ranking), Some(ranked)) => all_probabilities(ranked, ranking.lookup.actions()),
            _ => None,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a probability is recorded in 32 bits")]
        let probability = probability.map(|probability| probability as f32);
        Ok(Taken { action, probability, favourite, probabilities, event })
    }

    fn check_echo(&self, answer: Reply<'_>, event_id: &str) -> Result<(), TakeError> {
        let Some(source) = &self.echo else { return Ok(()) };
        let echo = source.find(answer).ok_or_else(|| json(source.nothing()))?;
        if text_of(&echo).as_deref() == Some(event_id) {
            return Ok(());
        }
        let message = format!("the answer is for event `{}`", shown(&echo));
        Err(violates(Violation::Event, message))
    }
}

impl Choice {
    fn action(&self, answer: Reply<'_>) -> Result<usize, TakeError> {
        let value = self.source.find(answer).ok_or_else(|| json(self.source.nothing()))?;
        self.lookup.index(&value, self.source.text())
    }
}

/// An action of a ranking.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    action: usize,
    probability: Option<f64>,
    score: Option<f64>,
}

impl Ranking {
    /// The ranked actions, the best first.
    fn read(&self, answer: &Json) -> Result<Vec<Ranked>, TakeError> {
        let path = &self.path;
        let (items, has_order): (Vec<(Cow<'_, Json>, &Json)>, bool) = match found(answer, path)? {
            Json::Array(items) => (
                items.iter().enumerate().map(|(at, item)| (Cow::Owned(at.into()), item)).collect(),
                true,
            ),
            Json::Object(items) if matches!(self.action, Item::Key { .. }) => {
                let named = items.iter();
                (
                    named.map(|(name, item)| (Cow::Owned(name.as_str().into()), item)).collect(),
                    false,
                )
            }
            other => {
                let message = format!("`{}` is {}, not a list", path.text(), kind(other));
                return Err(json(message));
            }
        };
        let ranked = items.iter().map(|(key, item)| self.item(key, item));
        let mut ranked = ranked.collect::<Result<Vec<_>, _>>()?;
        if ranked.is_empty() {
            return Err(violates(Violation::Action, format!("`{}` is empty", path.text())));
        }
        self.check(&ranked)?;
        // Names of an object have no order.
        if self.score.is_some() {
            ranked.sort_by(|left, right| descending(left.score, right.score));
        } else if !has_order {
            ranked.sort_by(|left, right| descending(left.probability, right.probability));
        }
        Ok(ranked)
    }

    fn item(&self, key: &Json, item: &Json) -> Result<Ranked, TakeError> {
        let action = match &self.action {
            Item::Key { is_place: true } if key.is_u64() => self.place(key)?,
            Item::Key { .. } => self.lookup.index(key, self.path.text())?,
            Item::Path(path) => self.lookup.index(found(item, path)?, path.text())?,
        };
        let of_item = self.probability.as_ref().map(|Probability { source, scale }| {
            probability(found(item, source)?, *scale, source.text())
        });
        let score =
            self.score.as_ref().map(|path| number(found(item, path)?, path.text(), "a score"));
        Ok(Ranked { action, probability: of_item.transpose()?, score: score.transpose()? })
    }

    /// The action at a place.
    fn place(&self, place: &Json) -> Result<usize, TakeError> {
        let index = place.as_u64().and_then(|index| usize::try_from(index).ok());
        index.filter(|index| *index < self.lookup.actions()).ok_or_else(|| {
            let sent = self.lookup.actions();
            let message =
                format!("`{}` has an item {place}, {sent} actions were sent", self.path.text());
            violates(Violation::Action, message)
        })
    }

    /// The action that is chosen where nothing else says it.
    fn chosen(&self, ranked: &[Ranked], draw: impl FnOnce() -> f64) -> Result<usize, TakeError> {
        match self.choose {
            Pick::Best => Ok(ranked[0].action),
            Pick::Draw => {
                let all = all_probabilities(ranked, self.lookup.actions()).ok_or_else(|| {
                    let message = "the probabilities to draw by do not add up to 1".to_owned();
                    violates(Violation::Probability, message)
                })?;
                Ok(drawn(&all, draw()))
            }
        }
    }

    /// No action comes twice. Probabilities of all actions add up to one, those of some to no
    /// more.
    fn check(&self, ranked: &[Ranked]) -> Result<(), TakeError> {
        let mut seen = vec![false; self.lookup.actions()];
        for Ranked { action, .. } in ranked {
            if std::mem::replace(&mut seen[*action], true) {
                let message = "an action is ranked twice".to_owned();
                return Err(violates(Violation::Action, message));
            }
        }
        if self.probability.is_none() {
            return Ok(());
        }
        let sum: f64 = ranked.iter().filter_map(|ranked| ranked.probability).sum();
        let is_whole = ranked.len() == seen.len();
        if sum > 1.0 + SUM_TOLERANCE || (is_whole && sum < 1.0 - SUM_TOLERANCE) {
            let message = format!("the probabilities add up to {sum}");
            return Err(violates(Violation::Probability, message));
        }
        Ok(())
    }
}

/// The order of two numbers, the higher first.
fn descending(left: Option<f64>, right: Option<f64>) -> Ordering {
    right.unwrap_or_default().total_cmp(&left.unwrap_or_default())
}

/// The action that a number from 0 to 1 falls on.
fn drawn(probabilities: &[f64], number: f64) -> usize {
    let mut rest = number * probabilities.iter().sum::<f64>();
    for (action, probability) in probabilities.iter().enumerate() {
        rest -= probability;
        if rest < 0.0 {
            return action;
        }
    }
    // Rounding: the last that can be drawn.
    probabilities.iter().rposition(|probability| *probability > 0.0).unwrap_or_default()
}

impl Lookup {
    /// How many actions there are.
    fn actions(&self) -> usize {
        self.0.len()
    }

    fn index(&self, value: &Json, place: &str) -> Result<usize, TakeError> {
        let text = text_of(value)
            .ok_or_else(|| json(format!("`{place}` is {}, not an action", kind(value))))?;
        self.0.get(&text).copied().ok_or_else(|| {
            violates(Violation::Action, format!("the action `{}` was not sent", shown(value)))
        })
    }
}

/// What a text, a whole number or a boolean stands for. A number in a text is the same.
pub(super) fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => match number.as_f64() {
            // Services in dynamic languages write an index as `2.0`.
            Some(float) if number.is_f64() && float.fract() == 0.0 => Some(format!("{float:.0}")),
            _ => Some(number.to_string()),
        },
        _ => None,
    }
}

fn found<'a>(answer: &'a Json, path: &SingularPath) -> Result<&'a Json, TakeError> {
    path.find(answer).ok_or_else(|| json(format!("the answer has nothing at `{}`", path.text())))
}

/// The id of a decision keeps its type.
fn event(answer: Reply<'_>, source: &ValueSource) -> Result<Json, TakeError> {
    let event = source.find(answer).ok_or_else(|| match source {
        ValueSource::Path(_) => json(source.nothing()),
        ValueSource::Header { .. } => violates(Violation::Event, source.nothing()),
    })?;
    match &*event {
        Json::String(text) if !text.is_empty() => Ok(event.into_owned()),
        Json::Number(_) => Ok(event.into_owned()),
        _ => {
            let message = format!("`{}` is {}, not an id", source.text(), kind(&event));
            Err(violates(Violation::Event, message))
        }
    }
}

fn probability(value: &Json, scale: Scale, place: &str) -> Result<f64, TakeError> {
    let number = number(value, place, "a probability")?;
    let probability = match scale {
        Scale::Fraction => number,
        Scale::Percent => number / 100.0,
        Scale::Log => libm::exp(number),
    };
    if (0.0..=1.0 + ROUNDING).contains(&probability) {
        return Ok(probability.min(1.0));
    }
    let what = match scale {
        Scale::Fraction => "a probability",
        Scale::Percent => "a probability in percent",
        Scale::Log => "the logarithm of a probability",
    };
    Err(violates(Violation::Probability, format!("{number} is not {what}")))
}

/// A number, which services that count in decimals write as a text.
fn number(value: &Json, place: &str, what: &str) -> Result<f64, TakeError> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .ok_or_else(|| json(format!("`{place}` is {}, not {what}", kind(value))))
}

fn chosen_probability(ranked: &[Ranked], action: usize) -> Result<Option<f64>, TakeError> {
    let of_choice = ranked.iter().find(|ranked| ranked.action == action);
    let probability = of_choice.map(|ranked| ranked.probability);
    probability.ok_or_else(|| {
        let message = "the chosen action is not ranked".to_owned();
        violates(Violation::Action, message)
    })
}

/// The most probable action, if probabilities are given; of several, the one ranked first.
fn favourite(ranked: &[Ranked]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for Ranked { action, probability, .. } in ranked {
        let probability = (*probability)?;
        if best.is_none_or(|(_, most)| probability > most) {
            best = Some((*action, probability));
        }
    }
    best.map(|(action, _)| action)
}

/// The probability of each action, in their order, if the answer gives those of all. What is not
/// ranked is never chosen where the others leave nothing.
fn all_probabilities(ranked: &[Ranked], actions: usize) -> Option<Vec<f64>> {
    let mut probabilities = vec![0.0; actions];
    for Ranked { action, probability, .. } in ranked {
        probabilities[*action] = (*probability)?;
    }
    let sum: f64 = probabilities.iter().sum();
    ((sum - 1.0).abs() <= SUM_TOLERANCE).then_some(probabilities)
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(text) if text.is_empty() => "an empty text",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// A value of the service, on one line and not longer than a line.
fn shown(value: &Json) -> String {
    let text = text_of(value).unwrap_or_else(|| value.to_string());
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

fn json(message: String) -> TakeError {
    violates(Violation::Json, message)
}

fn violates(violation: Violation, message: String) -> TakeError {
    TakeError { violation, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> SingularPath {
        SingularPath::parse(text).ok().unwrap()
    }

    fn lookup(names: &[&str]) -> Lookup {
        Lookup(Arc::new(names.iter().map(|name| (*name).to_owned()).zip(0..).collect()))
    }

    fn nothing() -> Take {
        Take { action: None, ranking: None, probability: None, event: None, echo: None }
    }

    fn chosen(at: &str, names: &[&str]) -> Take {
        let source = ValueSource::Path(path(at));
        Take { action: Some(Choice { source, lookup: lookup(names) }), ..nothing() }
    }

    fn ranking(at: &str, action: Item, probability: Option<&str>) -> Ranking {
        let of = |text: &str| Probability { source: path(text), scale: Scale::Fraction };
        Ranking {
            path: path(at),
            action,
            probability: probability.map(of),
            score: None,
            choose: Pick::Best,
            lookup: lookup(&["a", "b", "c"]),
        }
    }

    fn ranked(at: &str, action: &str, probability: Option<&str>) -> Take {
        let ranking = ranking(at, Item::Path(path(action)), probability);
        Take { ranking: Some(ranking), ..nothing() }
    }

    /// What an answer with this body gives to the event `e1`.
    fn read(take: &Take, body: &Json) -> Result<Taken, TakeError> {
        take.read(Reply { body, header: &|_| None }, "e1", || 0.5)
    }

    fn violation(take: &Take, answer: &Json) -> Violation {
        read(take, answer).unwrap_err().violation
    }

    #[test]
    fn an_action_is_found_by_a_text_or_a_number() {
        let by_index = chosen("$.arm", &["0", "1", "2"]);
        for value in [json!(2), json!(2.0), json!("2")] {
            let answer = json!({ "arm": value });
            assert_eq!(read(&by_index, &answer).unwrap().action, 2, "{answer}");
        }
        for (answer, expected) in [
            (json!({ "arm": 3 }), Violation::Action),
            (json!({ "arm": 0.5 }), Violation::Action),
            (json!({ "arm": null }), Violation::Json),
            (json!({ "arm": [1] }), Violation::Json),
            (json!({}), Violation::Json),
            (json!("arm"), Violation::Json),
        ] {
            assert_eq!(violation(&by_index, &answer), expected, "{answer}");
        }
    }

    #[test]
    fn a_ranking_gives_what_it_holds() {
        let plain = ranked("$", "$", None);
        let taken = read(&plain, &json!(["c", "a"])).unwrap();
        assert_eq!((taken.action, taken.probability, taken.favourite), (2, None, None));
        let full = ranked("$.r", "$.id", Some("$.p"));
        let answer = json!({ "r": [
            { "id": "b", "p": 0.2 }, { "id": "c", "p": 0.7 }, { "id": "a", "p": 0.1 },
        ]});
        let taken = read(&full, &answer).unwrap();
        assert_eq!((taken.action, taken.probability, taken.favourite), (1, Some(0.2), Some(2)));
        let in_texts: Json = serde_json::from_str(
            &answer.to_string().replace("0.2", "\"0.2\"").replace("0.7", "\" 7e-1\""),
        )
        .unwrap();
        assert_eq!(read(&full, &in_texts).unwrap(), taken);
        for (answer, expected) in [
            (json!({ "r": [] }), Violation::Action),
            (json!({ "r": {} }), Violation::Json),
            (json!({ "r": [{ "id": "b", "p": 0.2 }, { "id": "b", "p": 0.2 }] }), Violation::Action),
            (json!({ "r": [{ "id": "x", "p": 0.2 }] }), Violation::Action),
            (json!({ "r": [{ "id": "b", "p": 1.2 }] }), Violation::Probability),
            (json!({ "r": [{ "id": "b", "p": 0.0 }] }), Violation::Probability),
            (json!({ "r": [{ "id": "b", "p": "x" }] }), Violation::Json),
            (json!({ "r": [{ "id": "b", "p": "NaN" }] }), Violation::Probability),
            (json!({ "r": [{ "id": "b", "p": "1.5" }] }), Violation::Probability),
            (
                json!({ "r": [{ "id": "b", "p": 0.7 }, { "id": "c", "p": 0.7 }] }),
                Violation::Probability,
            ),
            (
                json!({ "r": [{ "id": "a", "p": 0.1 }, { "id": "b", "p": 0.1 }, { "id": "c", "p": 0.1 }] }),
                Violation::Probability,
            ),
        ] {
            assert_eq!(violation(&full, &answer), expected, "{answer}");
        }
    }

    #[test]
    fn an_id_keeps_its_type_and_an_echo_must_be_ours() {
        let take = Take {
            event: Some(ValueSource::Path(path("$.id"))),
            echo: Some(ValueSource::Path(path("$.visit"))),
            ..chosen("$.item", &["a"])
        };
        let answer = |id: Json, visit: &str| json!({ "item": "a", "id": id, "visit": visit });
        assert_eq!(read(&take, &answer(json!(7), "e1")).unwrap().event, Some(json!(7)));
        assert_eq!(violation(&take, &answer(json!(7), "e2")), Violation::Event);
        assert_eq!(violation(&take, &answer(json!(null), "e1")), Violation::Event);
        assert_eq!(violation(&take, &answer(json!(""), "e1")), Violation::Event);
    }
    /// Names of an object have no order, and lists of scores no names.
    #[test]
    fn what_is_not_a_list_of_actions_is_ranked_by_its_numbers() {
        let by_name = Item::Key { is_place: true };
        let of = |ranking: Ranking| Take { ranking: Some(ranking), ..nothing() };
        let named = of(ranking("$.p", by_name.clone(), Some("$")));
        let taken = read(&named, &json!({ "p": { "a": 0.2, "b": "0.5", "c": 0.3 } })).unwrap();
        assert_eq!((taken.action, taken.probability, taken.favourite), (1, Some(0.5), Some(1)));
        assert_eq!(taken.probabilities, Some(vec![0.2, 0.5, 0.3]));
        let scored = of(Ranking { score: Some(path("$")), ..ranking("$", by_name.clone(), None) });
        for (body, best) in [
            (json!({ "a": -3, "c": -1.5 }), 2),
            (json!([-3, "1e3", 7]), 1),
            (json!([0.5, 0.5, 0.5]), 0),
        ] {
            let taken = read(&scored, &body).unwrap();
            assert_eq!((taken.action, taken.probability), (best, None), "{body}");
        }
        let nested = Ranking { score: Some(path("$.s")), ..ranking("$", by_name, Some("$.p")) };
        let body = json!({ "b": { "s": 1, "p": 0.1 }, "c": { "s": 2, "p": 0.9 } });
        assert_eq!(read(&of(nested), &body).unwrap().probability, Some(0.9));
        for (body, expected) in [
            (json!([1, 2, 3, 4]), Violation::Action),
            (json!({ "x": 1 }), Violation::Action),
            (json!({}), Violation::Action),
            (json!({ "a": null }), Violation::Json),
            (json!("a"), Violation::Json),
        ] {
            assert_eq!(violation(&scored, &body), expected, "{body}");
        }
    }

    #[test]
    fn a_probability_is_a_fraction_percent_or_a_logarithm() {
        let of = |scale| Take {
            probability: Some(Probability { source: ValueSource::Path(path("$.p")), scale }),
            ..chosen("$.a", &["a"])
        };
        let read = |scale, p: Json| read(&of(scale), &json!({ "a": "a", "p": p }));
        for (scale, number, expected) in [
            (Scale::Fraction, json!(0.25), 0.25),
            (Scale::Fraction, json!(1.000_000_1), 1.0),
            (Scale::Percent, json!("25"), 0.25),
            (Scale::Percent, json!(100), 1.0),
            (Scale::Log, json!(-std::f64::consts::LN_2), 0.5),
            (Scale::Log, json!(0), 1.0),
        ] {
            assert_eq!(
                read(scale, number.clone()).unwrap().probability,
                Some(expected),
                "{number}"
            );
        }
        for (scale, number) in [
            (Scale::Fraction, json!(25)),
            (Scale::Percent, json!(101)),
            (Scale::Log, json!(0.5)),
            (Scale::Log, json!("-inf")),
            (Scale::Fraction, json!(-0.1)),
        ] {
            let failed = read(scale, number.clone()).unwrap_err();
            assert_eq!(failed.violation, Violation::Probability, "{number}");
        }
    }

    #[test]
    fn a_draw_falls_on_each_action_as_often_as_its_probability_says() {
        let probabilities = [0.25, 0.0, 0.75];
        let draws = (0..1000).map(|index| drawn(&probabilities, f64::from(index) / 1000.0));
        let counts = draws.fold([0; 3], |mut counts, action| {
            counts[action] += 1;
            counts
        });
        assert_eq!(counts, [250, 0, 750]);
        let choose = Pick::Draw;
        let key = Item::Key { is_place: true };
        let take = |of: Ranking| Take { ranking: Some(Ranking { choose, ..of }), ..nothing() };
        let all = take(ranking("$", key, Some("$")));
        let taken = read(&all, &json!({ "c": 0.6, "a": 0.4 })).unwrap();
        assert_eq!((taken.action, taken.probability), (2, Some(0.6)));
        assert_eq!(violation(&all, &json!({ "c": 0.6 })), Violation::Probability);
    }

    #[test]
    fn everything_may_stand_in_headers() {
        let header = |name: &str| ValueSource::Header { header: name.to_owned() };
        let scale = Scale::Percent;
        let take = Take {
            action: Some(Choice { source: header("X-Arm"), lookup: lookup(&["0", "1"]) }),
            probability: Some(Probability { source: header("X-P"), scale }),
            event: Some(header("Location")),
            echo: Some(header("X-Id")),
            ranking: None,
        };
        assert!(!take.reads_body() && chosen("$", &["a"]).reads_body());
        let of = |without: &'static str| {
            let header = move |name: &str| match name {
                _ if name == without => None,
                "X-Arm" => Some(" 1 "),
                "X-P" => Some("40"),
                "Location" => Some("/d/7"),
                "X-Id" => Some("e1"),
                _ => None,
            };
            take.read(Reply { body: &Json::Null, header: &header }, "e1", || 0.0)
        };
        let taken = of("").unwrap();
        assert_eq!((taken.action, taken.probability), (1, Some(0.4)));
        assert_eq!(taken.event, Some(json!("/d/7")));
        assert_eq!(of("Location").unwrap_err().violation, Violation::Event);
        assert_eq!(of("X-Arm").unwrap_err().message, "the answer has no header `X-Arm`");
    }
}
