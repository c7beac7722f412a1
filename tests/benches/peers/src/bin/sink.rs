//! A Rank/Reward service that does nothing but answer, and count what arrives.
//!
//!     sink [STALL_EVERY_MS STALL_MS]
//!
//! Prints its address. `GET /arrivals` answers `{"calls":N,"ranks":[…]}`: the Rank calls of
//! each 10 ms from the first to the last, and all calls; `GET /times` the microseconds at which
//! each Rank call came; `POST /reset` counts anew. With a stall, what arrives in the last STALL_MS of every STALL_EVERY_MS is answered at their end.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

struct Sink {
    start: Instant,
    stall: Option<(u128, u128)>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: u64,
    /// When Rank calls came, in microseconds since the start.
    ranks: Vec<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let numbers: Vec<u128> = std::env::args().skip(1).map(|word| word.parse().unwrap()).collect();
    let sink = Arc::new(Sink {
        start: Instant::now(),
        stall: numbers.first().copied().zip(numbers.get(1).copied()),
        seen: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let sink = sink.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(sink.clone(), request));
            // A caller that goes away is no mistake.
            _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answer(
    sink: Arc<Sink>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let is_post = request.method() == Method::POST;
    Ok(match path.as_str() {
        "/arrivals" => respond(StatusCode::OK, sink.arrivals()),
        "/times" => {
            let times = serde_json::to_string(&sink.seen.lock().unwrap().ranks).unwrap();
            respond(StatusCode::OK, times)
        }
        "/reset" => {
            *sink.seen.lock().unwrap() = Seen::default();
            respond(StatusCode::OK, String::new())
        }
        _ if is_post && path.ends_with("/rank") => {
            sink.count(true);
            let body = request.into_body().collect().await.unwrap().to_bytes();
            sink.wait().await;
            respond(StatusCode::CREATED, ranking(&event_id(&body)))
        }
        _ if is_post => {
            sink.count(false);
            _ = request.into_body().collect().await;
            sink.wait().await;
            respond(StatusCode::NO_CONTENT, String::new())
        }
        _ => respond(StatusCode::NOT_FOUND, String::new()),
    })
}

fn respond(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let builder = Response::builder().status(status);
    builder.header("content-type", "application/json").body(Full::from(body)).unwrap()
}

/// The id that the caller gave, if it did.
fn event_id(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let given = text.split_once("\"eventId\":\"").and_then(|(_, rest)| rest.split_once('"'));
    given.map_or("an-event", |(id, _)| id).to_owned()
}

fn ranking(event_id: &str) -> String {
    format!(
        r#"{{"ranking":[{{"id":"Cappucino","probability":0.85}},{{"id":"Cold brew","probability":0.05}},{{"id":"Iced mocha","probability":0.05}},{{"id":"Latte","probability":0.05}}],"eventId":"{event_id}","rewardActionId":"Cappucino"}}"#
    )
}

impl Sink {
    fn count(&self, is_rank: bool) {
        let mut seen = self.seen.lock().unwrap();
        seen.calls += 1;
        if is_rank {
            seen.ranks.push(u64::try_from(self.start.elapsed().as_micros()).unwrap());
        }
    }

    async fn wait(&self) {
        let Some((every, stall)) = self.stall else { return };
        let into = self.start.elapsed().as_millis() % every;
        if into >= every - stall {
            let rest = u64::try_from(every - into).unwrap();
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
    }

    fn arrivals(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let slot = |time: &u64| usize::try_from(time / 10_000).unwrap();
        let first = seen.ranks.first().map_or(0, slot);
        let mut ranks = vec![0_u32; seen.ranks.last().map_or(0, |last| slot(last) - first + 1)];
        seen.ranks.iter().for_each(|time| ranks[slot(time) - first] += 1);
        serde_json::json!({ "calls": seen.calls, "ranks": ranks }).to_string()
    }
}
