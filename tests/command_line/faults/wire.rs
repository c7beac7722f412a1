//! Answers that are right but written oddly, and answers that are no HTTP.

use seed::{PhaseKey, Purpose, Seed};

use super::service::{Reply, Request, Service, rank_only, ranking};
use super::{Trial, counted};

const HEAD: &str = "HTTP/1.1 201 Created\r\n";

fn body(request: &Request) -> String {
    ranking(request).to_string()
}

fn with_length(head: &str, body: &str) -> String {
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The body in chunks of so many bytes, each with this extension, and then these trailers.
fn chunked(body: &str, size: usize, extension: &str, trailers: &str) -> String {
    let chunk = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).expect("the answers of these tests are ASCII");
        format!("{:03X}{extension}\r\n{text}\r\n", bytes.len())
    };
    let chunks: String = body.as_bytes().chunks(size).map(chunk).collect();
    format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}0{extension}\r\n{trailers}\r\n")
}

/// What a right answer may look like.
fn written(request: &Request, way: usize) -> String {
    let body = body(request);
    match way {
        0 => with_length(HEAD, &body),
        1 => chunked(&body, 7, "", ""),
        2 => chunked(&body, 11, ";name=value;flag;quoted=\"a;b\"", ""),
        3 => chunked(&body, 64, "", "Checksum: none\r\nExpires: never\r\n"),
        4 => format!("HTTP/1.1 100 Continue\r\n\r\n{}", with_length(HEAD, &body)),
        5 => {
            let hint = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
            format!("{}{}", hint.repeat(3), with_length(HEAD, &body))
        }
        6 => with_length(&format!("{HEAD}{}", "X-Padding: 0123456789\r\n".repeat(60)), &body),
        _ => with_length("HTTP/1.1 201\r\nServer:\r\n", &body),
    }
}

const WAYS: u64 = 8;
const ITERATIONS: u64 = 200;

/// Whatever an answer is cut into on its way, and in whichever way HTTP lets it be written, it is
/// the same answer.
#[test]
fn a_right_answer_is_read_however_it_arrives() {
    let service = Service::start(rank_only(|request| {
        let mut draws = Seed(5).draws(PhaseKey::new("cut"), request.ranks as u64, Purpose::Visitor);
        let mut below = |limit: u64| usize::try_from(draws.below(limit)).unwrap();
        let text = written(request, below(WAYS));
        let mut cuts: Vec<usize> = (0..below(12)).map(|_| below(text.len() as u64)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| text.as_bytes()[cut[0]..cut[1]].to_vec());
        Reply::Pieces(pieces.collect())
    }));
    let trial = Trial::against(&service.url());
    let outcome = trial.phase(&format!("iterations: {ITERATIONS}, concurrency: 4")).run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), counted([("completed", usize::try_from(ITERATIONS).unwrap())]));
}

/// Each is counted by its kind, and concerns no call after it.
#[test]
fn what_breaks_http_is_counted_by_kind() {
    type Spoil = fn(&Request) -> String;
    let table: [(&str, Spoil); 16] = [
        // The end is missing.
        ("rank.transport", |_| String::new()),
        ("rank.transport", |_| "HTTP/1.1 201 Cre".to_owned()),
        ("rank.transport", |_| format!("{HEAD}Content-Ty")),
        ("rank.transport", |request| {
            format!("{HEAD}Content-Length: 9999\r\n\r\n{}", body(request))
        }),
        ("rank.transport", |_| format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n{{\"rank")),
        ("rank.transport", |request| {
            let whole = chunked(&body(request), 64, "", "");
            whole.strip_suffix("0\r\n\r\n").unwrap().to_owned()
        }),
        // The length is wrong.
        ("rank.protocol_json", |request| {
            format!("{HEAD}Content-Length: 20\r\n\r\n{}", body(request))
        }),
        ("rank.protocol_json", |_| format!("{HEAD}Content-Length: 0\r\n\r\n")),
        ("rank.protocol_http", |request| {
            with_length(&format!("{HEAD}Content-Length: 3\r\n"), &body(request))
        }),
        ("rank.protocol_http", |request| {
            format!("{HEAD}Content-Length: -1\r\n\r\n{}", body(request))
        }),
        ("rank.protocol_http", |_| {
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n")
        }),
        ("rank.protocol_http", |_| {
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{{}}\r\n")
        }),
        // The head is none, or never ends.
        ("rank.protocol_http", |request| with_length("HTTP/1.1 twenty\r\n", &body(request))),
        ("rank.protocol_http", |request| {
            with_length(&format!("{HEAD}No colon\r\n"), &body(request))
        }),
        ("rank.protocol_too_large", |request| {
            with_length(&format!("{HEAD}{}", "X-Many: 1\r\n".repeat(500)), &body(request))
        }),
        ("rank.protocol_too_large", |request| {
            with_length(&format!("{HEAD}X-Long: {}\r\n", "x".repeat(1 << 20)), &body(request))
        }),
    ];
    let count = table.len();
    // A right answer between two shows that a broken one concerns no other.
    let service = Service::start(rank_only(move |request| match request.ranks % 2 {
        0 => Reply::Bytes(table[request.ranks / 2].1(request).into_bytes()),
        _ => Reply::Right,
    }));
    let trial = Trial::against(&service.url());
    let outcome = trial.phase(&format!("iterations: {}", 2 * count)).run();
    let records = outcome.read().records;
    assert_eq!(records.len(), 2 * count, "{}", outcome.stderr);
    let found: Vec<String> =
        records.iter().map(|record| metrics::outcome_label(&record.outcome)).collect();
    let expected: Vec<&str> = table.iter().flat_map(|(kind, _)| [*kind, "completed"]).collect();
    assert_eq!(found, expected);
    assert_eq!(service.seen_at("/reward").len(), count, "a broken answer is not rewarded");
}
