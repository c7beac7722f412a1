//! A server of S3 that others wrote, where `tests/submit/install` put it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Machine, done, ended, shards_are_kept_and_merged};

struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// A server with a bucket; none, with words, where it is not installed.
    fn start() -> Option<Self> {
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("target/submit/python/bin/moto_server");
        if !program.exists() {
            crate::tools::missing("the S3 server moto", "run tests/submit/install");
            return None;
        }
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("Running on http://")?.1.trim().to_owned())
        });
        // It goes on writing.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { process, address: address.unwrap() };
        assert!(server.ask("PUT", "/bucket").starts_with("HTTP/1.1 200"));
        Some(server)
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        let head = head + "Content-Length: 0\r\nConnection: close\r\n\r\n";
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    fn machine(&self, root: &Path) -> Machine {
        let mut machine = Machine::new(root, "machine");
        machine.environment = vec![
            ("AWS_ACCESS_KEY_ID", "an-access-key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "hush-hush-hush".to_owned()),
            ("AWS_REGION", "eu-north-1".to_owned()),
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            // A pipeline that has no such secret hands on an empty one.
            ("AWS_SESSION_TOKEN", String::new()),
        ];
        machine
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[test]
fn shards_in_a_bucket_come_to_the_whole() {
    let Some(server) = Server::start() else { return };
    let root = tempfile::tempdir().unwrap();
    let machine = server.machine(root.path());
    shards_are_kept_and_merged(&machine, root.path(), "s3://bucket/a path/é");
}

/// Larger than what is sent at once: in parts.
#[test]
fn a_large_run_is_what_it_is_here() {
    let Some(server) = Server::start() else { return };
    let root = tempfile::tempdir().unwrap();
    let machine = server.machine(root.path());
    let run = |out: &str| {
        let mut command = machine.runner(&["run", "scenarios/noise.yaml", "--quiet"]);
        command.args(["--set", "phases.late.iterations=100000", "--set", "expect=[]"]);
        command.args(["--out", out]);
        done(command);
    };
    let here = root.path().join("here");
    run(here.to_str().unwrap());
    run("s3://bucket/large");
    let there = server.ask("GET", "/bucket/large/events.csv");
    let body = there.split_once("\r\n\r\n").unwrap().1;
    let events = fs::read_to_string(here.join("events.csv")).unwrap();
    assert!(events.len() > 12 << 20, "{}", events.len());
    assert_eq!(body.len(), events.len());
    assert!(body == events);
}

#[test]
fn a_store_that_cannot_be_used_is_known_before_anything_is_run() {
    let Some(server) = Server::start() else { return };
    let root = tempfile::tempdir().unwrap();
    let mut machine = server.machine(root.path());
    let fails = |machine: &Machine, address: &str, message: &str| {
        let output = machine.experiment(100, &["--out", address]).output().unwrap();
        let (code, said) = ended(&output);
        assert_eq!(code, 7, "{said}");
        assert!(said.contains(message) && said.contains("help: "), "{said}");
        assert!(!said.contains("hush"), "{said}");
        assert!(!said.contains("<Error>"), "{said}");
    };
    fails(&machine, "s3://another/path", "The specified bucket does not exist");
    machine.environment[3].1 = "http://127.0.0.1:1".to_owned();
    fails(&machine, "s3://bucket/path", "Connection refused");
}
