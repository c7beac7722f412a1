use std::error::Error;
use std::io;
use std::time::Duration;

use crate::CallError;
use record::{FailureKind, Violation};

/// The largest answer that is read, in bytes; no answer of the contract is larger.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;

/// A failed call, and when the service asks for a retry.
#[derive(Debug)]
pub(super) struct CallFailure {
    pub error: CallError,
    /// The `Retry-After` of the answer.
    pub retry_after: Option<Duration>,
}

impl CallFailure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { error: CallError { kind, message: message.into() }, retry_after: None }
    }

    /// The failure of an error of the client; its kind is `otherwise`, if its causes do not
    /// tell.
    pub(crate) fn of(error: &(dyn Error + 'static), otherwise: FailureKind) -> Self {
        let kind = kind_of(error).unwrap_or(otherwise);
        Self::new(kind, message_of(error))
    }

    /// The failure of an error while the body was read. hyper reports a chunk that is none as an
    /// error of input, not of parsing.
    pub(crate) fn of_body(error: &(dyn Error + 'static), otherwise: FailureKind) -> Self {
        let is_broken = chain(error).any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|cause| {
                matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            })
        });
        let broken = FailureKind::Protocol(Violation::Http);
        Self::of(error, if is_broken { broken } else { otherwise })
    }

    /// An answer that is not HTTP.
    pub(crate) fn violation(message: &str) -> Self {
        Self::new(FailureKind::Protocol(Violation::Http), message)
    }

    /// A part of an answer beside its body is too large.
    pub(crate) fn too_large(what: &str) -> Self {
        let message = format!("{what} is too large");
        Self::new(FailureKind::Protocol(Violation::TooLarge), message)
    }

    /// The body is larger than [`LARGEST_ANSWER`].
    pub(crate) fn large_answer() -> Self {
        let message = format!("the answer is larger than {LARGEST_ANSWER} bytes");
        Self::new(FailureKind::Protocol(Violation::TooLarge), message)
    }

    pub(crate) fn timeout(what: &str, after: Duration) -> Self {
        let after = humantime::format_duration(after);
        Self::new(FailureKind::Timeout, format!("{what} within {after}"))
    }

    /// Whether the same call may succeed when it is retried.
    pub(crate) fn is_transient(&self) -> bool {
        match self.error.kind {
            FailureKind::Resolve
            | FailureKind::Connect
            | FailureKind::Timeout
            | FailureKind::Transport => true,
            FailureKind::Status(status) => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            FailureKind::Tls
            | FailureKind::Refused
            | FailureKind::Protocol(_)
            | FailureKind::Policy => false,
        }
    }
}

/// An error and its causes.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The kind of failure, as far as the causes tell.
fn kind_of(error: &(dyn Error + 'static)) -> Option<FailureKind> {
    chain(error).find_map(|cause| {
        if is_tls(cause) {
            return Some(FailureKind::Tls);
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>()
            && error.is_parse()
        {
            let is_large = error.is_parse_too_large();
            let violation = if is_large { Violation::TooLarge } else { Violation::Http };
            return Some(FailureKind::Protocol(violation));
        }
        let text = cause.to_string();
        text.contains("dns error").then_some(FailureKind::Resolve)
    })
}

/// `io::Error` does not report the error that it wraps as its source, so this unwraps it.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let within = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || within.is_some_and(|within| is_tls(within))
}

/// The error with its causes, each once, and a remedy where a resource of the machine is
/// exhausted.
fn message_of(error: &(dyn Error + 'static)) -> String {
    let mut message = String::new();
    for cause in chain(error).map(ToString::to_string) {
        if !message.contains(&cause) {
            let between = if message.is_empty() { "" } else { ": " };
            message.push_str(between);
            message.push_str(&cause);
        }
    }
    let exhausted = chain(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    message + exhausted.map_or("", remedy)
}

/// The remedy for an exhausted resource.
fn remedy(error: &io::Error) -> &'static str {
    const TOO_MANY_FILES: [i32; 2] = [23, 24];
    match (error.raw_os_error(), error.kind()) {
        (Some(code), _) if cfg!(unix) && TOO_MANY_FILES.contains(&code) => {
            "; raise the limit of open files (`ulimit -n`), or lower `connections`"
        }
        (_, io::ErrorKind::AddrNotAvailable) => {
            "; no local port is free: keep connections alive, or lower the rate"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn an_exhausted_resource_is_named() {
        let failed = CallFailure::of(&io::Error::from_raw_os_error(24), FailureKind::Connect);
        assert_eq!(failed.error.kind, FailureKind::Connect);
        assert!(failed.error.message.contains("ulimit -n"), "{}", failed.error);
    }

    #[test]
    fn a_tls_error_is_found_however_it_is_wrapped() {
        let refused = || rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let wrapped = io::Error::other(io::Error::other(refused()));
        let failed = CallFailure::of(&wrapped, FailureKind::Connect);
        assert_eq!(failed.error.kind, FailureKind::Tls);
    }

    #[test]
    fn only_transient_failures_are_retried() {
        let is_transient = |kind| CallFailure::new(kind, "").is_transient();
        assert!(
            [408, 429, 500, 502, 503, 504].map(FailureKind::Status).into_iter().all(is_transient)
        );
        assert!(![400, 401, 403, 404, 501].map(FailureKind::Status).into_iter().any(is_transient));
        assert!(
            !is_transient(FailureKind::Protocol(Violation::Json))
                && !is_transient(FailureKind::Tls)
        );
    }
}
