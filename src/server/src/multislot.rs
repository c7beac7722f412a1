//! Rank, reward and activate for several slots at once.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::events::possible_id;
use super::path::Id;
use super::response::{self, ErrorResponse};
use super::{Service, body};
use learning_loop::{LogEntry, Ranker};
use protocol::{ErrorCode, MultiSlotRankRequest, MultiSlotRewardRequest};

type Reply = Result<Response, ErrorResponse>;

/// `POST /multislot/rank`
pub(crate) async fn rank(State(service): State<Service>, request: Request) -> Reply {
    let code = ErrorCode::InvalidRankRequest;
    let (request, upload): (MultiSlotRankRequest, _) = body::json(&service, request, code).await?;
    let decide = move |ranker: &mut Ranker, number, now| ranker.rank_slots(&request, number, now);
    let (ranked, entry) = service.decide(upload.len(), decide).await?;
    service.log(vec![entry], upload.len()).await?;
    Ok(response::json(StatusCode::CREATED, &ranked))
}

/// `POST /multislot/events/{eventId}/reward`
pub(crate) async fn reward(
    State(service): State<Service>,
    Id(event_id): Id,
    request: Request,
) -> Reply {
    let event_id = possible_id(&event_id, ErrorCode::InvalidRewardRequest)?;
    let code = ErrorCode::InvalidRewardRequest;
    let (rewards, upload): (MultiSlotRewardRequest, _) =
        body::json(&service, request, code).await?;
    service.log(LogEntry::slot_rewards(&event_id, rewards.reward)?, upload.len()).await?;
    Ok(response::no_content())
}

/// `POST /multislot/events/{eventId}/activate`
pub(crate) async fn activate(State(service): State<Service>, Id(event_id): Id) -> Reply {
    let event_id = possible_id(&event_id, ErrorCode::InvalidEventIdToActivate)?;
    service.log(vec![LogEntry::activation(event_id)], 0).await?;
    Ok(response::no_content())
}
