//! Settings and learning policy.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::response::{self, ErrorResponse};
use super::{Service, body};
use protocol::{ApplyFromEvaluation, ErrorCode, PolicyContract, ServiceConfiguration};

type Reply = Result<Response, ErrorResponse>;

/// `GET /configurations/service`
pub(crate) async fn service(State(service): State<Service>) -> Reply {
    let configuration = service.call(|inner, now| Ok(inner.configuration(now))).await?;
    Ok(response::json(StatusCode::OK, &configuration))
}

/// `PUT /configurations/service`
pub(crate) async fn set_service(State(service): State<Service>, request: Request) -> Reply {
    let code = ErrorCode::InvalidServiceConfiguration;
    let (new, _upload): (ServiceConfiguration, _) = body::json(&service, request, code).await?;
    let stored = service.call(move |inner, now| inner.set_configuration(new, now)).await?;
    Ok(response::json(StatusCode::OK, &stored))
}

/// `GET /configurations/policy`
pub(crate) async fn policy(State(service): State<Service>) -> Reply {
    let policy = service.call(|inner, now| Ok(inner.policy(now))).await?;
    Ok(response::json(StatusCode::OK, &policy))
}

/// `PUT /configurations/policy`
pub(crate) async fn set_policy(State(service): State<Service>, request: Request) -> Reply {
    let (new, _upload): (PolicyContract, _) =
        body::json(&service, request, ErrorCode::InvalidPolicyContract).await?;
    let stored = service.call(move |inner, now| inner.set_policy(new, now)).await?;
    Ok(response::json(StatusCode::OK, &stored))
}

/// `DELETE /configurations/policy`
pub(crate) async fn delete_policy(State(service): State<Service>) -> Reply {
    let policy = service.call(|inner, now| Ok(inner.delete_policy(now))).await?;
    Ok(response::json(StatusCode::OK, &policy))
}

/// `POST /configurations/applyFromEvaluation`
pub(crate) async fn apply(State(service): State<Service>, request: Request) -> Reply {
    let (asked, _upload): (ApplyFromEvaluation, _) =
        body::json(&service, request, ErrorCode::BadRequest).await?;
    service.call(move |inner, now| inner.apply_from_evaluation(&asked, now)).await?;
    Ok(response::no_content())
}
