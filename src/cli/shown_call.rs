//! Calls, as they are shown to a person.

use std::fmt::Write as _;

use target::ShownCall;

/// So much of a body is shown.
const MOST: usize = 2_000;

/// Headers that every call has, and that say nothing.
const USUAL: [&str; 3] = ["host", "user-agent", "accept"];

/// A call: method, address, headers, body.
pub fn text(call: &ShownCall) -> String {
    let mut text = format!("  {} {}\n", call.method, call.url);
    for (name, value) in call.headers.iter().filter(|(name, _)| !USUAL.contains(&name.as_str())) {
        // Writing to a text cannot fail.
        _ = writeln!(text, "  {name}: {value}");
    }
    if !call.body.is_empty() {
        _ = writeln!(text, "  {}", cut(&call.body));
    }
    text
}

/// The body of an answer, if there is one.
pub fn body(body: &str) -> String {
    if body.is_empty() { String::new() } else { format!(": {}", cut(body)) }
}

/// The start of a text, on one line.
fn cut(text: &str) -> String {
    let mut shown: String =
        text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
