use std::error::Error;

use reqwest::{RequestBuilder, Response, StatusCode};

use crate::protocol::ErrorBody;
use crate::record::FailureKind;
use crate::target::CallError;

/// No answer of the contract is larger.
const LARGEST_ANSWER: usize = 64 << 20;

/// So much of an answer that is not understood is shown.
const EXCERPT: usize = 200;

impl CallError {
    /// What reqwest says, with its causes, without the address (it may hold a secret).
    pub(super) fn of(error: &reqwest::Error) -> Self {
        Self { kind: kind_of(error), message: causes(error) }
    }
}

/// Sends the request and reads the whole answer.
pub(super) async fn answer(request: RequestBuilder) -> Result<Vec<u8>, CallError> {
    let response = request.send().await.map_err(|error| CallError::of(&error.without_url()))?;
    let status = response.status();
    let body = read(response).await?;
    if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
}

/// An answer that is no JSON of the contract.
pub(super) fn not_the_contract(error: &serde_json::Error, body: &[u8]) -> CallError {
    let message = format!("the answer is not what the contract says ({error}): {}", excerpt(body));
    CallError { kind: FailureKind::Protocol, message }
}

async fn read(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| CallError::of(&error.without_url()))?
    {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            let message = format!("the answer is larger than {LARGEST_ANSWER} bytes");
            return Err(CallError { kind: FailureKind::Protocol, message });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(status: StatusCode, body: &[u8]) -> CallError {
    let why = serde_json::from_slice::<ErrorBody>(body).map_or_else(
        |_| excerpt(body),
        |body| format!("{}: {}", body.error.code, body.error.message),
    );
    CallError { kind: FailureKind::Status(status.as_u16()), message: format!("{status}: {why}") }
}

fn kind_of(error: &reqwest::Error) -> FailureKind {
    if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_connect() {
        FailureKind::Connect
    } else if error.is_decode() {
        FailureKind::Protocol
    } else {
        FailureKind::Transport
    }
}

/// reqwest hides the cause of an error behind the error.
fn causes(error: &reqwest::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

fn excerpt(body: &[u8]) -> String {
    let start = &body[..body.len().min(EXCERPT)];
    String::from_utf8_lossy(start).escape_debug().to_string()
}
