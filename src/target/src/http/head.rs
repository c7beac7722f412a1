//! The head of an answer of HTTP/1.1: where its body ends, and whether the connection stays (RFC
//! 9112, 6.3 and 9.3).

use std::mem::MaybeUninit;
use std::time::Duration;

use httparse::{ParserConfig, Response, Status};
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::failed::CallFailure;

const MOST_HEADERS: usize = 100;

/// Headers that the client does not read, and that every service sends.
const UNREAD: [&str; 3] = ["content-type", "date", "server"];

/// The head of an answer.
pub(super) struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub length: Length,
    /// For how long the service waits for another call on the connection.
    pub kept: Kept,
}

/// For how long a service keeps a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It closes it after the answer.
    Not,
    /// It does not say.
    Untold,
    /// As it says in `Keep-Alive: timeout=5`.
    For(Duration),
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Known(usize),
    Chunked,
    /// Where the connection does.
    UntilClosed,
}

/// The head at the beginning of what was received, and its length; none, if it is not whole.
pub(super) fn parse(
    received: &[u8],
    keeps_headers: bool,
) -> Result<Option<(Head, usize)>, CallFailure> {
    if received.is_empty() {
        return Ok(None);
    }
    let mut fields = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        received,
        &mut fields,
    );
    match parsed {
        Ok(Status::Complete(length)) => Ok(Some((head(&response, keeps_headers)?, length))),
        Ok(Status::Partial) => Ok(None),
        Err(error) => Err(unread(error)),
    }
}

/// The length of the trailers, if they are whole. Within an async function, the list of headers would
/// be a part of the future of every iteration, which is moved when one starts.
pub(super) fn parse_trailers(received: &[u8]) -> Result<Option<usize>, CallFailure> {
    let mut trailers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    match httparse::parse_headers(received, &mut trailers) {
        Ok(Status::Complete((length, _))) => Ok(Some(length)),
        Ok(Status::Partial) => Ok(None),
        Err(error) => Err(unread(error)),
    }
}

