//! Offline evaluations.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::Response;

use super::path::Id;
use super::response::{self, ErrorResponse};
use super::{Service, background, body};
use learning_loop::LearningLoop;
use protocol::{ErrorCode, EvaluationContract, LONGEST_ID};

type Reply = Result<Response, ErrorResponse>;

/// `POST /evaluations`: queues the evaluation and returns it as pending.
pub(crate) async fn create(
    State(service): State<Service>,
    Path(version): Path<String>,
    request: Request,
) -> Reply {
    let code = ErrorCode::InvalidEvaluationContract;
    let (contract, _upload): (EvaluationContract, _) = body::json(&service, request, code).await?;
    let begin = move |inner: &mut LearningLoop, now| {
        let job = inner.begin_evaluation(&contract, now)?;
        let pending = inner.evaluation(job.id(), now)?;
        Ok((job, pending))
    };
    let (job, pending) = service.call(begin).await?;
    let location = format!("/personalizer/{version}/evaluations/{}", pending.id);
    service.evaluate(job);
    let mut response = response::json(StatusCode::CREATED, &pending);
    let location = HeaderValue::from_str(&location).expect("versions and ids are plain");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// `GET /evaluations`
pub(crate) async fn list(State(service): State<Service>) -> Reply {
    let evaluations = service.call(|inner, now| Ok(inner.evaluations(now))).await?;
    // Many evaluations of many events are megabytes.
    background::run(move || Ok(response::json(StatusCode::OK, &evaluations))).await
}

/// `GET /evaluations/{evaluationId}`
pub(crate) async fn one(State(service): State<Service>, Id(id): Id) -> Reply {
    let evaluation = service.call(move |inner, now| inner.evaluation(&id, now)).await?;
    background::run(move || Ok(response::json(StatusCode::OK, &evaluation))).await
}

/// `DELETE /evaluations/{evaluationId}`
pub(crate) async fn delete(State(service): State<Service>, Id(id): Id) -> Reply {
    if id.chars().count() > LONGEST_ID {
        let message = format!("the id of an evaluation has at most {LONGEST_ID} characters");
        return Err((ErrorCode::EvaluationNotFound, message).into());
    }
    let forget = move |inner: &mut LearningLoop, now| {
        inner.delete_evaluation(&id, now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(response::no_content())
}
