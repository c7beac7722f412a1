//! The calls of a service that is not shaped like Personalizer.

use serde_json::{Value as Json, json};

use super::notation::URL;
use super::service::header_name;
use crate::document::{Node, Value};
use crate::format::{
    Either, Form, Named, Notation, Owner, Placed, Reading, Spot, TEXT, either, flatten, integer,
    list_of, no_hint, object, optional, or, required, required_unless, table_of, word,
};
use diagnostic::Diagnostic;
use plan::SingularPath;
use plan::mapping::{Pick, Scale};

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
        /// The service that this call is made to, if it is not that of the target: one that collects
        /// outcomes, or gives out tokens. It gets the same headers.
        url: Option<String> = optional(URL),
        /// What follows the path behind `?`, by name. A list is a field for each of its values.
        query: Option<Vec<Named<FieldFile>>> = optional(table_of(field())),
        /// Headers of this call, beside those of every call.
        headers: Option<Vec<Named<Node>>> = optional(table_of(ScalarNode)),
        /// The body, in JSON.
        body: Option<Node> = optional(AnyNode),
        /// The body, as a form (`application/x-www-form-urlencoded`). A list is a field for each of
        /// its values.
        form: Option<Placed<Vec<Named<FieldFile>>>> = optional(table_of(field()).at()),
        /// The body, as it stands here: CSV, lines of JSON, or what else is not JSON. `Content-Type` is
        /// `text/plain`, if `headers` do not say it.
        text: Option<Placed<Node>> = optional(ScalarNode.at()),
        /// The statuses of success; 200 to 299, if it is not said.
        status: Option<Vec<u16>> = optional(statuses()),
        /// What the body of the answer is. Of a text, `$` is the whole.
        answer: AnswerFile = or(answer(), "\"json\""),
        /// Where an answer whose status is of success says that the call failed, such as
        /// `$.errors`.
        error: Option<ErrorFile> = optional(error()),
    }
}

/// What the body of an answer is.
#[derive(Debug, Clone)]
pub(crate) enum AnswerFile {
    Json,
    Text,
    Within(WithinFile),
}

fn answer() -> Either<AnswerFile> {
    let words = word(&[
        ("json", false, "JSON."),
        ("text", true, "A text; space around it does not count."),
    ]);
    let words = words.map(|is_text| if is_text { AnswerFile::Text } else { AnswerFile::Json });
    either([words.boxed(), object().map(AnswerFile::Within).boxed()])
}

keyed! {
    /// An answer that has its JSON within something else.
    pub(crate) struct WithinFile {
        /// Where a text is that holds the JSON, such as `$.body`. What it holds is `$` for all other
        /// paths.
        json_in: Option<SingularPath> = required_unless(json_path(), &["value"]),
        /// What the paths are into, made of `{{ body }}`: `"{{ body[5:] }}"` without five letters before
        /// the JSON, `"{{ body | split(',') }}"` for CSV. A text is read as JSON.
        value: Option<Placed<Node>> = optional(ScalarNode.at()),
    }
}

/// The value of a field of a query or a form.
#[derive(Debug, Clone)]
pub(crate) enum FieldFile {
    One(Node),
    /// The field is repeated.
    Each(Vec<Node>),
}

fn field() -> Either<FieldFile> {
    either([
        ScalarNode.map(FieldFile::One).boxed(),
        list_of(ScalarNode, 1).map(FieldFile::Each).boxed(),
    ])
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
        /// Values that later calls may use, by name: `{ id: $.campaign.id }`. A path, or the name of
        /// a header or a cookie.
        take: Option<Vec<Named<SourceFile>>> = optional(table_of(source())),
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
        probability: Option<ProbabilityFile> = optional(probability()),
        /// The id of the decision at the service: `{{ event }}` in Reward. A path, or the name of a
        /// header or a cookie.
        event: Option<SourceFile> = optional(source()),
        /// What must be equal to the `{{ event_id }}` that was sent. A path, or the name of a header.
        echo: Option<SourceFile> = optional(source()),
    }
}

keyed! {
    /// Where a value of an answer is: at a path of its body, in a header or in a cookie.
    pub(crate) struct SourceFile {
        /// Where it is in the body.
        path: Option<SingularPath> = required_unless(json_path(), &["header", "cookie"]),
        /// The name of the header that has it, such as `Location`.
        header: Option<Placed<String>> = optional(TEXT.and_then(header_name).at()),
        /// The name of the cookie that has it, which the answer sets.
        cookie: Option<Placed<String>> = optional(TEXT.at()),
    }
}

impl SourceFile {
    fn at(path: SingularPath) -> Self {
        Self { path: Some(path), header: None, cookie: None }
    }
}

fn source() -> Either<SourceFile> {
    either([json_path().map(SourceFile::at).boxed(), object().boxed()])
}

keyed! {
    /// Where the chosen action is, and what it is given by.
    pub(crate) struct ActionFile {
        /// Where it is.
        source: SourceFile = flatten(),
        /// What stands there: the `id`, the `index` from 0, or the value of a feature, such as
        /// `features.sku`.
        by: Option<Placed<By>> = optional(BY.at()),
    }
}

