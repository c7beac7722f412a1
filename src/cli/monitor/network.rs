use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::cli::streams;

use super::Shared;
use super::collector::Collector;

/// How often the collector gets the numbers, and how long it may take.
const EVERY: Duration = Duration::from_secs(5);
const LONGEST_PUSH: Duration = Duration::from_secs(4);
const LONGEST_LAST_PUSH: Duration = Duration::from_millis(1_500);

/// So many scrapes are answered at once, each within so long.
const MOST_SCRAPES: usize = 16;
const LONGEST_SCRAPE: Duration = Duration::from_secs(10);

/// The thread that speaks with Prometheus and the collector.
pub struct Network {
    runtime: Runtime,
    listener: Option<TcpListener>,
    collector: Option<Collector>,
    shared: Shared,
}

impl Network {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the address is taken, or there is no runtime.
    pub fn open(
        address: Option<SocketAddr>,
        collector: Option<Collector>,
        shared: Shared,
    ) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| format!("cannot start the async runtime: {error}"))?;
        let listen = |address: SocketAddr| {
            let bound = runtime.block_on(TcpListener::bind(address));
            bound.map_err(|error| format!("`--metrics {address}`: {error}"))
        };
        let listener = address.map(listen).transpose()?;
        Ok(Self { runtime, listener, collector, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves and sends until it is asked to stop, then sends once more.
    pub fn work(self, stop: oneshot::Receiver<()>) {
        let Self { runtime, listener, collector, shared } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = stop => {}
                () = serve(listener, shared.clone()) => {}
                () = send(collector.as_ref(), &shared) => {}
            }
            if let Some(collector) = &collector {
                // The run has ended: nobody waits to hear of it.
                timeout(LONGEST_LAST_PUSH, collector.push(shared.otlp())).await.ok();
            }
        });
        runtime.shutdown_background();
    }
}

/// Sends the numbers again and again. A failure is told once.
async fn send(collector: Option<&Collector>, shared: &Shared) {
    let Some(collector) = collector else { return std::future::pending().await };
    let mut has_failed = false;
    loop {
        let sent = timeout(LONGEST_PUSH, collector.push(shared.otlp())).await;
        let sent = sent.unwrap_or_else(|_| Err("it does not answer".to_owned()));
        if let (Err(why), false) = (sent, has_failed) {
            has_failed = true;
            let place = collector.place();
            streams::note(&format!(
                "warning: the collector at {place} does not take the numbers of the run, which goes on: {why}"
            ));
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn serve(listener: Option<TcpListener>, shared: Shared) {
    let Some(listener) = listener else { return std::future::pending().await };
    let room = Arc::new(Semaphore::new(MOST_SCRAPES));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, say: those who are served now give some back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                std::future::ready(Ok::<_, Infallible>(answer(&request, &shared)))
            });
            let http = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            // A client that hangs up, or is too slow, is no concern of the run.
            timeout(LONGEST_SCRAPE, http).await.ok();
            drop(place);
        });
    }
}

fn answer(request: &Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    let is_right = request.method() == Method::GET && request.uri().path() == "/metrics";
    let text = if is_right { shared.prometheus() } else { "GET /metrics\n".to_owned() };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    if !is_right {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    let content_type = HeaderValue::from_static(telemetry::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
