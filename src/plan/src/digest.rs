//! The identity of a plan.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Phase, Plan};

/// SHA-256 over the plan as JSON, in hex digits.
///
/// The fields that do not decide what is sent, and secrets, are not in that JSON. It is
/// made of the plan and not of the file, so comments, notations, defaults and the
/// format of a data set make no difference.
pub fn digest(plan: &Plan) -> String {
    of(plan)
}

/// The same of each part of the plan, phase by phase, to say what differs.
pub fn parts(plan: &Plan) -> BTreeMap<String, String> {
    let phases = plan.phases.iter().map(|phase| (format!("phase `{}`", phase.name), of(phase)));
    let catalogue =
        plan.catalogue.iter().map(|part| ("which actions are offered".to_owned(), of(part)));
    let order: Vec<_> = plan.phases.iter().map(Ordered::of).collect();
    let all = [
        ("the seed", of(&plan.seed)),
        ("who turns up", of(&plan.population)),
        ("what is offered", of(&(&plan.actions, &plan.excluded_actions, plan.defer_activation))),
        ("the reward", of(&plan.reward)),
        ("the target", of(&plan.target)),
        ("the clock", of(&plan.clock)),
        ("the order of the phases", of(&order)),
    ];
    all.map(|(name, digest)| (name.to_owned(), digest))
        .into_iter()
        .chain(catalogue)
        .chain(phases)
        .collect()
}

/// A phase in the order of the phases; one that runs beside no other is its name alone.
#[derive(Serialize)]
#[serde(untagged)]
enum Ordered<'a> {
    Alone(&'a str),
    Beside(&'a str, usize),
}

impl<'a> Ordered<'a> {
    fn of(phase: &'a Phase) -> Self {
        let name = phase.name.as_str();
        phase.parallel.map_or(Self::Alone(name), |parallel| Self::Beside(name, parallel))
    }
}

/// SHA-256 over a part of a plan as JSON, in hex digits.
pub fn of<T: Serialize>(value: &T) -> String {
    let mut hash = Hash(Sha256::new());
    // JSON is written in pieces of some bytes: of a large catalogue, millions.
    let pieces = io::BufWriter::new(&mut hash);
    // Neither a hash nor the values of a plan can refuse.
    serde_json::to_writer(pieces, value).unwrap_or_default();
    hexadecimal(&hash.0.finalize())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

struct Hash(Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
