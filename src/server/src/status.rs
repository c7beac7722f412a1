//! The status of the service, its OpenAPI document and its status page.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::Service;
use super::response::{self, ErrorResponse};
use learning_loop::{LearningLoop, Overview};

/// The status page, in the style of reports.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("page.html").replace("/* the style of reports */", report::html::STYLE)
});

const OPENAPI: &str = include_str!("openapi.json");

/// The document of a service without keys: no operation has a security requirement.
static OPENAPI_WITHOUT_KEYS: LazyLock<String> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(OPENAPI).expect("the document is JSON");
    document.as_object_mut().expect("the document is an object").remove("security");
    document.to_string()
});

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceStatus {
    service: &'static str,
    api_status: &'static str,
    api_status_message: String,
}

/// `GET /status`
pub(crate) async fn status(State(service): State<Service>) -> Response {
    let state = service.state().await;
    let (status, api_status, api_status_message) = match state {
        Ok(state) => (StatusCode::OK, "Valid", format!("{} events logged", state.logged)),
        Err(refusal) => (StatusCode::SERVICE_UNAVAILABLE, "Broken", refusal.message),
    };
    let service = concat!("runner ", env!("CARGO_PKG_VERSION"));
    response::json(status, &ServiceStatus { service, api_status, api_status_message })
}

/// `GET /swagger`
pub(crate) async fn swagger(State(service): State<Service>) -> Response {
    let has_keys = !service.access().keys.is_empty();
    let document = if has_keys { OPENAPI } else { &OPENAPI_WITHOUT_KEYS };
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], document).into_response()
}

/// The page may connect to this service only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
     connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`: the status page.
pub(crate) async fn page() -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    (headers, PAGE.as_str()).into_response()
}

/// What the status page shows.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    overview: Overview,
    /// Models exported since the loop was started.
    exports: u64,
}

/// `GET /overview`
pub(crate) async fn overview(State(service): State<Service>) -> Result<Response, ErrorResponse> {
    let shown = |inner: &mut LearningLoop, now| {
        let overview = inner.overview(now);
        Ok(Shown { overview, exports: inner.exports().0 })
    };
    Ok(response::json(StatusCode::OK, &service.call(shown).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_keys_differs_in_nothing_but_the_security() {
        let mut with: Value = serde_json::from_str(OPENAPI).unwrap();
        let without: Value = serde_json::from_str(&OPENAPI_WITHOUT_KEYS).unwrap();
        assert!(with.as_object_mut().unwrap().remove("security").is_some());
        assert_eq!(with, without);
    }
}
