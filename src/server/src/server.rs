use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::uri::PathAndQuery;
use axum::http::{Request, Uri};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service as _;

use super::connections::{Connections, OpenConnection, Transfer};
use super::heard_stream::{Heard, HeardStream};
use super::router::router;
use super::{Service, Tls};

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Concurrent connections. For each more, the oldest idle one is closed, or one whose client
    /// is slow; if all are being answered, it waits.
    pub connections: usize,
    /// Bytes of all request bodies that are being received.
    pub upload_bytes: usize,
    /// Bytes of the headers of a request.
    pub header_bytes: usize,
    /// The deadline for the headers of a request, and the longest idle time of a connection.
    pub header_time: Duration,
    /// The deadline for each write of a response.
    pub stalled_write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            upload_bytes: 256 << 20,
            header_bytes: 64 << 10,
            header_time: Duration::from_secs(30),
            stalled_write: Duration::from_secs(30),
        }
    }
}

/// The deadline for requests in flight at shutdown. Supervisors kill what has not ended after ten
/// seconds.
const GRACE: Duration = Duration::from_secs(5);

/// The pause after a failed accept, such as when no file descriptor is free, and before it is
/// tried again to make room for a connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves connections until `stop`, then finishes the requests in flight and closes the state.
/// First restarts the evaluations that were pending when the state was closed.
///
/// # Errors
/// If entries could not be written. None of them was acknowledged.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    limits: Limits,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let is_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    service.set_edge(is_loopback, limits.upload_bytes);
    service.resume();
    let connections = Arc::clone(service.connections());
    let router = router(service.clone());
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &permits, &connections) => accepted,
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        let open = Arc::new(connections.open());
        let connection = Connection { router, tls, limits, watcher, open };
        tokio::spawn(connection.serve(accepted));
    }
    drop(listener);
    connections.close_idle();
    let _unfinished = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    service.close()
}

/// The next connection, with a permit; makes one free if there is none.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    connections: &Connections,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit(permits, connections).await),
            Err(error) => {
                connections.report_refused(&error);
                connections.close_one();
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

/// A permit for a connection, as soon as there is one.
async fn permit(permits: &Arc<Semaphore>, connections: &Connections) -> OwnedSemaphorePermit {
    loop {
        if permits.available_permits() == 0 {
            connections.close_one();
        }
        let permit = Arc::clone(permits).acquire_owned();
        if let Ok(permit) = tokio::time::timeout(EXHAUSTED, permit).await {
            return permit.expect("the semaphore is never closed");
        }
    }
}

struct Connection {
    router: Router,
    tls: Option<Tls>,
    limits: Limits,
    watcher: Watcher,
    open: Arc<OpenConnection>,
}

impl Connection {
    async fn serve(self, (stream, _permit): (TcpStream, OwnedSemaphorePermit)) {
        // Otherwise a response waits for the acknowledgement of the previous one (Nagle).
        let _best_effort = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else { return self.serve_http(stream).await };
        let handshake = tokio::time::timeout(self.limits.header_time, tls.accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            () = self.open.closed() => return,
        };
        if let Ok(Some(stream)) = shaken {
            self.serve_http(stream).await;
        }
    }

    /// Serves HTTP/1. Errors are those of the client and end the connection.
    async fn serve_http(self, stream: impl AsyncRead + AsyncWrite + Send + 'static) {
        let mut stream = tokio_io_timeout::TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.stalled_write));
        let (router, open, heard) = (self.router, Arc::clone(&self.open), Heard::default());
        let stream = HeardStream::new(stream, heard.clone());
        let answering = heard.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let (mut router, open) = (router.clone(), Arc::clone(&open));
            let heard = answering.clone();
            let request = plain(request).map(|body| hold(body, open.receive()));
            async move {
                let response = router.call(request).await?;
                heard.reset();
                Ok::<_, Infallible>(response.map(|body| hold(body, open.send())))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_time)
            .max_buf_size(self.limits.header_bytes)
            .serve_connection(TokioIo::new(stream), answer);
        let ended = tokio::select! {
            ended = self.watcher.watch(connection) => ended,
            () = self.open.closed() => Ok(()),
        };
        if ended.is_err_and(|error| error.is_timeout()) && heard.is_set() {
            self.open.report_late(self.limits.header_time);
        }
    }
}

/// Keeps a transfer until the body has ended.
fn hold(body: Body, transfer: Transfer) -> Body {
    Body::new(Held { body, _transfer: transfer })
}

/// A body and its transfer.
struct Held {
    body: Body,
    _transfer: Transfer,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Merges repeated slashes in the path: clients join endpoints that end with a slash and paths
/// that begin with one.
fn plain(request: Request<Incoming>) -> Request<Body> {
    let mut request = request.map(Body::new);
    let path = request.uri().path();
    if path.contains("//")
        && let Some(uri) = with_single_slashes(request.uri())
    {
        *request.uri_mut() = uri;
    }
    request
}

fn with_single_slashes(uri: &Uri) -> Option<Uri> {
    let mut path = uri.path().to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(path).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_slashes_are_one_and_encoded_ones_are_none() {
        for (asked, meant) in [
            ("//personalizer///v1.0/rank?a=b//c", "/personalizer/v1.0/rank?a=b//c"),
            ("/events/a%2F%2Fb//reward", "/events/a%2F%2Fb/reward"),
        ] {
            let uri = with_single_slashes(&asked.parse().unwrap()).unwrap();
            assert_eq!(uri.to_string(), meant);
        }
    }
}
