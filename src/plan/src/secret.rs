use std::cmp::Ordering;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::percent::percent_encoded;

/// What stands in the place of a secret.
const INSTEAD: &str = "[redacted]";

/// A text that appears in no output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A text that is not to be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Takes secrets out of texts: the one way in which a text that may hold one goes into
/// an output.
///
/// A secret is found as it is, in Base64 and percent-encoded; the user and password of
/// an address also one by one; a text of several lines also line by line.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first, so that no part of one stays.
    forms: Vec<String>,
}

impl Redactor {
    /// A redactor of these secrets.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut forms: Vec<String> = secrets.into_iter().flat_map(forms).collect();
        forms.sort_by(longest_first);
        forms.dedup();
        Self { forms }
    }

    /// The same, which also hides these.
    #[must_use]
    pub fn and<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut all = Self::new(secrets);
        all.forms.extend(self.forms.iter().cloned());
        all.forms.sort_by(longest_first);
        all.forms.dedup();
        all
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), INSTEAD);
            }
        }
        text
    }

    /// Whether a secret is in the bytes.
    #[must_use]
    pub fn finds(&self, bytes: &[u8]) -> bool {
        let is_in = |form: &String| bytes.windows(form.len()).any(|part| part == form.as_bytes());
        self.forms.iter().any(is_in)
    }
}

fn longest_first(left: &String, right: &String) -> Ordering {
    right.len().cmp(&left.len()).then(left.cmp(right))
}

fn forms(secret: &Secret) -> Vec<String> {
    let mut forms = Vec::new();
    for part in parts(&secret.0) {
        forms.push(STANDARD.encode(part));
        forms.push(STANDARD_NO_PAD.encode(part));
        forms.push(URL_SAFE_NO_PAD.encode(part));
        forms.push(percent_encoded(part));
        forms.push(part.to_owned());
    }
    forms
}

/// What of a secret is one by itself.
fn parts(text: &str) -> Vec<&str> {
    let user = text.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let of_user = user.map(|(user, _)| user.split_once(':').map_or(user, |(_, word)| word));
    let token = text.split_once(' ').map(|(_scheme, token)| token).filter(|_| !text.contains('\n'));
    // A letter or two are no secret, and would be everywhere.
    let is_telling = |part: &&str| part.len() > 2;
    let lines = text.lines().filter(|line| text.contains('\n') && line.len() >= 16);
    let all = std::iter::once(text).chain(of_user).chain(token).chain(lines);
    all.map(str::trim).filter(is_telling).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let redactor = Redactor::new(&[Secret::new("canary+/=ü")]);
        for text in [
            "key canary+/=ü!",
            "key Y2FuYXJ5Ky89w7w=!",
            "key Y2FuYXJ5Ky89w7w!",
            "key canary%2B%2F%3D%C3%BC!",
        ] {
            assert_eq!(redactor.redact(text), "key [redacted]!", "{text}");
            assert!(redactor.finds(text.as_bytes()));
        }
        assert_eq!(redactor.redact("canary"), "canary");
    }

    #[test]
    fn parts_of_a_secret_are_secrets() {
        let secrets = [
            Secret::new("http://me:hunter22@proxy:3128"),
            Secret::new("Bearer tokentoken"),
            Secret::new("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n"),
        ];
        let redactor = Redactor::new(&secrets);
        for text in ["hunter22", "tokentoken", "MIIEvQIBADANBgkqhkiG9w0BAQEF"] {
            assert_eq!(redactor.redact(text), "[redacted]");
        }
    }

    #[test]
    fn nothing_is_no_secret() {
        let redactor = Redactor::new(&[Secret::new(""), Secret::new("x")]);
        assert_eq!(redactor.redact("x and nothing"), "x and nothing");
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
