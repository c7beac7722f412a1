//! From the Markdown of a guide to HTML.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};

use super::{Guide, escaped, file};

/// A guide as HTML.
pub(super) struct Rendered {
    /// Its first heading.
    pub title: String,
    pub html: String,
}

/// Renders a guide whose links lead to the pages of `guides`, or into the `repository`.
pub(super) fn html(guide: &Guide<'_>, guides: &[Guide<'_>], repository: &str) -> Rendered {
    let events: Vec<Event<'_>> = Parser::new_ext(guide.text, Options::ENABLE_TABLES).collect();
    let mut headings = headings(&events).into_iter();
    let title = headings.clone().next().map(|(text, _)| text).unwrap_or_default();
    let mut cells = Cells::default();
    let mut is_in_link = false;
    let mapped = events.into_iter().map(|event| match event {
        Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
            let id = headings.next().map(|(_, id)| CowStr::from(id));
            Event::Start(Tag::Heading { level, id, classes, attrs })
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            is_in_link = true;
            let dest_url = target(&dest_url, guide, guides, repository).into();
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Link) => {
            is_in_link = false;
            Event::End(TagEnd::Link)
        }
        Event::Code(code) if !is_in_link => named_guide(&code, guides).unwrap_or(Event::Code(code)),
        other => cells.with_columns(other),
    });
    let mut html = String::new();
    push_html(&mut html, mapped);
    Rendered { title, html }
}

/// The texts of the headings with their ids, as GitHub makes them.
fn headings(events: &[Event<'_>]) -> Vec<(String, String)> {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut headings: Vec<(String, String)> = Vec::new();
    let mut text: Option<String> = None;
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => text = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                text.iter_mut().for_each(|text| text.push_str(part));
            }
            Event::End(TagEnd::Heading(_)) => {
                let text = text.take().unwrap_or_default();
                let slug = slug(&text);
                let times = known.entry(slug.clone()).or_default();
                let id = if *times == 0 { slug } else { format!("{slug}-{times}") };
                *times += 1;
                headings.push((text, id));
            }
            _ => {}
        }
    }
    headings
}

/// `A heading, 2` is `a-heading-2`.
fn slug(text: &str) -> String {
    let lower = text.to_lowercase().replace(' ', "-");
    lower.chars().filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c)).collect()
}

/// `runner guide NAME` as a link.
fn named_guide<'a>(code: &str, guides: &[Guide<'_>]) -> Option<Event<'a>> {
    let name = code.strip_prefix("runner guide ")?;
    let guide = guides.iter().find(|guide| guide.name == name)?;
    let (file, code) = (file(guide, guides), escaped(code));
    Some(Event::InlineHtml(format!("<a href=\"{file}\"><code>{code}</code></a>").into()))
}

/// Where a link of a guide leads in the site.
fn target(link: &str, guide: &Guide<'_>, guides: &[Guide<'_>], repository: &str) -> String {
    if link.starts_with('#') || link.contains("://") {
        return link.to_owned();
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, at)| (path, Some(at)));
    let other = path.strip_suffix(".md").and_then(|name| guides.iter().find(|of| of.name == name));
    let found = match other {
        Some(other) => file(other, guides),
        None => format!("{repository}/{}", in_repository(guide.folder, path)),
    };
    anchor.map_or(found.clone(), |anchor| format!("{found}#{anchor}"))
}

/// A path that starts in a folder, from the root.
fn in_repository(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Gives each cell of a table the name of its column, which it has beside it on a narrow screen.
#[derive(Default)]
struct Cells {
    names: Vec<String>,
    is_head: bool,
    column: usize,
}

impl Cells {
    fn with_columns<'a>(&mut self, event: Event<'a>) -> Event<'a> {
        match &event {
            Event::Start(Tag::TableHead) => (self.is_head, self.names) = (true, Vec::new()),
            Event::End(TagEnd::TableHead) => self.is_head = false,
            Event::Start(Tag::TableRow) => self.column = 0,
            Event::Start(Tag::TableCell) if self.is_head => self.names.push(String::new()),
            Event::Text(text) | Event::Code(text) if self.is_head => {
                self.names.iter_mut().last().into_iter().for_each(|name| name.push_str(text));
            }
            Event::Start(Tag::TableCell) => {
                let name = self.names.get(self.column).map_or("", String::as_str);
                self.column += 1;
                return Event::InlineHtml(
                    format!("<td data-column=\"{}\"><span>", escaped(name)).into(),
                );
            }
            Event::End(TagEnd::TableCell) if !self.is_head => {
                return Event::InlineHtml("</span></td>".into());
            }
            _ => {}
        }
        event
    }
}
