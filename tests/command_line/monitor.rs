//! `--metrics` and `--otlp`: what a run tells while it lasts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::faults::service::{Reply, Request, Service, rank_only};

/// A run of 200 iterations on a service, one at a time, in a phase called `learn`.
fn run(url: &str, arguments: &[&str]) -> Output {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let folder = tempfile::tempdir().unwrap();
    let scenario = format!(
        "version: 1\nname: watched\ndatasets: {{ users: \"{}\", actions: \"{}\" }}\n\
         context: [name, weather, timeofday]\ntarget: {{ url: \"{url}\" }}\nphases:\n  \
         - iterate: {{ name: learn, iterations: 200 }}\nexpect:\n  - learn.errors == 0\n",
        data.join("users.json").display(),
        data.join("coffee.json").display(),
    );
    let path = folder.path().join("watched.yaml");
    std::fs::write(&path, scenario).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg("run").arg(&path).args(["--allow-paths", "--quiet", "--out"]);
    command.arg(folder.path().join("out")).args(arguments);
    command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// What Prometheus would read at the hundredth Rank, which waits for it.
fn scraped() -> String {
    let port = free_port();
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    let service = Service::start(rank_only(move |request: &Request| {
        if request.ranks == 100 {
            *kept.lock().unwrap() = get(port, "/metrics");
        }
        Reply::Right
    }));
    let output = run(&service.url(), &["--metrics", &port.to_string()]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains(&format!("http://127.0.0.1:{port}/metrics")), "{stderr}");
    drop(service);
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[test]
fn a_run_is_scraped_while_it_lasts() {
    let answer = scraped();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("version=0.0.4"), "{head}");
    let value = |name: &str| {
        let line =
            text.lines().find(|line| line.starts_with(&format!("{name}{{phase=\"learn\"}} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap()
    };
    assert!((95.0..=100.0).contains(&value("runner_iterations_total")), "{text}");
    assert_eq!(value("runner_phase_running"), 1.0);
    assert!(value("runner_rank_latency_seconds_count") >= 95.0);

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/services/python/bin/python");
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as read\n\
        families = {family.name: family for family in read(sys.stdin.read())}\n\
        assert families['runner_iterations'].type == 'counter', families\n\
        assert families['runner_rank_latency_seconds'].type == 'histogram', families\n\
        assert len(families) == 15, sorted(families)\n";
    let has_parser = |command: &mut Command| {
        let probe = command.args(["-c", "import prometheus_client"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    if !has_parser(&mut Command::new(&python)) {
        return crate::tools::missing("prometheus_client", "run tests/services/install");
    }
    let mut parser = Command::new(&python);
    parser.args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut parser = parser.spawn().unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The value of a metric in the last body that a collector got.
fn last(collector: &Service, name: &str) -> Value {
    let pushed = collector.seen_at("/v1/metrics");
    let last = pushed.last().expect("something was sent");
    let metrics = &last.body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let metrics = metrics.as_array().expect("a request has metrics");
    metrics.iter().find(|metric| metric["name"] == name).expect(name).clone()
}

#[test]
fn a_collector_receives_what_the_run_did() {
    let (service, collector) = (Service::start(|_| Reply::Right), Service::start(|_| Reply::Right));
    let output = run(&service.url(), &["--otlp", &collector.url()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(last(&collector, "runner.iterations")["sum"]["dataPoints"][0]["asInt"], "200");
    assert_eq!(last(&collector, "runner.running")["gauge"]["dataPoints"][0]["asDouble"], 0.0);
    let latency = last(&collector, "runner.rank_latency");
    assert_eq!(latency["histogram"]["dataPoints"][0]["count"], "200");
    let held = last(&collector, "runner.expectation_held");
    assert_eq!(held["gauge"]["dataPoints"][0]["asDouble"], 1.0);
}

/// A collector over TLS; it keeps the head of every request.
struct Secured {
    url: String,
    certificate: String,
    heads: Arc<Mutex<Vec<String>>>,
}

fn secured_collector() -> Secured {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (configuration, heads) = (Arc::new(configuration), Arc::<Mutex<Vec<String>>>::default());
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&configuration)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream));
            // A client that trusts nobody breaks off the handshake.
            while let Some(head) = taken(&mut stream) {
                kept.lock().unwrap().push(head);
                stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
            }
        }
    });
    Secured { url, certificate: made.cert.pem(), heads }
}

/// The head of the next request, in lower case, whose body is read, too.
fn taken(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        stream.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    stream.read_exact(&mut vec![0; length.parse().ok()?]).ok()?;
    Some(head)
}

#[test]
fn a_collector_over_https_gets_its_headers_if_it_is_trusted() {
    let (service, collector) = (Service::start(|_| Reply::Right), secured_collector());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &collector.certificate).unwrap();
    let ca = ca.display().to_string();
    let headers = "--otlp-headers=authorization=Bearer%20canary,x-scope=team";
    let asked = ["--otlp", &collector.url, headers];
    let output = run(&service.url(), &[&asked[..], &["--otlp-ca", &ca]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
    let heads = std::mem::take(&mut *collector.heads.lock().unwrap());
    let last = heads.last().expect("something was sent");
    assert!(last.starts_with("post /v1/metrics http/1.1"), "{last}");
    assert!(last.contains("authorization: bearer canary\r\nx-scope: team\r\n"), "{last}");

    let output = run(&service.url(), &asked);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("does not take") && stderr.contains("certificate"), "{stderr}");
    assert!(!stderr.contains("canary") && collector.heads.lock().unwrap().is_empty(), "{stderr}");
}

#[test]
fn a_collector_that_stalls_or_is_absent_changes_nothing() {
    let service = Service::start(|_| Reply::Right);
    let stalled = Service::start(|_| Reply::Stall(Vec::new()));
    let absent = format!("http://127.0.0.1:{}", free_port());
    for collector in [stalled.url(), absent] {
        let output = run(&service.url(), &["--otlp", &collector]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn addresses_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let service = Service::start(|_| Reply::Right);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, expected) in [
        (["--metrics", port.as_str()], "--metrics"),
        (["--metrics", "everywhere"], "expected a port"),
        (["--otlp", "ftp://collector"], "expected an address"),
        (["--otlp", "http://user:canary@127.0.0.1:1"], "without a user"),
        (["--otlp=http://127.0.0.1:1", "--otlp-headers=a=b,canary"], "header 2 has no `=`"),
        (["--otlp=http://127.0.0.1:1", "--otlp-ca=Cargo.toml"], "no certificate in PEM"),
    ] {
        let output = run(&service.url(), &arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        let is_shown = stderr.contains("canary") && !stderr.contains("user:canary");
        assert!(!is_shown, "{stderr}");
    }
    assert!(service.seen().is_empty());
}
