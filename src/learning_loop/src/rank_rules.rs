use std::sync::Arc;

use super::action_numbers::ActionNumbers;
use super::checked_actions::CheckedActions;
use super::decision::Decision;
use super::interaction::Choice;
use super::limits::LoopLimits;
use protocol::{
    Digits, ErrorCode, EventId, FeatureObject, FeatureValue, LONGEST_ID, RankRequest, RankResponse,
    RankableAction, RankedAction, ServiceError,
};

/// Refuses requests that break a rule of the service.
#[derive(Debug, Default, Clone)]
pub(crate) struct Checker {
    /// The last valid actions and the number of their values: most requests have the same.
    valid: Option<(Arc<[RankableAction]>, usize)>,
    actions: CheckedActions,
}

impl Checker {
    pub fn check(
        &mut self,
        request: &RankRequest,
        limits: &LoopLimits,
        numbers: &mut ActionNumbers,
    ) -> Result<(), ServiceError> {
        self.check_action_list(&request.actions, limits, numbers)
            .and_then(|values| check_request(request, values, limits))
            .map_err(|message| ServiceError::new(ErrorCode::InvalidRankRequest, message))
    }

    /// Returns the number of values.
    fn check_action_list(
        &mut self,
        actions: &Arc<[RankableAction]>,
        limits: &LoopLimits,
        numbers: &mut ActionNumbers,
    ) -> Result<usize, String> {
        if let Some((valid, values)) = &self.valid
            && Arc::ptr_eq(valid, actions)
        {
            return Ok(*values);
        }
        check_count(actions.len(), limits)?;
        let values = self.actions.check(actions, numbers)?;
        self.valid = Some((actions.clone(), values));
        Ok(values)
    }
}

fn check_request(
    request: &RankRequest,
    values_of_actions: usize,
    limits: &LoopLimits,
) -> Result<(), String> {
    // A UUID is neither empty nor too long.
    if let Some(event_id) = request.event_id.as_ref().filter(|id| id.uuid().is_none()) {
        let mut digits = Digits::default();
        let text = event_id.text(&mut digits);
        check_id("an event", text)?;
        // RFC 3986, 5.2.4: clients remove these segments from the path of a reward.
        if matches!(text, "." | "..") {
            return Err(format!("the id of an event must not be `{text}`: no URL can address it"));
        }
    }
    check_values(values_of_actions + check_features(&request.context_features)?, limits)?;
    if request.actions.iter().all(|action| is_excluded(request, action)) {
        return Err("every action is excluded".to_owned());
    }
    Ok(())
}

fn check_count(count: usize, limits: &LoopLimits) -> Result<(), String> {
    let message = || format!("there must be 1 to {} actions, found {count}", limits.actions);
    (1..=limits.actions).contains(&count).then_some(()).ok_or_else(message)
}

pub(crate) fn check_id(what: &str, id: &str) -> Result<(), String> {
    let length = id.chars().count();
    let message =
        || format!("the id of {what} must have 1 to {LONGEST_ID} characters, found {length}");
    (1..=LONGEST_ID).contains(&length).then_some(()).ok_or_else(message)
}

/// Refuses too many values.
pub(crate) fn check_values(found: usize, limits: &LoopLimits) -> Result<(), String> {
    let most = limits.values();
    let message =
        || format!("a request may have {most} values at most, with empty objects, found {found}");
    (found <= most).then_some(()).ok_or_else(message)
}

/// Refuses features that break a rule. Returns the number of values and objects.
pub(crate) fn check_features(objects: &[FeatureObject]) -> Result<usize, String> {
    objects.iter().map(check_object).sum()
}

pub(crate) fn has_feature(object: &FeatureObject) -> bool {
    object.0.iter().any(|(_, value)| *value != FeatureValue::Null)
}

fn check_object(object: &FeatureObject) -> Result<usize, String> {
    let check = |(key, value): &(String, FeatureValue)| {
        if key.is_empty() {
            return Err("a feature has an empty name".to_owned());
        }
        check_value(key, value)
    };
    let values: usize = object.0.iter().map(check).sum::<Result<_, _>>()?;
    Ok(values + 1)
}

fn check_value(key: &str, value: &FeatureValue) -> Result<usize, String> {
    match value {
        FeatureValue::Object(object) => check_object(object),
        FeatureValue::List(values) => values
            .iter()
            .map(|value| match value {
                FeatureValue::Number(_) => check_value(key, value),
                _ => Err(format!("feature `{key}` is an array of other things than numbers")),
            })
            .sum(),
        FeatureValue::Number(number) => {
            let fits = number.as_f64().is_some_and(|value| value.abs() <= f64::from(f32::MAX));
            fits.then_some(1).ok_or_else(|| format!("feature `{key}` is too large: {number}"))
        }
        FeatureValue::Null | FeatureValue::Bool(_) | FeatureValue::Text(_) => Ok(1),
    }
}

/// The actions that may be chosen: the list of the request itself, if none is excluded.
pub(crate) fn rankable(request: &RankRequest) -> Arc<[RankableAction]> {
    if request.excluded_actions.is_empty() {
        return request.actions.clone();
    }
    request.actions.iter().filter(|action| !is_excluded(request, action)).cloned().collect()
}

fn is_excluded(request: &RankRequest, action: &RankableAction) -> bool {
    request.excluded_actions.iter().any(|id| **id == *action.id)
}

/// What is answered to a request. `choice` is of the actions that may be chosen.
pub(crate) fn decision(request: &RankRequest, event_id: &EventId, choice: &Choice) -> Decision {
    let event_id = event_id.clone();
    let probability = |action: &usize| choice.pmf[*action];
    if request.excluded_actions.is_empty() {
        let ranked = choice.ranking.iter().map(|action| (*action, probability(action)));
        return Decision { event_id, chosen: choice.chosen(), ranking: ranked.collect() };
    }
    let excluded = request.actions.iter().map(|action| is_excluded(request, action));
    let excluded: Vec<bool> = excluded.collect();
    let rankable: Vec<usize> =
        (0..excluded.len()).filter(|position| !excluded[*position]).collect();
    let mut ranked = choice.ranking.iter().map(|action| (rankable[*action], probability(action)));
    let mut place = |(position, is_excluded): (usize, &bool)| {
        if *is_excluded { Some((position, 0.0)) } else { ranked.next() }
    };
    let ranking = excluded.iter().enumerate().filter_map(&mut place).collect();
    Decision { event_id, chosen: rankable[choice.chosen()], ranking }
}

impl Decision {
    /// The answer of the contract to the request.
    pub(crate) fn answer(self, request: &RankRequest) -> RankResponse {
        let id = |position: usize| request.actions[position].id.clone();
        let ranked = |(position, probability)| RankedAction { id: id(position), probability };
        RankResponse {
            reward_action_id: id(self.chosen),
            ranking: self.ranking.into_iter().map(ranked).collect(),
            event_id: self.event_id,
        }
    }
}
