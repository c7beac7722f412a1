use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::Service;
use super::response::ErrorResponse;
use protocol::ErrorCode;

/// The id in a path: one segment, percent-decoded after the split, so that an id may contain
/// an encoded slash.
pub(crate) struct Id(pub String);

impl FromRequestParts<Service> for Id {
    type Rejection = ErrorResponse;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Service,
    ) -> Result<Self, ErrorResponse> {
        let found = Path::<Vec<(String, String)>>::from_request_parts(parts, service).await;
        let invalid = |message: String| ErrorResponse::from((ErrorCode::BadRequest, message));
        let Path(segments) = found
            .map_err(|error| invalid(format!("the id in the path cannot be read: {error}")))?;
        let id = segments.into_iter().last().map(|(_, id)| Self(id));
        id.ok_or_else(|| invalid("the path has no id".to_owned()))
    }
}
