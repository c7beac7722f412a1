//! The page over HTTP: itself, and its changes.

use std::convert::Infallible;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, watch};

use super::source::Source;
use super::{Part, Shown};

/// More connections wait until one of these ends.
const CONNECTIONS: usize = 64;

/// A client has so long to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes.
const HEAD_BYTES: usize = 16 << 10;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Serves the page until the future is dropped, with all connections.
pub async fn serve(listener: TcpListener, source: &Arc<Source>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        // A connection that could not be accepted is the client's loss; without the pause, a
        // process without free descriptors would spin.
        let Ok((connection, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let source = Arc::clone(source);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let response = respond(&request, &source);
                async { Ok::<_, Infallible>(response) }
            });
            let mut server = hyper::server::conn::http1::Builder::new();
            server
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(HEAD_BYTES);
            // How a connection ends is of no interest: the browser comes back, or does not.
            _ = server.serve_connection(TokioIo::new(connection), answer).await;
            drop(permit);
        });
    }
}

fn respond(request: &Request<Incoming>, source: &Source) -> Response<Body> {
    if !names_this_machine(request) {
        return text(StatusCode::FORBIDDEN, "the page is served to names of this machine\n");
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/") => {
            let html = source.current().html();
            response(StatusCode::OK, "text/html; charset=utf-8", whole(html))
        }
        (&Method::GET, "/events") => {
            let events = StreamBody::new(events(source.subscribe()).map(Ok));
            response(StatusCode::OK, "text/event-stream", BodyExt::boxed_unsync(events))
        }
        (_, "/" | "/events") => text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n"),
        _ => text(StatusCode::NOT_FOUND, "the page is at `/`\n"),
    }
}

/// Whether a request names the server by an address or as `localhost`: a page of another site
/// could only name it by a domain of that site, which it made point here.
fn names_this_machine(request: &Request<Incoming>) -> bool {
    let Some(host) = request.headers().get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// A browser that reads the changes of the page.
struct Reader {
    pages: watch::Receiver<Shown>,
    /// The parts that it has.
    sent: Arc<[Part]>,
}

impl Reader {
    /// The changes since those before, once there are some; none after the end of the page.
    async fn next(mut self) -> Option<(Frame<Bytes>, Option<Self>)> {
        loop {
            self.pages.changed().await.ok()?;
            let shown = self.pages.borrow_and_update().clone();
            let Shown::Growing { parts, .. } = shown else {
                return Some((Frame::data(Bytes::from("event: end\ndata:\n\n")), None));
            };
            let changes = changes(&self.sent, &parts);
            self.sent = parts;
            if let Some(changes) = changes {
                return Some((Frame::data(Bytes::from(changes)), Some(self)));
            }
        }
    }
}

/// The whole page, then what changed in it since it was sent.
fn events(mut pages: watch::Receiver<Shown>) -> impl Stream<Item = Frame<Bytes>> {
    pages.mark_changed();
    let reader = Reader { pages, sent: Arc::default() };
    stream::unfold(Some(reader), |reader| async { reader?.next().await })
}

/// An event that says how many parts there are, if there are more or fewer than before, and one for
/// each part that changed; none, where nothing changed.
fn changes(before: &[Part], now: &[Part]) -> Option<String> {
    let mut events = String::new();
    if before.len() != now.len() {
        events.extend(["event: parts\ndata: ", &now.len().to_string(), "\n\n"]);
    }
    for (index, part) in now.iter().enumerate() {
        // Parts that are the same are one.
        if before.get(index).is_none_or(|old| !Arc::ptr_eq(old, part)) {
            push_part(&mut events, index, part);
        }
    }
    (!events.is_empty()).then_some(events)
}

/// The place of a part in the first line, then its HTML, as it is: markup in JSON would be escaped at
/// each quote and line.
fn push_part(events: &mut String, index: usize, html: &str) {
    events.extend(["data: ", &index.to_string(), "\n"]);
    for line in html.lines() {
        events.extend(["data: ", line, "\n"]);
    }
    events.push('\n');
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    response(status, "text/plain; charset=utf-8", whole(text))
}

fn whole(content: impl Into<Bytes>) -> Body {
    Full::new(content.into()).boxed_unsync()
}

fn response(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
