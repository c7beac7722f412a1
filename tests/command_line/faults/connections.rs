//! Connections that fail (rows 1 to 5, 13, 21 and 22 of a matrix of faults).

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::service::{Reply, Request, Service, rank_only};
use super::{Trial, counted};

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn nobody_there_is_known_before_anything_is_sent() {
    let url = nobody();
    let outcome = Trial::against(&url).target("retries: { questions: 0 }").run();
    outcome.says(6, &[&url, "refused", "`runner serve` starts one"]);
    assert!(outcome.read().records.is_empty());
}

#[test]
fn a_host_that_does_not_exist_is_called_so() {
    let trial = Trial::against("http://no-such-host.invalid");
    let outcome = trial.target("retries: { questions: 0 }").run();
    outcome.says(6, &["http://no-such-host.invalid", "check the host in `target.url`"]);
}

#[test]
fn tls_is_never_given_up_silently() {
    let service = Service::start(|_| Reply::Right);
    let url = service.url().replace("http:", "https:");
    let outcome = Trial::against(&url).target("retries: { questions: 0 }").run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert!(service.seen().is_empty(), "nothing was sent in the open");
}

#[test]
fn a_proxy_that_lets_nobody_through_is_called_so() {
    let proxy = Service::start(|_| Reply::Answer(407, "", String::new()));
    let target = format!("proxy: \"{}\"", proxy.url());
    let outcome = Trial::against("http://service.example").target(&target).run();
    outcome.says(6, &["407", "`target.proxy`"]);
    assert_eq!(
        proxy.seen()[0].path,
        "http://service.example/personalizer/v1.0/configurations/service"
    );
}

#[test]
fn broken_connections_are_counted_and_the_next_call_gets_a_new_one() {
    let cut_body = "HTTP/1.1 201 Created\r\nContent-Length: 5000\r\n\r\n{\"ranking\":[";
    let cut_chunk = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{\"rank";
    for bytes in ["", "HTTP/1.1 201 Cre", cut_body, cut_chunk] {
        let script = move |request: &Request| match request.ranks {
            3 => Reply::Bytes(bytes.into()),
            _ => Reply::Right,
        };
        let service = Service::start(rank_only(script));
        let outcome = Trial::against(&service.url()).run();
        outcome.says(0, &[]);
        let expected = counted([("completed", 9), ("rank.transport", 1)]);
        assert_eq!(outcome.outcomes(), expected, "{bytes:?}");
        assert_eq!(service.seen_at("/rank").len(), 10, "not sent again: {bytes:?}");
    }
}

#[test]
fn a_service_that_hangs_costs_one_timeout() {
    let head = b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{";
    for bytes in [&b""[..], b"HTTP/1.1 201 Created\r\nX-Slow: ", head] {
        let script = move |request: &Request| match request.ranks {
            3 => Reply::Stall(bytes.into()),
            _ => Reply::Right,
        };
        let service = Service::start(rank_only(script));
        let outcome = Trial::against(&service.url()).target("timeout: 300ms").run();
        outcome.says(0, &[]);
        assert_eq!(outcome.outcomes(), counted([("completed", 9), ("rank.timeout", 1)]));
    }
}

#[test]
fn the_first_byte_has_a_limit_of_its_own() {
    let script = |request: &Request| match request.ranks {
        3 => Reply::Stall(Vec::new()),
        _ => Reply::Right,
    };
    let service = Service::start(rank_only(script));
    let timeout = "timeout: { first_byte: 200ms, whole: 1h }";
    let outcome = Trial::against(&service.url()).target(timeout).run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), counted([("completed", 9), ("rank.timeout", 1)]));
}

/// A service that is silent for a while: an open arrival sends on, and says how long
/// visitors would have waited.
#[test]
fn an_open_arrival_keeps_its_schedule_while_the_service_hangs() {
    let script = |request: &Request| match request.ranks {
        10..15 => Reply::Stall(Vec::new()),
        _ => Reply::Right,
    };
    let service = Service::start(rank_only(script));
    let phase = "arrival: open, rate: 100/s, iterations: 50, max_in_flight: 100";
    let outcome = Trial::against(&service.url()).target("timeout: 2s").phase(phase).run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), counted([("completed", 45), ("rank.timeout", 5)]));
    let records = outcome.read().records;
    let (first, last) = (records[0].due, records[49].due);
    assert_eq!(
        last.saturating_sub(first).as_millis(),
        490,
        "the schedule is a function of the index"
    );
}

/// The service is away for a while and comes back: a closed arrival holds back instead of
/// burning its iterations.
#[test]
fn a_service_that_restarts_is_waited_for() {
    let first = Service::start(|request| match request.ranks {
        0..20 => Reply::Right,
        // It goes down: the connection ends, and nobody listens any more.
        _ => Reply::Bytes(Vec::new()),
    });
    let address = first.address;
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let trial = Trial::against(&format!("http://{address}"));
            trial.phase("iterations: 200").run()
        });
        first.wait_for_ranks(21, || !run.is_finished());
        drop(first);
        // How long it is away is the thing under test.
        std::thread::park_timeout(Duration::from_millis(700));
        let second = Service::start_at(address, |_| Reply::Right);
        let outcome = run.join().unwrap();
        drop(second);
        outcome
    });
    outcome.says(0, &[]);
    let outcomes = outcome.outcomes();
    assert_eq!(outcomes.values().sum::<usize>(), 200);
    let refused = outcomes.get("rank.connect").copied().unwrap_or_default();
    assert!((1..=20).contains(&refused), "{outcomes:?}");
    assert!(outcomes["completed"] >= 175, "{outcomes:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn files_that_run_out_are_called_so() {
    let service = Service::start(|request| {
        if request.path.ends_with("/rank") { Reply::Stall(Vec::new()) } else { Reply::Right }
    });
    let phase = "iterations: 100, concurrency: 100, error_budget: 100";
    let trial = Trial::against(&service.url()).target("timeout: 1s").phase(phase);
    let outcome = trial.in_a_shell_after("ulimit -n 40").run();
    outcome.says(6, &["the first 20 calls failed"]);
    let outcomes = outcome.outcomes();
    assert!(outcomes["rank.connect"] > 10, "{outcomes:?}");
}

/// A machine that sleeps, or gives its cores to others (row 21).
#[test]
#[cfg(target_os = "linux")]
fn a_client_that_was_suspended_says_that_it_was_saturated() {
    let service = Service::start(|_| Reply::Right);
    let phase = "arrival: open, rate: 200/s, iterations: 200";
    let trial = Trial::against(&service.url()).phase(phase);
    let mut run = trial.command(&[]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    service.wait_for_ranks(20, || run.try_wait().unwrap().is_none());
    signal(run.id(), "STOP");
    // How long it is suspended is the thing under test.
    std::thread::park_timeout(Duration::from_millis(700));
    signal(run.id(), "CONT");
    let Output { stdout, stderr, .. } = run.wait_with_output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert!(said.contains("generator saturated"), "{said}");
    assert_eq!(service.ranks(), 200, "what fell due meanwhile is sent, and late");
}

fn signal(process: u32, name: &str) {
    let signalled = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status();
    assert!(signalled.unwrap().success());
}
