use super::{Exit, streams};
use scenario;

/// `runner schema`
pub fn schema() -> Exit {
    let schema = serde_json::to_string_pretty(&scenario::schema()).expect("a schema is JSON");
    streams::print(&format!("{schema}\n"))
}
