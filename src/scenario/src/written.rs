//! Secrets that stand in the file, which is copied into the results.

use super::document::{Entry, Node};
use diagnostic::{Diagnostic, Report};

/// Parts of the names of headers that carry secrets.
const TELLING: [&str; 6] = ["auth", "key", "token", "secret", "cookie", "password"];

/// Keeps secrets that stand in the file out of sight, and refuses them there. To be
/// called before references are resolved.
pub(super) fn refuse_written_secrets(scenario: &Node, report: &mut Report) {
    let compared = scenario.get("matrix").and_then(|matrix| matrix.get("targets"));
    let compared = compared.iter().flat_map(|targets| targets.entries()).map(|entry| &entry.value);
    for target in scenario.get("target").into_iter().chain(compared) {
        refuse_in_target(target, report);
    }
}

fn refuse_in_target(target: &Node, report: &mut Report) {
    for entry in target.entries() {
        match entry.key.as_str() {
            "url" => hide_user(&entry.value),
            "key" => refuse(entry, "the key stands", "key: ${PERSONALIZER_KEY}", report),
            "proxy" if has_user(&entry.value) => {
                refuse(entry, "the password of the proxy stands", "proxy: ${PROXY}", report);
            }
            "headers" => refuse_headers(&entry.value, report),
            "rank" | "reward" => refuse_in_call(&entry.value, report),
            "session" => refuse_in_session(&entry.value, report),
            "setup" | "teardown" => {
                entry.value.items().iter().for_each(|call| refuse_in_call(call, report));
            }
            _ => {}
        }
    }
}

fn refuse_in_call(call: &Node, report: &mut Report) {
    let headers = call.entries().iter().filter(|entry| entry.key == "headers");
    headers.for_each(|headers| refuse_headers(&headers.value, report));
}

/// What opens a session is sent in its body.
fn refuse_in_session(call: &Node, report: &mut Report) {
    refuse_in_call(call, report);
    let sent = ["body", "form", "query"];
    let fields = call.entries().iter().filter(|entry| sent.contains(&entry.key.as_str()));
    fields.for_each(|fields| refuse_fields(&fields.value, report));
}

fn refuse_fields(fields: &Node, report: &mut Report) {
    for field in fields.entries() {
        let name = field.key.to_ascii_lowercase();
        if field.value.text().is_some() && TELLING.iter().any(|part| name.contains(part)) {
            let help = format!("{}: ${{NAME}}", field.key);
            refuse(field, "a value that looks like a secret stands", &help, report);
        }
        refuse_fields(&field.value, report);
    }
}

fn refuse_headers(headers: &Node, report: &mut Report) {
    for header in headers.entries() {
        let name = header.key.to_ascii_lowercase();
        if TELLING.iter().any(|part| name.contains(part)) {
            let help = format!("{}: ${{NAME}}", header.key);
            refuse(header, "a header that looks like a secret stands", &help, report);
        }
    }
}

fn refuse(entry: &Entry, what: &str, help: &str, report: &mut Report) {
    if is_from_environment(&entry.value) {
        return;
    }
    entry.value.place.source.hide(entry.value.place.span.clone());
    let message = format!("{what} in the scenario, which is copied into the results");
    let help = format!("take it from the environment: `{help}`");
    report.push(Diagnostic::error(message).at(&entry.place).help(help));
}

/// A reference without a default or a template, perhaps behind a word such as `Bearer`.
fn is_from_environment(value: &Node) -> bool {
    let text = value.text().unwrap_or_default();
    let behind_scheme = text.split_once(' ').map_or(text, |(_scheme, rest)| rest);
    let is_reference = |text: &str| text.starts_with("${") && text.ends_with('}');
    let is_template = |text: &str| {
        text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
    };
    // A template alone has spaces of its own.
    is_template(text)
        || is_template(behind_scheme)
        || (is_reference(behind_scheme) && !text.contains(":-") && text.matches('$').count() == 1)
}

fn has_user(value: &Node) -> bool {
    value.text().is_some_and(|text| text.contains('@') && !text.starts_with("${"))
}

/// `https://user:password@host` is refused as an address; until then it is not shown.
fn hide_user(url: &Node) {
    let text = url.text().unwrap_or_default();
    if let (Some(start), Some(end)) = (text.find("://"), text.rfind('@')) {
        let span = url.place_within(start + 3..end.max(start + 3)).span;
        url.place.source.hide(span);
    }
}
