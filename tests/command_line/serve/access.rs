//! Who may call.

use learning_loop::LoopOptions;
use server::{Access, Keys, Limits};

use super::served::{Answer, Served};

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

#[test]
fn monitors_need_a_key_if_the_operator_wants_it() {
    for (protect_monitoring, expected) in [(false, 200), (true, 401)] {
        let access = Access { keys: Keys::new(["key"]), protect_monitoring, ..Access::default() };
        let served = Served::start(LoopOptions::default(), access, Limits::default());
        for path in ["/status", "/metrics"] {
            assert_eq!(served.call("GET", path, "", b"").status, expected, "{path}");
            let key = "Ocp-Apim-Subscription-Key: key\r\n";
            assert_eq!(served.call("GET", path, key, b"").status, 200, "{path}");
        }
    }
}

/// A request with these headers and no others.
fn bare(served: &Served, method: &str, path: &str, headers: &str) -> Answer {
    served
        .send(format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes())
}

#[test]
fn without_a_key_other_hosts_and_origins_are_refused() {
    let served = Served::new();
    for (path, method) in [
        (PROPERTIES, "GET"),
        ("/log.dsjson", "GET"),
        ("/", "GET"),
        ("/personalizer/v1.0/logs", "DELETE"),
    ] {
        for foreign in [
            "Host: site.example\r\n",
            "Host: site.example:80\r\nOrigin: http://site.example:80\r\n",
            "Host: localhost\r\nOrigin: https://site.example\r\n",
            "Host: localhost\r\nOrigin: null\r\n",
        ] {
            assert_eq!(
                bare(&served, method, path, foreign).refusal(403),
                "403",
                "{path} {foreign}"
            );
        }
    }
    for own in ["Host: localhost:1\r\nOrigin: http://localhost:1\r\n", "Host: [::1]\r\n"] {
        bare(&served, "GET", PROPERTIES, own).json(200);
    }
    for hosts in ["", "Host: localhost\r\nHost: localhost\r\n"] {
        assert_eq!(bare(&served, "GET", PROPERTIES, hosts).status, 400, "{hosts}");
    }
}

#[test]
fn a_page_of_an_allowed_origin_may_call() {
    let allowed_origins = vec!["https://shop.example".to_owned()];
    for keys in [Keys::default(), Keys::new(["key"])] {
        let access = Access { keys, allowed_origins: allowed_origins.clone(), ..Access::default() };
        let served = Served::start(LoopOptions::default(), access, Limits::default());
        let rank = "/personalizer/v1.0/rank";
        let asks = "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n\
                    Access-Control-Request-Headers: content-type,ocp-apim-subscription-key\r\n";
        let preflight = served.call("OPTIONS", rank, asks, b"");
        assert_eq!(preflight.status, 204);
        let allowed = |answer: &Answer, name: &str| answer.header(name).map(str::to_owned);
        let origin = "access-control-allow-origin";
        assert_eq!(allowed(&preflight, origin).as_deref(), Some("https://shop.example"));
        let headers = allowed(&preflight, "access-control-allow-headers").unwrap();
        assert!(headers.contains("content-type"), "{headers}");
        let call = "Origin: https://shop.example\r\nOcp-Apim-Subscription-Key: key\r\n";
        let answer = served.call("GET", PROPERTIES, call, b"");
        answer.json(200);
        assert_eq!(allowed(&answer, origin).as_deref(), Some("https://shop.example"));
        let other = asks.replace("shop", "other");
        let refused = served.call("OPTIONS", rank, &other, b"");
        assert!(refused.status >= 400 && refused.header(origin).is_none(), "{refused:?}");
    }
}
