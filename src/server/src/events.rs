//! Rank, reward, activate.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::path::Id;
use super::response::{self, ErrorResponse};
use super::{Service, body};
use learning_loop::{LogEntry, Ranker};
use protocol::{ErrorCode, EventId, LONGEST_ID, RewardRequest};

type Reply = Result<Response, ErrorResponse>;

/// `POST /rank`
pub(crate) async fn rank(State(service): State<Service>, request: Request) -> Reply {
    let upload = body::text(&service, request).await?;
    let (cache, size, content) = (service.action_cache(), upload.len(), upload.clone());
    let parse = move || Ok(cache.request(&content)?);
    let request = body::offload(size, parse).await?;
    let decide = move |ranker: &mut Ranker, number, now| ranker.rank(&request, number, now);
    let (ranked, entry) = service.decide(size, decide).await?;
    service.log(vec![entry], size).await?;
    Ok(response::json(StatusCode::CREATED, &ranked))
}

/// `POST /events/{eventId}/reward`
pub(crate) async fn reward(
    State(service): State<Service>,
    Id(event_id): Id,
    request: Request,
) -> Reply {
    let event_id = possible_id(&event_id, ErrorCode::InvalidRewardRequest)?;
    let (reward, _): (RewardRequest, _) =
        body::json(&service, request, ErrorCode::InvalidRewardRequest).await?;
    service.log(vec![LogEntry::reward(event_id, reward)?], 0).await?;
    Ok(response::no_content())
}

/// `POST /events/{eventId}/activate`
pub(crate) async fn activate(State(service): State<Service>, Id(event_id): Id) -> Reply {
    let event_id = possible_id(&event_id, ErrorCode::InvalidEventIdToActivate)?;
    service.log(vec![LogEntry::activation(event_id)], 0).await?;
    Ok(response::no_content())
}

/// Parses the id of an event.
pub(crate) fn possible_id(event_id: &str, invalid: ErrorCode) -> Result<EventId, ErrorResponse> {
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
