//! What browsers get, those that read, those that stall and those that go away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use live_page::LivePage;
use report::html::{Block, Page, Section};

const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn page(text: &str) -> Page {
    Page {
        title: "checkout".to_owned(),
        subtitle: "a run".to_owned(),
        sections: vec![Section {
            heading: "Result".to_owned(),
            blocks: vec![Block::Text(text.to_owned())],
        }],
    }
}

fn ask(at: SocketAddr, path: &str, host: &str) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(at).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    BufReader::new(connection)
}

fn whole(at: SocketAddr, path: &str, host: &str) -> String {
    let mut text = String::new();
    ask(at, path, host).read_to_string(&mut text).unwrap();
    text
}

/// Reads until a line holds `what`.
fn until(reader: &mut impl BufRead, what: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the stream ended before `{what}`");
        if line.contains(what) {
            return line;
        }
    }
}

#[test]
fn a_browser_gets_the_page_its_changes_and_the_end() {
    let live = LivePage::start(ANY_PORT, || page("at first")).unwrap();
    let at = live.address();
    let html = whole(at, "/", "localhost");
    assert!(html.contains("at first") && html.contains("EventSource"), "{html}");
    let mut events = ask(at, "/events", "127.0.0.1");
    until(&mut events, "at first");
    live.publish(page("in the middle"));
    until(&mut events, "in the middle");
    live.finish("<p>the report</p>".to_owned());
    until(&mut events, "event: end");
    let html = whole(at, "/", "[::1]:80");
    assert!(html.ends_with("<p>the report</p>"), "{html}");
}

/// Pages of 1 MB fill the buffers of a socket at once: a browser that does not read must not
/// make the run wait, nor another browser, and neither must one that is gone.
#[test]
fn browsers_that_stall_or_go_away_hold_nothing_up() {
    let live = LivePage::start(ANY_PORT, || page("at first")).unwrap();
    let at = live.address();
    let stalled: Vec<_> = (0..8).map(|_| ask(at, "/events", "localhost")).collect();
    for gone in 0..8 {
        let mut events = ask(at, "/events", "localhost");
        until(&mut events, "at first");
        drop(events);
        live.publish(page(&format!("at first, {gone}")));
    }
    let mut reader = ask(at, "/events", "localhost");
    until(&mut reader, "at first");
    let large = "x".repeat(1 << 20);
    for number in 0..50 {
        live.publish(page(&format!("{large} {number}")));
    }
    live.publish(page("at last"));
    until(&mut reader, "at last");
    drop(stalled);
}

#[test]
fn a_foreign_name_and_other_paths_are_refused() {
    let live = LivePage::start(ANY_PORT, || page("secret")).unwrap();
    let at = live.address();
    for (path, host, status) in [
        ("/", "evil.example", "403"),
        ("/events", "evil.example:80", "403"),
        ("/", "127.0.0.1.evil.example", "403"),
        ("/other", "localhost", "404"),
    ] {
        let answer = whole(at, path, host);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {host}: {answer}");
        assert!(!answer.contains("secret"));
    }
}

#[test]
fn nothing_listens_once_it_is_dropped() {
    let live = LivePage::start(ANY_PORT, || page("x")).unwrap();
    let at = live.address();
    let mut events = ask(at, "/events", "localhost");
    until(&mut events, "data: ");
    drop(live);
    // The stream ends with its connection.
    while events.read_line(&mut String::new()).is_ok_and(|read| read > 0) {}
}
