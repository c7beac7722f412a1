use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::response::ErrorResponse;
use protocol::KEY_HEADER;

/// The keys of the service; without keys, every request is admitted.
///
/// Digests are compared in constant time, so that response times reveal neither the length
/// nor a prefix of a key.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// Accepts any of these keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(digest).collect())
    }

    /// Whether every request is admitted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The seed of the model signature: the digest of the first key, or nothing.
    pub(crate) fn signing_seed(&self) -> &[u8] {
        self.0.first().map_or(&[], |digest| &digest[..])
    }

    /// Refuses a request without one of the keys.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ErrorResponse> {
        if self.is_empty()
            || headers.get(KEY_HEADER).is_some_and(|key| self.matches(key.as_bytes()))
        {
            return Ok(());
        }
        Err(ErrorResponse::unauthorized(
            "the header `Ocp-Apim-Subscription-Key` is missing or is not a key of this service",
        ))
    }

    fn matches(&self, key: &[u8]) -> bool {
        let digest = digest(key);
        let matches = self.0.iter().map(|known| known.ct_eq(&digest));
        matches.reduce(|one, other| one | other).is_some_and(bool::from)
    }
}

fn digest(key: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_keys_opens_and_nothing_else_does() {
        let keys = Keys::new(["first", "second"]);
        assert!(keys.matches(b"first") && keys.matches(b"second"));
        assert!(!keys.matches(b"") && !keys.matches(b"firs") && !keys.matches(b"first "));
        assert!(keys.check(&HeaderMap::new()).is_err());
        assert!(Keys::default().check(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_key_cannot_be_read_back() {
        assert!(!format!("{:?}", Keys::new(["canary"])).contains("canary"));
    }
}
