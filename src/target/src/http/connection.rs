//! A connection of HTTP/1.1 without TLS, used by one call at a time.
//!
//! A call is one write and, usually, one read on the stream itself. A client that drives its
//! connections in tasks of their own (hyper) wakes two tasks a call and passes two messages
//! between them. What is HTTP is read by httparse; how long a body is: RFC 9112, 6.3.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use httparse::{ParserConfig, Response, Status, parse_chunk_size};
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, StatusCode};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::answer::Answer;
use super::failed::CallFailure;
use record::{FailureKind, Violation};

/// No answer of the contract is larger.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;

const LARGEST_HEAD: usize = 400 << 10;
const MOST_HEADERS: usize = 100;

/// So much is received at once at least.
const RECEIVED: usize = 8 << 10;

/// Headers that the client does not read, and that every service sends.
const UNREAD: [&str; 3] = ["content-type", "date", "server"];

/// A request, as it is written.
pub(super) struct Request<'a> {
    pub method: &'a Method,
    /// The path with its query.
    pub path: &'a str,
    pub headers: &'a Headers,
    pub body: &'a [u8],
    /// Whether the answer keeps every header, and not those alone that the client reads.
    pub keeps_headers: bool,
    /// Whether the plan lets it be made again where it fails.
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

/// The head of an answer.
pub(super) struct Head {
    status: StatusCode,
    headers: HeaderMap,
    length: Length,
    /// For how long the service waits for another call on the connection.
    kept: Kept,
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
enum Length {
    Known(usize),
    Chunked,
    /// Where the connection does.
    UntilClosed,
}

/// A connection to a service.
pub(super) struct Connection {
    wire: Wire,
    /// Ends a call that takes too long. To move one timer on costs nothing; to register and to
    /// remove one for each call cost a tenth of the call.
    timer: Pin<Box<Sleep>>,
}

/// When a call must have gone how far.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// When the head of the answer must be there.
    pub head: Instant,
    /// When the whole answer must be there.
    pub whole: Instant,
}

