//! Rank, reward, activate.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{self, Refusal};
use super::path::Id;
use super::{Service, body};
use protocol::{ErrorCode, EventId, LONGEST_ID, RewardRequest};

type Answer = Result<Response, Refusal>;

/// `POST /rank`
pub(super) async fn rank(State(service): State<Service>, request: Request) -> Answer {
    let request = service.offers().request(&body::text(request).await?)?;
    let ranked = service.call(|inner, now| inner.rank(&request, now)).await?;
    Ok(answer::json(StatusCode::CREATED, &ranked))
}

/// `POST /events/{eventId}/reward`
pub(super) async fn reward(
    State(service): State<Service>,
    Id(event_id): Id,
    request: Request,
) -> Answer {
    let event_id = possible_id(&event_id, ErrorCode::InvalidRewardRequest)?;
    let reward: RewardRequest = body::json(request, ErrorCode::InvalidRewardRequest).await?;
    service.call(|inner, now| inner.reward(&event_id, reward, now)).await?;
    Ok(answer::no_content())
}

/// `POST /events/{eventId}/activate`
pub(super) async fn activate(State(service): State<Service>, Id(event_id): Id) -> Answer {
    let event_id = possible_id(&event_id, ErrorCode::InvalidEventIdToActivate)?;
    service.call(|inner, now| inner.activate(&event_id, now)).await?;
    Ok(answer::no_content())
}

/// The id of an event, unless no event can have it.
pub(super) fn possible_id(event_id: &str, invalid: ErrorCode) -> Result<EventId, Refusal> {
    let length = event_id.chars().count();
    if length <= LONGEST_ID {
        return Ok(event_id.into());
    }
    Err((
        invalid,
        format!("the id of an event has at most {LONGEST_ID} characters, found {length}"),
    )
        .into())
}
