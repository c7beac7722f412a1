//! Four services of different shapes: each learns, and is measured and judged.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{Outcome, Policy, Trial};
use crate::faults::service::{Reply, Request, Service};

const DRINKS: [&str; 4] = ["Cappucino", "Cold brew", "Iced mocha", "Latte"];

const LEARN: &str = "phases:\n  - iterate: { name: learn, iterations: 600 }\nexpect:\n  \
    - \"learn.success_rate[last 40%] >= 0.95\"\n  - learn.rank.p99 < 30s\n  - learn.error_rate == 0";

fn ok(body: &Value) -> Reply {
    Reply::Answer(200, "Content-Type: application/json\r\n", body.to_string())
}

/// A service behind which [`Policy`] decides.
#[derive(Default)]
struct Learner {
    policy: Policy,
    /// What was decided, by the id of the decision: the context and the action.
    decisions: Mutex<BTreeMap<String, (String, usize)>>,
    count: AtomicU64,
}

impl Learner {
    fn decide(&self, id: &str, context: &str) -> usize {
        let action = self.policy.choose(context, DRINKS.len());
        self.decisions.lock().unwrap().insert(id.to_owned(), (context.to_owned(), action));
        action
    }

    fn reward(&self, id: &str, reward: f64) -> bool {
        let Some((context, action)) = self.decisions.lock().unwrap().remove(id) else {
            return false;
        };
        self.policy.learn(&context, action, reward);
        true
    }

    fn next_id(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1000
    }
}

fn refused(what: &str) -> Reply {
    Reply::Answer(422, "", json!({ "detail": what }).to_string())
}

/// What every run of a service that learns must show.
fn learned(outcome: &Outcome, has_probability: bool) {
    outcome.says(0, &[]);
    assert!(!outcome.stdout.contains("model"), "it tells of none: {}", outcome.stdout);
    let folder = outcome.read();
    assert_eq!(folder.records.len(), 600);
    assert!(folder.records.iter().all(|record| record.rank_latency.is_some()));
    assert!(folder.records.iter().all(|record| record.reward_latency.is_some()));
    assert!(folder.records.iter().all(|record| record.probability.is_some() == has_probability));
    for file in ["success_curve.csv", "success_curve.svg", "summary.json"] {
        assert!(outcome.folder.join(file).exists(), "{file}");
    }
}

#[test]
fn a_nested_answer_with_a_propensity() {
    let learner = Learner::default();
    let service = Service::start(move |request: &Request| {
        let body = &request.body;
        match request.path.as_str() {
            "/v2/decide" => {
                let items = body["items"].as_array().unwrap();
                if items[1]["features"]["origin"] != "brazil" || !body["user"]["name"].is_string() {
                    return refused("user and items");
                }
                let id = format!("d-{}", body["visit"].as_str().unwrap());
                let action = learner.decide(&id, &body["user"].to_string());
                ok(&json!({ "data": { "decision": {
                    "item": { "id": items[action]["id"] }, "propensity": 0.9, "id": id,
                }}}))
            }
            "/v2/feedback"
                if learner
                    .reward(body["id"].as_str().unwrap(), body["value"].as_f64().unwrap()) =>
            {
                ok(&json!({ "ok": true }))
            }
            _ => refused("nothing of that kind"),
        }
    });
    let target = format!(
        "  url: {}/v2\n  rank:\n    post: /decide\n    \
         body: {{ user: \"{{{{ context }}}}\", items: \"{{{{ actions }}}}\", visit: \"{{{{ event_id }}}}\" }}\n    \
         take: {{ action: $.data.decision.item.id, probability: $.data.decision.propensity, event: $.data.decision.id }}\n  \
         reward:\n    post: /feedback\n    body: {{ id: \"{{{{ event }}}}\", value: \"{{{{ reward }}}}\" }}",
        service.url(),
    );
    let outcome = Trial::new(&target, LEARN).run();
    learned(&outcome, true);
    assert!(outcome.read().records.iter().all(|record| record.probability == Some(0.9)));
}

