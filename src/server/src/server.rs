use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service as _;

use super::router::router;
use super::{Service, Tls};

/// How much of one machine callers may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many connections at once; more wait.
    pub connections: usize,
    /// So many bytes of headers.
    pub header_bytes: usize,
    /// The headers of a request are there after so long, or the connection is closed; so
    /// it is when it idles for so long.
    pub header_time: Duration,
    /// A caller takes some of its answer within so long.
    pub stalled_write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_bytes: 64 << 10,
            header_time: Duration::from_secs(30),
            stalled_write: Duration::from_secs(30),
        }
    }
}

/// Callers that have not finished by then are left.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait when the machine has no more sockets.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Takes connections until `stop`; then finishes what is in flight. Evaluations that had
/// not ended when the state was left are run again.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    limits: Limits,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) {
    service.resume();
    let router = router(service);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        let connection = Connection { router, tls, limits, watcher };
        tokio::spawn(connection.serve(accepted));
    }
    drop(listener);
    let _unfinished = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

/// The next connection, once there is a slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let slot = Arc::clone(slots).acquire_owned().await.expect("slots are never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) => {
                eprintln!("a connection could not be taken: {error}");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

struct Connection {
    router: Router,
    tls: Option<Tls>,
    limits: Limits,
    watcher: Watcher,
}

impl Connection {
    async fn serve(self, (stream, _slot): (TcpStream, OwnedSemaphorePermit)) {
        // Without it, an answer waits for the acknowledgement of the one before.
        let _best_effort = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else { return self.speak(stream).await };
        let shaken = tokio::time::timeout(self.limits.header_time, tls.accept(stream)).await;
        if let Ok(Some(stream)) = shaken {
            self.speak(stream).await;
        }
    }

    /// Speaks HTTP. What goes wrong is the caller's: it has gone, or it is no caller.
    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Send + 'static) {
        let mut stream = tokio_io_timeout::TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.stalled_write));
        let router = self.router;
        let answer = service_fn(move |request: Request<Incoming>| {
            let mut router = router.clone();
            async move { router.call(plain(request)).await }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_time)
            .max_buf_size(self.limits.header_bytes)
            .serve_connection(TokioIo::new(Box::pin(stream)), answer);
        let _gone = self.watcher.watch(connection).await;
    }
}

/// The request with repeated slashes as one: endpoints end with a slash, paths begin with
/// one, and callers put them together.
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
