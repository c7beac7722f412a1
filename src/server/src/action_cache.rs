use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::body::HUGE;
use protocol::{ErrorCode, RankEnvelope, RankRequest, RankableAction, ServiceError};

/// The number of cached action lists.
const CAPACITY: usize = 256;
/// Longer texts are not cached.
const LONGEST: usize = 64 << 10;

/// Parsed actions by their text: most requests of a service have the same actions, which are
/// parsed, stored and hashed once.
#[derive(Debug, Default)]
pub(crate) struct ActionCache(Mutex<HashMap<Box<str>, Arc<[RankableAction]>>>);

impl ActionCache {
    /// Parses a Rank request.
    pub fn request(&self, body: &[u8]) -> Result<RankRequest, ServiceError> {
        let envelope: RankEnvelope<'_> = serde_json::from_slice(body).map_err(|e| invalid(&e))?;
        let actions = self.actions(envelope.actions.get(), body.len());
        let actions = actions.map_err(|error| invalid(&error))?;
        Ok(envelope.with(actions))
    }

    /// The actions of a body of so many bytes. Texts are parsed outside the lock, which all requests
    /// share; huge bodies are handled where it must not be taken.
    fn actions(&self, text: &str, body: usize) -> serde_json::Result<Arc<[RankableAction]>> {
        if text.len() > LONGEST || body >= HUGE {
            return serde_json::from_str(text);
        }
        if let Some(actions) = self.lock().get(text) {
            return Ok(actions.clone());
        }
        let actions: Arc<[RankableAction]> = serde_json::from_str(text)?;
        let mut known = self.lock();
        if known.len() >= CAPACITY {
            known.clear();
        }
        // Another request may have parsed the same text meanwhile.
        Ok(known.entry(text.into()).or_insert(actions).clone())
    }

    /// Every critical section leaves the cache consistent.
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<[RankableAction]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn invalid(error: &serde_json::Error) -> ServiceError {
    let message = format!("invalid body: {error}");
    ServiceError::new(ErrorCode::InvalidRankRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(actions: &str) -> String {
        format!(r#"{{"actions":{actions},"contextFeatures":[{{"a":1}}],"eventId":"e","more":0}}"#)
    }

    #[test]
    fn a_request_is_the_same_by_either_way_and_its_actions_are_shared() {
        let cache = ActionCache::default();
        let text = body(r#"[{"id":"one","features":[{"b":"c"}]}]"#);
        let [first, second] = [0, 1].map(|_| cache.request(text.as_bytes()).unwrap());
        assert_eq!(first, serde_json::from_str(&text).unwrap());
        assert!(Arc::ptr_eq(&first.actions, &second.actions));
    }

    #[test]
    fn however_many_there_are_few_are_kept() {
        let cache = ActionCache::default();
        for number in 0..2 * CAPACITY {
            let text = body(&format!(r#"[{{"id":"{number}","features":[]}}]"#));
            let actions = cache.request(text.as_bytes()).unwrap().actions;
            assert_eq!(*actions[0].id, number.to_string());
        }
        assert!(cache.0.lock().unwrap().len() <= CAPACITY);
        assert!(cache.request(body("null").as_bytes()).is_err());
    }
}
