//! The calls of a service that is not shaped like Personalizer.

use serde_json::{Value as Json, json};

use super::service::header_name;
use crate::document::{Node, Value};
use crate::format::{
    Either, Form, Named, Notation, Owner, Placed, Reading, Spot, TEXT, either, flatten, integer,
    list_of, no_hint, object, optional, required, required_unless, table_of,
};
use crate::mapping::SingularPath;
use diagnostic::Diagnostic;

keyed! {
    /// A call. Its texts are templates: `{{ … }}` stands for a value.
    pub(crate) struct CallFile {
        /// Calls this path with POST.
        post: Option<Node> = required_unless(path(), &["get", "put", "patch", "delete"]),
        /// Calls this path with GET.
        get: Option<Node> = optional(path()),
        /// Calls this path with PUT.
        put: Option<Node> = optional(path()),
        /// Calls this path with PATCH.
        patch: Option<Node> = optional(path()),
        /// Calls this path with DELETE.
        delete: Option<Node> = optional(path()),
        /// What follows the path behind `?`, by name.
        query: Option<Vec<Named<Node>>> = optional(table_of(ScalarNode)),
        /// Headers of this call, beside those of every call.
        headers: Option<Vec<Named<Node>>> = optional(table_of(ScalarNode)),
        /// The body, in JSON.
        body: Option<Node> = optional(AnyNode),
        /// The body, as a form (`application/x-www-form-urlencoded`).
        form: Option<Placed<Vec<Named<Node>>>> = optional(table_of(ScalarNode).at()),
        /// The statuses of success; 200 to 299, if it is not said.
        status: Option<Vec<u16>> = optional(statuses()),
    }
}

keyed! {
    /// Rank: the call that asks for a decision, and where its answer says it.
    pub(crate) struct RankFile {
        /// The call.
        call: CallFile = flatten(),
        /// What is taken from the answer, by JSONPath (RFC 9535).
        take: TakeFile = required(object()),
    }
}

keyed! {
    /// Reward: the call that reports the outcome of a decision.
    pub(crate) struct RewardCallFile {
        /// The call.
        call: CallFile = flatten(),
        /// The call is made only where this holds, such as `reward > 0`.
        when: Option<Node> = optional(ScalarNode),
    }
}

keyed! {
    /// A call before or after the run.
    pub(crate) struct StepCallFile {
        /// The call.
        call: CallFile = flatten(),
        /// Values that later calls may use, by name: `{ id: $.campaign.id }`.
        take: Option<Vec<Named<SingularPath>>> = optional(table_of(json_path())),
    }
}

keyed! {
    /// What the answer to Rank gives. What a service does not give is left out.
    pub(crate) struct TakeFile {
        /// The chosen action; the first of `ranking`, if it is not said.
        action: Option<ActionFile> = required_unless(action(), &["ranking"]),
        /// The ranked actions.
        ranking: Option<RankingFile> = optional(ranking()),
        /// The probability with which the action was chosen.
        probability: Option<SingularPath> = optional(json_path()),
        /// The id of the decision at the service: `{{ event }}` in Reward. A path, or the name of a
        /// header.
        event: Option<EventFile> = optional(event()),
        /// What must be equal to the `{{ event_id }}` that was sent.
        echo: Option<SingularPath> = optional(json_path()),
    }
}

/// Where the id of the decision is.
#[derive(Debug, Clone)]
pub(crate) enum EventFile {
    Path(SingularPath),
    Header(String),
}

keyed! {
    /// A header of the answer.
    struct HeaderOfAnswer marked "header" {
        /// Its name, such as `Location`.
        header: String = required(TEXT.and_then(header_name)),
    }
}

fn event() -> Either<EventFile> {
    either([
        json_path().map(EventFile::Path).boxed(),
        object().map(|of: HeaderOfAnswer| EventFile::Header(of.header)).boxed(),
    ])
}

keyed! {
    /// Where the chosen action is, and what it is given by.
    pub(crate) struct ActionFile {
        /// Where it is.
        path: SingularPath = required(json_path()),
        /// What stands there: the `id`, the `index` from 0, or the value of a feature, such as
        /// `features.sku`.
        by: Option<Placed<By>> = optional(BY.at()),
    }
}

