//! How many Rank calls `runner serve` answers on one core.
//!
//! `cargo bench --bench serve` starts a server on core 0 and 32 callers on core 1, which
//! send the coffee request over kept connections for ten seconds; then once more with a
//! state on disk. Where other programs use the cores too, look at the calls for each second
//! of CPU that the server used.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CALLERS: usize = 32;
const TIME: Duration = Duration::from_secs(10);

fn main() {
    // `cargo test --benches` asks for nothing but a sign of life.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    pin("-cp", "1", &std::process::id().to_string());
    let folder = tempfile::tempdir().unwrap();
    let state = ["--state", folder.path().to_str().unwrap()];
    for (name, arguments) in [("in memory", &[][..]), ("with a state on disk", &state[..])] {
        let mut server = Server::start(arguments);
        let figures = measure(&server);
        println!("{name}: {figures}");
        server.child.kill().unwrap();
        server.child.wait().unwrap();
    }
}

/// `just bench` builds it first.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/runner");

fn pin(how: &str, core: &str, what: &str) {
    let pinned = Command::new("taskset").args([how, core, what]).stdout(Stdio::null()).status();
    assert!(pinned.is_ok_and(|status| status.success()), "taskset of util-linux is needed");
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", PROGRAM, "serve", "--port", "0"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().strip_prefix("http://").unwrap().to_owned() }
    }

    /// Seconds of CPU that the server has used.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
        ticks / 100.0
    }
}

/// The tutorial's request; the service makes the event's id.
fn request() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/coffee.json");
    let actions = std::fs::read_to_string(path).unwrap();
    let context = r#"[{"name":"Alice"},{"weather":"Sunny"},{"timeofday":"Morning"}]"#;
    let body = format!(r#"{{"contextFeatures":{context},"actions":{actions}}}"#);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST /personalizer/v1.0/rank HTTP/1.1\r\nHost: loop\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn measure(server: &Server) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (began, used) = (Instant::now(), server.cpu());
    let mut latencies = runtime.block_on(async {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| tokio::spawn(visit(server.address.clone(), began + TIME)))
            .collect();
        let mut all = Vec::new();
        for caller in callers {
            all.extend(caller.await.unwrap());
        }
        all
    });
    let (took, used) = (began.elapsed().as_secs_f64(), server.cpu() - used);
    latencies.sort_unstable();
    let percentile = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1000.0;
    let calls = f64::from(u32::try_from(latencies.len()).expect("a few seconds of calls"));
    format!(
        "{:.0} calls/s, {:.0} calls for each second of CPU, p50 {:.2} ms, p99 {:.2} ms",
        calls / took,
        calls / used,
        percentile(50),
        percentile(99)
    )
}

/// Calls until `end`; how long each call took.
async fn visit(address: String, end: Instant) -> Vec<Duration> {
    let request = request();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 64 << 10];
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        stream.write_all(&request).await.unwrap();
        let mut read = 0;
        while !is_whole(&answer[..read]) {
            read += stream.read(&mut answer[read..]).await.unwrap();
        }
        assert!(answer.starts_with(b"HTTP/1.1 201"));
        latencies.push(began.elapsed());
    }
    latencies
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    answer.len() >= end + 4 + length.unwrap_or(0_usize)
}