fn head(response: &Response<'_, '_>, keeps_headers: bool) -> Result<Head, CallFailure> {
    let status = StatusCode::from_u16(response.code.unwrap_or_default());
    let status = status.map_err(|_| CallFailure::violation("the status is none"))?;
    let mut headers = HeaderMap::new();
    let mut framing = Framing { is_kept: response.version == Some(1), ..Framing::default() };
    for field in response.headers.iter() {
        let is_of_message = framing.takes(field)?;
        if !keeps_headers && (is_of_message || is_one_of(field.name, &UNREAD)) {
            continue;
        }
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let length = framing.length(status);
    let kept = match framing.kept_for {
        _ if !framing.is_kept || length == Length::UntilClosed => Kept::Not,
        None => Kept::Untold,
        Some(time) => Kept::For(time),
    };
    Ok(Head { status, headers, length, kept })
}

/// What headers say of the message itself.
#[derive(Default)]
struct Framing {
    length: Option<usize>,
    /// The last transfer coding is `chunked`, or another.
    is_chunked: Option<bool>,
    is_kept: bool,
    /// How long a connection is kept that nobody uses.
    kept_for: Option<Duration>,
}

impl Framing {
    /// Takes in a header, if it says something of the message itself.
    fn takes(&mut self, field: &httparse::Header<'_>) -> Result<bool, CallFailure> {
        let name = field.name;
        if is_one_of(name, &["content-length"]) {
            self.add_length(field.value)?;
        } else if is_one_of(name, &["transfer-encoding"]) {
            let last = words(field.value).next_back().unwrap_or_default();
            self.is_chunked = Some(last.eq_ignore_ascii_case(b"chunked"));
        } else if is_one_of(name, &["connection"]) {
            let says = |what: &[u8]| words(field.value).any(|word| word.eq_ignore_ascii_case(what));
            self.is_kept = !says(b"close") && (self.is_kept || says(b"keep-alive"));
        } else if is_one_of(name, &["keep-alive"]) {
            self.kept_for = words(field.value).find_map(timeout);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Several lengths must be one.
    fn add_length(&mut self, value: &[u8]) -> Result<(), CallFailure> {
        for word in words(value) {
            let digits = std::str::from_utf8(word).ok();
            let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|text| text.parse().ok());
            if length.is_none() || self.length.is_some_and(|other| Some(other) != length) {
                return Err(CallFailure::violation("the length of the body is none"));
            }
            self.length = length;
        }
        Ok(())
    }

    fn length(&self, status: StatusCode) -> Length {
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Length::Known(0);
        }
        match (self.is_chunked, self.length) {
            (Some(true), _) => Length::Chunked,
            (None, Some(length)) => Length::Known(length),
            (Some(false), _) | (None, None) => Length::UntilClosed,
        }
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// The words of a list in a header.
fn words(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// The seconds of `timeout=5` (RFC 2068, 19.7.1.1).
fn timeout(word: &[u8]) -> Option<Duration> {
    let (name, seconds) = std::str::from_utf8(word).ok()?.split_once('=')?;
    let seconds = seconds.trim().parse().ok();
    seconds.filter(|_| name.trim().eq_ignore_ascii_case("timeout")).map(Duration::from_secs)
}

fn unread(error: httparse::Error) -> CallFailure {
    match error {
        httparse::Error::TooManyHeaders => CallFailure::too_large("the head of the answer"),
        _ => CallFailure::violation(&format!("the answer is not HTTP: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::{FailureKind, Violation};

    fn parsed(text: &str) -> Result<Option<Head>, FailureKind> {
        let parsed = parse(text.as_bytes(), false).map_err(|failed| failed.error.kind)?;
        Ok(parsed.map(|(head, length)| {
            assert_eq!(length, text.len());
            head
        }))
    }

    /// The rules of RFC 9112, 6.3 and 9.3, in their order.
    #[test]
    fn the_end_of_a_body_is_where_the_head_says() {
        let (known, chunked, closed) = (Length::Known, Length::Chunked, Length::UntilClosed);
        for (head, length, kept) in [
            ("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", known(0), Kept::Untold),
            (
                "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
                known(0),
                Kept::Untold,
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", known(7), Kept::Untold),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 7, 7\r\nContent-Length: 7\r\n\r\n",
                known(7),
                Kept::Untold,
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n", chunked, Kept::Untold),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n",
                chunked,
                Kept::Untold,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 7\r\n\r\n",
                closed,
                Kept::Not,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", closed, Kept::Not),
            (
                "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 7\r\n\r\n",
                known(7),
                Kept::Not,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n", known(7), Kept::Not),
            (
                "HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=5\r\nContent-Length: 7\r\n\r\n",
                known(7),
                Kept::For(Duration::from_secs(5)),
            ),
            (
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\n",
                known(7),
                Kept::Untold,
            ),
        ] {
            let parsed = parsed(head).unwrap().unwrap();
            assert_eq!((parsed.length, parsed.kept), (length, kept), "{head}");
        }
    }

    #[test]
    fn a_length_is_one_number() {
        for length in ["7, 8", "-7", "+7", "", "7 7", "0x7", "99999999999999999999999"] {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            assert_eq!(parsed(&head).err(), Some(FailureKind::Protocol(Violation::Http)), "{head}");
        }
    }

    #[test]
    fn what_says_something_of_a_decision_is_kept() {
        let text = "HTTP/1.1 201 Created\r\nLocation: /d/7\r\nDate: now\r\nSet-Cookie: a=1\r\n\
                    Set-Cookie: b=2\r\nContent-Length: 0\r\n\r\n";
        let head = parsed(text).unwrap().unwrap();
        let kept: Vec<_> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let expected: [(&str, &[u8]); 3] =
            [("location", b"/d/7"), ("set-cookie", b"a=1"), ("set-cookie", b"b=2")];
        assert_eq!(kept, expected);
        let (all, _) = parse(text.as_bytes(), true).unwrap().unwrap();
        assert_eq!(all.headers.len(), 5);
        assert_eq!(
            (&all.headers["date"], &all.headers["content-length"]),
            (&"now".parse().unwrap(), &"0".parse().unwrap())
        );
    }
}
