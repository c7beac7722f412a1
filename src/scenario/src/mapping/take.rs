//! What is taken from the answer to Rank.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::path::SingularPath;
use record::Violation;

/// How far the sum of probabilities may be from one.
const SUM_TOLERANCE: f64 = 0.01;

/// What the answer to Rank gives, and where.
#[derive(Debug, Clone, Serialize)]
pub struct Take {
    pub(super) action: Option<Choice>,
    pub(super) ranking: Option<Ranking>,
    pub(super) probability: Option<SingularPath>,
    pub(super) event: Option<SingularPath>,
    /// The header that gives the id of the decision, in place of `event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_header: Option<String>,
    pub(super) echo: Option<SingularPath>,
}

/// Where an action is, and which one stands for what.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Choice {
    pub path: SingularPath,
    pub lookup: Lookup,
}

/// Where a ranking is; paths within it begin at an item.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ranking {
    pub path: SingularPath,
    pub action: SingularPath,
    pub probability: Option<SingularPath>,
    pub lookup: Lookup,
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
        self.event.is_some() || self.event_header.is_some()
    }

    /// The id of the decision in a header of the answer; none, if no header gives it.
    ///
    /// # Errors
    /// There is no such header, or it is empty.
    pub fn event_of_headers<'a>(
        &self,
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Option<Json>, TakeError> {
        let Some(name) = &self.event_header else { return Ok(None) };
        let id = header(name).map(str::trim).filter(|id| !id.is_empty());
        id.map(|id| Some(id.into())).ok_or_else(|| {
            violates(Violation::Event, format!("the answer has no id in the header `{name}`"))
        })
    }

    /// Reads an answer to the Rank that was sent with `event_id`.
    ///
    /// # Errors
    /// How the answer is not what the scenario says.
    pub fn read(&self, answer: &Json, event_id: &str) -> Result<Taken, TakeError> {
        self.check_echo(answer, event_id)?;
        let event = self.event.as_ref().map(|path| event(answer, path)).transpose()?;
        let ranked = self.ranking.as_ref().map(|ranking| ranking.read(answer)).transpose()?;
        let action = match (&self.action, &ranked) {
            (Some(choice), _) => choice.lookup.index(found(answer, &choice.path)?, &choice.path)?,
            (None, Some(ranked)) => ranked[0].0,
            (None, None) => return Err(json("the answer gives no action".to_owned())),
        };
        let of_ranking = match &ranked {
            Some(ranked) => chosen_probability(ranked, action)?,
            None => None,
        };
        let probability = match &self.probability {
            Some(path) => Some(probability(found(answer, path)?, path)?),
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

    fn check_echo(&self, answer: &Json, event_id: &str) -> Result<(), TakeError> {
        let Some(path) = &self.echo else { return Ok(()) };
        let echo = found(answer, path)?;
        if text_of(echo).as_deref() == Some(event_id) {
            return Ok(());
        }
        let message = format!("the answer is for event `{}`", shown(echo));
        Err(violates(Violation::Event, message))
    }
}

/// An action, and its probability if it is given.
type Ranked = (usize, Option<f64>);

impl Ranking {
    fn read(&self, answer: &Json) -> Result<Vec<Ranked>, TakeError> {
        let path = &self.path;
        let Json::Array(items) = found(answer, path)? else {
            return Err(json(format!("`{}` is not a list", path.text())));
        };
        let ranked = items.iter().map(|item| self.item(item)).collect::<Result<Vec<_>, _>>()?;
        if ranked.is_empty() {
            return Err(violates(Violation::Action, format!("`{}` is empty", path.text())));
        }
        self.check(&ranked)?;
        Ok(ranked)
    }

    fn item(&self, item: &Json) -> Result<Ranked, TakeError> {
        let action = self.lookup.index(found(item, &self.action)?, &self.action)?;
        let of_item = self.probability.as_ref().map(|path| probability(found(item, path)?, path));
        Ok((action, of_item.transpose()?))
    }

    /// No action comes twice. Probabilities of all actions add up to one, those of some to no
    /// more.
    fn check(&self, ranked: &[Ranked]) -> Result<(), TakeError> {
        let mut seen = vec![false; self.lookup.actions()];
        for (action, _) in ranked {
            if std::mem::replace(&mut seen[*action], true) {
                let message = "an action is ranked twice".to_owned();
                return Err(violates(Violation::Action, message));
            }
        }
        if self.probability.is_none() {
            return Ok(());
        }
        let sum: f64 = ranked.iter().filter_map(|(_, probability)| *probability).sum();
        let is_whole = ranked.len() == seen.len();
        if sum > 1.0 + SUM_TOLERANCE || (is_whole && sum < 1.0 - SUM_TOLERANCE) {
            let message = format!("the probabilities add up to {sum}");
            return Err(violates(Violation::Probability, message));
        }
        Ok(())
    }
}

impl Lookup {
    /// How many actions there are.
    fn actions(&self) -> usize {
        self.0.len()
    }

    fn index(&self, value: &Json, path: &SingularPath) -> Result<usize, TakeError> {
        let text = text_of(value)
            .ok_or_else(|| json(format!("`{}` is {}, not an action", path.text(), kind(value))))?;
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
fn event(answer: &Json, path: &SingularPath) -> Result<Json, TakeError> {
    let event = found(answer, path)?;
    match event {
        Json::String(text) if !text.is_empty() => Ok(event.clone()),
        Json::Number(_) => Ok(event.clone()),
        _ => {
            let message = format!("`{}` is {}, not an id", path.text(), kind(event));
            Err(violates(Violation::Event, message))
        }
    }
}

fn probability(value: &Json, path: &SingularPath) -> Result<f64, TakeError> {
    // Services that count in decimals write them as texts.
    let number = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .ok_or_else(|| json(format!("`{}` is {}, not a probability", path.text(), kind(value))))?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(violates(Violation::Probability, format!("{number} is not a probability")))
    }
}

fn chosen_probability(ranked: &[Ranked], action: usize) -> Result<Option<f64>, TakeError> {
    let of_choice = ranked.iter().find(|(ranked, _)| *ranked == action);
    let probability = of_choice.map(|(_, probability)| *probability);
    probability.ok_or_else(|| {
        let message = "the chosen action is not ranked".to_owned();
        violates(Violation::Action, message)
    })
}

/// The most probable action, if probabilities are given; of several, the one ranked first.
fn favourite(ranked: &[Ranked]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (action, probability) in ranked {
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
    for (action, probability) in ranked {
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
        Take {
            action: None,
            ranking: None,
            probability: None,
            event: None,
            event_header: None,
            echo: None,
        }
    }

    fn chosen(at: &str, names: &[&str]) -> Take {
        Take { action: Some(Choice { path: path(at), lookup: lookup(names) }), ..nothing() }
    }

    fn ranked(at: &str, action: &str, probability: Option<&str>) -> Take {
        let ranking = Ranking {
            path: path(at),
            action: path(action),
            probability: probability.map(path),
            lookup: lookup(&["a", "b", "c"]),
        };
        Take { ranking: Some(ranking), ..nothing() }
    }

    fn violation(take: &Take, answer: &Json) -> Violation {
        take.read(answer, "e1").unwrap_err().violation
    }

    #[test]
    fn an_action_is_found_by_a_text_or_a_number() {
        let by_index = chosen("$.arm", &["0", "1", "2"]);
        for value in [json!(2), json!(2.0), json!("2")] {
            let answer = json!({ "arm": value });
            assert_eq!(by_index.read(&answer, "e1").unwrap().action, 2, "{answer}");
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
        let taken = plain.read(&json!(["c", "a"]), "e1").unwrap();
        assert_eq!((taken.action, taken.probability, taken.favourite), (2, None, None));
        let full = ranked("$.r", "$.id", Some("$.p"));
        let answer = json!({ "r": [
            { "id": "b", "p": 0.2 }, { "id": "c", "p": 0.7 }, { "id": "a", "p": 0.1 },
        ]});
        let taken = full.read(&answer, "e1").unwrap();
        assert_eq!((taken.action, taken.probability, taken.favourite), (1, Some(0.2), Some(2)));
        let in_texts: Json = serde_json::from_str(
            &answer.to_string().replace("0.2", "\"0.2\"").replace("0.7", "\" 7e-1\""),
        )
        .unwrap();
        assert_eq!(full.read(&in_texts, "e1").unwrap(), taken);
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
            event: Some(path("$.id")),
            echo: Some(path("$.visit")),
            ..chosen("$.item", &["a"])
        };
        let answer = |id: Json, visit: &str| json!({ "item": "a", "id": id, "visit": visit });
        assert_eq!(take.read(&answer(json!(7), "e1"), "e1").unwrap().event, Some(json!(7)));
        assert_eq!(violation(&take, &answer(json!(7), "e2")), Violation::Event);
        assert_eq!(violation(&take, &answer(json!(null), "e1")), Violation::Event);
        assert_eq!(violation(&take, &answer(json!(""), "e1")), Violation::Event);
    }
}
