//! Who may call.

use learning_loop::LoopOptions;
use server::{Keys, Limits};

use super::served::Served;

const PROPERTIES: &str = "/personalizer/v1.0/model/properties";

#[test]
fn a_service_with_keys_asks_every_operation_for_one() {
    let keys = Keys::new(["first-canary", "second-canary"]);
    let served = Served::start(LoopOptions::default(), keys, Limits::default());
    let ask = |headers: &str| served.call("GET", PROPERTIES, headers, b"");
    for wrong in ["", "Ocp-Apim-Subscription-Key: \r\n", "Ocp-Apim-Subscription-Key: first\r\n"] {
        let answer = ask(wrong);
        assert_eq!(answer.refusal(401), "401");
        assert!(!answer.text().contains("canary"));
    }
    ask("Ocp-Apim-Subscription-Key: first-canary\r\n").json(200);
    ask("ocp-apim-subscription-key: second-canary\r\n").json(200);
    assert_eq!(served.call("POST", "/personalizer/v1.0/nothing", "", b"").refusal(401), "401");
    // A path that looks like another one is no way around.
    assert_eq!(served.call("GET", &format!("/{PROPERTIES}"), "", b"").refusal(401), "401");
}

#[test]
fn a_service_without_keys_takes_any() {
    let served = Served::new();
    served.call("GET", PROPERTIES, "Ocp-Apim-Subscription-Key: anything\r\n", b"").json(200);
}
