use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{delete, get, post};

use super::answer::Refusal;
use super::{
    Service, configurations, door, evaluations, events, logs, meters, model, multislot, status,
};

/// Versions of the contract. All have the same operations: what came later does no harm
/// earlier.
pub(super) const VERSIONS: [&str; 4] =
    ["v1.0", "v1.1-preview.1", "v1.1-preview.2", "v1.1-preview.3"];

/// Every operation behind its path.
pub(super) fn router(service: Service) -> Router {
    let personalizer = Router::new()
        .route("/rank", post(events::rank))
        .route("/events/{event_id}/reward", post(events::reward))
        .route("/events/{event_id}/activate", post(events::activate))
        .route("/multislot/rank", post(multislot::rank))
        .route("/multislot/events/{event_id}/reward", post(multislot::reward))
        .route("/multislot/events/{event_id}/activate", post(multislot::activate))
        .merge(configurations())
        .merge(evaluations())
        .merge(model_and_logs());
    Router::new()
        .nest("/personalizer/{version}", personalizer)
        .route("/", get(status::page))
        .route("/status", get(status::status))
        .route("/swagger", get(status::swagger))
        .route("/metrics", get(meters::metrics))
        .route("/overview", get(status::overview))
        .route("/log.dsjson", get(logs::lines))
        .fallback(async || not_found())
        .method_not_allowed_fallback(async || not_allowed())
        .layer(middleware::from_fn_with_state(service.clone(), door::pass))
        .with_state(service)
}

fn configurations() -> Router<Service> {
    Router::new()
        .route(
            "/configurations/service",
            get(configurations::service).put(configurations::set_service),
        )
        .route(
            "/configurations/policy",
            get(configurations::policy)
                .put(configurations::set_policy)
                .delete(configurations::delete_policy),
        )
        .route("/configurations/applyFromEvaluation", post(configurations::apply))
}

fn evaluations() -> Router<Service> {
    Router::new()
        .route("/evaluations", get(evaluations::list).post(evaluations::create))
        .route("/evaluations/{evaluation_id}", get(evaluations::one).delete(evaluations::delete))
}

fn model_and_logs() -> Router<Service> {
    Router::new()
        .route("/model", get(model::model).put(model::set).delete(model::delete))
        .route("/model/properties", get(model::properties))
        .route("/logs", delete(logs::delete))
        .route("/logs/properties", get(logs::properties))
        .route("/logs/interactions", post(logs::refuse_batch))
        .route("/logs/observations", post(logs::refuse_batch))
}

pub(super) fn not_found() -> Refusal {
    let mut refusal = Refusal::gateway(StatusCode::NOT_FOUND, "there is no such operation");
    "ResourceNotFound".clone_into(&mut refusal.code);
    refusal
}

fn not_allowed() -> Refusal {
    Refusal::gateway(StatusCode::METHOD_NOT_ALLOWED, "the operation has no such method")
}
