//! Numbers that a comma splits: in the braces of `{ iterations: 1,000 }` it ends a value, and `000` is
//! a key.

use super::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Report};

/// Puts such numbers together again, and says how to write them.
pub(super) fn refuse_split_numbers(node: &mut Node, report: &mut Report) {
    match &mut node.value {
        Value::Map(entries) => {
            let split = join_split(entries);
            split.iter().for_each(|entry| report.push(mistake(entry)));
            entries.iter_mut().for_each(|entry| refuse_split_numbers(&mut entry.value, report));
        }
        Value::List(items) => items.iter_mut().for_each(|item| refuse_split_numbers(item, report)),
        _ => {}
    }
}

/// The entries whose values were put together.
fn join_split(entries: &mut Vec<Entry>) -> Vec<Entry> {
    let (mut whole, mut places) = (Vec::<Entry>::new(), Vec::<usize>::new());
    for entry in std::mem::take(entries) {
        match whole.last_mut().filter(|before| goes_on(&before.value, &entry)) {
            Some(before) => {
                before.value.place.span.end = entry.place.span.end;
                before.value.value = Value::Null;
                places.push(whole.len() - 1);
            }
            None => whole.push(entry),
        }
    }
    places.dedup();
    for place in &places {
        let Node { value, place } = &mut whole[*place].value;
        *value = parsed(&written(place.text()));
    }
    *entries = whole;
    places.into_iter().map(|place| entries[place].clone()).collect()
}

/// Whether an entry is the rest of the number before it: digits without a value, right behind a comma.
fn goes_on(before: &Node, entry: &Entry) -> bool {
    let Place { source, span } = &before.place;
    let between = source.text().get(span.end..entry.place.span.start);
    let digit = |character: char| character.is_ascii_digit();
    matches!(entry.value.value, Value::Null)
        && entry.key.starts_with(digit)
        && before.place.text().starts_with(digit)
        && before.place.text().ends_with(digit)
        && between == Some(",")
}

/// The number as it is to be written: a comma before three digits parts thousands, another is a decimal
/// point.
fn written(text: &str) -> String {
    let (first, rest) = text.split_once(',').unwrap_or((text, ""));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(end);
    let are_thousands = digits.split(',').all(|group| group.len() == 3) && !first.starts_with('0');
    match (are_thousands, unit) {
        (true, "") => format!("{first}_{}", digits.replace(',', "_")),
        (true, unit) => format!("{first}{}{unit}", digits.replace(',', "")),
        (false, unit) => format!("{first}.{digits}{unit}"),
    }
}

fn parsed(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number)
}

fn mistake(Entry { key, value, .. }: &Entry) -> Diagnostic {
    let text = value.place.text();
    Diagnostic::error(format!("the comma in `{text}` ends the value of `{key}`"))
        .at(&value.place)
        .help(format!("write `{}`", written(text)))
}

#[cfg(test)]
mod tests {
    use diagnostic::Source;

    use super::super::yaml;
    use super::*;

    /// What is read instead of a text, and what is said.
    fn read(text: &str) -> (Node, Vec<String>) {
        let mut report = Report::new();
        let node = yaml::read(&Source::new("t.yaml", text), &mut report).unwrap();
        let said = report.diagnostics().iter().map(|said| said.message().to_owned()).collect();
        (node, said)
    }

    #[test]
    fn a_number_is_told_how_it_is_written() {
        for (text, as_written) in [
            ("1,000", "1_000"),
            ("12,000,000", "12_000_000"),
            ("1,000/s", "1000/s"),
            ("1,5s", "1.5s"),
            ("0,25", "0.25"),
            ("0,250", "0.250"),
            ("1,25%", "1.25%"),
        ] {
            assert_eq!(written(text), as_written);
        }
    }

    /// One mistake is told once, and the entries around it stay.
    #[test]
    fn the_rest_of_a_number_is_no_key() {
        let (node, said) = read("{ a: 1, b: 1,000,000, c: 0,5, d: x }");
        let [
            "the comma in `1,000,000` ends the value of `b`",
            "the comma in `0,5` ends the value of `c`",
        ] = said.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            panic!("{said:?}")
        };
        let keys: Vec<&str> = node.entries().iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "c", "d"]);
        assert_eq!(node.get("b").unwrap().text(), Some("1_000_000"));
        assert_eq!(node.get("c").unwrap().number(), Some(0.5));
    }

    #[test]
    fn other_keys_of_digits_stay() {
        for text in
            ["{ a: 1, 000: 2 }", "{ a: 1, 000 }", "a: 1\n5:\n", "{ a: x,000 }", "{ a: , 5 }"]
        {
            let (node, said) = read(text);
            assert!(said.is_empty() && node.entries().len() == 2, "{text}: {said:?}");
        }
    }
}
