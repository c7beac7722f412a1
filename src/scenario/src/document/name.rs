use std::collections::HashMap;

use super::{Node, Value};
use diagnostic::Place;

/// What an item of a list is called.
pub(crate) struct ItemName {
    pub name: String,
    /// Where the name is; `None` if it is made of the item's kind.
    pub place: Option<Place>,
}

/// The names of the items of a list. A phase is called by its `name`, or by its kind,
/// from the second unnamed one of a kind on with a number.
pub(crate) fn item_names(items: &[Node]) -> Vec<Option<ItemName>> {
    let mut unnamed: HashMap<&str, usize> = HashMap::new();
    let mut made = |kind| {
        let count = unnamed.entry(kind).or_default();
        *count += 1;
        if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") }
    };
    let name = |item| {
        let kind = kind_of(item)?;
        Some(match given_name(item, kind) {
            Some((name, place)) => ItemName { name: name.to_owned(), place: Some(place.clone()) },
            None => ItemName { name: made(kind), place: None },
        })
    };
    items.iter().map(name).collect()
}

/// A word, or the first key of a map.
fn kind_of(item: &Node) -> Option<&str> {
    match &item.value {
        Value::Text(word) => Some(word),
        Value::Map(entries) => entries.first().map(|entry| entry.key.as_str()),
        _ => None,
    }
}

/// The `name` of a phase. That of `apply_policy` is the name of the policy.
fn given_name<'a>(item: &'a Node, kind: &str) -> Option<(&'a str, &'a Place)> {
    const NAME: &str = "name";
    let node = item.get(kind)?.get(NAME).filter(|_| kind != "apply_policy")?;
    Some((node.text()?, &node.place))
}
