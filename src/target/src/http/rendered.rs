use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use protocol::{FeatureObject, RankRequest, RankRequestParts, RankableAction};

/// So many bytes of JSON are kept of each kind.
const MOST_BYTES: usize = 8 << 20;

/// The JSON of what many Rank requests share: to render the same actions for each call cost a fifth
/// of the client's instructions.
#[derive(Default)]
pub(super) struct RenderedRequests {
    contexts: Rendered<FeatureObject>,
    actions: Rendered<RankableAction>,
}

impl RenderedRequests {
    /// A request, as it is sent.
    pub(super) fn rank<'a>(&self, request: &'a RankRequest) -> impl Serialize + use<'a> {
        RankRequestParts {
            context_features: self.contexts.of(&request.context_features),
            actions: self.actions.of(&request.actions),
            excluded_actions: &request.excluded_actions,
            event_id: request.event_id.as_ref(),
            defer_activation: request.defer_activation,
        }
    }
}

/// A list, which keeps its place for as long as it is kept, and its JSON.
type Kept<T> = (Arc<[T]>, Rc<RawValue>);

/// The JSON of lists that are shared, by where they are.
struct Rendered<T> {
    kept: RefCell<HashMap<*const T, Kept<T>>>,
    bytes: RefCell<usize>,
}

impl<T> Default for Rendered<T> {
    fn default() -> Self {
        Self { kept: RefCell::default(), bytes: RefCell::default() }
    }
}

impl<T: Serialize> Rendered<T> {
    fn of(&self, list: &Arc<[T]>) -> Rc<RawValue> {
        let place = list.as_ptr();
        if let Some((_, json)) = self.kept.borrow().get(&place) {
            return Rc::clone(json);
        }
        let json = serde_json::value::to_raw_value(list);
        let json: Rc<RawValue> = json.expect("requests have string keys only").into();
        let mut bytes = self.bytes.borrow_mut();
        if *bytes + json.get().len() <= MOST_BYTES {
            *bytes += json.get().len();
            self.kept.borrow_mut().insert(place, (Arc::clone(list), Rc::clone(&json)));
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is rendered once is what would be rendered each time, also where a list takes the
    /// place of one that is gone.
    #[test]
    fn a_request_has_the_bytes_of_its_contract() {
        let requests = RenderedRequests::default();
        for round in 0..3 {
            for id in ["a", "b \"quoted\"", "ä"] {
                let action =
                    format!(r#"{{"id":"{}","features":[{{"x":1.5}}]}}"#, id.escape_debug());
                let text = format!(
                    r#"{{"contextFeatures":[{{"n":{round}}}],"actions":[{action}],"excludedActions":["z"],"eventId":null,"deferActivation":true}}"#
                );
                let request: RankRequest = serde_json::from_str(&text).unwrap();
                for _ in 0..2 {
                    let rendered = serde_json::to_string(&requests.rank(&request)).unwrap();
                    assert_eq!(rendered, serde_json::to_string(&request).unwrap());
                }
            }
        }
        let event_id = Some("e".into());
        let request = RankRequest {
            context_features: [].into(),
            actions: [].into(),
            excluded_actions: Vec::new(),
            event_id,
            defer_activation: false,
        };
        let rendered = serde_json::to_string(&requests.rank(&request)).unwrap();
        assert_eq!(rendered, serde_json::to_string(&request).unwrap());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let rendered = Rendered::default();
        let long: Arc<[String]> = ["x".repeat(MOST_BYTES / 2)].into();
        for _ in 0..3 {
            let list: Arc<[String]> = long.iter().cloned().collect();
            assert_eq!(rendered.of(&list).get(), serde_json::to_string(&list).unwrap());
        }
        assert_eq!(rendered.kept.borrow().len(), 1);
    }
}
