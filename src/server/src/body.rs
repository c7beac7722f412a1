//! Request bodies: bounded one by one and all together.

use std::io::Read;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::response::ErrorResponse;
use super::{Service, background};
use protocol::ErrorCode;

/// The largest JSON body in bytes: fifty actions with hundreds of features are smaller.
const LARGEST: usize = 4 << 20;

/// The deadline for a body.
const SLOWEST: Duration = Duration::from_secs(30);

/// Bodies from this size on are handled on a blocking thread: thousands of features take
/// milliseconds to parse and to rank.
pub(crate) const LARGE: usize = 8 << 10;

/// Bodies from this size on are handled on a background thread: 4 MiB take 20 to 40 ms to parse.
pub(crate) const HUGE: usize = 256 << 10;

/// Large requests keep at most half of the cores busy: small ones must not wait for a core.
static LARGE_REQUESTS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(background::half_of_cores()));

/// The bytes of all bodies that are being received or parsed.
#[derive(Debug)]
pub(crate) struct UploadBudget(Arc<Semaphore>);

/// A body, and its share of the budget. Whoever awaits work on it keeps a clone: the share is given
/// back under a lock.
#[derive(Clone)]
pub(crate) struct Upload {
    bytes: Bytes,
    _reservation: Arc<Option<OwnedSemaphorePermit>>,
}

impl UploadBudget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ErrorResponse> {
        let message = "too much is being uploaded; try again";
        let busy = || ErrorResponse::gateway(StatusCode::SERVICE_UNAVAILABLE, message);
        let count = u32::try_from(bytes).map_err(|_| busy())?;
        Arc::clone(&self.0).try_acquire_many_owned(count).map_err(|_| busy())
    }
}

impl Deref for Upload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The body of a request, parsed as JSON; `invalid` is the code of the operation for a body
/// that cannot be parsed. The upload keeps its share of the budget.
pub(crate) async fn json<T: DeserializeOwned + Send + 'static>(
    service: &Service,
    request: Request,
    invalid: ErrorCode,
) -> Result<(T, Upload), ErrorResponse> {
    let upload = text(service, request).await?;
    let content = upload.clone();
    let parse = move || {
        let parsed = serde_json::from_slice(&content);
        parsed.map_err(|error| (invalid, format!("invalid body: {error}")).into())
    };
    let parsed = offload(upload.len(), parse).await?;
    Ok((parsed, upload))
}

/// The body of a request with a JSON content type.
pub(crate) async fn text(service: &Service, request: Request) -> Result<Upload, ErrorResponse> {
    check_type(request.headers())?;
    bytes(service, request, LARGEST).await
}

/// The body of a request of at most `most` bytes, decompressed.
pub(crate) async fn bytes(
    service: &Service,
    request: Request,
    most: usize,
) -> Result<Upload, ErrorResponse> {
    let is_gzip = is_gzip(request.headers())?;
    let received = receive(service.uploads(), request.into_body(), most);
    let upload = tokio::time::timeout(SLOWEST, received).await.map_err(|_| {
        ErrorResponse::gateway(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
    })??;
    if !is_gzip {
        return Ok(upload);
    }
    let reservation = Arc::new(Some(service.uploads().reserve(most)?));
    let content = upload.clone();
    let bytes = offload(LARGE, move || decompress(&content, most)).await?;
    Ok(Upload { bytes, _reservation: reservation })
}

async fn receive(budget: &UploadBudget, body: Body, most: usize) -> Result<Upload, ErrorResponse> {
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let mut chunks = body.into_data_stream();
    let (mut parts, mut length) = (Vec::new(), 0);
    let mut reservation: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = chunks.next().await {
        let ended = |_| (ErrorCode::BadRequest, "the body ended too early".to_owned());
        let chunk: Bytes = chunk.map_err(ended)?;
        length += chunk.len();
        if length > most {
            return Err(too_large(most));
        }
        let reserved = budget.reserve(chunk.len())?;
        match &mut reservation {
            Some(reservation) => reservation.merge(reserved),
            None => reservation = Some(reserved),
        }
        parts.push(chunk);
    }
    let bytes = match parts.len() {
        1 => parts.remove(0),
        _ => offload(length, move || Ok(parts.concat().into())).await?,
    };
    Ok(Upload { bytes, _reservation: Arc::new(reservation) })
}

fn decompress(upload: &[u8], most: usize) -> Result<Bytes, ErrorResponse> {
    let mut content = Vec::new();
    let limit = most as u64 + 1;
    MultiGzDecoder::new(upload).take(limit).read_to_end(&mut content).map_err(|error| {
        ErrorResponse::from((ErrorCode::BadRequest, format!("the body is not valid gzip: {error}")))
    })?;
    if content.len() > most {
        return Err(too_large(most));
    }
    Ok(content.into())
}

/// Runs `work` here if its input is small, otherwise on a blocking or a background thread.
pub(crate) async fn offload<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> Result<T, ErrorResponse> + Send + 'static,
) -> Result<T, ErrorResponse> {
    if size < LARGE {
        return work();
    }
    if size >= HUGE {
        return background::run(work).await;
    }
    let _turn = LARGE_REQUESTS.acquire().await;
    block(work).await
}

/// Runs `work`, which may wait, on a blocking thread.
pub(crate) async fn block<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorResponse> + Send + 'static,
) -> Result<T, ErrorResponse> {
    let failed = |_| ErrorResponse::from((ErrorCode::InternalServerError, "it failed".to_owned()));
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn too_large(most: usize) -> ErrorResponse {
    (ErrorCode::PayloadSizeExceeded, format!("the body is larger than {most} bytes")).into()
}

/// Whether the body is compressed.
fn is_gzip(headers: &HeaderMap) -> Result<bool, ErrorResponse> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values: Vec<_> = values.map(|value| value.to_str().unwrap_or("").trim()).collect();
    let encoding = values.join(", ").to_ascii_lowercase();
    match encoding.as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        other => {
            let message =
                format!("the header `Content-Encoding` must be `gzip` or absent, found `{other}`");
            Err(ErrorResponse::gateway(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

/// Requires a JSON content type, which pages of other origins cannot send without a
/// preflight.
fn check_type(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = found.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
    {
        return Ok(());
    }
    let message = format!("the header `Content-Type` must be `application/json`, found `{found}`");
    Err(ErrorResponse::gateway(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}
