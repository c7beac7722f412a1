use std::fmt;
use std::num::NonZero;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Stride;

/// One of several parts of the work; written `2/5`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    count: NonZero<u64>,
    /// From 0.
    index: u64,
}

impl Shard {
    /// All of the work.
    pub const WHOLE: Self = Self { count: NonZero::<u64>::MIN, index: 0 };

    /// The shard `number` of `count`, counted from 1.
    ///
    /// # Errors
    /// Why there is none.
    pub fn new(number: u64, count: u64) -> Result<Self, String> {
        let some = NonZero::new(count).ok_or("there are at least 1 shards, found 0")?;
        if number == 0 || number > count {
            return Err(format!("shards count from 1 to {count}, found {number}"));
        }
        Ok(Self { count: some, index: number - 1 })
    }

    /// Every shard of so many.
    pub fn all(count: NonZero<u64>) -> impl Iterator<Item = Self> {
        (0..count.get()).map(move |index| Self { count, index })
    }

    /// Whose a block of the work is; blocks count from 0.
    #[must_use]
    pub fn of_block(block: u64, count: NonZero<u64>) -> Self {
        Self { count, index: block % count }
    }

    /// Which shard it is, from 1.
    #[must_use]
    pub fn number(self) -> u64 {
        self.index + 1
    }

    /// How many shards there are.
    #[must_use]
    pub fn count(self) -> NonZero<u64> {
        self.count
    }

    /// Whether it is all of the work.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.count.get() == 1
    }

    /// Whether a block of the work is its own.
    #[must_use]
    pub fn holds(self, block: u64) -> bool {
        Self::of_block(block, self.count) == self
    }

    /// Its iterations of a load.
    #[must_use]
    pub fn stride(self) -> Stride {
        Stride { first: self.index, step: self.count }
    }

    /// Its share of something that is counted: the shares of all shards add up to `whole`,
    /// and differ by one at most.
    #[must_use]
    pub fn share(self, whole: u64) -> u64 {
        self.stride().count(whole)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number(), self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let numbers = parts.and_then(|(shard, count)| Some((number(shard)?, number(count)?)));
        let (shard, count) =
            numbers.ok_or_else(|| format!("a shard is written as `2/5`, found `{text}`"))?;
        Self::new(shard, count)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_written_as_it_is_read() {
        for text in ["1/1", "2/5", "5/5"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        let table = [
            ("0/5", "shards count from 1 to 5, found 0"),
            ("6/5", "shards count from 1 to 5, found 6"),
            ("1/0", "there are at least 1 shards, found 0"),
            ("two", "a shard is written as `2/5`, found `two`"),
            ("1/-2", "a shard is written as `2/5`, found `1/-2`"),
        ];
        for (text, message) in table {
            assert_eq!(text.parse::<Shard>().unwrap_err(), message);
        }
    }

    #[test]
    fn every_block_and_every_iteration_has_one_shard() {
        for count in 1..8 {
            let shards: Vec<_> = Shard::all(NonZero::new(count).unwrap()).collect();
            for block in 0..20 {
                assert_eq!(shards.iter().filter(|shard| shard.holds(block)).count(), 1);
            }
            for whole in [0, 1, 6, 7, 100] {
                let parts: Vec<_> = shards.iter().map(|shard| shard.share(whole)).collect();
                assert_eq!(parts.iter().sum::<u64>(), whole);
                assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
            }
        }
    }
}
