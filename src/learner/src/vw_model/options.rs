//! The options of a model: those that VW keeps in the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::VwModelError;
use super::header::Header;
use crate::policy::{Given, LearningPolicy, given};

/// VW does not keep these: they are in the state or in the header, or are given again.
const NOT_KEPT: [&str; 12] = [
    "initial_regressor",
    "final_regressor",
    "testonly",
    "bit_precision",
    "constant",
    "initial_t",
    "l1",
    "l2",
    "max_prediction",
    "min_prediction",
    "random_seed",
    "no_bias_regularization",
];

/// VW adds these to the options of a model, for reductions that are always there.
const ADDED: [&str; 5] = ["cb_adf", "csoaa_ldf", "csoaa_rank", "cb_sample", "no_predict"];

/// What is added up where it is given in both.
const ACCUMULATING: [&str; 6] =
    ["quadratic", "cubic", "interactions", "ignore", "ignore_linear", "keep"];

/// Options that the policy may change (`allow_override` and options of the update).
const MAY_CHANGE: [&str; 7] =
    ["epsilon", "lambda", "learning_rate", "power_t", "rnd_alpha", "rnd_invlambda", "random_seed"];

/// The options of a policy as VW writes them.
pub fn of(arguments: &str) -> String {
    let mut options = String::new();
    let mut names = Vec::new();
    for Given { name, value, .. } in given(arguments) {
        if NOT_KEPT.contains(&name) || (names.contains(&name) && !ACCUMULATING.contains(&name)) {
            continue;
        }
        names.push(name);
        // Writing to a string cannot fail.
        _ = write!(options, " --{name}");
        if let Some(value) = value {
            _ = write!(options, " {value}");
        }
    }
    let missing = |name: &str| !names.contains(&name);
    for (option, needed) in [
        ("--cb_explore_adf", missing("cb_explore_adf")),
        ("--cb_type mtr", missing("cb_type")),
        ("--cb_adf --csoaa_ldf multiline --csoaa_rank", true),
        ("--cb_sample", !missing("ccb_explore_adf")),
    ] {
        if needed {
            _ = write!(options, " {option}");
        }
    }
    options
}

/// The options of a file without the state of the generator, and that state.
pub fn without_random_state(options: &str) -> Result<(String, u64), VwModelError> {
    let mut words = options.split_whitespace();
    let (mut rest, mut state) = (Vec::new(), 0);
    while let Some(word) = words.next() {
        if word != "--random_seed" {
            rest.push(word);
            continue;
        }
        let value = words.next().and_then(|value| value.parse().ok());
        state =
            value.ok_or_else(|| VwModelError::Content("a random seed that is none".to_owned()))?;
    }
    Ok((rest.join(" "), state))
}

/// The policy of the file's options and of those that are given.
pub fn merge(header: &Header, arguments: &str) -> Result<LearningPolicy, VwModelError> {
    let own = given(arguments);
    let mut merged = arguments.to_owned();
    let bits = format!("--bit_precision {}", header.bits);
    for option in given(&without_added(&header.options)).into_iter().chain(given(&bits)) {
        let same_name: Vec<_> = own.iter().filter(|own| own.name == option.name).collect();
        let is_known =
            same_name.iter().any(|own| is_same(own.value.as_deref(), option.value.as_deref()));
        let differs = same_name.iter().find(|_| !is_known && !ACCUMULATING.contains(&option.name));
        if let Some(differing) = differs.filter(|_| !MAY_CHANGE.contains(&option.name)) {
            return Err(VwModelError::Option { given: shown(differing), file: shown(&option) });
        }
        if !is_known && differs.is_none() {
            _ = write!(merged, " {}", shown(&option));
        }
    }
    let merged = merged.trim();
    LearningPolicy::parse_for_evaluation(merged)
        .map_err(|errors| VwModelError::Unsupported(errors[0].to_string()))
}

/// Whether the file has the options of a policy, and no others, but for those that are not
/// kept in it or may change.
pub fn is_of(header: &Header, arguments: &str) -> bool {
    let binding = |options: &str| -> BTreeSet<(&str, Option<String>)> {
        let all = given(&without_added(options)).into_iter();
        let kept = all.filter(|option| {
            !MAY_CHANGE.contains(&option.name) && !NOT_KEPT.contains(&option.name)
        });
        // Values are compared by `merge`, but of those of which there may be several.
        kept.map(|Given { name, value, .. }| (name, value.filter(|_| ACCUMULATING.contains(&name))))
            .collect()
    };
    binding(&of(arguments)) == binding(&header.options)
}

/// The options that VW has not added itself.
fn without_added(options: &str) -> String {
    let mut rest = Vec::new();
    let mut words = options.split(' ').filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        if word.strip_prefix("--").is_some_and(|name| ADDED.contains(&name)) {
            words.next_if(|value| !value.starts_with("--"));
        } else {
            rest.push(word);
        }
    }
    rest.join(" ")
}

/// Whether values are the same text, or the same number as VW holds it.
fn is_same(a: Option<&str>, b: Option<&str>) -> bool {
    let number = |value: Option<&str>| value.and_then(|value| value.parse::<f32>().ok());
    a == b || number(a).is_some_and(|a| number(b) == Some(a))
}

fn shown(option: &Given) -> String {
    match &option.value {
        Some(value) => format!("--{} {value}", option.name),
        None => format!("--{}", option.name),
    }
}
