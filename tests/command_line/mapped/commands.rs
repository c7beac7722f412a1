//! Services of several shapes, each with every command: `check --show-request`, `probe`, `run`,
//! `audit`, `capacity`, shards and comparisons.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::Trial;
use crate::faults::service::{Reply, Request, Service};

const DRINKS: [&str; 4] = ["Cappucino", "Cold brew", "Iced mocha", "Latte"];

/// The probabilities of every service here, in every context.
const SHARES: [f64; 4] = [0.4, 0.3, 0.2, 0.1];

/// A shape of calls.
struct Shape {
    /// The calls, in YAML.
    calls: &'static str,
    /// The answer with a choice, and the id of the decision.
    answer: fn(usize, &str) -> Reply,
    /// The id of a decision in a Reward.
    decision: fn(&Request) -> String,
    /// What `--show-request` and `probe` print.
    shows: &'static [&'static str],
    /// What an audit prints, and its exit code.
    audit: (i32, &'static str),
}

const CERTIFIED: (i32, &str) = (0, "certified: in 2 contexts");

/// Errors in answers of success, a probability in a text.
const GRAPHQL: Shape = Shape {
    calls: r#"  rank:
    post: /graphql
    error: $.errors
    body: { query: "query { pick }", variables: { user: "{{ context }}" } }
    take: { action: $.data.pick.sku, probability: $.data.pick.p, event: $.data.pick.id }
  reward:
    post: /graphql
    error: $.errors
    body: { query: "mutation { learn }", variables: { id: "{{ event }}", r: "{{ reward }}" } }"#,
    answer: |action, id| {
        let pick = json!({ "sku": DRINKS[action], "p": SHARES[action].to_string(), "id": id });
        ok(&json!({ "data": { "pick": pick }, "errors": [] }))
    },
    decision: |request| text_of(&request.body["variables"]["id"]),
    shows: &["/graphql", r#"{"query":"mutation { learn }","variables":{"id":""#],
    audit: CERTIFIED,
};

/// A distribution in percent by name, of which the runner draws; fields that repeat.
const DISTRIBUTION: Shape = Shape {
    calls: r#"  rank:
    post: /policy
    form: { arm: ["{{ action_ids }}"], visit: "{{ event_id }}" }
    take: { ranking: { path: $.p, action: key, probability: { path: $, scale: percent }, choose: draw }, event: $.id }
  reward: { get: /outcome, query: { visit: "{{ event }}", r: "{{ reward }}" } }"#,
    answer: |_, id| {
        let share = |(drink, share): (&&str, &f64)| (drink.to_string(), json!(share * 100.0));
        let shares: serde_json::Map<_, _> = DRINKS.iter().zip(&SHARES).map(share).collect();
        ok(&json!({ "p": shares, "id": id }))
    },
    decision: |request| between(&request.path, "visit=", "&"),
    shows: &["arm=Cappucino&arm=Cold%20brew&arm=Iced%20mocha&arm=Latte&visit=", "/outcome?visit="],
    audit: (2, "`choose: draw` lets the runner draw"),
};

/// An answer with these lines of its head, and the length of its body.
fn with_length(head: &str, body: &str) -> Reply {
    Reply::Pieces(vec![format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()])
}

/// A text, with all else in headers.
const TEXT: Shape = Shape {
    calls: r#"  rank:
    get: /choose
    query: { who: "{{ context.name }}" }
    answer: text
    take: { action: $, event: { header: X-Decision }, probability: { header: X-LogP, scale: log } }
  reward: { put: "/outcomes/{{ event }}", query: { r: "{{ reward }}" } }"#,
    answer: |action, id| {
        let log = SHARES[action].ln();
        let head = format!("HTTP/1.1 200 OK\r\nX-Decision: {id}\r\nX-LogP: {log}\r\n");
        with_length(&head, DRINKS[action])
    },
    decision: |request| between(&request.path, "/outcomes/", "?"),
    shows: &["GET http://127.0.0.1", "/choose?who=", "PUT http://127.0.0.1"],
    audit: CERTIFIED,
};

/// Scores by place, the id in a header.
const SCORES: Shape = Shape {
    calls: r#"  rank:
    post: /predict
    body: { instances: ["{{ context | one_hot }}"] }
    take: { ranking: { path: "$.scores[0]", action: key, score: $ }, event: { header: Location } }
  reward: { delete: "/jobs/{{ (event | split('/'))[-1] }}", query: { r: "{{ reward }}" } }"#,
    answer: |action, id| {
        let scores: Vec<f64> = (0..4).map(|of| if of == action { 1.0 } else { -1.0 }).collect();
        let body = json!({ "scores": [scores] }).to_string();
        with_length(&format!("HTTP/1.1 201 Created\r\nLocation: /jobs/{id}\r\n"), &body)
    },
    decision: |request| between(&request.path, "/jobs/", "?"),
    shows: &["{\"instances\":[[", "DELETE http://127.0.0.1"],
    audit: (2, "`take` has no probability, so that there is nothing to audit"),
};

/// A ranking of all actions with logarithms, and an id that is a number.
const LOGARITHMS: Shape = Shape {
    calls: r#"  rank:
    post: /rank
    body: { user: "{{ context }}", actions: "{{ actions }}" }
    take: { ranking: { path: $.r, action: $.id, probability: { path: $.logp, scale: log } }, event: $.id }
  reward: { patch: /outcome, body: { id: "{{ event }}", r: "{{ reward }}" } }"#,
    answer: |action, id| {
        let item = |of: usize| json!({ "id": DRINKS[of], "logp": SHARES[of].ln() });
        let others = (0..4).filter(|of| *of != action);
        let ranking: Vec<Value> = std::iter::once(action).chain(others).map(item).collect();
        ok(&json!({ "r": ranking, "id": id.parse::<u64>().unwrap() }))
    },
    decision: |request| text_of(&request.body["id"]),
    shows: &["\"actions\":[{\"id\":\"Cappucino\",\"features\":", "PATCH http://127.0.0.1"],
    audit: CERTIFIED,
};

/// Optimizely Agent, which knows a decision by its user alone and gives no probability.
const OPTIMIZELY: Shape = Shape {
    calls: "  preset: { optimizely: { flag: drinks, event: bought } }",
    answer: |action, _| {
        ok(&json!({ "flagKey": "drinks", "variationKey": DRINKS[action], "enabled": true }))
    },
    decision: |request| {
        let is_reward = request.path == "/v1/track?eventKey=bought";
        if is_reward { text_of(&request.body["userId"]) } else { String::new() }
    },
    shows: &["/v1/decide?keys=drinks", "/v1/track?eventKey=bought", "\"eventTags\":{\"value\":"],
    audit: (2, "`take` has no probability, so that there is nothing to audit"),
};

/// Statsig's HTTP API, the same.
const STATSIG: Shape = Shape {
    calls: "  preset: { statsig: { config: autotune, parameter: drink, event: bought } }",
    answer: |action, _| {
        ok(&json!({ "name": "autotune", "value": { "drink": DRINKS[action] }, "rule_id": "r" }))
    },
    decision: |request| {
        let event = &request.body["events"][0];
        if event["eventName"] == "bought" {
            text_of(&event["user"]["userID"])
        } else {
            String::new()
        }
    },
    shows: &["\"configName\":\"autotune\"", "/v1/log_event", "\"eventName\":\"bought\""],
    audit: (2, "`take` has no probability, so that there is nothing to audit"),
};

/// The contract of Personalizer is the preset of a target that says no other.
const PERSONALIZER: Shape = Shape {
    calls: "  preset: personalizer",
    answer: |action, id| {
        let item = |of: usize| json!({ "id": DRINKS[of], "probability": SHARES[of] });
        let chosen = DRINKS[action];
        let ranking = json!((0..4).map(item).collect::<Vec<_>>());
        let body = json!({ "ranking": ranking, "eventId": id, "rewardActionId": chosen });
        Reply::Answer(201, "", body.to_string())
    },
    decision: |request| between(&request.path, "/events/", "/"),
    shows: &["/personalizer/v1.0/rank", "/reward", "\"contextFeatures\":"],
    audit: CERTIFIED,
};

fn ok(body: &Value) -> Reply {
    Reply::Answer(200, "", body.to_string())
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What stands after `start`, up to `end`; nothing, if `start` is not there.
fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split(end).next().unwrap_or_default().to_owned()
}

/// A service of a shape, which draws as it says and accepts each of its decisions as often as it is
/// told its outcome.
fn service(shape: &Shape) -> Service {
    let (answer, decision) = (shape.answer, shape.decision);
    let (count, decisions) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    Service::start(move |request: &Request| {
        let questions = ["/configurations/", "/model/properties"];
        if questions.iter().any(|question| request.path.contains(question)) {
            return Reply::Right;
        }
        let rewarded = decision(request);
        if !rewarded.is_empty() && rewarded != "null" {
            let is_known = decisions.lock().unwrap().contains(&rewarded);
            return if is_known { ok(&json!({})) } else { Reply::Answer(404, "", String::new()) };
        }
        let number = count.fetch_add(1, Ordering::SeqCst);
        let id = sent_id(request).unwrap_or_else(|| format!("{}", number + 1000));
        decisions.lock().unwrap().insert(id.clone());
        answer(drawn(number), &id)
    })
}

/// The id that a Rank brings, where decisions are known by it.
fn sent_id(request: &Request) -> Option<String> {
    let body = &request.body;
    let ids = [&body["eventId"], &body["userId"], &body["user"]["userID"]];
    ids.into_iter().find_map(Value::as_str).map(str::to_owned)
}

/// The action of a draw.
fn drawn(number: u64) -> usize {
    let mut x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    match (x ^ (x >> 31)) % 10 {
        0..4 => 0,
        4..7 => 1,
        7..9 => 2,
        _ => 3,
    }
}

#[track_caller]
fn says(output: &Output, code: i32, texts: &[&str]) {
    let all = [&output.stdout[..], &output.stderr].concat();
    let all = String::from_utf8_lossy(&all);
    assert_eq!(output.status.code(), Some(code), "{all}");
    for text in texts {
        assert!(all.contains(text), "`{text}` is not in\n{all}");
    }
}

fn merge(shards: &[String], out: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg("merge").args(shards).args(["--out", out]).env("NO_COLOR", "1");
    command.output().unwrap()
}

/// Puts a service of a shape through every command.
fn every_command(shape: &Shape) {
    let service = service(shape);
    let target = format!("  url: {}\n  tags: {{ region: eu }}\n{}", service.url(), shape.calls);
    let expect = "expect: [\"{region: eu}.error_rate == 0\", \"{region: eu}.violations == 0\"]";
    let phases =
        format!("phases:\n  - iterate: {{ name: p, iterations: 40, concurrency: 2 }}\n{expect}");
    let trial = Trial::new(&target, &phases);
    let path = |name: &str| trial.folder.path().join(name).display().to_string();

    says(&trial.command(&["check", "--show-request"]), 0, shape.shows);
    says(&trial.command(&["probe"]), 0, &[shape.shows, &["chose `", "was taken"]].concat());
    let audit = ["audit", "--contexts", "2", "--within", "0.2", "--calls", "6000"];
    says(&trial.command(&audit), shape.audit.0, &[shape.audit.1]);
    let lost = "--vary=phases.p.lost_rewards";
    let search =
        ["capacity", lost, "--from", "0", "--to", "1", "--repeats", "1", "--resolution", "50%"];
    let until = ["--until", "p.error_rate <= 0", "--out", &path("capacity")];
    says(&trial.command(&[&search[..], &until].concat()), 0, &["no limit found"]);
    let parts: Vec<String> = (1..=2).map(|part| path(&format!("shard{part}"))).collect();
    for (part, out) in parts.iter().enumerate() {
        let shard = format!("{}/2", part + 1);
        says(&trial.command(&["run", "--shard", &shard, "--out", out, "--quiet"]), 0, &[]);
    }
    let merged = merge(&parts, &path("merged"));
    says(&merged, 0, &["region: eu", "p.error_rate == 0"]);
    let tells_of_models = String::from_utf8_lossy(&merged.stdout).contains("model");
    assert_eq!(tells_of_models, shape.calls.contains("personalizer"), "others have none");

    let repeated = "phases:\n  - parallel:\n      - iterate: { name: a, arrival: open, rate: 200/s, iterations: 30, repeated_rewards: 0.5 }\n      - iterate: { name: b, iterations: 30, concurrency: 2, lost_rewards: 0.5 }\n";
    let outcome = Trial::new(&target, &format!("{repeated}{expect}")).run();
    outcome.says(0, &["a.error_rate == 0", "b.error_rate == 0"]);
    let records = outcome.read().records;
    let lost = records.iter().filter(|record| record.reward_latency.is_none()).count();
    assert!(records.len() == 60 && lost > 0 && lost < 30, "{lost} of {}", records.len());

    let url = service.url();
    let matrix = format!(
        "matrix: {{ targets: {{ old: {{ url: {url} }}, new: {{ url: {url} }} }}, seeds: 1..5, between: none }}\n{phases}\n\
         gates: [{{ metric: p.rank.p50, margin: 10s }}]"
    );
    let compared = Trial::new(shape.calls, &matrix.replace("{region: eu}", "p"));
    says(&compared.command(&["probe"]), 2, &["say with `--variant` which one: `old`, `new`"]);
    says(&compared.command(&["probe", "--variant", "new"]), 0, &["chose `"]);
    says(&compared.command(&["probe", "--variant", "od"]), 2, &["did you mean `old`?"]);
    compared.run().says(0, &["p.rank.p50 not worse by", "pass"]);
}

/// A run that is killed goes on: what was recorded is not asked again, what may have been sent is
/// asked once more, and every decision gets its outcome.
#[test]
fn a_killed_run_goes_on_with_the_decisions_it_has() {
    let service = service(&LOGARITHMS);
    let target = format!("  url: {}\n{}", service.url(), LOGARITHMS.calls);
    let rest = "phases:\n  - iterate: { name: p, iterations: 300, concurrency: 1, rate: 400/s }\n\
                expect: [p.error_rate == 0]";
    let trial = Trial::new(&target, rest);
    let out = trial.folder.path().join("out").display().to_string();
    let mut killed = trial.prepared(&["run", "--out", &out, "--quiet"]).spawn().unwrap();
    service.wait_for_ranks(150, || killed.try_wait().unwrap().is_none());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let output = trial.command(&["run", "--resume", &out]);
    let outcome = trial.outcome(output);
    outcome.says(0, &["p.error_rate == 0"]);
    let records = outcome.read().records;
    let again = records.iter().filter(|record| record.again).count();
    let asked = service.seen_at("/rank").len();
    assert_eq!(records.len(), 300);
    assert!((300..=300 + again).contains(&asked), "{asked} calls, {again} made again");
}

#[test]
fn every_command_with_errors_in_answers_of_success() {
    every_command(&GRAPHQL);
}

#[test]
fn every_command_with_a_distribution_to_draw_from() {
    every_command(&DISTRIBUTION);
}

#[test]
fn every_command_with_a_text_and_headers() {
    every_command(&TEXT);
}

#[test]
fn every_command_with_scores_by_place() {
    every_command(&SCORES);
}

#[test]
fn every_command_with_logarithms_of_probabilities() {
    every_command(&LOGARITHMS);
}

#[test]
fn every_command_with_the_preset_of_optimizely() {
    every_command(&OPTIMIZELY);
}

#[test]
fn every_command_with_the_preset_of_statsig() {
    every_command(&STATSIG);
}

#[test]
fn every_command_with_the_contract_of_personalizer() {
    every_command(&PERSONALIZER);
}
