use std::num::NonZero;
use std::str::FromStr;

use super::Shard;
use super::engines::{Count, ENGINES, Engine, Index};

/// The variable that says how many shards there are where the engine does not.
pub const COUNT: &str = "RUNNER_SHARDS";

/// `--shard`: which shard, or who knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardChoice {
    /// This one.
    Given(Shard),
    /// The one that the engine says, of so many.
    Auto(Option<NonZero<u64>>),
}

/// Why it is not known which shard this is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ShardError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl FromStr for ShardChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = match text.strip_prefix("auto") {
            None => return text.parse().map(Self::Given),
            Some("") => return Ok(Self::Auto(None)),
            Some(count) => count.strip_prefix('/').and_then(|count| count.parse().ok()),
        };
        let written = || format!("`auto/5` says how many shards there are, found `{text}`");
        count.map(|count| Self::Auto(Some(count))).ok_or_else(written)
    }
}

impl ShardChoice {
    /// The shard. `planned` is how many a plan asks for, if it does.
    ///
    /// # Errors
    /// When the environment does not say, says it twice, or what is no shard.
    pub fn resolve(
        self,
        planned: Option<NonZero<u64>>,
        environment: Environment<'_>,
    ) -> Result<Shard, ShardError> {
        match self {
            Self::Given(shard) => Ok(shard),
            Self::Auto(Some(count)) => detect(Some((count.get(), "auto")), environment),
            Self::Auto(None) => {
                let said = environment(COUNT).map(|text| number(COUNT, &text)).transpose()?;
                let said = said.map(|count| (count, COUNT));
                detect(said.or(planned.map(|count| (count.get(), "the plan"))), environment)
            }
        }
    }
}

/// What one engine says of this process.
struct Claim {
    engine: &'static Engine,
    /// Which process it is, from 0.
    index: u64,
    count: Option<u64>,
    /// What it says, as it stands in the environment.
    said: Vec<String>,
}

fn detect(given: Option<(u64, &str)>, environment: Environment<'_>) -> Result<Shard, ShardError> {
    let claims = ENGINES.iter().map(|engine| claim(engine, environment).transpose());
    let mut claims: Vec<Claim> = claims.flatten().collect::<Result<_, _>>()?;
    // One of one says nothing beside an engine that counts further.
    if claims.iter().any(|claim| claim.count != Some(1)) {
        claims.retain(|claim| claim.count != Some(1));
    }
    let counts = claims.iter().find(|claim| claim.count.is_some());
    let Some(claim) = counts.or(claims.first()) else { return Err(nobody_says()) };
    if let Some(other) = claims.iter().find(|other| other.contradicts(claim)) {
        return Err(two_say(claim, other));
    }
    let count = match (claim.count, given) {
        (Some(count), Some((given, by))) if count != given => {
            return Err(counts_differ(claim, given, by));
        }
        (Some(count), _) | (None, Some((count, _))) => count,
        (None, None) => return Err(count_is_missing(claim)),
    };
    Shard::new(claim.index + 1, count).map_err(|why| claim.refused(&why))
}

type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the engine says, if this process is one of its own.
fn claim(
    engine: &'static Engine,
    environment: Environment<'_>,
) -> Result<Option<Claim>, ShardError> {
    let mut said = Vec::new();
    let mut value = |name: &str| value(name, environment, &mut said);
    let Some(index) = value(engine.index.variable())? else { return Ok(None) };
    let (first, step) = match engine.index {
        Index::From0(_) => (0, 1),
        Index::From1(_) => (1, 1),
        Index::Ranged { first, step, .. } => match value(first)? {
            Some(first) => (first, value(step)?.unwrap_or(1).max(1)),
            None => return Err(unset(engine, first)),
        },
    };
    let count = match engine.count {
        Count::Variable(name) | Count::Needed(name) => value(name)?,
        Count::Last(name) => value(name)?.map(|last| last.saturating_sub(first) / step + 1),
        Count::Nowhere => None,
    };
    // Outside of an array some engines say 0 where they count from 1.
    let is_outside = index == 0 && matches!(engine.index, Index::From1(_));
    if is_outside || (count.is_none() && matches!(engine.count, Count::Needed(_))) {
        return Ok(None);
    }
    let steps = index.checked_sub(first).filter(|beyond| beyond.is_multiple_of(step));
    let claim = Claim { engine, index: steps.unwrap_or_default() / step, count, said };
    if steps.is_none() {
        return Err(claim.refused("it is not among the indices of the array"));
    }
    if count == Some(1) && first > 1 {
        return Err(claim.refused("one task alone may be a part of a larger array"));
    }
    Ok(Some(claim))
}

/// The number in a variable, if there is one, noted in `said`. Grid Engine says
/// `undefined` outside of an array.
fn value(
    name: &str,
    environment: Environment<'_>,
    said: &mut Vec<String>,
) -> Result<Option<u64>, ShardError> {
    let Some(text) = environment(name).filter(|text| !["", "undefined"].contains(&text.as_str()))
    else {
        return Ok(None);
    };
    said.push(format!("{name}={text}"));
    number(name, &text).map(Some)
}

fn number(name: &str, text: &str) -> Result<u64, ShardError> {
    text.trim().parse().map_err(|_| ShardError {
        message: format!("`{name}` must be a whole number, found `{text}`"),
        help: SAY_WHICH.to_owned(),
    })
}

const SAY_WHICH: &str = "say which shard this is, such as `--shard 2/5`";

impl Claim {
    fn contradicts(&self, other: &Self) -> bool {
        let counts = self.count.is_some_and(|count| Some(count) != other.count);
        self.index != other.index || counts
    }

    fn said(&self) -> String {
        format!("{} ({})", self.engine.name, self.said.join(", "))
    }

    fn refused(&self, why: &str) -> ShardError {
        ShardError { message: format!("{}: {why}", self.said()), help: SAY_WHICH.to_owned() }
    }
}

fn nobody_says() -> ShardError {
    let known: Vec<&str> = ENGINES.iter().map(|engine| engine.index.variable()).collect();
    let message = format!("`--shard auto` finds no engine: none of {} is set", known.join(", "));
    ShardError { message, help: SAY_WHICH.to_owned() }
}

fn two_say(left: &Claim, right: &Claim) -> ShardError {
    let message = format!(
        "`--shard auto` finds two engines that disagree: {} and {}",
        left.said(),
        right.said()
    );
    ShardError { message, help: SAY_WHICH.to_owned() }
}

fn counts_differ(claim: &Claim, given: u64, by: &str) -> ShardError {
    let count = claim.count.unwrap_or_default();
    let message = format!("{} says {count} shards, but {by} says {given}", claim.said());
    ShardError { message, help: SAY_WHICH.to_owned() }
}

fn count_is_missing(claim: &Claim) -> ShardError {
    let message = format!("{} does not say how many shards there are", claim.said());
    ShardError { message, help: format!("set `{COUNT}=5`, or say `--shard auto/5`") }
}

fn unset(engine: &Engine, variable: &str) -> ShardError {
    let message =
        format!("{}: `{}` is set, but `{variable}` is not", engine.name, engine.index.variable());
    ShardError { message, help: SAY_WHICH.to_owned() }
}

#[cfg(test)]
mod tests;
