use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{delete, get, post};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use super::response::ErrorResponse;
use super::{
    Service, admission, configurations, evaluations, events, logs, metrics, model, multislot,
    status,
};

/// The operations by path. Every version of the contract has all of them.
pub(crate) fn router(service: Service) -> Router {
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
        .route("/metrics", get(metrics::metrics))
        .route("/overview", get(status::overview))
        .route("/log.dsjson", get(logs::lines))
        .fallback(async || not_found())
        .method_not_allowed_fallback(async || not_allowed())
        .layer(middleware::from_fn_with_state(service.clone(), admission::admit))
        .layer(compression())
        .with_state(service)
}

/// Compresses responses for clients that accept gzip; a Rank is too small to gain by it.
fn compression() -> CompressionLayer<SizeAbove> {
    let layer = CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest);
    layer.compress_when(SizeAbove::new(4096))
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

pub(crate) fn not_found() -> ErrorResponse {
    let mut refusal = ErrorResponse::gateway(StatusCode::NOT_FOUND, "no operation has this path");
    "ResourceNotFound".clone_into(&mut refusal.code);
    refusal
}

fn not_allowed() -> ErrorResponse {
    ErrorResponse::gateway(StatusCode::METHOD_NOT_ALLOWED, "this path does not support the method")
}
