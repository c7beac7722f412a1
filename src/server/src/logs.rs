//! Operations on the event log.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;

use super::response::{self, ErrorResponse};
use super::{Service, background};
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

/// `GET /log.dsjson`: every joined event as a line for `vw --dsjson` and `runner evaluate`;
/// with `?open=true` also those whose windows are open, with the rewards so far.
pub(crate) async fn lines(
    State(service): State<Service>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let invalid = |_| (ErrorCode::BadRequest, "`open` must be `true` or `false`".to_owned());
    let Query(Wanted { open }) = wanted.map_err(invalid)?;
    let download = service.begin_download()?;
    let events = service.call(move |inner, now| Ok(inner.events(open, now))).await?;
    let starts = (0..events.len()).step_by(LINES);
    let events = Arc::new((events, download));
    // Each chunk is made when the client has read those before: a client that stalls must not
    // hold a thread.
    let chunk = move |from: usize| {
        let events = Arc::clone(&events);
        background::run(move || {
            let (events, _) = &*events;
            Ok(events.lines(from..events.len().min(from + LINES)))
        })
    };
    let chunks = futures_util::stream::iter(starts).then(chunk);
    let chunks = chunks.map_err(|refusal| std::io::Error::other(refusal.message));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks)).into_response())
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
