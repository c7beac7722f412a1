//! The model that is served.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::answer::{self, Refusal};

type Answer = Result<Response, Refusal>;

/// `GET /model`
pub(super) async fn model(State(service): State<Service>) -> Answer {
    let model = service.call(|inner, now| Ok(inner.model(now))).await?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, "attachment; filename=model.vw"),
    ];
    Ok((StatusCode::OK, headers, model).into_response())
}

/// `GET /model/properties`
pub(super) async fn properties(State(service): State<Service>) -> Answer {
    let properties = service.call(|inner, now| Ok(inner.model_properties(now))).await?;
    Ok(answer::json(StatusCode::OK, &properties))
}

/// `DELETE /model`
pub(super) async fn delete(State(service): State<Service>) -> Answer {
    let forget = |inner: &mut crate::learning_loop::LearningLoop, now| {
        inner.delete_model(now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(answer::no_content())
}
