//! Operations on the event log.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc::Receiver;

use super::Service;
use super::response::{self, ErrorResponse};
use learning_loop::LearningLoop;
use protocol::ErrorCode;

type Reply = Result<Response, ErrorResponse>;

/// `GET /logs/properties`
pub(crate) async fn properties(State(service): State<Service>) -> Reply {
    let properties = service.call(|inner, now| Ok(inner.logs_properties(now))).await?;
    Ok(response::json(StatusCode::OK, &properties))
}

/// The query of `GET /log.dsjson`.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    open: bool,
}

/// The number of lines in a chunk of the response.
const LINES: usize = 256;
/// The number of chunks that wait for the client.
const CHUNKS: usize = 4;

/// `GET /log.dsjson`: every joined event as a line for `vw --dsjson` and `runner evaluate`;
/// with `?open=true` also those whose windows are open, with the rewards so far.
pub(crate) async fn lines(
    State(service): State<Service>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let invalid = |_| (ErrorCode::BadRequest, "`open` must be `true` or `false`".to_owned());
    let Query(Wanted { open }) = wanted.map_err(invalid)?;
    let events = service.call(move |inner, now| Ok(inner.events(open, now))).await?;
    let (sender, chunks) = tokio::sync::mpsc::channel(CHUNKS);
    // A client that stalls loses its connection, which ends the thread.
    tokio::task::spawn_blocking(move || {
        let ranges = (0..events.len()).step_by(LINES);
        let mut ranges = ranges.map(|from| from..events.len().min(from + LINES));
        ranges.all(|range| sender.blocking_send(events.lines(range)).is_ok())
    });
    let next = async |mut chunks: Receiver<Vec<u8>>| {
        chunks.recv().await.map(|chunk| (Ok::<_, Infallible>(chunk), chunks))
    };
    let body = Body::from_stream(futures_util::stream::unfold(chunks, next));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

/// `DELETE /logs`
pub(crate) async fn delete(State(service): State<Service>) -> Reply {
    let forget = move |inner: &mut LearningLoop, now| {
        inner.delete_logs(now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(response::no_content())
}

/// `POST /logs/interactions` and `POST /logs/observations`: batches of the client library
/// with local inference, which is not supported.
pub(crate) async fn refuse_batch() -> Reply {
    let message =
        "local inference is not supported: call `POST /rank` and `POST /events/{eventId}/reward`";
    Err((ErrorCode::InvalidApiAccess, message.to_owned()).into())
}