#[test]
fn a_list_of_ids_without_probabilities() {
    let learner = Learner::default();
    let service = Service::start(move |request: &Request| {
        let body = &request.body;
        match (request.method.as_str(), request.path.as_str()) {
            ("PUT", "/rank?limit=2&who=Ada%20%26%20co") => {
                let ids: Vec<&str> = body["candidates"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                if ids != DRINKS {
                    return refused("candidates");
                }
                let context = body["features"].to_string();
                let best = learner.decide(body["visit"].as_str().unwrap(), &context);
                ok(&json!([ids[best], ids[(best + 1) % 4]]))
            }
            ("POST", "/outcome") => {
                let visit = body["visit"].as_str().unwrap();
                if learner.reward(visit, body["reward"].as_f64().unwrap()) {
                    Reply::Answer(202, "", String::new())
                } else {
                    refused("visit")
                }
            }
            _ => refused("nothing of that kind"),
        }
    });
    let target = format!(
        "  url: {}\n  rank:\n    put: /rank\n    query: {{ limit: 2, who: Ada & co }}\n    body:\n      \
         candidates: \"{{{{ action_ids }}}}\"\n      features: \"{{{{ context | one_hot }}}}\"\n      \
         visit: \"{{{{ event_id }}}}\"\n    take: {{ ranking: $ }}\n  \
         reward:\n    post: /outcome\n    status: 202\n    \
         body: {{ visit: \"{{{{ event }}}}\", reward: \"{{{{ reward }}}}\" }}",
        service.url(),
    );
    let outcome = Trial::new(&target, LEARN).run();
    learned(&outcome, false);
    outcome.says(0, &["`take` has no probability"]);
    let seen = service.seen_at("co");
    let vector = seen[0].body["features"].as_array().unwrap();
    assert_eq!(vector.iter().filter(|one| **one == json!(1)).count(), 3, "{vector:?}");
}

#[test]
fn a_form_and_an_index() {
    let learner = Learner::default();
    let service = Service::start(move |request: &Request| {
        let field = |name: &str| {
            let pairs = request.text.split('&').filter_map(|pair| pair.split_once('='));
            pairs.clone().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        let content_type = request.headers.iter().find(|(name, _)| name == "content-type");
        if content_type.is_none_or(|(_, value)| value != "application/x-www-form-urlencoded") {
            return refused("form");
        }
        match request.path.as_str() {
            "/choose" => {
                let context =
                    format!("{:?} {:?} {:?}", field("name"), field("weather"), field("time"));
                if context.contains("None") || field("n").as_deref() != Some("4") {
                    return refused(&context);
                }
                let id = learner.next_id();
                let arm = learner.decide(&id.to_string(), &context);
                ok(&json!({ "arm": arm, "serial": id }))
            }
            "/learn" => {
                let reward = field("reward").unwrap().parse().unwrap();
                if learner.reward(&field("serial").unwrap(), reward) {
                    Reply::Answer(204, "", String::new())
                } else {
                    refused("serial")
                }
            }
            _ => refused("nothing of that kind"),
        }
    });
    let target = format!(
        "  url: {}\n  rank:\n    post: /choose\n    form:\n      name: \"{{{{ context.name }}}}\"\n      \
         weather: \"{{{{ context.weather }}}}\"\n      time: \"at {{{{ context.timeofday }}}}!\"\n      \
         n: \"{{{{ actions | length }}}}\"\n    \
         take: {{ action: {{ path: $.arm, by: index }}, event: $.serial }}\n  \
         reward:\n    post: /learn\n    form: {{ serial: \"{{{{ event }}}}\", reward: \"{{{{ reward }}}}\" }}",
        service.url(),
    );
    learned(&Trial::new(&target, LEARN).run(), false);
}

#[test]
fn an_id_in_the_path_and_in_the_answer_and_names_of_its_own() {
    let learner = Learner::default();
    let service = Service::start(move |request: &Request| {
        let parts: Vec<&str> = request.path.split('/').collect();
        let renamed = ["Cappucino", "Cold_brew", "3", "Latte"];
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["", "visits", visit, "decision"]) => {
                let offered: Vec<&str> = request.body["offer"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|item| item["origin"].is_string())
                    .filter_map(|item| item["sku"].as_str())
                    .collect();
                if offered != renamed {
                    return refused("offer");
                }
                let id = format!("{} {}/é", learner.next_id(), request.body["weather"]);
                let arm = learner.decide(&id, &request.body["who"].to_string());
                ok(&json!({ "visit": visit, "arm": renamed[arm], "interaction": id }))
            }
            ("PATCH", ["", "interactions", id, "outcome"]) => {
                let id = id
                    .replace("%20", " ")
                    .replace("%22", "\"")
                    .replace("%2F", "/")
                    .replace("%C3%A9", "é");
                let (arm, reward) =
                    (&request.body["arm"], request.body["reward"].as_f64().unwrap());
                let known = arm["name"].as_str().is_some_and(|name| renamed.contains(&name));
                if known && learner.reward(&id, reward) { ok(&json!({})) } else { refused(&id) }
            }
            _ => refused("nothing of that kind"),
        }
    });
    let target = format!(
        "  url: {}\n  ids: {{ \"Cold brew\": Cold_brew, \"Iced mocha\": \"3\" }}\n  \
         actions: {{ sku: \"{{{{ action.id }}}}\", origin: \"{{{{ action.features.origin }}}}\" }}\n  \
         rank:\n    post: \"/visits/{{{{ event_id }}}}/decision\"\n    \
         body: {{ who: \"{{{{ context }}}}\", weather: \"{{{{ context.weather }}}}\", offer: \"{{{{ actions }}}}\" }}\n    \
         take: {{ action: $.arm, event: $.interaction, echo: $.visit }}\n  \
         reward:\n    patch: \"/interactions/{{{{ event }}}}/outcome\"\n    \
         body: {{ reward: \"{{{{ reward }}}}\", arm: {{ name: \"{{{{ action }}}}\", n: \"{{{{ action.index }}}}\" }} }}",
        service.url(),
    );
    let outcome = Trial::new(&target, LEARN).run();
    learned(&outcome, false);
    let chosen = |record: &record::IterationRecord| {
        record.chosen.as_deref().is_some_and(|chosen| DRINKS.contains(&chosen))
    };
    assert!(outcome.read().records.iter().all(chosen), "results speak of the scenario's actions");
}

