//! What was logged.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Service;
use super::answer::{self, Refusal};
use crate::learning_loop::LearningLoop;
use crate::protocol::ErrorCode;

type Answer = Result<Response, Refusal>;

/// `GET /logs/properties`
pub(super) async fn properties(State(service): State<Service>) -> Answer {
    let properties = service.call(|inner, now| Ok(inner.logs_properties(now))).await?;
    Ok(answer::json(StatusCode::OK, &properties))
}

/// `DELETE /logs`
pub(super) async fn delete(State(service): State<Service>) -> Answer {
    let forget = |inner: &mut LearningLoop, now| {
        inner.delete_logs(now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(answer::no_content())
}

/// `POST /logs/interactions` and `POST /logs/observations`: batches of the client library
/// that ranks in its own process. This loop ranks itself.
pub(super) async fn refuse_batch() -> Answer {
    let message = "this loop takes no batches of a client that ranks by itself: call rank";
    Err((ErrorCode::InvalidApiAccess, message.to_owned()).into())
}
