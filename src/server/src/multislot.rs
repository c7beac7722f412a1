//! Rank, reward and activate for several slots at once.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::events::possible_id;
use super::path::Id;
use super::response::{self, ErrorResponse};
use super::{Service, body};
use protocol::{ErrorCode, MultiSlotRankRequest, MultiSlotRewardRequest};

type Reply = Result<Response, ErrorResponse>;

/// `POST /multislot/rank`
pub(crate) async fn rank(State(service): State<Service>, request: Request) -> Reply {
    let code = ErrorCode::InvalidRankRequest;
    let request: MultiSlotRankRequest = body::json(&service, request, code).await?;
    let ranked = service.call(|inner, now| inner.rank_slots(&request, now)).await?;
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
    let rewards: MultiSlotRewardRequest = body::json(&service, request, code).await?;
    service.call(|inner, now| inner.reward_slots(&event_id, &rewards.reward, now)).await?;
    Ok(response::no_content())
}

/// `POST /multislot/events/{eventId}/activate`
pub(crate) async fn activate(State(service): State<Service>, Id(event_id): Id) -> Reply {
    let event_id = possible_id(&event_id, ErrorCode::InvalidEventIdToActivate)?;
    service.call(|inner, now| inner.activate(&event_id, now)).await?;
    Ok(response::no_content())
}
