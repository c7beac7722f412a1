//! A learner on disk.
//!
//! Magic, version, the length of what follows, its SHA-256, and then the arguments of
//! the policy, the weights and the counters. All numbers keep their bits: a learner
//! that was loaded goes on as if it had never been saved. It is a format of our own,
//! not that of Vowpal Wabbit's models.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cost::{CostModel, CostType};
use crate::explore::Exploration;
use crate::regression::SavedLength;
use crate::slots::Slots;
use crate::{Learner, LearningPolicy};

const MAGIC: [u8; 8] = *b"rnrlearn";
const VERSION: u16 = 5;
const HEADER: usize = 8 + 2 + 8 + 32;

/// Why bytes are not a learner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// They begin otherwise.
    #[error("this is not a saved learner")]
    Foreign,
    /// They were written by another version of the program.
    #[error("a saved learner of version {0}, where version {VERSION} is read")]
    Version(u16),
    /// They end too early, or too late.
    #[error("a saved learner of {expected} bytes, of which there are {found}")]
    Length {
        /// What the header says.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// They are not what was written.
    #[error("a saved learner whose checksum is wrong: it was damaged")]
    Checksum,
    /// They were written with care, and make no sense all the same.
    #[error("a saved learner that cannot be read: {0}")]
    Content(String),
}

#[derive(Serialize)]
struct Saving<'a> {
    arguments: &'a str,
    costs: &'a CostModel,
    exploration: &'a Exploration,
    slots: &'a Slots,
}

#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "arguments")]
    _arguments: String,
    costs: CostModel,
    exploration: Exploration,
    slots: Slots,
}

/// How a saved learner begins.
#[derive(Deserialize)]
struct Beginning<'a> {
    arguments: &'a str,
    _kind: CostType,
    regression: SavedLength,
}

impl Learner {
    /// The learner as bytes.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn save(&self) -> Vec<u8> {
        let (costs, exploration, slots) = self.parts();
        with_header(&Saving { arguments: self.policy().arguments(), costs, exploration, slots })
    }

    /// The policy of a saved learner, read without its weights.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn saved_policy(bytes: &[u8]) -> Result<LearningPolicy, LoadError> {
        let (arguments, _) = postcard::take_from_bytes::<&str>(content(bytes)?)
            .map_err(|error| unreadable(&error))?;
        parse_policy(arguments)
    }

    /// The learner that was saved. Allocates the weights of its policy
    /// ([`LearningPolicy::weight_bytes`]), however few of them are in the bytes.
    ///
    /// # Errors
    /// When the bytes are not those of a saved learner, or not all of them.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let content = content(bytes)?;
        let (beginning, _) = postcard::take_from_bytes::<Beginning<'_>>(content)
            .map_err(|error| unreadable(&error))?;
        let policy = parse_policy(beginning.arguments)?;
        if beginning.regression.weights() != policy.weights() {
            return Err(other_weights(&policy));
        }
        let saved: Saved = postcard::from_bytes(content).map_err(|error| unreadable(&error))?;
        let blank = Self::new(&policy);
        let (costs, exploration, _) = blank.parts();
        if !(saved.costs.is_compatible(costs) && saved.exploration.is_compatible(exploration)) {
            return Err(other_weights(&policy));
        }
        let mut learner = blank.with_parts(saved.costs, saved.exploration);
        learner.sync_slots(&saved.slots);
        Ok(learner)
    }
}

fn other_weights(policy: &LearningPolicy) -> LoadError {
    LoadError::Content(format!("its weights are not those of `{}`", policy.arguments()))
}

fn unreadable(error: &postcard::Error) -> LoadError {
    LoadError::Content(error.to_string())
}

fn parse_policy(arguments: &str) -> Result<LearningPolicy, LoadError> {
    LearningPolicy::parse(arguments).map_err(|errors| LoadError::Content(errors[0].to_string()))
}

/// What is saved, behind its header.
fn with_header(saving: &Saving<'_>) -> Vec<u8> {
    let content = postcard::to_stdvec(saving).expect("a learner has a length");
    let mut bytes = Vec::with_capacity(HEADER + content.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&content));
    bytes.extend_from_slice(&content);
    bytes
}

/// What stands behind the header, once the header is believed.
fn content(bytes: &[u8]) -> Result<&[u8], LoadError> {
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(LoadError::Foreign)?;
    if *magic != MAGIC {
        return Err(LoadError::Foreign);
    }
    let short = || LoadError::Length { expected: HEADER as u64, found: bytes.len() as u64 };
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let version = u16::from_le_bytes(*version);
    if version != VERSION {
        return Err(LoadError::Version(version));
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (checksum, content) = rest.split_first_chunk::<32>().ok_or_else(short)?;
    let (expected, found) = (u64::from_le_bytes(*length), content.len() as u64);
    if expected != found {
        return Err(LoadError::Length { expected, found });
    }
    if Sha256::digest(content)[..] != checksum[..] {
        return Err(LoadError::Checksum);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checksum says that a file is whole, not who made it.
    #[test]
    fn weights_under_a_policy_that_is_not_theirs_are_refused() {
        let arguments = [
            "--cb_explore_adf",
            "--cb_explore_adf -b 12",
            "--cb_explore_adf --coin",
            "--cb_explore_adf --cb_type dr",
            "--cb_explore_adf --bag 3",
            "--cb_explore_adf --bag 5",
            "--cb_explore_adf --cover 3",
            "--cb_explore_adf --squarecb",
        ];
        let learners = arguments.map(|arguments| {
            let policy = LearningPolicy::parse(arguments).unwrap();
            (policy.arguments().to_owned(), Learner::new(&policy))
        });
        for (whose, learner) in &learners {
            for (arguments, _) in &learners {
                let (costs, exploration, slots) = learner.parts();
                let loaded =
                    Learner::load(&with_header(&Saving { arguments, costs, exploration, slots }));
                let refused = matches!(loaded, Err(LoadError::Content(_)));
                assert_eq!(refused, whose != arguments, "those of `{whose}` as `{arguments}`");
            }
        }
    }
}
