//! The middleware of every request: hosts and origins, authentication, version check, response
//! headers and metrics.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, HeaderName, HeaderValue, ORIGIN, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Service;
use super::response::{self, ErrorResponse};
use super::router::not_found;
use super::sliced::sliced;
use protocol::VERSIONS;

/// Paths without authentication: they reveal nothing about events and change nothing.
const PUBLIC: [&str; 2] = ["/", "/swagger"];

/// Paths of monitors, without authentication unless it is asked for.
const MONITORING: [&str; 2] = ["/status", "/metrics"];

const REQUEST_ID: HeaderName = HeaderName::from_static("apim-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const RETURN_CLIENT_REQUEST_ID: HeaderName =
    HeaderName::from_static("x-ms-return-client-request-id");

/// What a page of another origin may read and send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("apim-request-id, x-ms-error-code, x-ms-client-request-id, location");
const DEFAULT_HEADERS: HeaderValue =
    HeaderValue::from_static("content-type, ocp-apim-subscription-key");
/// For how many seconds a browser may remember the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// A request that takes longer is recorded in the log.
const SLOW: Duration = Duration::from_secs(1);

/// Admits a request or refuses it; adds the headers that every response has.
pub(crate) async fn admit(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let began = service.now();
    let operation = operation(&request);
    let client_request_id = returned_request_id(request.headers());
    let allowed_origin = service.access().allowed_origin(request.headers());
    let has_origin = request.headers().contains_key(ORIGIN);
    let mut response = match check(&service, &request) {
        Err(refusal) => refusal.into_response(),
        Ok(()) if is_preflight(&request) && allowed_origin.is_some() => preflight(&request),
        Ok(()) => next.run(request).await,
    };
    let took = service.now().since(began);
    let request_id = service.request_id();
    if response.status().is_server_error() || took >= SLOW {
        service.request_log().record(&operation, response.status(), took, &request_id);
    }
    service.metrics().count(operation, response.status().as_u16(), took);
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, request_id);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if has_origin {
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = allowed_origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    if let Some(id) = client_request_id {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    response.map(sliced)
}

/// Whether a browser asks if a page may send a request.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Allows the methods of the contract and the headers that the page wants to send.
fn preflight(request: &Request) -> Response {
    let mut response = response::no_content();
    let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(DEFAULT_HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// The operation of a request: `POST /events/{event_id}/reward`.
fn operation(request: &Request) -> String {
    let known = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let path = known.strip_prefix("/personalizer/{version}").unwrap_or(known);
    // Callers must not be able to choose the labels of a metric.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    format!("{method} {path}")
}

/// Operations need an admitted host and origin, a key and a known version of the contract.
/// A preflight of an allowed origin has no key: browsers do not send one.
fn check(service: &Service, request: &Request) -> Result<(), ErrorResponse> {
    let (access, headers) = (service.access(), request.headers());
    access.check_site(headers, service.is_loopback())?;
    let path = request.uri().path();
    let is_open = PUBLIC.contains(&path)
        || MONITORING.contains(&path) && !access.protect_monitoring
        || is_preflight(request) && access.allowed_origin(headers).is_some();
    if is_open {
        return Ok(());
    }
    access.keys.check(headers)?;
    let Some(path) = path.strip_prefix("/personalizer/") else { return Ok(()) };
    let version = path.split('/').next().unwrap_or_default();
    if VERSIONS.contains(&version) { Ok(()) } else { Err(not_found()) }
}

/// The client's id of the request, if the client asks for it.
fn returned_request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let wanted = headers.get(RETURN_CLIENT_REQUEST_ID)?.as_bytes();
    wanted.eq_ignore_ascii_case(b"true").then(|| headers.get(CLIENT_REQUEST_ID).cloned())?
}
