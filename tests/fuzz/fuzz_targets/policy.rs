//! Any text is a learning policy or is refused at places within the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use learner::{LearningPolicy, PolicyError};

fuzz_target!(|text: &str| {
    check(text, LearningPolicy::parse);
    check(text, LearningPolicy::parse_for_evaluation);
});

fn check(text: &str, parse: fn(&str) -> Result<LearningPolicy, Vec<PolicyError>>) {
    match parse(text) {
        Ok(policy) => {
            let again = parse(policy.arguments()).expect("arguments that were read");
            assert_eq!(again, policy);
            let other = policy.with_epsilon(0.25);
            let again = parse(other.arguments()).expect("arguments that were made");
            assert_eq!(again, other);
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(text.get(error.span.clone()).is_some(), "{error:?} lies outside `{text}`");
            }
        }
    }
}
