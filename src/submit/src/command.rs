//! Commands, as lists of arguments and as lines of a shell.

use std::borrow::Cow;
use std::num::NonZero;

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// As it stands.
    Text(String),
    /// A piece of shell that expands to one argument.
    Shell(&'static str, String),
    /// The folders of all shards.
    Shards {
        /// The folder that they are in.
        below: String,
        /// How many they are.
        count: NonZero<u64>,
    },
}

impl Word {
    fn for_shell(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Shell(code, text) if text.is_empty() => (*code).to_owned(),
            Self::Shell(code, text) => format!("{code}{}", quoted(text)),
            Self::Shards { below, count } if count.get() == 1 => {
                quoted(&format!("{below}/shard-1-of-1"))
            }
            Self::Shards { below, count } => {
                format!("{}/shard-{{1..{count}}}-of-{count}", quoted(below))
            }
        }
    }

    fn texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Shell(code, text) => vec![format!("{code}{text}")],
            Self::Shards { below, count } => {
                let shard = |number: u64| format!("{below}/shard-{number}-of-{count}");
                (1..=count.get()).map(shard).collect()
            }
        }
    }
}

/// A text as one argument of a POSIX shell.
pub fn quoted(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| String::from("''"), Cow::into_owned)
}

/// A line of Bash.
pub fn line(program: &str, words: &[Word]) -> String {
    let words = words.iter().map(Word::for_shell);
    std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The arguments, for engines that start a process without a shell.
pub fn arguments(words: Vec<Word>) -> Vec<String> {
    words.into_iter().flat_map(Word::texts).collect()
}
