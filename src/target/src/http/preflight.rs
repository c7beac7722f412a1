use super::caller::Caller;
use crate::CallError;
use plan::Operation;
use record::{FailureKind, Violation};

/// The error of the first call, with the operation that was asked and a remedy. Without an
/// operation, the service was only to be reached.
pub(super) fn with_advice(
    error: CallError,
    asked: Option<Operation>,
    caller: &Caller,
) -> CallError {
    let asked = asked.and_then(|operation| Asked::of(operation, caller));
    let message = match &asked {
        Some(asked) => format!("{} ({})", error.message, asked.what()),
        None => error.message,
    };
    match advice(error.kind, asked.as_ref(), caller) {
        Some(advice) => CallError { message: format!("{message}\nhelp: {advice}"), ..error },
        None => CallError { message, ..error },
    }
}

/// What the service was asked first.
struct Asked<'a> {
    operation: Operation,
    path: &'a str,
    /// Whether the scenario says where it is.
    is_moved: bool,
}

impl<'a> Asked<'a> {
    fn of(operation: Operation, caller: &'a Caller) -> Option<Self> {
        let path = caller.addresses().path(operation)?;
        Some(Self { operation, path, is_moved: caller.addresses().is_moved(operation) })
    }

    fn what(&self) -> String {
        format!("the operation `{}` at `{}`", self.operation.name(), self.path)
    }

    /// What to do where nothing answers.
    fn absent(&self) -> String {
        let (name, path) = (self.operation.name(), self.path);
        if self.is_moved {
            return format!(
                "nothing answers at `{path}`: correct `target.paths.{name}`, or say that the \
                 service does not have it: `{name}: none`"
            );
        }
        format!(
            "nothing answers at `{path}`: `target.url` is the endpoint without `/personalizer/…`; \
             where the operation is elsewhere, say so in `target.paths.{name}`, or `{name}: none`. \
             A service of another shape is described by `target.rank`: `runner guide services`"
        )
    }

    /// What to do where something else answers.
    fn other(&self) -> String {
        let (name, path) = (self.operation.name(), self.path);
        format!(
            "`{path}` answers, but not as Personalizer does; check `target.url`, or say in \
             `target.paths` that the service does not have the operation: `{name}: none`"
        )
    }
}

fn advice(kind: FailureKind, asked: Option<&Asked<'_>>, caller: &Caller) -> Option<String> {
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
        FailureKind::Status(404 | 405 | 410) => asked?.absent(),
        FailureKind::Status(407) => "the proxy wants a user and a password: `target.proxy`".to_owned(),
        FailureKind::Status(300..=399) => {
            "use the address it redirects to; a redirect would carry the key elsewhere".to_owned()
        }
        FailureKind::Protocol(Violation::Http) | FailureKind::Transport => {
            "something else answers there; is it `https://`, or HTTP/2 (`http2: true`)?".to_owned()
        }
        FailureKind::Protocol(_) => asked?.other(),
        FailureKind::Status(_) | FailureKind::Refused | FailureKind::Policy => return None,
    })
}
