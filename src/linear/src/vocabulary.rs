use foldhash::HashMap;
use serde::{Deserialize, Serialize};

/// Numbers for keys, in the order of their first appearance.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub(crate) struct Vocabulary {
    keys: Vec<u64>,
    numbers: HashMap<u64, u32>,
}

impl Vocabulary {
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn get(&self, key: u64) -> Option<usize> {
        self.numbers.get(&key).map(|number| *number as usize)
    }

    /// The number of a key; `None`, if it is new and there are `most`.
    pub fn number(&mut self, key: u64, most: usize) -> Option<usize> {
        if let Some(number) = self.get(key) {
            return Some(number);
        }
        let next = self.keys.len();
        if next >= most {
            return None;
        }
        self.numbers.insert(key, u32::try_from(next).ok()?);
        self.keys.push(key);
        Some(next)
    }
}

impl From<Vec<u64>> for Vocabulary {
    fn from(keys: Vec<u64>) -> Self {
        let numbers = keys.iter().copied().zip(0..).collect();
        Self { keys, numbers }
    }
}

impl From<Vocabulary> for Vec<u64> {
    fn from(vocabulary: Vocabulary) -> Self {
        vocabulary.keys
    }
}
