//! What every request passes, whatever it asks for.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Service;
use super::answer::Refusal;
use super::router::{VERSIONS, not_found};

/// What needs no key: it tells nothing of visitors, and changes nothing.
const OPEN: [&str; 4] = ["/", "/status", "/swagger", "/metrics"];

const REQUEST_ID: HeaderName = HeaderName::from_static("apim-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const RETURN_CLIENT_REQUEST_ID: HeaderName =
    HeaderName::from_static("x-ms-return-client-request-id");

/// Asks for the key, lets the request through, and marks the answer.
pub(super) async fn pass(State(service): State<Service>, request: Request, next: Next) -> Response {
    let began = service.now();
    let operation = operation(&request);
    let client_request_id = wanted_back(request.headers());
    let mut response = match check(&service, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    service.meters().count(&operation, response.status().as_u16(), service.now().since(began));
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, service.request_id());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(id) = client_request_id {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    response
}

/// The path of the request without what it names: `POST /events/{event_id}/reward`.
fn operation(request: &Request) -> String {
    let known = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let path = known.strip_prefix("/personalizer/{version}").unwrap_or(known);
    // Others would be labels of the caller's choice.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    format!("{method} {path}")
}

/// Operations need a key, and a version of the contract that there is.
fn check(service: &Service, request: &Request) -> Result<(), Refusal> {
    let path = request.uri().path();
    if OPEN.contains(&path) {
        return Ok(());
    }
    service.keys().check(request.headers())?;
    let Some(path) = path.strip_prefix("/personalizer/") else { return Ok(()) };
    let version = path.split('/').next().unwrap_or_default();
    if VERSIONS.contains(&version) { Ok(()) } else { Err(not_found()) }
}

/// The caller's own id of the request, where it wants it back.
fn wanted_back(headers: &HeaderMap) -> Option<HeaderValue> {
    let wanted = headers.get(RETURN_CLIENT_REQUEST_ID)?.as_bytes();
    wanted.eq_ignore_ascii_case(b"true").then(|| headers.get(CLIENT_REQUEST_ID).cloned())?
}
