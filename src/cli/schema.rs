use super::error::Error;
use super::exit::Exit;
use super::streams;
use clap::Args;
use scenario;

/// `runner schema`
#[derive(Debug, Clone, Args)]
pub struct SchemaArguments {
    /// Print that of the lines between `runner` and a policy that is a program instead.
    #[arg(long)]
    policy_program: bool,
}

/// Prints a JSON Schema.
pub fn schema(arguments: &SchemaArguments) -> Result<Exit, Error> {
    if arguments.policy_program {
        streams::print(policy_program::SCHEMA)?;
        return Ok(Exit::Done);
    }
    let schema = serde_json::to_string_pretty(&scenario::schema()).expect("a schema is JSON");
    streams::print(&format!("{schema}\n"))?;
    Ok(Exit::Done)
}
