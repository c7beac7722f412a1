use std::io;
use std::path::Path;

use super::remote::CREDENTIALS;

/// Why a folder in a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// Whether it was asked for in a way that can never be done.
    pub is_usage: bool,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl StoreError {
    pub(super) fn usage(message: String, help: &str) -> Self {
        Self { is_usage: true, message, help: help.to_owned() }
    }

    /// What a store says of an object or folder.
    pub(super) fn of(address: &str, error: &object_store::Error) -> Self {
        use object_store::Error;
        let help = match error {
            Error::NotFound { .. } => "does the bucket exist, and is the address right?",
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                "may these credentials list, read and write there? See `runner guide scaling`"
            }
            _ => {
                "is the store reachable, and are region, endpoint and credentials set? \
                 See `runner guide scaling`"
            }
        };
        let message =
            redacted(format!("{address}: {}", in_words(error)), &|name| std::env::var(name).ok());
        Self { is_usage: false, message, help: help.to_owned() }
    }

    /// What this machine says of a file.
    #[must_use]
    pub fn of_file(path: &Path, error: &io::Error) -> Self {
        let message = format!("{}: {error}", path.display());
        let help = "is there room for the results where temporary files go (`TMPDIR`)?";
        Self { is_usage: false, message, help: help.to_owned() }
    }

    pub(super) fn taken(address: &str) -> Self {
        let message = format!("another process now writes to `{address}`");
        let help = "wait until it ends, or name another folder with `--out`";
        Self::usage(message, help)
    }

    pub(super) fn locked(address: &str) -> Self {
        let message = format!("another process of this machine writes to `{address}`");
        Self::usage(message, "wait for it, or name another folder with `--out`")
    }

    pub(super) fn foreign(path: &Path) -> Self {
        let message = format!("`{}` belongs to another user", path.display());
        Self::usage(message, "set `TMPDIR` to a folder of your own")
    }
}

/// What an error says, on one line, with what is behind it; of an answer in XML its message.
fn in_words(error: &object_store::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (mut text, inner) = (error.to_string(), innermost.to_string());
    if !text.contains(&inner) {
        text = format!("{text}: {inner}");
    }
    let Some((before, answer)) = text.split_once("<?xml") else {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    };
    let message =
        answer.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    let message = message.map_or("", |(message, _)| message);
    format!("{}: {message}", before.trim_end_matches([':', ' ']))
}

/// A text without the credentials of the environment, however a store sends them back.
fn redacted(text: String, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let secrets =
        CREDENTIALS.iter().flat_map(|(_, names)| *names).filter_map(|name| environment(name));
    let long_enough = |secret: &String| secret.len() >= 6;
    secrets.filter(long_enough).fold(text, |text, secret| text.replace(&secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_tells_a_credential() {
        let environment =
            |name: &str| (name == "AWS_SECRET_ACCESS_KEY").then(|| "hush-hush".to_owned());
        let text = "denied: key hush-hush is wrong".to_owned();
        assert_eq!(redacted(text, &environment), "denied: key *** is wrong");
    }
}
