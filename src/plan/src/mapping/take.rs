//! What is taken from the answer to Rank.

use serde::Serialize;
use serde_json::Value as Json;

use super::ranking::{Pick, Ranking, all_probabilities, chosen_probability, favourite};
use super::source::{Reply, ValueSource};
use super::value::{
    Lookup, Probability, TakeError, json, kind, probability, shown, text_of, violates,
};
use record::Violation;

/// What the answer to Rank gives, and where.
#[derive(Debug, Clone, Serialize)]
pub struct Take {
    /// The chosen action.
    pub action: Option<Choice>,
    /// A ranking of the actions.
    pub ranking: Option<Ranking>,
    /// The probability of the chosen action.
    pub probability: Option<Probability<ValueSource>>,
    /// The id that the service gives the event.
    pub event: Option<ValueSource>,
    /// Our id of the event, as the service repeats it.
    pub echo: Option<ValueSource>,
}

/// Where an action is, and which one stands for what.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    #[serde(rename = "path")]
    /// Where it is.
    pub source: ValueSource,
    /// Which action stands for what.
    pub lookup: Lookup,
}

/// What an answer to Rank gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The index of the chosen action.
    pub action: usize,
    /// The probability with which it was chosen.
    pub probability: Option<f64>,
    /// The most probable action.
    pub favourite: Option<usize>,
    /// The probability of each action, in their order, if those of all are given.
    pub probabilities: Option<Vec<f64>>,
    /// The id of the decision at the service.
    pub event: Option<Json>,
}

impl Take {
    /// Whether the answer gives the probability of the choice.
    #[must_use]
    pub fn gives_probability(&self) -> bool {
        self.probability.is_some()
            || self.ranking.as_ref().is_some_and(|ranking| ranking.probability.is_some())
    }

    /// Whether the runner draws the action.
    #[must_use]
    pub fn leaves_draw(&self) -> bool {
        let draws = |ranking: &Ranking| ranking.choose == Pick::Draw;
        self.action.is_none() && self.ranking.as_ref().is_some_and(draws)
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
        self.ranking.is_some() || sources.any(|of| of.is_some_and(ValueSource::is_in_body))
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
        // It is recorded in 32 bits.
        if probability.is_some_and(|probability| probability < f64::from(f32::MIN_POSITIVE)) {
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

/// The id of a decision keeps its type.
fn event(answer: Reply<'_>, source: &ValueSource) -> Result<Json, TakeError> {
    let event = source.find(answer).ok_or_else(|| match source {
        ValueSource::Path(_) => json(source.nothing()),
        ValueSource::Header { .. } | ValueSource::Cookie { .. } => {
            violates(Violation::Event, source.nothing())
        }
    })?;
    match &*event {
        Json::String(text) if !text.is_empty() => Ok(event.into_owned()),
        Json::Number(number) if number.is_f64() && number.as_f64().is_some_and(is_inexact) => {
            let message = format!(
                "`{}` is a number of more than 64 bits, which would not be sent back as it came: an \
                 id of so many digits must be a text",
                source.text(),
            );
            Err(violates(Violation::Event, message))
        }
        Json::Number(_) => Ok(event.into_owned()),
        Json::Object(parts) if !parts.is_empty() => Ok(event.into_owned()),
        _ => {
            let message = format!("`{}` is {}, not an id", source.text(), kind(&event));
            Err(violates(Violation::Event, message))
        }
    }
}

/// Whether a number stands for several integers.
fn is_inexact(number: f64) -> bool {
    const FIRST: f64 = 9_007_199_254_740_992.0;
    number.abs() >= FIRST
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::path::SingularPath;
    use super::super::ranking::{Item, Pick, drawn};
    use super::super::value::Scale;
    use super::*;

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
            cost: None,
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
        take.read(Reply { body, header: &|_| None, cookie: &|_| None }, "e1", || 0.5)
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

    /// What is no number is no score: `NaN` would be above all others.
    #[test]
    fn a_score_and_a_probability_are_finite_numbers() {
        let mut scored = ranking("$", Item::Path(path("$.a")), None);
        scored.score = Some(path("$.s"));
        let scored = Take { ranking: Some(scored), ..nothing() };
        let items = |score: Json| json!([{ "a": "a", "s": 1 }, { "a": "b", "s": score }]);
        assert_eq!(read(&scored, &items(json!("2e0"))).unwrap().action, 1);
        for odd in ["NaN", "inf", "-Infinity", "1e999", "", "1,5"] {
            assert_eq!(violation(&scored, &items(json!(odd))), Violation::Json, "{odd}");
        }
        let claimed = |scale: Scale, value: Json| {
            let source = ValueSource::Path(path("$.p"));
            let probability = Some(Probability { source, scale });
            let take = Take { probability, ..chosen("$.a", &["x"]) };
            read(&take, &json!({ "a": "x", "p": value })).map(|taken| taken.probability.unwrap())
        };
        assert_eq!(claimed(Scale::Percent, json!("25%")), Ok(0.25));
        assert_eq!(claimed(Scale::Percent, json!(" 2.5e1 % ")), Ok(0.25));
        assert_eq!(claimed(Scale::Percent, json!("25")), Ok(0.25));
        let unscaled = claimed(Scale::Fraction, json!("25%")).unwrap_err();
        assert!(unscaled.message.contains("`scale: percent`"), "{}", unscaled.message);
        assert_eq!(claimed(Scale::Percent, json!("%")).unwrap_err().violation, Violation::Json);
        // It could not be divided by, once it is recorded.
        let least = claimed(Scale::Log, json!(-200.0)).unwrap_err();
        assert_eq!(least.violation, Violation::Probability);
    }

    /// What Reward needs of a decision may have several parts.
    #[test]
    fn an_event_is_an_id_or_an_object() {
        let take = Take { event: Some(ValueSource::Path(path("$.e"))), ..chosen("$.a", &["x"]) };
        let event = |event: Json| read(&take, &json!({ "a": "x", "e": event }));
        for kept in [json!("d-7"), json!(7), json!({ "token": "t", "model": 3 })] {
            assert_eq!(event(kept.clone()).unwrap().event, Some(kept));
        }
        for odd in [json!(null), json!(""), json!(true), json!({}), json!([1])] {
            assert_eq!(event(odd).unwrap_err().violation, Violation::Event);
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
            take.read(Reply { body: &Json::Null, header: &header, cookie: &|_| None }, "e1", || 0.0)
        };
        let taken = of("").unwrap();
        assert_eq!((taken.action, taken.probability), (1, Some(0.4)));
        assert_eq!(taken.event, Some(json!("/d/7")));
        assert_eq!(of("Location").unwrap_err().violation, Violation::Event);
        assert_eq!(of("X-Arm").unwrap_err().message, "the answer has no header `X-Arm`");
    }
}
