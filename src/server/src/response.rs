use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use protocol::{ErrorBody, ErrorCode, ErrorDetail, ServiceError};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");

/// A response with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_vec(body).expect("the contract's types are JSON");
    let mut response = HttpResponse::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// A response without a body.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A failed request: its status, and the code and the message of its body.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
}

impl ErrorResponse {
    /// An error of the gateway: its code is the status.
    pub fn gateway(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: status.as_u16().to_string(), message: message.into() }
    }

    pub fn unauthorized(message: &str) -> Self {
        Self::gateway(StatusCode::UNAUTHORIZED, message)
    }
}

impl From<ServiceError> for ErrorResponse {
    fn from(error: ServiceError) -> Self {
        let status = StatusCode::from_u16(error.code.status()).expect("codes have statuses");
        Self { status, code: error.code.to_string(), message: error.message }
    }
}

impl From<(ErrorCode, String)> for ErrorResponse {
    fn from((code, message): (ErrorCode, String)) -> Self {
        ServiceError::new(code, message).into()
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let code = HeaderValue::from_str(&self.code).expect("codes are words");
        let (code_text, message) = (self.code, self.message);
        let error = ErrorDetail {
            code: code_text,
            message,
            target: None,
            details: None,
            inner_error: None,
        };
        let mut response = json(self.status, &ErrorBody { error });
        response.headers_mut().insert(ERROR_CODE, code);
        response
    }
}