keyed! {
    /// Where the ranked actions are, the best first.
    pub(crate) struct RankingFile {
        /// Where the list is.
        path: SingularPath = required(json_path()),
        /// Where an item of the list gives its action, if the item is not the action itself.
        action: Option<SingularPath> = optional(json_path()),
        /// Where an item of the list gives the probability of its action.
        probability: Option<SingularPath> = optional(json_path()),
        /// What stands for an action: the `id`, the `index` from 0, or the value of a feature,
        /// such as `features.sku`.
        by: Option<Placed<By>> = optional(BY.at()),
    }
}

/// What a service gives an action by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    Id,
    Index,
    /// A feature, by its path.
    Feature(Vec<String>),
}

const BY: Notation<By> = Notation {
    what: "`id`, `index`, or a feature such as `features.sku`",
    pattern: r"^(id|index|features(\.[^.\s]+)+)$",
    parse: |text| match text {
        "id" => Some(By::Id),
        "index" => Some(By::Index),
        _ => {
            let names: Vec<String> =
                text.strip_prefix("features.")?.split('.').map(str::to_owned).collect();
            let is_name = |name: &String| !name.is_empty() && !name.contains(char::is_whitespace);
            names.iter().all(is_name).then_some(By::Feature(names))
        }
    },
    hint: no_hint,
};

fn action() -> Either<ActionFile> {
    let by_id = |path| ActionFile { path, by: None };
    either([json_path().map(by_id).boxed(), object().boxed()])
}

fn ranking() -> Either<RankingFile> {
    let of_ids = |path| RankingFile { path, action: None, probability: None, by: None };
    either([json_path().map(of_ids).boxed(), object().boxed()])
}

/// A path, as a template.
fn path() -> impl Form<Value = Node> {
    const PATH: Notation<()> = Notation {
        what: "a path such as `/decide`",
        pattern: "^/",
        parse: |text| text.starts_with('/').then_some(()),
        hint: no_hint,
    };
    PATH.and_then(|(), spot, _| Some(spot.node.clone()))
}

fn statuses() -> Either<Vec<u16>> {
    let status = || integer(100, 599).map(|status| u16::try_from(status).unwrap_or_default());
    either([status().map(|status| vec![status]).boxed(), list_of(status(), 1).boxed()])
}

/// A JSONPath of at most one value.
fn json_path() -> impl Form<Value = SingularPath> {
    TEXT.and_then(|text: String, spot: Spot<'_>, reading: &mut Reading<'_>| {
        SingularPath::parse(&text)
            .map_err(|mistake| {
                let place = spot.node.place_within(mistake.at..mistake.at + 1);
                let diagnostic = Diagnostic::error(mistake.message).at(&place);
                reading.report.push(diagnostic.maybe_help(mistake.help));
            })
            .ok()
    })
}

/// Any value.
pub(super) fn any_value() -> impl Form<Value = Node> {
    AnyNode
}

struct AnyNode;

impl Form for AnyNode {
    type Value = Node;

    fn fits(&self, _: &Node) -> bool {
        true
    }

    fn read(&self, node: &Node, _: Owner<'_>, _: &mut Reading<'_>) -> Option<Node> {
        Some(node.clone())
    }

    fn expected(&self) -> String {
        "a value".to_owned()
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        json!({})
    }
}

/// A text, a number or a boolean, as a text.
pub(super) fn scalar_text() -> impl Form<Value = String> {
    ScalarNode.map(|node| node.text().unwrap_or(node.place.text()).to_owned())
}

/// A text, a number or a boolean.
struct ScalarNode;

impl Form for ScalarNode {
    type Value = Node;

    fn fits(&self, node: &Node) -> bool {
        matches!(
            node.value,
            Value::Text(_) | Value::Interpolated(_) | Value::Number(_) | Value::Bool(_)
        )
    }

    fn read(&self, node: &Node, _: Owner<'_>, _: &mut Reading<'_>) -> Option<Node> {
        Some(node.clone())
    }

    fn expected(&self) -> String {
        "a text, a number, `true` or `false`".to_owned()
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        json!({ "type": ["string", "number", "boolean"] })
    }
}
