//! Filters of templates beside those of minijinja: vectors of features, codings, signatures.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};
use sha2::{Digest, Sha256};

use super::template::shown;
use super::variables::{Features, from_number};
use crate::digest::hexadecimal;

/// The names of the filters.
pub const NAMES: [&str; 7] =
    ["one_hot", "numbers", "base64", "base64url", "base64_decode", "sha256", "hmac_sha256"];

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("one_hot", one_hot);
    environment.add_filter("numbers", numbers);
    environment.add_filter("base64", |value: &Value| STANDARD.encode(shown(value)));
    environment.add_filter("base64url", |value: &Value| URL_SAFE_NO_PAD.encode(shown(value)));
    environment.add_filter("base64_decode", base64_decode);
    environment.add_filter("sha256", |value: &Value, coding: Option<&str>| {
        coded(&Sha256::digest(shown(value)), coding)
    });
    environment.add_filter("hmac_sha256", |value: &Value, key: &str, coding: Option<&str>| {
        coded(&hmac_sha256(key.as_bytes(), shown(value).as_bytes()), coding)
    });
}

fn one_hot(value: &Value) -> Result<Value, Error> {
    let Features { features, encoding } = features(value, "one_hot")?;
    Ok(encoding.one_hot(features).iter().map(from_number).collect())
}

fn numbers(value: &Value) -> Result<Value, Error> {
    let Features { features, encoding } = features(value, "numbers")?;
    let vector = encoding.numbers(features);
    let vector = vector.map_err(|why| Error::new(ErrorKind::InvalidOperation, why))?;
    Ok(vector.iter().map(from_number).collect())
}

fn features<'a>(value: &'a Value, filter: &str) -> Result<&'a Features, Error> {
    value.downcast_object_ref().ok_or_else(|| {
        let message = format!("`{filter}` takes `context` or the features of an action");
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

/// A text that was written in Base64, of either alphabet, with padding or without.
fn base64_decode(text: &str) -> Result<String, Error> {
    let plain: String = text.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
    let decoded = URL_SAFE_NO_PAD.decode(plain).ok();
    decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        let message = "`base64_decode` takes a text in Base64".to_owned();
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

/// A digest as text: in hexadecimal digits, or in Base64.
fn coded(digest: &[u8], coding: Option<&str>) -> Result<String, Error> {
    match coding {
        None | Some("hex") => Ok(hexadecimal(digest)),
        Some("base64") => Ok(STANDARD.encode(digest)),
        Some(other) => {
            let message = format!("a digest is written in `hex` or `base64`, not in `{other}`");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
    }
}

/// The keyed hash of a message (RFC 2104).
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let keyed = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    keyed.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test cases 1, 2 and 6 of RFC 4231: a short key, a text, and a key longer than a block.
    #[test]
    fn signatures_are_those_of_the_rfc() {
        for (key, message, expected) in [
            (
                vec![0x0b; 20],
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hexadecimal(&hmac_sha256(&key, message.as_bytes())), expected);
        }
    }

    #[test]
    fn a_value_is_coded_as_it_would_be_sent() {
        let mut environment = Environment::new();
        add(&mut environment);
        let rendered = |expression: &str| {
            let value = environment.compile_expression(expression).unwrap().eval(());
            value.map(|value| value.to_string()).map_err(|error| error.detail().map(str::to_owned))
        };
        for (expression, expected) in [
            ("'a?' | base64", "YT8="),
            ("'a??>' | base64url", "YT8_Pg"),
            ("{'a': 1} | base64", "eyJhIjoxfQ=="),
            ("'eyJhIjoxfQ==' | base64_decode", r#"{"a":1}"#),
            ("'YT8_Pg' | base64_decode", "a??>"),
            ("'abc' | sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("'abc' | sha256('base64')", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        ] {
            assert_eq!(rendered(expression).as_deref(), Ok(expected), "{expression}");
        }
        let refused = rendered("'abc' | hmac_sha256('key', 'octal')").unwrap_err().unwrap();
        assert_eq!(refused, "a digest is written in `hex` or `base64`, not in `octal`");
    }
}