/// A call took longer than its limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    Head,
    Whole,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        let (received, request) = (Vec::with_capacity(RECEIVED), Vec::new());
        let (keeps_headers, is_answered) = (false, false);
        let wire = Wire { stream, received, request, keeps_headers, is_answered };
        Self { wire, timer: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }

    /// Whether nothing came while nothing was asked, neither bytes nor the end. It costs no system
    /// call where the runtime has seen no event.
    pub fn is_idle(&self) -> bool {
        let came = self.wire.stream.try_read(&mut [0]);
        matches!(came, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether the service has not closed it, by the kernel: the runtime may not have seen yet what
    /// came since it last waited for events.
    pub fn is_open(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let came = SockRef::from(&self.wire.stream).peek(&mut byte);
        matches!(came, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether some of the answer to the last call came.
    pub fn is_answered(&self) -> bool {
        self.wire.is_answered
    }

    /// Makes a call. With its answer comes whether another may follow.
    ///
    /// # Errors
    /// What was late, or within it how the call failed.
    pub async fn call(
        &mut self,
        request: &Request<'_>,
        Limits { head: head_limit, whole }: Limits,
    ) -> Result<Result<(Answer, Kept), CallFailure>, Late> {
        let Self { wire, timer } = self;
        timer.as_mut().reset(head_limit);
        let late = if head_limit < whole { Late::Head } else { Late::Whole };
        let head = match in_time(timer.as_mut(), wire.send(request)).await.ok_or(late)? {
            Ok(head) => head,
            Err(failed) => return Ok(Err(failed)),
        };
        if head_limit != whole {
            timer.as_mut().reset(whole);
        }
        in_time(timer.as_mut(), wire.body(head)).await.ok_or(Late::Whole)
    }
}

/// The output of a future, unless the timer ends before it.
async fn in_time<F: Future>(mut timer: Pin<&mut Sleep>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The stream of a connection, and what is on its way.
struct Wire {
    stream: TcpStream,
    /// What was received and is not used yet.
    received: Vec<u8>,
    /// The request that is sent.
    request: Vec<u8>,
    /// Whether its answer keeps every header.
    keeps_headers: bool,
    /// Whether some of its answer came.
    is_answered: bool,
}

impl Wire {
    /// Sends a request, and receives the head of its answer. A service may answer before it has
    /// read the request, and close.
    async fn send(&mut self, request: &Request<'_>) -> Result<Head, CallFailure> {
        write_request(&mut self.request, request);
        (self.keeps_headers, self.is_answered) = (request.keeps_headers, false);
        let written = self.stream.write_all(&self.request).await;
        let head = self.head().await;
        match (head, written) {
            (Err(failed), Err(error)) if failed.error.kind == FailureKind::Transport => {
                Err(broken(&error))
            }
            (Ok(head), Err(_)) => Ok(Head { kept: Kept::Not, ..head }),
            (head, _) => head,
        }
    }

    /// Receives the body. With it comes whether another call may follow.
    async fn body(&mut self, head: Head) -> Result<(Answer, Kept), CallFailure> {
        let body = match head.length {
            Length::Known(length) => self.exactly(length).await?,
            Length::Chunked => self.chunks().await?,
            Length::UntilClosed => self.rest().await?,
        };
        let answer = Answer { status: head.status, headers: head.headers, body };
        Ok((answer, if self.received.is_empty() { head.kept } else { Kept::Not }))
    }

    /// The head of the final answer; those of 100 to 199 come before it.
    async fn head(&mut self) -> Result<Head, CallFailure> {
        loop {
            if let Some((head, length)) = parse(&self.received, self.keeps_headers)? {
                self.received.drain(..length);
                match head.status.as_u16() {
                    101 => return Err(violation("the service changed the protocol")),
                    100..200 => continue,
                    _ => return Ok(head),
                }
            }
            if self.received.len() > LARGEST_HEAD {
                return Err(large("the head of the answer"));
            }
            self.receive_more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Bytes, CallFailure> {
        if length > LARGEST_ANSWER {
            return Err(too_large());
        }
        while self.received.len() < length {
            self.receive_more().await?;
        }
        Ok(self.take(length))
    }

    async fn rest(&mut self) -> Result<Bytes, CallFailure> {
        while self.receive().await? {
            if self.received.len() > LARGEST_ANSWER {
                return Err(too_large());
            }
        }
        Ok(self.take(self.received.len()))
    }

    /// A body in chunks (RFC 9112, 7.1). Extensions and trailers say nothing of a decision.
    async fn chunks(&mut self) -> Result<Bytes, CallFailure> {
        let mut body = Vec::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                self.trailers().await?;
                return Ok(body.into());
            }
            if size > LARGEST_ANSWER - body.len() {
                return Err(too_large());
            }
            while self.received.len() < size + 2 {
                self.receive_more().await?;
            }
            if &self.received[size..size + 2] != b"\r\n" {
                return Err(violation("a chunk does not end where it says"));
            }
            body.extend_from_slice(&self.received[..size]);
            self.received.drain(..size + 2);
        }
    }

    async fn chunk_size(&mut self) -> Result<usize, CallFailure> {
        loop {
            match parse_chunk_size(&self.received) {
                Ok(Status::Complete((length, size))) => {
                    self.received.drain(..length);
                    return usize::try_from(size).map_err(|_| too_large());
                }
                Ok(Status::Partial) if self.received.len() > LARGEST_HEAD => {
                    return Err(large("the size of a chunk"));
                }
                Ok(Status::Partial) => self.receive_more().await?,
                Err(_) => return Err(violation("the size of a chunk is none")),
            }
        }
    }

    async fn trailers(&mut self) -> Result<(), CallFailure> {
        loop {
            if let Some(length) = parse_trailers(&self.received)? {
                self.received.drain(..length);
                return Ok(());
            }
            if self.received.len() > LARGEST_HEAD {
                return Err(large("what follows the body"));
            }
            self.receive_more().await?;
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        let taken = Bytes::copy_from_slice(&self.received[..length]);
        self.received.drain(..length);
        self.received.shrink_to(LARGEST_HEAD);
        taken
    }

    /// Receives what comes next, which must come.
    async fn receive_more(&mut self) -> Result<(), CallFailure> {
        if self.receive().await? {
            return Ok(());
        }
        let message = "the connection was closed before the answer ended";
        Err(CallFailure::new(FailureKind::Transport, message))
    }

    /// Receives what comes next; false at the end.
    async fn receive(&mut self) -> Result<bool, CallFailure> {
        self.received.reserve(RECEIVED);
        let received = self.stream.read_buf(&mut self.received).await;
        let length = received.map_err(|error| broken(&error))?;
        self.is_answered |= length > 0;
        Ok(length > 0)
    }
}

/// The request (RFC 9112, 3 and 6.2).
fn write_request(to: &mut Vec<u8>, request: &Request<'_>) {
    let Request { method, path, headers, body, .. } = request;
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

/// The head at the beginning of what was received, and its length; none, if it is not whole.
fn parse(received: &[u8], keeps_headers: bool) -> Result<Option<(Head, usize)>, CallFailure> {
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
fn parse_trailers(received: &[u8]) -> Result<Option<usize>, CallFailure> {
    let mut trailers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    match httparse::parse_headers(received, &mut trailers) {
        Ok(Status::Complete((length, _))) => Ok(Some(length)),
        Ok(Status::Partial) => Ok(None),
        Err(error) => Err(unread(error)),
    }
}

fn head(response: &Response<'_, '_>, keeps_headers: bool) -> Result<Head, CallFailure> {
    let status = StatusCode::from_u16(response.code.unwrap_or_default());
    let status = status.map_err(|_| violation("the status is none"))?;
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
                return Err(violation("the length of the body is none"));
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

fn broken(error: &io::Error) -> CallFailure {
    CallFailure::of(error, FailureKind::Transport)
}

fn unread(error: httparse::Error) -> CallFailure {
    match error {
        httparse::Error::TooManyHeaders => large("the head of the answer"),
        _ => violation(&format!("the answer is not HTTP: {error}")),
    }
}

fn violation(message: &str) -> CallFailure {
    CallFailure::new(FailureKind::Protocol(Violation::Http), message)
}

fn large(what: &str) -> CallFailure {
    let message = format!("{what} is too large");
    CallFailure::new(FailureKind::Protocol(Violation::TooLarge), message)
}

pub(super) fn too_large() -> CallFailure {
    let message = format!("the answer is larger than {LARGEST_ANSWER} bytes");
    CallFailure::new(FailureKind::Protocol(Violation::TooLarge), message)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            write_request(&mut written, &request);
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }
}