/// An envelope of GraphQL: probabilities are texts, the id of the decision stands in a header alone,
/// and the answer to Reward is accepted without a body.
#[test]
fn an_id_in_a_header_and_probabilities_in_texts() {
    let learner = Learner::default();
    let service = Service::start(move |request: &Request| match request.path.as_str() {
        "/graphql" => {
            let input = &request.body["variables"]["input"];
            let id = format!("d-{}", learner.next_id());
            let action = learner.decide(&id, &input["userContext"].to_string());
            let others = (0..DRINKS.len()).filter(|index| *index != action);
            let edges: Vec<Value> = std::iter::once(action)
                .chain(others)
                .map(|index| {
                    let probability = if index == action { "0.7" } else { "0.1" };
                    json!({ "node": { "sku": input["items"][index]["sku"] }, "prob": probability })
                })
                .collect();
            let body = json!({ "data": { "recommend": { "edges": edges } } }).to_string();
            Reply::Bytes(
                format!(
                    "HTTP/1.1 200 OK\r\nLocation: /decisions/{id}\r\nConnection: close\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len(),
                )
                .into_bytes(),
            )
        }
        path => {
            let id =
                path.strip_prefix("/decisions/").and_then(|rest| rest.strip_suffix("/outcome"));
            let value = request.body["rewardValue"].as_str().unwrap().parse().unwrap();
            match id {
                Some(id) if learner.reward(id, value) => Reply::Answer(202, "", String::new()),
                _ => refused("an id of a decision"),
            }
        }
    });
    let target = format!(
        "  url: {}\n  actions: {{ sku: \"{{{{ action.id }}}}\" }}\n  rank:\n    post: /graphql\n    \
         body: {{ query: recommend, variables: {{ input: {{ items: \"{{{{ actions }}}}\", userContext: \"{{{{ context }}}}\" }} }} }}\n    \
         take:\n      ranking: {{ path: $.data.recommend.edges, action: $.node.sku, probability: $.prob }}\n      \
         event: {{ header: location }}\n  \
         reward:\n    post: \"/decisions/{{{{ (event | split('/'))[-1] }}}}/outcome\"\n    \
         body: {{ rewardValue: \"{{{{ reward | string }}}}\" }}\n    status: 202",
        service.url()
    );
    learned(&Trial::new(&target, LEARN).run(), true);
}
