use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::answer::Refusal;
use protocol::ErrorCode;

/// More than fifty actions with hundreds of features.
const LARGEST: usize = 4 << 20;
/// How long a body may take, however it drips.
const SLOWEST: Duration = Duration::from_secs(30);

/// The body of a request as JSON; `invalid` is what the operation calls one that is not
/// what it takes.
pub(super) async fn json<T: DeserializeOwned>(
    request: Request,
    invalid: ErrorCode,
) -> Result<T, Refusal> {
    let bytes = text(request).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| (invalid, format!("the body cannot be used: {error}")).into())
}

/// The body of a request that says it is JSON.
pub(super) async fn text(request: Request) -> Result<Bytes, Refusal> {
    check_type(request.headers())?;
    bytes(request, LARGEST).await
}

/// The body of a request, if it is not larger than `most` bytes.
pub(super) async fn bytes(request: Request, most: usize) -> Result<Bytes, Refusal> {
    let body = request.into_body();
    let too_large = || {
        let message = format!("the body is larger than {most} bytes");
        Refusal::from((ErrorCode::PayloadSizeExceeded, message))
    };
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let read = tokio::time::timeout(SLOWEST, axum::body::to_bytes(body, most)).await;
    let read = read.map_err(|_| {
        Refusal::gateway(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
    })?;
    read.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>) {
            return too_large();
        }
        (ErrorCode::BadRequest, "the body ended too early".to_owned()).into()
    })
}

/// A page of another site may send any body but one that calls itself JSON.
fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = found.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
    {
        return Ok(());
    }
    let message = format!("the header `Content-Type` must be `application/json`, found `{found}`");
    Err(Refusal::gateway(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}
