//! Presets of targets: the calls of known services.

use super::Trial;
use crate::faults::service::{Reply, Service};

const REST: &str = "phases:\n  - iterate: { name: learn, iterations: 10 }";
const IDS: &str = "  ids: { \"Cold brew\": cold_brew, \"Iced mocha\": iced_mocha }";

/// What is said of a target, and its first calls.
fn shown(target: &str) -> String {
    let trial = Trial::new(target, REST).environment("TOKEN", "canary-token");
    let outcome = trial.check(&["--show-request"]);
    outcome.says(0, &["/"]);
    assert!(!outcome.stdout.contains("canary"), "{}", outcome.stdout);
    outcome.stdout.split_once(": ok").unwrap().1.to_owned()
}

/// What a service without its key says names the call and the key to set.
#[test]
fn a_service_that_refuses_the_caller_is_told_with_a_remedy() {
    let service = Service::start(|_| Reply::Answer(401, "", "no key".to_owned()));
    let target = format!("  url: {}\n{IDS}\n  preset: banditdb", service.url());
    let without = Trial::new(&target, REST).run();
    without.says(6, &["`setup[0]`", "401", "with a preset `key: ${TOKEN}`"]);
    let target = format!("{target}\n  key: ${{TOKEN}}");
    let refused = Trial::new(&target, REST).environment("TOKEN", "canary-token").run();
    refused.says(6, &["the service refused the key in `target.key`"]);
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
}

/// A preset is what would otherwise be written.
#[test]
fn a_preset_is_the_calls_of_its_service() {
    let written = "  rank:
    post: /predict
    body: { campaign_id: runner, context: \"{{ context | one_hot }}\" }
    take: { action: $.arm_id, event: $.interaction_id }
  reward:
    post: /reward
    body: { interaction_id: \"{{ event }}\", reward: \"{{ reward }}\" }";
    let at = "  url: http://127.0.0.1:9";
    let preset = shown(&format!("{at}\n{IDS}\n  preset: banditdb"));
    assert_eq!(preset, shown(&format!("{at}\n{IDS}\n{written}")));
    let named = shown(&format!("{at}\n{IDS}\n  preset: {{ banditdb: {{ campaign: mine }} }}"));
    assert_eq!(named, preset.replace("\"runner\"", "\"mine\""));
}

#[test]
fn each_preset_sends_its_key_and_takes_its_options() {
    for (preset, expected) in [
        ("banditdb", &["x-api-key: [redacted]", "127.0.0.1:9/predict"][..]),
        (
            "{ optimizely: { flag: drinks, event: bought } }",
            &["x-optimizely-sdk-key: [redacted]", "/v1/decide?keys=drinks", "eventKey=bought"],
        ),
        (
            "{ statsig: { config: autotune } }",
            &[
                "statsig-api-key: [redacted]",
                "\"configName\":\"autotune\"",
                "\"eventName\":\"reward\"",
            ],
        ),
    ] {
        let shown = shown(&format!(
            "  url: http://127.0.0.1:9\n  key: ${{TOKEN}}\n{IDS}\n  preset: {preset}"
        ));
        for text in expected {
            assert!(shown.contains(text), "`{text}` is not in\n{shown}");
        }
    }
}

#[test]
fn what_stands_beside_a_preset_wins() {
    let reward = "  reward: { put: \"/outcomes/{{ event }}\", body: { value: \"{{ reward }}\" } }";
    let own = shown(&format!("  url: http://127.0.0.1:9\n{IDS}\n  preset: banditdb\n{reward}"));
    assert!(own.contains("PUT http://127.0.0.1:9/outcomes/<event>"), "{own}");
    assert!(own.contains("POST http://127.0.0.1:9/predict") && !own.contains("/reward"), "{own}");
}

#[test]
fn mistakes_of_a_preset_are_shown_where_it_is_chosen() {
    for (preset, texts) in [
        ("preset: banditbd", &["there is no `banditbd`", "did you mean `banditdb`?"][..]),
        ("preset: optimizely", &["optimizely", "a map"]),
        ("preset: { optimizely: {} }", &["`flag`"]),
        ("preset: { banditdb: { algorithm: linucp } }", &["did you mean `linucb`?"]),
        (
            "preset: { banditdb: { campaign: \"a b\" } }",
            &["a name of letters, digits, `-`, `_` and `.`"],
        ),
        (
            "preset: banditdb\n  paths: { rank: /x }",
            &["`paths` is for the Personalizer contract, but `preset` says what is called"],
        ),
    ] {
        let target = format!("  url: http://127.0.0.1:9\n  {preset}");
        let outcome = Trial::new(&target, REST).check(&[]);
        outcome.says(2, texts);
        assert_eq!(outcome.stderr.matches("error:").count(), 1, "{}", outcome.stderr);
    }
}
