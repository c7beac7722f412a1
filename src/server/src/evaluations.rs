//! Offline evaluations.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::Response;

use super::answer::{self, Refusal};
use super::path::Id;
use super::{Service, body};
use learning_loop::{EvaluationJob, LearningLoop};
use protocol::{ErrorCode, EvaluationContract};

type Answer = Result<Response, Refusal>;

/// `POST /evaluations`: pending until a thread beside the service has done it.
pub(super) async fn create(
    State(service): State<Service>,
    Path(version): Path<String>,
    request: Request,
) -> Answer {
    let code = ErrorCode::InvalidEvaluationContract;
    let contract: EvaluationContract = body::json(request, code).await?;
    let begin = |inner: &mut LearningLoop, now| {
        let job = inner.begin_evaluation(&contract, now)?;
        let pending = inner.evaluation(job.id(), now)?;
        Ok((job, pending))
    };
    let (job, pending) = service.call(begin).await?;
    let location = format!("/personalizer/{version}/evaluations/{}", pending.id);
    tokio::spawn(work(service, job));
    let mut response = answer::json(StatusCode::CREATED, &pending);
    let location = HeaderValue::from_str(&location).expect("versions and ids are plain");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Does an evaluation, and puts what it found in the loop.
pub(super) async fn work(service: Service, job: EvaluationJob) {
    let id = job.id().to_owned();
    let outcome = tokio::task::spawn_blocking(move || job.run()).await.ok();
    let finish = |inner: &mut LearningLoop, now| {
        inner.finish_evaluation(&id, outcome, now);
        Ok(())
    };
    if let Err(refusal) = service.apply(finish).await {
        eprintln!("evaluation `{id}` was done in vain: {}", refusal.message);
    }
}

/// `GET /evaluations`
pub(super) async fn list(State(service): State<Service>) -> Answer {
    let evaluations = service.call(|inner, now| Ok(inner.evaluations(now))).await?;
    Ok(answer::json(StatusCode::OK, &evaluations))
}

/// `GET /evaluations/{evaluationId}`
pub(super) async fn one(State(service): State<Service>, Id(id): Id) -> Answer {
    let evaluation = service.call(|inner, now| inner.evaluation(&id, now)).await?;
    Ok(answer::json(StatusCode::OK, &evaluation))
}

/// `DELETE /evaluations/{evaluationId}`
pub(super) async fn delete(State(service): State<Service>, Id(id): Id) -> Answer {
    let forget = |inner: &mut LearningLoop, now| {
        inner.delete_evaluation(&id, now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(answer::no_content())
}
