use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration on the wire: written as ISO 8601 (`PT15S`), read as ISO 8601 or as .NET
/// writes it (`[d.]hh:mm:ss[.fffffff]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WireDuration(pub Duration);

/// Reads `P[nW][nD][T[nH][nM][n[.n]S]]` or `[d.]hh:mm[:ss[.fffffff]]`.
#[must_use]
pub fn parse_wire_duration(_text: &str) -> Option<Duration> {
    todo!()
}

impl std::fmt::Display for WireDuration {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

impl Serialize for WireDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let error = || serde::de::Error::custom(format!("`{text}` is not a duration like `PT15S`"));
        parse_wire_duration(&text).map(Self).ok_or_else(error)
    }
}
