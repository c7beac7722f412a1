//! A service on a port of its own, whose time the test moves, and a caller that sends
//! exactly what it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use learning_loop::LoopOptions;
use serde_json::Value;
use server::{self, Access, Keys, Limits, Service, Time};
use timestamp::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Served {
    pub address: SocketAddr,
    now: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<std::thread::JoinHandle<()>>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Served {
    /// A new service, without keys.
    pub fn new() -> Self {
        Self::start(LoopOptions::default(), Keys::default(), Limits::default())
    }

    pub fn start(options: LoopOptions, access: impl Into<Access>, limits: Limits) -> Self {
        let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
        let read = Arc::clone(&now);
        let time: Time = Arc::new(move || Timestamp::from_unix_micros(read.load(Ordering::SeqCst)));
        let service = Service::new(options, access, time);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            let stopped = async { drop(stopped.await) };
            server::serve(listener, service, limits, None, stopped).await.unwrap();
        };
        let server = Some(std::thread::spawn(move || runtime.block_on(serve)));
        Self { address, now, stop: Some(stop), server }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(mut self) {
        drop(self.stop.take());
        self.server.take().unwrap().join().unwrap();
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes, and reads until the server closes.
    pub fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer)
    }

    pub fn call(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", &v1(path), "", b"")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", &v1(path), "", b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body)
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.json("PUT", path, body)
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let kind = "Content-Type: application/json; charset=utf-8\r\n";
        self.call(method, &v1(path), kind, body.to_string().as_bytes())
    }
}

/// `/rank` is an operation of v1.0; what says its version is taken as it is.
fn v1(path: &str) -> String {
    let whole = path.starts_with("/personalizer") || path.starts_with("//");
    if whole { path.to_owned() } else { format!("/personalizer/v1.0{path}") }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Self { status, headers: lines.map(header).collect(), body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body of an answer in chunks.
    pub fn dechunked(&self) -> Vec<u8> {
        assert_eq!(self.header("transfer-encoding"), Some("chunked"));
        let (mut rest, mut whole) = (&self.body[..], Vec::new());
        loop {
            let end = rest.windows(2).position(|window| window == b"\r\n").unwrap();
            let length = std::str::from_utf8(&rest[..end]).unwrap();
            let length = usize::from_str_radix(length, 16).unwrap();
            if length == 0 {
                return whole;
            }
            whole.extend_from_slice(&rest[end + 2..end + 2 + length]);
            rest = &rest[end + 2 + length + 2..];
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body, if the status is the expected one.
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Done, without a word.
    pub fn is_empty(&self, status: u16) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert!(self.body.is_empty() && self.header("content-type").is_none());
    }

    /// The code of a refusal, if the status is the expected one.
    pub fn refusal(&self, status: u16) -> String {
        let body = self.json(status);
        let message = body["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty());
        assert_eq!(self.header("x-ms-error-code"), body["error"]["code"].as_str());
        body["error"]["code"].as_str().unwrap().to_owned()
    }
}
