use std::ops::Range;
use std::sync::Arc;

use super::name::{flat_items, flat_items_mut};
use super::node::refuse_duplicates;
use super::split_number::refuse_split_numbers;
use super::{Entry, ItemName, Node, Value, item_names, yaml};
use diagnostic::{Diagnostic, Place, Report, Source, nearest};

/// Changes the tree as `--set path=value` asks, in the order given.
pub(crate) fn apply_overrides(root: &mut Node, overrides: &[String], report: &mut Report) {
    for text in overrides {
        if let Err(diagnostic) = apply(root, text, report) {
            report.push(diagnostic);
        }
    }
}

fn apply(root: &mut Node, text: &str, report: &mut Report) -> Result<(), Diagnostic> {
    let source = Source::new("--set", text);
    let Some((path, _)) = text.split_once('=') else {
        let diagnostic = Diagnostic::error("`--set` needs a path and a value");
        return Err(diagnostic
            .within(&source, 0..text.len())
            .help("for example `--set phases.baseline.iterations=100`"));
    };
    if path.ends_with("key") {
        // Keys of services are secrets, also where they are written to a wrong place.
        source.hide(path.len() + 1..text.len());
    }
    let mut new = value(&source, path.len() + 1)?;
    refuse_split_numbers(&mut new, report);
    refuse_duplicates(&mut new, report);
    set(root, &Place::new(&source, 0..path.len()), new)
}

/// The value that begins at byte `start`: YAML. The arguments of a learning policy are a text
/// as they are, although `-q ::` at the end would be a map in YAML.
fn value(source: &Arc<Source>, start: usize) -> Result<Node, Diagnostic> {
    let text = source.text()[start..].trim();
    if !text.starts_with("--") {
        return yaml::read_value(source, start);
    }
    let place = Place::new(source, start..source.text().len());
    Ok(Node { value: Value::Text(text.to_owned()), place })
}

/// Puts a value to where the text of `path` says.
pub(crate) fn set(root: &mut Node, path: &Place, value: Node) -> Result<(), Diagnostic> {
    let mut node = root;
    for span in segments(path.text()) {
        let within = path.span.start + span.start..path.span.start + span.end;
        node = step(node, &Place::new(&path.source, within))?;
    }
    *node = value;
    Ok(())
}

/// Where the segments of a path stand in it.
fn segments(path: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut spans = Vec::new();
    for segment in path.split('.') {
        spans.push(start..start + segment.len());
        start += segment.len() + 1;
    }
    spans
}

/// Goes down by one segment. A key that is not there is made: whether it may be there
/// is found out as for any other key.
fn step<'a>(node: &'a mut Node, segment: &Place) -> Result<&'a mut Node, Diagnostic> {
    if matches!(node.value, Value::Null) {
        node.value = Value::Map(Vec::new());
    }
    let kind = node.kind();
    match &mut node.value {
        Value::Map(entries) => Ok(step_map(entries, segment)),
        Value::List(items) => step_list(items, segment),
        _ => Err(Diagnostic::error(format!("there is no `{}` inside {kind}", segment.text()))
            .at(segment)
            .help("set the value above it as a whole")),
    }
}

fn step_map<'a>(entries: &'a mut Vec<Entry>, segment: &Place) -> &'a mut Node {
    let key = segment.text();
    let at = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        let value = Node { value: Value::Null, place: segment.clone() };
        entries.push(Entry { key: key.to_owned(), place: segment.clone(), value });
        entries.len() - 1
    });
    &mut entries[at].value
}

fn step_list<'a>(items: &'a mut [Node], segment: &Place) -> Result<&'a mut Node, Diagnostic> {
    let text = segment.text();
    let names = item_names(flat_items(items).into_iter().map(|(item, _)| item));
    let is_named = |name: &Option<ItemName>| name.as_ref().is_some_and(|name| name.name == text);
    let by_name = names.iter().position(is_named);
    let by_index = text.parse().ok().filter(|index: &usize| *index < items.len());
    match (by_index, by_name) {
        (Some(index), _) => Ok(&mut items[index]),
        (None, Some(index)) => Ok(body(flat_items_mut(items).swap_remove(index))),
        (None, None) => Err(no_such_item(segment, &names, items.len())),
    }
}

fn no_such_item(segment: &Place, names: &[Option<ItemName>], items: usize) -> Diagnostic {
    let text = segment.text();
    let near = nearest(text, names.iter().flatten().map(|name| name.name.as_str()));
    let help = match near {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("its items are 0 to {}, or by name", items.saturating_sub(1)),
    };
    Diagnostic::error(format!("the list has no item `{text}`")).at(segment).help(help)
}

/// In a phase found by its name, its kind is left out: `phases.baseline.rate`.
fn body(item: &mut Node) -> &mut Node {
    if item.entries().len() == 1 { &mut item.entries_mut()[0].value } else { item }
}
