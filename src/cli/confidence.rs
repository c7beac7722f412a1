//! The argument of `--confidence`.

use statistics::Confidence;

/// The level that `--confidence` names.
pub fn parse_confidence(text: &str) -> Result<Confidence, String> {
    let level = text.parse().ok().and_then(Confidence::new);
    level.ok_or_else(|| "expected a level between 0 and 1, such as 0.95".to_owned())
}
