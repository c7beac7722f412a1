//! Which hosts and origins may call.
//!
//! A service without keys trusts the network. A browser on the same machine must not carry
//! the requests of other sites to it: a page of another origin is refused by its `Origin`, and
//! a name that was rebound to the loopback address (DNS rebinding) by its `Host`.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::keys::Keys;
use super::response::ErrorResponse;

/// The rules of admission.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The keys of the service.
    pub keys: Keys,
    /// Whether `/status` and `/metrics` require a key too.
    pub protect_monitoring: bool,
    /// The origins of other pages that may call, such as `https://shop.example`.
    pub allowed_origins: Vec<String>,
}

impl From<Keys> for Access {
    fn from(keys: Keys) -> Self {
        Self { keys, ..Self::default() }
    }
}

impl Access {
    /// Refuses requests without exactly one `Host`; without keys also those of other origins
    /// and, on a loopback address, those for other hosts.
    pub(crate) fn check_site(
        &self,
        headers: &HeaderMap,
        is_loopback: bool,
    ) -> Result<(), ErrorResponse> {
        let host = host(headers)?;
        if !self.keys.is_empty() {
            return Ok(());
        }
        if is_loopback && !is_loopback_host(host) {
            return Err(forbidden(&format!(
                "the service has no key and accepts requests for `localhost` only, found the host \
                 `{host}`"
            )));
        }
        match headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("")) {
            Some(origin) if !self.allows(origin) && !is_own(origin, host) => {
                Err(forbidden(&format!(
                    "pages of `{origin}` may not call this service: start it with `--allow-origin \
                     {origin}`"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The origin of a request, if it is one of the allowed ones.
    pub(crate) fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.allows(origin.to_str().ok()?).then(|| origin.clone())
    }

    fn allows(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }
}

fn host(headers: &HeaderMap) -> Result<&str, ErrorResponse> {
    let mut hosts = headers.get_all(HOST).iter();
    let bad = |message: &str| ErrorResponse::gateway(StatusCode::BAD_REQUEST, message);
    let host = hosts.next().ok_or_else(|| bad("the header `Host` is missing"))?;
    if hosts.next().is_some() {
        return Err(bad("the header `Host` is given twice"));
    }
    host.to_str().map_err(|_| bad("the header `Host` is not a host"))
}

fn forbidden(message: &str) -> ErrorResponse {
    ErrorResponse::gateway(StatusCode::FORBIDDEN, message)
}

/// Whether an origin is that of the service itself: its host and port are those of the
/// request.
fn is_own(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, site)| site.eq_ignore_ascii_case(host))
}

/// Whether a host, with or without a port, always means this machine.
fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(bracketed) => match bracketed.split_once(']') {
            Some((name, rest)) if rest.is_empty() || is_port(rest) => name,
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            Some(_) => return false,
            None => host,
        },
    };
    // RFC 6761, 6.3: names below `localhost` are never resolved by the network.
    let name = name.to_ascii_lowercase();
    let is_name = name == "localhost" || name.ends_with(".localhost");
    is_name || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback_hosts() {
        for host in [
            "localhost",
            "LOCALHOST:80",
            "app.localhost:5000",
            "127.0.0.1",
            "127.1.2.3:9",
            "[::1]",
            "[::1]:5000",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            "site.example",
            "localhost.site.example",
            "127.0.0.1.site.example",
            "0.0.0.0",
            "[::2]:80",
            "localhost:80@site.example",
            "[::1]site.example",
            "10.0.0.1",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_own_or_allowed_or_refused() {
        let access = Access {
            allowed_origins: vec!["https://shop.example".to_owned()],
            ..Access::default()
        };
        let check = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            access.check_site(&headers, true).map_err(|error| error.status.as_u16())
        };
        assert_eq!(check("localhost:1", None), Ok(()));
        assert_eq!(check("localhost:1", Some("http://localhost:1")), Ok(()));
        assert_eq!(check("localhost:1", Some("https://shop.example")), Ok(()));
        assert_eq!(check("localhost:1", Some("http://localhost:2")), Err(403));
        assert_eq!(check("localhost:1", Some("null")), Err(403));
        assert_eq!(check("site.example:1", Some("http://site.example:1")), Err(403));
        assert_eq!(access.check_site(&HeaderMap::new(), true).unwrap_err().status, 400);
    }
}
