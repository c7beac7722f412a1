use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::answer::Refusal;

/// The header that carries the key.
const HEADER: &str = "ocp-apim-subscription-key";

/// The keys that open the service; without any, every caller may.
///
/// Digests are compared, in constant time: neither the length nor the first characters
/// of a key can be measured from outside.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// These keys, each as good as the others.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(digest).collect())
    }

    /// Whether every caller may.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the seal of models is made of: the first key, or nothing.
    pub(super) fn sealing(&self) -> &[u8] {
        self.0.first().map_or(&[], |digest| &digest[..])
    }

    /// Refuses a caller without one of the keys.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.is_empty() || headers.get(HEADER).is_some_and(|key| self.opens(key.as_bytes())) {
            return Ok(());
        }
        Err(Refusal::unauthorized(
            "the header `Ocp-Apim-Subscription-Key` has none of the keys of this service",
        ))
    }

    fn opens(&self, key: &[u8]) -> bool {
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
        assert!(keys.opens(b"first") && keys.opens(b"second"));
        assert!(!keys.opens(b"") && !keys.opens(b"firs") && !keys.opens(b"first "));
        assert!(keys.check(&HeaderMap::new()).is_err());
        assert!(Keys::default().check(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_key_cannot_be_read_back() {
        assert!(!format!("{:?}", Keys::new(["canary"])).contains("canary"));
    }
}
