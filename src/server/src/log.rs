//! What the service says on stderr: as text, or with one JSON object a line.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Time;
use learning_loop::Restarted;
use timestamp::Timestamp;

/// The format of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `note: …`, `warning: …`, `error: …`.
    #[default]
    Text,
    /// `{"time":…,"level":…,"message":…}` with the figures of the message, one a line. It also
    /// has messages that text leaves out: starts and stops, snapshots, evaluations, and requests
    /// that failed or were slow.
    Json,
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Info,
    Warning,
    Error,
}

/// Figures of a message.
pub type Fields<'a> = &'a [(&'a str, Value)];

/// The clock of the log, once it is in JSON. A process has one stderr, so it has one log.
static JSON: OnceLock<Time> = OnceLock::new();

/// Sets the format of the log, before anything is said.
pub fn set_format(format: LogFormat, time: Time) {
    if format == LogFormat::Json && JSON.set(time).is_ok() {
        std::panic::set_hook(Box::new(|panic| error(panic, &[])));
    }
}

/// Says something that needs no action.
pub fn note(message: impl Display, fields: Fields<'_>) {
    write(Level::Info, &message, fields);
}

/// Says something that may need action.
pub fn warning(message: impl Display, fields: Fields<'_>) {
    write(Level::Warning, &message, fields);
}

/// Says that something failed.
pub fn error(message: impl Display, fields: Fields<'_>) {
    write(Level::Error, &message, fields);
}

/// Says that the learning policy, a program, runs again, and what it was told.
pub(crate) fn restarted(Restarted { loaded, learned, missing }: Restarted) {
    let loaded = if loaded { "it loaded what it had saved, and " } else { "it " };
    let message =
        format!("the learning policy was started again: {loaded}learned {learned} events");
    let fields = [("learned", learned.into()), ("missing", missing.into())];
    if missing == 0 {
        note(message, &fields);
    } else {
        warning(format!("{message}; {missing} more are no longer in the log"), &fields);
    }
}

/// Says a whole sentence of the program.
pub fn say(message: &str) {
    match JSON.get() {
        Some(_) => note(message, &[]),
        None => eprintln!("{message}"),
    }
}

/// Records what happened, in JSON only.
pub fn record(message: impl Display, fields: Fields<'_>) {
    if JSON.get().is_some() {
        write(Level::Info, &message, fields);
    }
}

/// A log that cannot be written must not end the service.
fn write(level: Level, message: &dyn Display, fields: Fields<'_>) {
    let line = match JSON.get() {
        Some(time) => json(level, message, fields, time()),
        None => text(level, message),
    };
    std::io::stderr().lock().write_all(line.as_bytes()).ok();
}

fn text(level: Level, message: &dyn Display) -> String {
    let level = match level {
        Level::Info => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    format!("{level}: {message}\n")
}

fn json(level: Level, message: &dyn Display, fields: Fields<'_>, time: Timestamp) -> String {
    let level = match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let mut line = Map::new();
    line.insert("time".to_owned(), time.to_string().into());
    line.insert("level".to_owned(), level.into());
    line.insert("message".to_owned(), message.to_string().into());
    line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    format!("{}\n", Value::Object(line))
}

/// Bounds a message that callers can cause: so many a minute, then only counted.
#[derive(Debug)]
pub(crate) struct Bounded {
    most: u32,
    /// When the minute began, and the messages in it.
    minute: Option<(Timestamp, u32)>,
    unsaid: u64,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Bounded {
    /// A message that is said at most so often a minute.
    pub(crate) const fn new(most: u32) -> Self {
        Self { most, minute: None, unsaid: 0 }
    }

    /// Whether to say it now: then returns how often it was due since it was last said, this
    /// time included.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<u64> {
        self.unsaid += 1;
        let (began, said) =
            self.minute.filter(|(began, _)| now.since(*began) < MINUTE).unwrap_or((now, 0));
        if said >= self.most {
            return None;
        }
        self.minute = Some((began, said + 1));
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_whatever_the_message_is() {
        let fields = [("events", 3.into()), ("file", "a\nb".into())];
        let line =
            json(Level::Warning, &"two\nlines \"quoted\"", &fields, Timestamp::VIRTUAL_START);
        assert_eq!(line.matches('\n').count(), 1);
        let parsed: Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({"time": "2026-01-01T00:00:00Z", "level": "warning",
            "message": "two\nlines \"quoted\"", "events": 3, "file": "a\nb"});
        assert_eq!(parsed, expected);
    }

    #[test]
    fn what_is_said_too_often_is_counted() {
        let mut bounded = Bounded::new(2);
        let at = |seconds| Timestamp::VIRTUAL_START + Duration::from_secs(seconds);
        let due = [0, 1, 2, 3, 59, 60, 61, 62, 200].map(|seconds| bounded.due(at(seconds)));
        let none = None;
        assert_eq!(due, [Some(1), Some(1), none, none, none, Some(4), Some(1), none, Some(2)]);
    }
}
