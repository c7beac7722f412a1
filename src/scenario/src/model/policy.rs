//! Learning policies.

use std::path::Path;
use std::time::Duration;

use super::target::positive;
use crate::document::yaml;
use crate::format::{
    Either, Form, Notation, Reading, Spot, TEXT, Tagged, either, integer, list_of, no_hint, number,
    object, optional, or, required, size, tagged, variant, word,
};
use crate::policy;
use ::policy::{Algorithm, Command, LinTs, LinUcb, Policy, Sharing, Term, Thompson, Ucb1};
use diagnostic::Source;

keyed! {
    /// Upper confidence bounds of a linear model (LinUCB).
    struct LinUcbFile {
        /// The width of the bound, in standard deviations; 1, if it is not said.
        alpha: Option<f64> = optional(number(0.0, 1e6)),
        /// How actions share what is learned; `shared`, if it is not said.
        model: Option<Sharing> = optional(sharing()),
        /// The features of the model: `1` the constant, `a` those of the action, `x` those of the
        /// context, `ax` their products. `[1, a, ax]` where actions share a model, and `[1, x]`
        /// where each has one.
        features: Option<Vec<Term>> = optional(list_of(term(), 1)),
        /// The penalty of the squared weights; 1, if it is not said.
        l2: Option<f64> = optional(number(1e-9, 1e9)),
        /// The share of events that explore uniformly; `exploration_percentage` takes its place.
        epsilon: Option<f64> = optional(number(0.0, 1.0)),
    }
}

keyed! {
    /// Thompson sampling from the posterior of a linear model.
    struct LinTsFile {
        /// The factor of the covariance of the weights; 1, if it is not said.
        v: Option<f64> = optional(number(0.0, 1e6)),
        /// How actions share what is learned; `shared`, if it is not said.
        model: Option<Sharing> = optional(sharing()),
        /// The features of the model, as of `lin_ucb`.
        features: Option<Vec<Term>> = optional(list_of(term(), 1)),
        /// The penalty of the squared weights; 1, if it is not said.
        l2: Option<f64> = optional(number(1e-9, 1e9)),
        /// How many draws an event has; the probability of an action is the share of draws in
        /// which it is the best. 32, if it is not said.
        samples: Option<usize> = optional(size(1, 10_000)),
        /// The share of events that explore uniformly; `exploration_percentage` takes its place.
        epsilon: Option<f64> = optional(number(0.0, 1.0)),
    }
}

keyed! {
    /// Upper confidence bounds of the mean rewards of actions, without a context.
    struct Ucb1File {
        /// The factor of the bound; 1, if it is not said.
        alpha: Option<f64> = optional(number(0.0, 1e6)),
        /// The share of events that explore uniformly; `exploration_percentage` takes its place.
        epsilon: Option<f64> = optional(number(0.0, 1.0)),
    }
}

keyed! {
    /// Thompson sampling from beta posteriors of the mean rewards of actions, without a context.
    struct ThompsonFile {
        /// How many draws an event has; 32, if it is not said.
        samples: Option<usize> = optional(size(1, 10_000)),
        /// The share of events that explore uniformly; `exploration_percentage` takes its place.
        epsilon: Option<f64> = optional(number(0.0, 1.0)),
    }
}

keyed! {
    /// A policy that is a program: it answers lines of JSON on its stdin with lines on its
    /// stdout. See `runner guide programs`.
    struct ProgramFile marked "command" {
        /// The program and its arguments. It runs in the folder of the scenario.
        command: Vec<String> = required(list_of(TEXT, 1)),
        /// How long it may take for an answer.
        timeout: Duration = or(positive(), "\"5s\""),
    }
}

/// A learning policy: Vowpal Wabbit arguments, a linear policy, or a program.
pub(crate) fn policy() -> Either<Policy> {
    either([policy_text().boxed(), object().and_then(program).boxed(), linear().boxed()])
}

/// The same, as a text.
pub(super) fn policy_text() -> impl Form<Value = Policy> {
    TEXT.and_then(|text, spot, reading| of_text(&text, spot, reading))
}

/// Vowpal Wabbit arguments, or another policy as a text, such as `{ lin_ucb: { alpha: 1 } }`.
fn of_text(text: &str, spot: Spot<'_>, reading: &mut Reading<'_>) -> Option<Policy> {
    if !text.trim_start().starts_with('{') {
        return policy::parse(spot.node, reading.report).map(Policy::from);
    }
    let source = Source::new(spot.node.place.source.path(), text);
    let node = yaml::read(&source, reading.report)?;
    either([object().and_then(program).boxed(), linear().boxed()])
        .decode(&node, spot.owner, reading)
}

fn linear() -> Tagged<Policy> {
    tagged([
        variant(
            "lin_ucb",
            "Upper confidence bounds of a linear model.",
            object().map(|file: LinUcbFile| {
                let LinUcb { alpha, model, l2, .. } = LinUcb::default();
                Policy::from(Algorithm::LinUcb(LinUcb {
                    alpha: file.alpha.unwrap_or(alpha),
                    model: file.model.unwrap_or(model),
                    features: file.features,
                    l2: file.l2.unwrap_or(l2),
                    epsilon: file.epsilon.map(narrow),
                }))
            }),
        ),
        variant(
            "lin_ts",
            "Thompson sampling from the posterior of a linear model.",
            object().map(|file: LinTsFile| {
                let LinTs { v, model, l2, samples, .. } = LinTs::default();
                Policy::from(Algorithm::LinTs(LinTs {
                    v: file.v.unwrap_or(v),
                    model: file.model.unwrap_or(model),
                    features: file.features,
                    l2: file.l2.unwrap_or(l2),
                    samples: file.samples.map_or(samples, small),
                    epsilon: file.epsilon.map(narrow),
                }))
            }),
        ),
        variant(
            "ucb1",
            "Upper confidence bounds of mean rewards, without a context.",
            object().map(|file: Ucb1File| {
                let alpha = file.alpha.unwrap_or(Ucb1::default().alpha);
                Policy::from(Algorithm::Ucb1(Ucb1 { alpha, epsilon: file.epsilon.map(narrow) }))
            }),
        ),
        variant(
            "thompson",
            "Thompson sampling of mean rewards, without a context.",
            object().map(|file: ThompsonFile| {
                let samples = file.samples.map_or(Thompson::default().samples, small);
                let epsilon = file.epsilon.map(narrow);
                Policy::from(Algorithm::Thompson(Thompson { samples, epsilon }))
            }),
        ),
    ])
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `and_then`")]
fn program(file: ProgramFile, _: Spot<'_>, reading: &mut Reading<'_>) -> Option<Policy> {
    let folder = reading.files.map_or(Path::new("."), |files| files.folder()).to_owned();
    let ProgramFile { command: arguments, timeout } = file;
    Some(Policy::from(Command { arguments, timeout, folder }))
}

fn sharing() -> impl Form<Value = Sharing> {
    word(&[
        ("shared", Sharing::Shared, "One model for all actions."),
        ("disjoint", Sharing::Disjoint, "A model for each action, by its id."),
    ])
}

fn term() -> Either<Term> {
    const PRODUCT: Notation<Term> = Notation {
        what: "up to three letters of `a` (the action) and `x` (the context), such as `ax`",
        pattern: "^(1|[ax]{1,3})$",
        parse: |text| text.parse().ok(),
        hint: no_hint,
    };
    either([integer(1, 1).map(|_| Term::CONSTANT).boxed(), PRODUCT.boxed()])
}

#[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
fn narrow(number: f64) -> f32 {
    number as f32
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
