//! What was logged.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Service;
use super::answer::{self, Refusal};
use learning_loop::LearningLoop;
use protocol::ErrorCode;

type Answer = Result<Response, Refusal>;

/// `GET /logs/properties`
pub(super) async fn properties(State(service): State<Service>) -> Answer {
    let properties = service.call(|inner, now| Ok(inner.logs_properties(now))).await?;
    Ok(answer::json(StatusCode::OK, &properties))
}

/// What may follow `/log.dsjson?`.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    open: bool,
}

/// So many lines are made at once.
const LINES: usize = 256;

/// `GET /log.dsjson`: every joined event as a line that `vw --dsjson` and `runner
/// evaluate` read; with `?open=true` also those whose windows are open, as they stand.
pub(super) async fn lines(
    State(service): State<Service>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let invalid = |_| (ErrorCode::BadRequest, "`open` must be `true` or `false`".to_owned());
    let Query(Wanted { open }) = wanted.map_err(invalid)?;
    let events = service.call(|inner, now| Ok(inner.events(open, now))).await?;
    let chunks = (0..events.len()).step_by(LINES).map(move |from| {
        let to = events.len().min(from + LINES);
        Ok::<_, Infallible>(events.lines(from..to))
    });
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

/// `DELETE /logs`
pub(super) async fn delete(State(service): State<Service>) -> Answer {
    let forget = |inner: &mut LearningLoop, now| {
        inner.delete_logs(now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(answer::no_content())
}

/// `POST /logs/interactions` and `POST /logs/observations`: batches of the client library
/// that ranks in its own process. This loop ranks itself.
pub(super) async fn refuse_batch() -> Answer {
    let message = "this loop takes no batches of a client that ranks by itself: call rank";
    Err((ErrorCode::InvalidApiAccess, message.to_owned()).into())
}
