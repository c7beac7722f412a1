//! A service on loopback that does as it is told, wrong things too.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// The body as it came.
    pub text: String,
    /// How many Ranks came before it.
    pub ranks: usize,
}

/// What the service does with a request.
pub enum Reply {
    /// As Personalizer does.
    Right,
    /// This status, these header lines, this body.
    Answer(u16, &'static str, String),
    /// These bytes, and then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, each part for itself.
    Pieces(Vec<Vec<u8>>),
    /// These bytes, and then nothing until the client gives up.
    Stall(Vec<u8>),
    /// So many bytes of body without an end.
    Flood(usize),
}

pub type Script = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

pub struct Service {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Script,
    ranks: AtomicUsize,
    seen: Mutex<Vec<Request>>,
    closed: AtomicBool,
}

impl Service {
    /// A service that answers by `script` until it is dropped.
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), script)
    }

    /// A service at this address, as soon as it is free.
    pub fn start_at(
        address: SocketAddr,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = loop {
            if let Ok(listener) = TcpListener::bind(address) {
                break listener;
            }
        };
        let shared = Arc::new(Shared {
            script: Arc::new(script),
            ranks: AtomicUsize::new(0),
            seen: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let service = Self { address: listener.local_addr().unwrap(), shared: Arc::clone(&shared) };
        std::thread::spawn(move || listen(&listener, &shared));
        service
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many Ranks came.
    pub fn ranks(&self) -> usize {
        self.shared.ranks.load(Ordering::SeqCst)
    }

    /// Waits until so many Ranks came from a client that runs.
    pub fn wait_for_ranks(&self, count: usize, mut client_runs: impl FnMut() -> bool) {
        while self.ranks() < count {
            assert!(client_runs() || self.ranks() >= count, "the client ended before");
            std::thread::yield_now();
        }
    }

    /// Everything that came, in the order of arrival.
    pub fn seen(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The requests whose path ends so.
    pub fn seen_at(&self, end: &str) -> Vec<Request> {
        self.seen().into_iter().filter(|request| request.path.ends_with(end)).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || stream.ok().and_then(|stream| converse(stream, &shared)));
    }
}

fn converse(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let request = read(&mut reader, shared)?;
        shared.seen.lock().unwrap().push(request.clone());
        match (shared.script)(&request) {
            Reply::Right => stream.write_all(&right(&request)).ok()?,
            Reply::Answer(status, headers, body) => {
                stream.write_all(&answer(status, headers, &body)).ok()?;
            }
            Reply::Bytes(bytes) => return stream.write_all(&bytes).ok(),
            Reply::Pieces(pieces) => {
                stream.set_nodelay(true).ok()?;
                for piece in pieces {
                    stream.write_all(&piece).ok()?;
                    std::thread::yield_now();
                }
            }
            Reply::Stall(bytes) => {
                stream.write_all(&bytes).ok()?;
                stream.flush().ok()?;
                // The client hangs up.
                reader.read_exact(&mut [0]).ok()?;
                return None;
            }
            Reply::Flood(bytes) => {
                stream
                    .write_all(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .ok()?;
                let chunk = [
                    format!("{:x}\r\n", 1 << 16).into_bytes(),
                    vec![b' '; 1 << 16],
                    b"\r\n".to_vec(),
                ]
                .concat();
                for _ in 0..bytes >> 16 {
                    stream.write_all(&chunk).ok()?;
                }
                return None;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>, shared: &Shared) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let ranks = if path.ends_with("/rank") {
        shared.ranks.fetch_add(1, Ordering::SeqCst)
    } else {
        shared.ranks.load(Ordering::SeqCst)
    };
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Request { method, path, headers, body, text, ranks })
}

pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// The right answer to Rank, which a script may spoil: each action has its share, the
/// first is chosen.
pub fn ranking(request: &Request) -> Value {
    let actions = request.body["actions"].as_array().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let share = 1.0 / actions.len() as f64;
    let ranking: Vec<_> =
        actions.iter().map(|action| json!({"id": action["id"], "probability": share})).collect();
    json!({
        "ranking": ranking,
        "eventId": request.body["eventId"],
        "rewardActionId": actions[0]["id"],
    })
}

fn right(request: &Request) -> Vec<u8> {
    let path = request.path.rsplit("/personalizer/v1.0").next().unwrap_or_default();
    match (request.method.as_str(), path) {
        (_, "/rank") => answer(201, "", &ranking(request).to_string()),
        (_, "/configurations/service") => {
            let settings = protocol::ServiceConfiguration::default();
            answer(200, "", &serde_json::to_string(&settings).unwrap())
        }
        (_, "/configurations/policy") => {
            answer(200, "", &json!({"name": "p", "arguments": "--cb_explore_adf"}).to_string())
        }
        (_, "/model/properties") => {
            let moment = "2026-01-01T00:00:00Z";
            answer(
                200,
                "",
                &json!({"creationTime": moment, "lastModifiedTime": moment}).to_string(),
            )
        }
        _ => answer(204, "", ""),
    }
}

/// As Personalizer does, but for Rank.
pub fn rank_only(
    script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| if request.path.ends_with("/rank") { script(request) } else { Reply::Right }
}
