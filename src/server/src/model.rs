//! Operations on the model.

use std::time::{Duration, UNIX_EPOCH};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, LAST_MODIFIED};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::response::{self, ErrorResponse};
use super::{Service, body, model_signature};
use learner::VwModel;
use learning_loop::LearningLoop;
use protocol::ErrorCode;
use timestamp::Timestamp;

type Reply = Result<Response, ErrorResponse>;

/// The query of `GET /model`.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    signed: bool,
    #[serde(default)]
    format: Format,
}

/// In which format a model is asked for.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// That of this program.
    #[default]
    Runner,
    /// That of Vowpal Wabbit 9.11.9.
    Vw,
}

/// `GET /model`
pub(crate) async fn model(
    State(service): State<Service>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let invalid = |_| {
        let message = "`signed` must be `true` or `false`, and `format` `runner` or `vw`";
        (ErrorCode::BadRequest, message.to_owned())
    };
    let Query(Wanted { signed, format }) = wanted.map_err(invalid)?;
    let read = move |inner: &mut LearningLoop, now| {
        let model = match format {
            Format::Runner => inner.model(now)?,
            Format::Vw => inner.vw_model(now)?,
        };
        Ok((model, inner.model_properties(now)))
    };
    let (mut model, properties) = service.call(read).await?;
    let model_size = model.len();
    let mut name = "attachment; filename=model.vw";
    if signed {
        let signed_by = service.clone();
        let sign = move || Ok(signed_by.model_signer().sign(&model));
        model = body::offload(model_size, sign).await?;
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

/// `PUT /model`: one that was signed here, or one of Vowpal Wabbit, which nobody signs.
pub(crate) async fn set(State(service): State<Service>, request: Request) -> Reply {
    let body = body::bytes(&service, request, model_signature::LARGEST).await?;
    let (signed_by, content) = (service.clone(), body.clone());
    let open = move || {
        let is_vw = VwModel::read(&content).is_ok();
        Ok(if is_vw { content.to_vec() } else { signed_by.model_signer().open(&content)? })
    };
    let model = body::offload(body.len(), open).await?;
    service.call(move |inner, now| inner.set_model(&model, now)).await?;
    Ok(response::no_content())
}

/// `Wed, 17 Aug 2022 21:56:50 GMT`
fn http_date(time: Timestamp) -> HeaderValue {
    let since = Duration::from_secs(u64::try_from(time.unix_micros() / 1_000_000).unwrap_or(0));
    let text = httpdate::fmt_http_date(UNIX_EPOCH + since);
    HeaderValue::from_str(&text).expect("a date is plain")
}

/// `GET /model/properties`
pub(crate) async fn properties(State(service): State<Service>) -> Reply {
    let properties = service.call(|inner, now| Ok(inner.model_properties(now))).await?;
    Ok(response::json(StatusCode::OK, &properties))
}

/// `DELETE /model`
pub(crate) async fn delete(State(service): State<Service>) -> Reply {
    let forget = move |inner: &mut LearningLoop, now| {
        inner.delete_model(now);
        Ok(())
    };
    service.call(forget).await?;
    Ok(response::no_content())
}
