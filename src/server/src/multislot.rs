//! Rank, reward and activate for several slots at once.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{self, Refusal};
use super::events::possible_id;
use super::path::Id;
use super::{Service, body};
use protocol::{ErrorCode, MultiSlotRankRequest, MultiSlotRewardRequest};

type Answer = Result<Response, Refusal>;

/// `POST /multislot/rank`
pub(super) async fn rank(State(service): State<Service>, request: Request) -> Answer {
    let code = ErrorCode::InvalidRankRequest;
    let request: MultiSlotRankRequest = body::json(request, code).await?;
    let ranked = service.call(|inner, now| inner.rank_slots(&request, now)).await?;
    Ok(answer::json(StatusCode::CREATED, &ranked))
}

/// `POST /multislot/events/{eventId}/reward`
pub(super) async fn reward(
    State(service): State<Service>,
    Id(event_id): Id,
    request: Request,
) -> Answer {
    let event_id = possible_id(&event_id, ErrorCode::InvalidRewardRequest)?;
    let code = ErrorCode::InvalidRewardRequest;
    let rewards: MultiSlotRewardRequest = body::json(request, code).await?;
    service.call(|inner, now| inner.reward_slots(&event_id, &rewards.reward, now)).await?;
    Ok(answer::no_content())
}

/// `POST /multislot/events/{eventId}/activate`
pub(super) async fn activate(State(service): State<Service>, Id(event_id): Id) -> Answer {
    let event_id = possible_id(&event_id, ErrorCode::InvalidEventIdToActivate)?;
    service.call(|inner, now| inner.activate(&event_id, now)).await?;
    Ok(answer::no_content())
}
