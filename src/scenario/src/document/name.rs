use std::collections::HashMap;

use super::{Node, Value};
use diagnostic::Place;

/// What an item of a list is called.
pub(crate) struct ItemName {
    pub name: String,
    /// Where the name is; `None` if it is made of the item's kind.
    pub place: Option<Place>,
}

/// The key of an item that holds items.
const PARALLEL: &str = "parallel";

/// The items of a list, in which those that run in parallel take the place of the item that holds
/// them. They come with its index.
pub(crate) fn flat_items(items: &[Node]) -> Vec<(&Node, Option<usize>)> {
    let flat = items.iter().enumerate().flat_map(|(index, item)| match branches(item) {
        [] => vec![(item, None)],
        branches => branches.iter().map(|branch| (branch, Some(index))).collect(),
    });
    flat.collect()
}

/// The same, to be changed.
pub(super) fn flat_items_mut(items: &mut [Node]) -> Vec<&mut Node> {
    let flat = items.iter_mut().flat_map(|item| match branches(item) {
        [] => vec![item],
        _ => item.entries_mut()[0].value.items_mut().iter_mut().collect(),
    });
    flat.collect()
}

/// What an item holds that runs in parallel.
fn branches(item: &Node) -> &[Node] {
    match item.entries() {
        [entry] if entry.key == PARALLEL => entry.value.items(),
        _ => &[],
    }
}

/// The names of items. A phase is called by its `name`, or by its kind,
/// from the second unnamed one of a kind on with a number.
pub(crate) fn item_names<'a>(items: impl IntoIterator<Item = &'a Node>) -> Vec<Option<ItemName>> {
    let mut unnamed: HashMap<&str, usize> = HashMap::new();
    let mut made = |kind: &'a str| {
        let count = unnamed.entry(kind).or_default();
        *count += 1;
        if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") }
    };
    let name = |item: &'a Node| {
        let kind = kind_of(item)?;
        Some(match given_name(item, kind) {
            Some((name, place)) => ItemName { name: name.to_owned(), place: Some(place.clone()) },
            None => ItemName { name: made(kind), place: None },
        })
    };
    items.into_iter().map(name).collect()
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
