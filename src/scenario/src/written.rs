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
            "secrets" => refuse_secrets(&entry.value, report),
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
    for entry in call.entries() {
        match entry.key.as_str() {
            "url" => hide_user(&entry.value),
            "headers" => refuse_headers(&entry.value, report),
            _ => {}
        }
    }
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

fn refuse_secrets(secrets: &Node, report: &mut Report) {
    for secret in secrets.entries() {
        let help = format!("{}: ${{NAME}}", secret.key);
        refuse(secret, "a secret stands", &help, report);
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

/// References without a default and templates, perhaps behind the word of a scheme such as `Bearer`,
/// or behind names as in `sid={{ session.id }}; lang={{ context.lang }}`.
fn is_from_environment(value: &Node) -> bool {
    let text = value.text().unwrap_or_default();
    let mut words = with_marks(text);
    let carries = |word: &String| {
        let before = word.strip_suffix(MARK);
        before.is_some_and(|name| name.is_empty() || name.ends_with('='))
    };
    let is_scheme = |word: &String| !word.contains([MARK, '=']);
    if words.len() > 1 && is_scheme(&words[0]) {
        words.remove(0);
    }
    !words.is_empty() && words.iter().all(carries)
}

/// What stands for a reference or a template.
const MARK: char = '\0';

/// The words of a text, in which references and templates are one mark each.
fn with_marks(text: &str) -> Vec<String> {
    let mut marked = String::new();
    let mut rest = text;
    while let Some((open, close)) = [("{{", "}}"), ("${", "}")]
        .into_iter()
        .filter(|(open, _)| rest.contains(open))
        .min_by_key(|(open, _)| rest.find(open))
    {
        let (before, inner) = rest.split_once(open).unwrap_or((rest, ""));
        let (inner, after) = inner.split_once(close).unwrap_or((inner, ""));
        marked.push_str(before);
        // A default stands in the file.
        marked.push_str(if inner.contains(":-") && open == "${" { inner } else { "\0" });
        rest = after;
    }
    marked.push_str(rest);
    marked.split([' ', ';', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
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
