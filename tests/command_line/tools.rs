//! Programs beside the project's that some tests ask: real Vowpal Wabbit, the official SDKs,
//! a browser, judges of schemas, a server of S3.

/// Says that a test asks nothing because a tool is missing, and what installs it.
///
/// # Panics
/// When `RUNNER_REQUIRE_TOOLS` is `1`, as in `.ci/run`: a test that did not run has not passed.
pub fn missing(tool: &str, remedy: &str) {
    let message = format!("{tool} is not installed; {remedy}");
    assert!(std::env::var_os("RUNNER_REQUIRE_TOOLS").is_none_or(|value| value != "1"), "{message}");
    eprintln!("not tested: {message}");
}
