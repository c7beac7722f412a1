//! Rank → Reward pairs by reqwest alone, which records nothing: what a client can cost at
//! least.
//!
//!     bare URL CONNECTIONS SECONDS FILE_OF_RANK_REQUEST

use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RankResponse {
    event_id: String,
    reward_action_id: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, seconds, file] = &arguments[..] else {
        panic!("bare URL CONNECTIONS SECONDS FILE_OF_RANK_REQUEST")
    };
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse().unwrap());
    let body = std::fs::read_to_string(file).unwrap();
    let client = Client::builder().tcp_nodelay(true).build().unwrap();
    let visits: Vec<_> = (0..connections.parse().unwrap())
        .map(|_| tokio::spawn(visit(client.clone(), url.clone(), body.clone(), end)))
        .collect();
    for visit in visits {
        visit.await.unwrap();
    }
}

async fn visit(client: Client, url: String, body: String, end: Instant) {
    let rank = format!("{url}/personalizer/v1.0/rank");
    let post = |url: &str, body: String| {
        client.post(url).header(CONTENT_TYPE, "application/json").body(body).send()
    };
    while Instant::now() < end {
        let answer = post(&rank, body.clone()).await.unwrap().bytes().await.unwrap();
        let ranked: RankResponse = serde_json::from_slice(&answer).unwrap();
        let reward = if ranked.reward_action_id == "Cappucino" { 1.0 } else { 0.0 };
        let url = format!("{url}/personalizer/v1.0/events/{}/reward", ranked.event_id);
        let answer = post(&url, format!(r#"{{"value":{reward}}}"#)).await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}
