//! `runner audit`: honest services pass, liars are caught, and what is not shown is not green.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::faults::service::{Reply, Request, Service};
use seed::{Draws, PhaseKey, Purpose, Seed};

const ACTIONS: [&str; 4] = ["Cappucino", "Cold brew", "Iced mocha", "Latte"];
const PERSONALIZER: &str = "  url: URL\n";
const MAPPED: &str = "  url: URL
  rank:
    post: /decide
    body: { user: \"{{ context }}\" }
    take: { action: $.item, probability: $.propensity }
  reward: { post: /feedback, body: { value: \"{{ reward }}\" } }
";

/// Twelve contexts: four names, three kinds of weather.
fn audit(service: &Service, target: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let folder = tempfile::tempdir().unwrap();
    let weather = json!({ "Sunny": "Latte", "Rainy": "Cold brew", "Snowy": "Latte" });
    let users = ["Alice", "Bob", "Cathy", "Dave"].map(|name| (name.to_owned(), weather.clone()));
    let users = Value::Object(users.into_iter().collect()).to_string();
    std::fs::write(folder.path().join("users.json"), users).unwrap();
    let scenario = format!(
        "version: 1\nname: audited\ndatasets: {{ users: users.json, actions: \"{}\" }}\n\
         context: [name, weather]\ntarget:\n{}phases:\n  \
         - iterate: {{ name: learn, iterations: 10, concurrency: 4 }}\n",
        data.join("coffee.json").display(),
        target.replace("URL", &service.url()),
    );
    let path = folder.path().join("audited.yaml");
    std::fs::write(&path, scenario).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.args(["audit", "--allow-paths", "--contexts", "12"]).arg(&path).args(arguments);
    let output = command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// An ε-greedy law with its favourite at a place that the context decides.
fn greedy(favourite: usize, probability: f64) -> [f64; 4] {
    let mut law = [(1.0 - probability) / 3.0; 4];
    law[favourite] = probability;
    law
}

fn at(law: &[f64; 4], unit: f64) -> usize {
    let mut below = 0.0;
    let found = law.iter().position(|probability| {
        below += probability;
        unit < below
    });
    found.unwrap_or(3)
}

/// A service that claims .85 for its favourite, and draws by these probabilities and numbers.
fn service(
    drawn: impl Fn(&str) -> f64 + Send + Sync + 'static,
    units: impl Fn(u64, &mut Draws) -> f64 + Send + Sync + 'static,
) -> Service {
    let source = Seed(7).draws(PhaseKey::new("stub"), 0, Purpose::Flip);
    let state = Mutex::new((0, source));
    Service::start(move |request: &Request| {
        let is_rank = request.path.ends_with("/rank") || request.path == "/decide";
        if !is_rank {
            return Reply::Right;
        }
        let context = format!("{}{}", request.body["contextFeatures"], request.body["user"]);
        let favourite = context.len() % 4;
        let unit = {
            let mut state = state.lock().unwrap();
            state.0 += 1;
            let (call, source) = &mut *state;
            units(*call, source)
        };
        let claimed = greedy(favourite, 0.85);
        let action = at(&greedy(favourite, drawn(&context)), unit);
        Reply::Answer(201, "", answer(request, &claimed, action).to_string())
    })
}

fn answer(request: &Request, claimed: &[f64; 4], action: usize) -> Value {
    let ranked = |(id, probability): (&&str, &f64)| json!({ "id": id, "probability": probability });
    json!({
        "eventId": request.body["eventId"],
        "rewardActionId": ACTIONS[action],
        "ranking": ACTIONS.iter().zip(claimed).map(ranked).collect::<Vec<_>>(),
        "item": ACTIONS[action],
        "propensity": claimed[action],
    })
}

#[test]
fn an_honest_service_of_either_shape_is_certified() {
    for target in [PERSONALIZER, MAPPED] {
        let honest = service(|_| 0.85, |_, source| source.unit());
        let (code, stdout, stderr) = audit(&honest, target, &["--within", "0.1"]);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        for expected in
            ["certified: in 12 contexts", "after ", "95 % confidence", "excluded is more"]
        {
            assert!(stdout.contains(expected), "`{expected}`\n{stdout}");
        }
        assert!(stderr.contains("nothing is rewarded"), "{stderr}");
        assert!(honest.seen().iter().all(|request| !request.path.contains("reward")));
        let deferred = |request: &Request| request.body["deferActivation"] == true;
        assert!(target == MAPPED || honest.seen_at("/rank").iter().all(deferred));
    }
}

#[test]
fn a_service_that_draws_80_for_85_in_one_context_of_twelve_is_caught() {
    let is_liar = |context: &str| context.contains("Bob") && context.contains("Snowy");
    for target in [PERSONALIZER, MAPPED] {
        let liar = service(
            move |context| if is_liar(context) { 0.80 } else { 0.85 },
            |_, source| source.unit(),
        );
        let folder = tempfile::tempdir().unwrap();
        let junit = folder.path().join("junit.xml");
        let (code, stdout, stderr) = audit(
            &liar,
            target,
            &["--calls", "20000", "--within", "0.01", "--junit", junit.to_str().unwrap()],
        );
        assert_eq!(code, Some(3), "{stdout}{stderr}");
        let expected =
            ["caught", "name=Bob weather=Snowy: `", "claimed 0.", "drawn 0.", "IPS", "off by"];
        for expected in expected {
            assert!(stdout.contains(expected), "`{expected}`\n{stdout}");
        }
        let junit = std::fs::read_to_string(junit).unwrap();
        assert!(junit.contains("<failure") && junit.contains("name=Bob weather=Snowy"), "{junit}");
    }
}

#[test]
fn a_service_that_uses_its_random_numbers_again_is_caught() {
    // Twenty numbers with the right shares, one after another.
    let number = |call: u64| f64::from(u32::try_from(call * 7 % 20).unwrap());
    let cycle = service(|_| 0.85, move |call, _| (number(call) + 0.5) / 20.0);
    let (code, stdout, stderr) = audit(&cycle, PERSONALIZER, &["--calls", "20000"]);
    assert_eq!(code, Some(3), "{stdout}{stderr}");
    assert!(stdout.contains("draws depend on those before them"), "{stdout}");
    let constant = service(|_| 0.85, |_, _| 0.5);
    let (code, stdout, stderr) = audit(&constant, MAPPED, &["--calls", "20000"]);
    assert_eq!(code, Some(3), "{stdout}{stderr}");
}

#[test]
fn what_is_not_shown_is_not_green() {
    let honest = service(|_| 0.85, |_, source| source.unit());
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("junit.xml");
    let (code, stdout, _) =
        audit(&honest, PERSONALIZER, &["--calls", "300", "--junit", junit.to_str().unwrap()]);
    assert_eq!(code, Some(4), "{stdout}");
    assert!(stdout.contains("undecided") && stdout.contains("give more `--calls`"), "{stdout}");
    assert!(std::fs::read_to_string(junit).unwrap().contains("<error"));

    let silent = Service::start(|request: &Request| {
        let body =
            json!({ "eventId": request.body["eventId"], "rewardActionId": "Latte", "ranking": [] });
        if request.path.ends_with("/rank") {
            Reply::Answer(201, "", body.to_string())
        } else {
            Reply::Right
        }
    });
    let (code, _, stderr) = audit(&silent, PERSONALIZER, &[]);
    assert_eq!(code, Some(6), "{stderr}");
    assert!(stderr.contains("claims no probabilities"), "{stderr}");

    let without = MAPPED.replace(", probability: $.propensity", "");
    let (code, _, stderr) = audit(&honest, &without, &[]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("`take` has no probability"), "{stderr}");

    let broken = Service::start(|request: &Request| {
        if request.path.ends_with("/rank") {
            Reply::Answer(500, "", String::new())
        } else {
            Reply::Right
        }
    });
    let (code, _, stderr) = audit(&broken, PERSONALIZER, &[]);
    assert_eq!(code, Some(6), "{stderr}");
    assert!(stderr.contains("20 calls in a row failed"), "{stderr}");
}

#[test]
fn an_action_that_is_claimed_never_to_be_chosen_must_not_be() {
    let impossible = Service::start(|request: &Request| {
        if !request.path.ends_with("/rank") {
            return Reply::Right;
        }
        let body = answer(request, &[1.0, 0.0, 0.0, 0.0], 1);
        Reply::Answer(201, "", body.to_string())
    });
    let (code, stdout, stderr) = audit(&impossible, PERSONALIZER, &[]);
    assert_eq!(code, Some(3), "{stdout}{stderr}");
    assert!(stdout.contains("the chosen action has probability 0"), "{stdout}");
}
