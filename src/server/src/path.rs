use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::Service;
use super::answer::Refusal;
use protocol::ErrorCode;

/// The id in a path: one segment of it, then decoded. A slash in an id travels encoded,
/// and is not the end of the segment.
pub(super) struct Id(pub String);

impl FromRequestParts<Service> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Refusal> {
        let found = Path::<Vec<(String, String)>>::from_request_parts(parts, service).await;
        let invalid = |message: String| Refusal::from((ErrorCode::BadRequest, message));
        let Path(segments) = found
            .map_err(|error| invalid(format!("the id in the path cannot be read: {error}")))?;
        let id = segments.into_iter().last().map(|(_, id)| Self(id));
        id.ok_or_else(|| invalid("the path has no id".to_owned()))
    }
}
