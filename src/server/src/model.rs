//! The model that is served.

use std::time::{Duration, UNIX_EPOCH};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, LAST_MODIFIED};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{self, Refusal};
use super::{Service, body, seal};
use learning_loop::LearningLoop;
use protocol::ErrorCode;
use timestamp::Timestamp;

type Answer = Result<Response, Refusal>;

/// What may follow `/model?`.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    signed: bool,
}

/// `GET /model`
pub(super) async fn model(
    State(service): State<Service>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let invalid = |_| (ErrorCode::BadRequest, "`signed` must be `true` or `false`".to_owned());
    let Query(Wanted { signed }) = wanted.map_err(invalid)?;
    let read = |inner: &mut LearningLoop, now| Ok((inner.model(now), inner.model_properties(now)));
    let (mut model, properties) = service.call(read).await?;
    let mut name = "attachment; filename=model.vw";
    if signed {
        model = service.seal().sign(&model);
        name = "attachment; filename=model.vw.zip";
    }
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, name)];
    let exported = properties.last_modified_time;
    let mut response = (StatusCode::OK, headers, model).into_response();
    if exported != Timestamp::NEVER {
        response.headers_mut().insert(LAST_MODIFIED, http_date(exported));
    }
    Ok(response)
}

/// `PUT /model`
pub(super) async fn set(State(service): State<Service>, request: Request) -> Answer {
    let signed = body::bytes(request, seal::LARGEST).await?;
    let model = service.seal().open(&signed)?;
    service.call(|inner, now| inner.set_model(&model, now)).await?;
    Ok(answer::no_content())
}

/// `Wed, 17 Aug 2022 21:56:50 GMT`
fn http_date(time: Timestamp) -> HeaderValue {
    let since = Duration::from_secs(u64::try_from(time.unix_micros() / 1_000_000).unwrap_or(0));
    let text = httpdate::fmt_http_date(UNIX_EPOCH + since);
    HeaderValue::from_str(&text).expect("a date is plain")
}

/// `GET /model/properties`
pub(super) async fn properties(State(service): State<Service>) -> Answer {
    let properties = service.call(|inner, now| Ok(inner.model_properties(now))).await?;
    Ok(answer::json(StatusCode::OK, &properties))
}

/// `DELETE /model`
pub(super) async fn delete(State(service): State<Service>) -> Answer {
    let forget = |inner: &mut LearningLoop, now| {
        inner.delete_model(now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(answer::no_content())
}
