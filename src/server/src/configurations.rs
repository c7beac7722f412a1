//! Settings and learning policy.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{self, Refusal};
use super::{Service, body};
use protocol::{ApplyFromEvaluation, ErrorCode, PolicyContract, ServiceConfiguration};

type Answer = Result<Response, Refusal>;

/// `GET /configurations/service`
pub(super) async fn service(State(service): State<Service>) -> Answer {
    let configuration = service.call(|inner, now| Ok(inner.configuration(now))).await?;
    Ok(answer::json(StatusCode::OK, &configuration))
}

/// `PUT /configurations/service`
pub(super) async fn set_service(State(service): State<Service>, request: Request) -> Answer {
    let code = ErrorCode::InvalidServiceConfiguration;
    let new: ServiceConfiguration = body::json(request, code).await?;
    let stored = service.call(|inner, now| inner.set_configuration(new, now)).await?;
    Ok(answer::json(StatusCode::OK, &stored))
}

/// `GET /configurations/policy`
pub(super) async fn policy(State(service): State<Service>) -> Answer {
    let policy = service.call(|inner, now| Ok(inner.policy(now))).await?;
    Ok(answer::json(StatusCode::OK, &policy))
}

/// `PUT /configurations/policy`
pub(super) async fn set_policy(State(service): State<Service>, request: Request) -> Answer {
    let new: PolicyContract = body::json(request, ErrorCode::InvalidPolicyContract).await?;
    let stored = service.call(|inner, now| inner.set_policy(new, now)).await?;
    Ok(answer::json(StatusCode::OK, &stored))
}

/// `DELETE /configurations/policy`
pub(super) async fn delete_policy(State(service): State<Service>) -> Answer {
    let policy = service.call(|inner, now| Ok(inner.delete_policy(now))).await?;
    Ok(answer::json(StatusCode::OK, &policy))
}

/// `POST /configurations/applyFromEvaluation`
pub(super) async fn apply(State(service): State<Service>, request: Request) -> Answer {
    let asked: ApplyFromEvaluation = body::json(request, ErrorCode::BadRequest).await?;
    service.call(|inner, now| inner.apply_from_evaluation(&asked, now)).await?;
    Ok(answer::no_content())
}
