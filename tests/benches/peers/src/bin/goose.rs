//! Rank → Reward pairs by goose; its options are its own. RANK_REQUEST names the file with
//! the body of Rank.

use std::sync::OnceLock;

use goose::goose::GooseResponse;
use goose::prelude::*;
use serde::Deserialize;

static BODY: OnceLock<String> = OnceLock::new();

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RankResponse {
    event_id: String,
    reward_action_id: String,
}

async fn pair(user: &mut GooseUser) -> TransactionResult {
    let body = BODY.get().expect("read at the start").clone();
    let answer = post(user, "/personalizer/v1.0/rank", "rank", body).await?;
    let Ok(ranked) = answer.response?.json::<RankResponse>().await else { return Ok(()) };
    let reward = if ranked.reward_action_id == "Cappucino" { 1.0 } else { 0.0 };
    let path = format!("/personalizer/v1.0/events/{}/reward", ranked.event_id);
    post(user, &path, "reward", format!(r#"{{"value":{reward}}}"#))
        .await?
        .response?
        .bytes()
        .await?;
    Ok(())
}

async fn post(
    user: &mut GooseUser,
    path: &str,
    name: &str,
    body: String,
) -> Result<GooseResponse, Box<TransactionError>> {
    let request = user.get_request_builder(&GooseMethod::Post, path)?;
    let request = request.header("content-type", "application/json").body(body);
    let request = GooseRequest::builder().set_request_builder(request).name(name).build();
    user.request(request).await
}

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let file = std::env::var("RANK_REQUEST").expect("RANK_REQUEST names a file");
    BODY.get_or_init(|| std::fs::read_to_string(file).expect("a file with a Rank request"));
    let pairs = scenario!("pairs").register_transaction(transaction!(pair));
    GooseAttack::initialize()?.register_scenario(pairs).execute().await?;
    Ok(())
}