keyed! {
    /// Where a probability is, and what its number says.
    pub(crate) struct ProbabilityFile {
        /// Where it is.
        source: SourceFile = flatten(),
        /// What the number says.
        scale: Scale = or(scale(), "\"fraction\""),
    }
}

fn probability() -> Either<ProbabilityFile> {
    let fraction = |path| ProbabilityFile { source: SourceFile::at(path), scale: Scale::Fraction };
    either([json_path().map(fraction).boxed(), object().boxed()])
}

keyed! {
    /// Where an item of a ranking gives a probability, and what its number says.
    pub(crate) struct ItemProbabilityFile {
        /// Where it is.
        path: SingularPath = required(json_path()),
        /// What the number says.
        scale: Scale = or(scale(), "\"fraction\""),
    }
}

fn probability_of_item() -> Either<ItemProbabilityFile> {
    let fraction = |path| ItemProbabilityFile { path, scale: Scale::Fraction };
    either([json_path().map(fraction).boxed(), object().boxed()])
}

fn scale() -> impl Form<Value = Scale> {
    word(&[
        ("fraction", Scale::Fraction, "The probability itself, from 0 to 1."),
        ("percent", Scale::Percent, "A hundred times the probability."),
        ("log", Scale::Log, "The natural logarithm of the probability."),
    ])
}

keyed! {
    /// Where the ranked actions are, the best first.
    pub(crate) struct RankingFile {
        /// Where the list is, or the object whose names are the actions.
        path: SingularPath = required(json_path()),
        /// Where an item gives its action, if the item is not the action itself; `key` for its name
        /// in an object, and its place from 0 in a list.
        action: Option<Placed<ItemFile>> = optional(item().at()),
        /// Where an item gives the probability of its action.
        probability: Option<ItemProbabilityFile> = optional(probability_of_item()),
        /// Where an item gives the score of its action: the highest is the best.
        score: Option<SingularPath> = optional(json_path()),
        /// Where an item gives the cost of its action: the lowest is the best.
        cost: Option<Placed<SingularPath>> = optional(json_path().at()),
        /// Which of the actions is chosen, where `action` does not say it; the best, if this does not
        /// say it either.
        choose: Option<Placed<Pick>> = optional(pick().at()),
        /// What stands for an action: the `id`, the `index` from 0, or the value of a feature,
        /// such as `features.sku`.
        by: Option<Placed<By>> = optional(BY.at()),
    }
}

fn pick() -> impl Form<Value = Pick> {
    word(&[
        ("best", Pick::Best, "The best."),
        ("draw", Pick::Draw, "One that the runner draws by the probabilities of all actions."),
    ])
}

/// Where an item of a ranking gives its action.
#[derive(Debug, Clone)]
pub(crate) enum ItemFile {
    /// Its name in an object, or its place in a list.
    Key,
    Path(SingularPath),
}

fn item() -> impl Form<Value = ItemFile> {
    TEXT.and_then(|text: String, spot: Spot<'_>, reading: &mut Reading<'_>| match text.as_str() {
        "key" => Some(ItemFile::Key),
        _ => parsed(&text, spot, reading).map(ItemFile::Path),
    })
}

keyed! {
    /// How to tell from an answer with an expected status that the call failed.
    pub(crate) struct ErrorFile {
        /// Where it is.
        path: SingularPath = required(json_path()),
        /// The values of a call that succeeded, such as `ok` or `true`. By default these are
        /// null, `false`, 0, an empty text, list or object, and no value at all.
        unless: Option<Vec<String>> = optional(one_or_more_texts()),
    }
}

fn error() -> Either<ErrorFile> {
    either([json_path().map(|path| ErrorFile { path, unless: None }).boxed(), object().boxed()])
}

fn one_or_more_texts() -> Either<Vec<String>> {
    either([scalar_text().map(|text| vec![text]).boxed(), list_of(scalar_text(), 1).boxed()])
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
    let by_id = |path| ActionFile { source: SourceFile::at(path), by: None };
    either([json_path().map(by_id).boxed(), object().boxed()])
}

fn ranking() -> Either<RankingFile> {
    let of_ids = |path| {
        let (action, probability, score, cost) = (None, None, None, None);
        RankingFile { path, action, probability, score, cost, choose: None, by: None }
    };
    either([json_path().map(of_ids).boxed(), object().boxed()])
}

/// A path, as a template.
fn path() -> impl Form<Value = Node> {
    const PATH: Notation<()> = Notation {
        what: "a path such as `/decide`",
        pattern: "^/",
        parse: |text| text.starts_with('/').then_some(()),
        hint: |node| {
            let text = node.text()?;
            let is_url = text.starts_with("http://") || text.starts_with("https://");
            is_url.then(|| {
                "write the host as `url` of the call, and the path behind it here".to_owned()
            })
        },
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
        parsed(&text, spot, reading)
    })
}

/// The path that a text stands for; a mistake is reported.
fn parsed(text: &str, spot: Spot<'_>, reading: &mut Reading<'_>) -> Option<SingularPath> {
    let parsed = SingularPath::parse(text).map_err(|mistake| {
        let place = spot.node.place_within(mistake.at..mistake.at + 1);
        let diagnostic = Diagnostic::error(mistake.message).at(&place);
        reading.report.push(diagnostic.maybe_help(mistake.help));
    });
    parsed.ok()
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
