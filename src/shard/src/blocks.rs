use std::collections::HashMap;
use std::hash::Hash;

/// The block of each piece of work, from 0: pieces with the same `kind` stay together.
/// Blocks are numbered as they turn up.
#[must_use]
pub fn blocks<K: Hash + Eq>(kinds: impl Iterator<Item = K>) -> Vec<u64> {
    let mut known = HashMap::new();
    let block = |kind: K| {
        let next = known.len() as u64;
        *known.entry(kind).or_insert(next)
    };
    kinds.map(block).collect()
}
