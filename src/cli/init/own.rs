//! The text of a first scenario for users and actions of one's own.

use super::LOOP;
use scenario::{DimensionKind, UserDimension};

/// What a first scenario is about.
pub struct FirstScenario<'a> {
    pub name: &'a str,
    /// The files, as the scenario names them.
    pub users: &'a str,
    pub actions: &'a str,
    pub dimensions: &'a [UserDimension],
    /// How many actions there are.
    pub choices: usize,
}

impl FirstScenario<'_> {
    /// The scenario, with comments.
    pub fn text(&self) -> String {
        let Self { name, users, actions, choices, .. } = self;
        format!(
            "\
# Does a learning policy find out what each visitor prefers, how fast, and how well?
# `runner check FILE` reads this file without sending anything; `runner guide scenarios`
# explains every key.

version: 1
name: {name}
seed: 1

datasets:
  users: {users}
  actions: {actions}

context:
{context}
# The learning loop inside, in simulated time. A service: `target: {{ url: https://… }}`.
target: embedded

{LOOP}
phases:
  - reset
  - iterate: {{ name: baseline, iterations: 10_000, concurrency: 8, rate: 20/s }}

  # The rewards of the last visitors are still waited for.
  - wait: 30s

  # Searches for a policy that would have earned more, and applies it if that is safe.
  - evaluate: {{ discover: true, apply: safest }}
  - iterate: {{ name: validation, iterations: 2_000, concurrency: 8, rate: 20/s }}

expect:
  # One of {choices} actions is right by chance in {chance} of all cases.
  - validation.success_rate > {chance}
",
            context = self.context(),
            chance = self.chance(),
        )
    }

    fn context(&self) -> String {
        let line = |dimension: &UserDimension| match dimension.kind {
            DimensionKind::Text => format!("  - {}\n", quoted(&dimension.name)),
            DimensionKind::Number => typed(&dimension.name, "number"),
            DimensionKind::Boolean => typed(&dimension.name, "boolean"),
        };
        self.dimensions.iter().map(line).collect()
    }

    fn chance(&self) -> String {
        let choices = u32::try_from(self.choices).unwrap_or(u32::MAX).max(1);
        format!("{:.1}%", 100.0 / f64::from(choices))
    }
}

fn typed(name: &str, kind: &str) -> String {
    format!("  - {{ name: {}, type: {kind} }}\n", quoted(name))
}

/// A text as a scalar of YAML; JSON's strings are some.
pub fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text);
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
