use super::caller::Caller;
use crate::CallError;
use record::{FailureKind, Violation};
use scenario::plan::Operation;

/// The error of the first call, with a remedy.
pub(super) fn with_advice(error: CallError, caller: &Caller) -> CallError {
    match advice(error.kind, caller) {
        Some(advice) => {
            CallError { message: format!("{}\nhelp: {advice}", error.message), ..error }
        }
        None => error,
    }
}

fn advice(kind: FailureKind, caller: &Caller) -> Option<String> {
    let path = caller.addresses().path(Operation::Configuration).unwrap_or_default();
    Some(match kind {
        FailureKind::Resolve => "check the host in `target.url`".to_owned(),
        FailureKind::Connect => {
            "is the service running there? `runner serve` starts one; check host and port in `target.url`"
                .to_owned()
        }
        FailureKind::Tls => {
            "name a private authority with `target.ca`, or your certificate with `target.client_certificate`"
                .to_owned()
        }
        FailureKind::Timeout => "is this the right port? if so, raise `target.timeout`".to_owned(),
        FailureKind::Status(401 | 403) if caller.has_key() => {
            "the service refused the key in `target.key`".to_owned()
        }
        FailureKind::Status(401 | 403) => {
            "the service wants a key: `key: ${PERSONALIZER_KEY}` in `target`".to_owned()
        }
        FailureKind::Status(404 | 405 | 410) => format!(
            "nothing answers at `{path}`: `target.url` is the endpoint without `/personalizer/…`; \
             where operations are elsewhere, say so in `target.paths`"
        ),
        FailureKind::Status(407) => "the proxy wants a user and a password: `target.proxy`".to_owned(),
        FailureKind::Status(300..=399) => {
            "use the address it redirects to; a redirect would carry the key elsewhere".to_owned()
        }
        FailureKind::Protocol(Violation::Http) | FailureKind::Transport => {
            "something else answers there; is it `https://`, or HTTP/2 (`http2: true`)?".to_owned()
        }
        FailureKind::Protocol(_) => format!(
            "`{path}` answers, but not as Personalizer does; check `target.url`, or say in \
             `target.paths` what the service does not have (`configuration: none`)"
        ),
        FailureKind::Status(_) | FailureKind::Policy => return None,
    })
}
