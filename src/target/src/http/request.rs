//! A request of HTTP/1.1, as it is written (RFC 9112, 3 and 6.2).

use hyper::Method;
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};

/// A request, as it is written.
pub(super) struct Request<'a> {
    pub method: &'a Method,
    /// The path with its query.
    pub path: &'a str,
    pub headers: &'a Headers,
    pub body: &'a [u8],
    /// Whether the answer keeps every header, and not those alone that the client reads.
    pub keeps_headers: bool,
    /// Whether the `retries` of the plan allow another attempt after a failure.
    pub is_retried: bool,
}

impl Request<'_> {
    /// Whether it may be made twice: by the plan, or since a service that gets it twice does what it
    /// would have done once (RFC 9110, 9.2.2), or can tell that it is the same.
    pub fn is_repeatable(&self) -> bool {
        let has_key = |name: &str| self.headers.map.contains_key(name);
        let is_safe = self.method.is_idempotent() || has_key("idempotency-key");
        self.is_retried || is_safe || has_key("x-idempotency-key")
    }

    /// Writes it in the place of what `to` holds.
    pub fn write(&self, to: &mut Vec<u8>) {
        let Request { method, path, headers, body, .. } = self;
        to.clear();
        for part in [method.as_str(), " ", path, " HTTP/1.1\r\n"] {
            to.extend_from_slice(part.as_bytes());
        }
        to.extend_from_slice(&headers.lines);
        let has_meaning = matches!(**method, Method::POST | Method::PUT | Method::PATCH);
        if has_meaning || !body.is_empty() {
            to.extend_from_slice(b"content-length: ");
            to.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
            to.extend_from_slice(b"\r\n");
        }
        to.extend_from_slice(b"\r\n");
        to.extend_from_slice(body);
    }
}

/// The headers that every request has, also as the bytes that are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    map: HeaderMap,
    lines: Vec<u8>,
}

impl Headers {
    /// The length of a body is said with the body, so these headers do not.
    pub(crate) fn new(map: HeaderMap) -> Self {
        let mut lines = Vec::new();
        let says_length = |name: &HeaderName| name == CONTENT_LENGTH || name == TRANSFER_ENCODING;
        for (name, value) in map.iter().filter(|(name, _)| !says_length(name)) {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                lines.extend_from_slice(part);
            }
        }
        Self { map, lines }
    }

    pub(crate) fn map(&self) -> &HeaderMap {
        &self.map
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_request_has_the_length_of_its_body() {
        let headers = Headers::new(HeaderMap::from_iter([
            (hyper::header::HOST, HeaderValue::from_static("h:1")),
            (CONTENT_LENGTH, HeaderValue::from_static("99")),
        ]));
        for (method, body, expected) in [
            (Method::POST, "{}", "POST /a?b HTTP/1.1\r\nhost: h:1\r\ncontent-length: 2\r\n\r\n{}"),
            (Method::POST, "", "POST /a?b HTTP/1.1\r\nhost: h:1\r\ncontent-length: 0\r\n\r\n"),
            (Method::GET, "", "GET /a?b HTTP/1.1\r\nhost: h:1\r\n\r\n"),
            (Method::DELETE, "", "DELETE /a?b HTTP/1.1\r\nhost: h:1\r\n\r\n"),
            (
                Method::DELETE,
                "x",
                "DELETE /a?b HTTP/1.1\r\nhost: h:1\r\ncontent-length: 1\r\n\r\nx",
            ),
        ] {
            let mut written = b"before".to_vec();
            let (method, headers, body) = (&method, &headers, body.as_bytes());
            let (keeps_headers, is_retried) = (false, false);
            let request =
                Request { method, path: "/a?b", headers, body, keeps_headers, is_retried };
            request.write(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }
}
