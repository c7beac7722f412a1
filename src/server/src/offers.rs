use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use protocol::{ErrorCode, RankEnvelope, RankRequest, RankableAction, ServiceError};

/// So many texts of actions are kept.
const CAPACITY: usize = 256;
/// Longer ones are not.
const LONGEST: usize = 64 << 10;

/// What callers offer to choose from: most offer the same again and again, so that it is
/// read once, kept in memory once and hashed once.
#[derive(Debug, Default)]
pub(super) struct Offers(Mutex<HashMap<Box<str>, Arc<[RankableAction]>>>);

impl Offers {
    /// The request of a body.
    pub fn request(&self, body: &[u8]) -> Result<RankRequest, ServiceError> {
        let envelope: RankEnvelope<'_> = serde_json::from_slice(body).map_err(|e| invalid(&e))?;
        let actions = self.actions(envelope.actions.get()).map_err(|error| invalid(&error))?;
        Ok(envelope.with(actions))
    }

    fn actions(&self, text: &str) -> serde_json::Result<Arc<[RankableAction]>> {
        let Ok(mut known) = self.0.lock() else { return serde_json::from_str(text) };
        if let Some(actions) = known.get(text) {
            return Ok(actions.clone());
        }
        let actions: Arc<[RankableAction]> = serde_json::from_str(text)?;
        if text.len() <= LONGEST {
            if known.len() >= CAPACITY {
                known.clear();
            }
            known.insert(text.into(), actions.clone());
        }
        Ok(actions)
    }
}

fn invalid(error: &serde_json::Error) -> ServiceError {
    let message = format!("the body cannot be used: {error}");
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
        let offers = Offers::default();
        let text = body(r#"[{"id":"one","features":[{"b":"c"}]}]"#);
        let [first, second] = [0, 1].map(|_| offers.request(text.as_bytes()).unwrap());
        assert_eq!(first, serde_json::from_str(&text).unwrap());
        assert!(Arc::ptr_eq(&first.actions, &second.actions));
    }

    #[test]
    fn however_many_there_are_few_are_kept() {
        let offers = Offers::default();
        for number in 0..2 * CAPACITY {
            let text = body(&format!(r#"[{{"id":"{number}","features":[]}}]"#));
            let actions = offers.request(text.as_bytes()).unwrap().actions;
            assert_eq!(*actions[0].id, number.to_string());
        }
        assert!(offers.0.lock().unwrap().len() <= CAPACITY);
        assert!(offers.request(body("null").as_bytes()).is_err());
    }
}
