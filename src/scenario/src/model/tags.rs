//! Tags: names and values that go with the numbers of a phase.

use super::call::scalar_text;
use crate::format::{Form, Named, Reading, Spot, table_of};
use diagnostic::{Diagnostic, Place, Report};
use metrics::Tags;

/// Every series of a phase carries its tags.
const MOST_TAGS: usize = 8;

const MOST_LETTERS: usize = 100;

/// What numbers are labelled with anyway.
const TAKEN: [&str; 5] = ["phase", "operation", "kind", "expectation", "le"];

/// Tags, by name.
pub(super) fn tags() -> impl Form<Value = Tags> {
    table_of(scalar_text()).and_then(
        |tags: Vec<Named<String>>, spot: Spot<'_>, reading: &mut Reading<'_>| {
            let before = reading.report.errors();
            if tags.len() > MOST_TAGS {
                let message = format!("{} tags are more than {MOST_TAGS}", tags.len());
                let mistake = Diagnostic::error(message).at(spot.owner.place);
                reading.report.push(mistake.help("leave some of them out"));
            }
            tags.iter().for_each(|tag| check(tag, reading.report));
            let is_sound = reading.report.errors() == before;
            is_sound.then(|| tags.into_iter().map(|tag| (tag.name, tag.value)).collect())
        },
    )
}

fn check(Named { name, place, value }: &Named<String>, report: &mut Report) {
    if TAKEN.contains(&name.as_str()) {
        let message = format!("`{name}` is a label that every number may have");
        refuse(message, "give the tag another name", place, report);
    } else if !is_label(name) {
        let message = format!("`{name}` is not the name of a tag");
        let help = "a name has letters of English, digits and `_`, and begins with a letter";
        refuse(message, help, place, report);
    }
    if value.is_empty() || value.chars().count() > MOST_LETTERS {
        let message = format!("the tag `{name}` has {} letters", value.chars().count());
        refuse(message, &format!("a tag has 1 to {MOST_LETTERS} letters"), place, report);
    } else if value.contains(|c: char| c.is_control() || "{},".contains(c)) {
        let message = format!("the tag `{name}` has a comma, a brace or a control character");
        refuse(message, "leave it out", place, report);
    }
}

fn refuse(message: String, help: &str, place: &Place, report: &mut Report) {
    report.push(Diagnostic::error(message).at(place).help(help));
}

/// The name of a label at Prometheus, which keeps those that begin with `_` to itself.
fn is_label(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= MOST_LETTERS
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
