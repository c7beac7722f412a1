use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use reqwest::Url;

use plan::{HttpPlan, Operation};
use protocol::{Digits, EventId};

/// Where the operations of a service are: paths with their queries, as they stand in a
/// request.
pub(crate) struct Addresses {
    /// Scheme, host and port.
    origin: String,
    paths: BTreeMap<Operation, Option<String>>,
    /// Operations that are where the scenario says.
    moved: BTreeSet<Operation>,
    /// The path of the service itself, without a slash at its end.
    base: String,
}

impl Addresses {
    /// The addresses of a service.
    ///
    /// # Errors
    /// Why the plan's address cannot be used.
    pub(crate) fn new(plan: &HttpPlan) -> Result<Self, String> {
        let base = Url::parse(&plan.url).map_err(|error| error.to_string())?;
        if base.cannot_be_a_base() || base.host_str().is_none() {
            return Err("it has no host".to_owned());
        }
        let below = base.path().trim_end_matches('/');
        let path = |operation: Operation| {
            if let Some(path) = plan.paths.get(&operation) {
                return path.as_ref().map(|path| format!("{below}{}", encoded(path)));
            }
            let path = operation.contract_path();
            Some(format!("{below}/personalizer/{}{path}", plan.api))
        };
        let paths = Operation::ALL.iter().map(|(operation, ..)| (*operation, path(*operation)));
        Ok(Self {
            origin: base.origin().ascii_serialization(),
            paths: paths.collect(),
            moved: plan.paths.keys().copied().collect(),
            base: below.to_owned(),
        })
    }

    /// Whether the scenario says where an operation is.
    pub(crate) fn is_moved(&self, operation: Operation) -> bool {
        self.moved.contains(&operation)
    }

    /// The path of the service itself, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Scheme, host and port: nothing secret.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path of an operation, if the service has it.
    pub(crate) fn path(&self, operation: Operation) -> Option<&str> {
        self.paths.get(&operation)?.as_deref()
    }

    /// The path of an operation on an event. The id travels in one segment.
    pub(crate) fn path_of_event(&self, operation: Operation, event_id: &EventId) -> Option<String> {
        let path = self.path(operation)?;
        let mut digits = Digits::default();
        let segment = segment(event_id.text(&mut digits));
        let Some((before, after)) = path.split_once(Operation::EVENT_ID) else {
            return Some(path.to_owned());
        };
        Some([before, &segment, after].concat())
    }

    /// The path of something below an operation.
    pub(crate) fn path_below(&self, operation: Operation, id: &str) -> Option<String> {
        Some(format!("{}/{}", self.path(operation)?, segment(id)))
    }
}

/// One segment of a path, percent-encoded (RFC 3986, 2.3: what is unreserved stays).
fn segment(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            segment.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            _ = write!(segment, "%{byte:02X}");
        }
    }
    segment.into()
}

/// A path of the user's, in which only what cannot stand in a request is encoded.
fn encoded(path: &str) -> String {
    let (before, after) = path.split_once(Operation::EVENT_ID).unwrap_or((path, ""));
    let encode = |text: &str| {
        let plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
        text.chars()
            .map(|c| if plain(c) { c.to_string() } else { segment(&c.to_string()).into_owned() })
            .collect::<String>()
    };
    let event_id = if before.len() < path.len() { Operation::EVENT_ID } else { "" };
    format!("{}{event_id}{}", encode(before), encode(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(url: &str, paths: &[(Operation, Option<&str>)]) -> Addresses {
        let paths = paths.iter().map(|(operation, path)| (*operation, path.map(str::to_owned)));
        Addresses::new(&HttpPlan { paths: paths.collect(), ..scenario::usual_service(url) })
            .unwrap()
    }

    #[test]
    fn operations_are_where_the_contract_has_them() {
        let addresses = addresses("https://example.com:8443/base/", &[]);
        assert_eq!(addresses.origin(), "https://example.com:8443");
        let reward = addresses.path_of_event(Operation::Reward, &"a/b ?#é".into());
        assert_eq!(reward.unwrap(), "/base/personalizer/v1.0/events/a%2Fb%20%3F%23%C3%A9/reward");
        let evaluation = addresses.path_below(Operation::Evaluations, "..");
        assert_eq!(evaluation.unwrap(), "/base/personalizer/v1.0/evaluations/..");
    }

    #[test]
    fn operations_are_where_the_user_says() {
        let paths = [
            (Operation::Rank, Some("/décide")),
            (Operation::Reward, Some("/feedback/{eventId}/x")),
            (Operation::Logs, None),
        ];
        let addresses = addresses("http://127.0.0.1:1", &paths);
        assert_eq!(addresses.path(Operation::Rank), Some("/d%C3%A9cide"));
        let reward = addresses.path_of_event(Operation::Reward, &"1".into());
        assert_eq!(reward.as_deref(), Some("/feedback/1/x"));
        assert_eq!(addresses.path(Operation::Logs), None);
    }
}
