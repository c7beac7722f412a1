use super::error::Error;
use super::exit::Exit;
use super::streams;
use scenario;

/// `runner schema`
pub fn schema() -> Result<Exit, Error> {
    let schema = serde_json::to_string_pretty(&scenario::schema()).expect("a schema is JSON");
    streams::print(&format!("{schema}\n"))?;
    Ok(Exit::Done)
}
