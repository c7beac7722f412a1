//! Weights on disk: only those that are not blank.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many weights there are, and those that are not blank, by their place.
#[derive(Serialize, Deserialize)]
struct Sparse<T> {
    length: u32,
    entries: Vec<(u32, T)>,
}

pub fn serialize<T, S>(dense: &[T], serializer: S) -> Result<S::Ok, S::Error>
where
    T: Default + PartialEq + Copy + Serialize,
    S: Serializer,
{
    let blank = T::default();
    let entries = (0_u32..).zip(dense.iter().copied()).filter(|(_, value)| *value != blank);
    let length = u32::try_from(dense.len()).map_err(serde::ser::Error::custom)?;
    Sparse { length, entries: entries.collect() }.serialize(serializer)
}

pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Default + Copy + Deserialize<'de>,
    D: Deserializer<'de>,
{
    let sparse = Sparse::deserialize(deserializer)?;
    let mut dense = vec![T::default(); sparse.length as usize];
    for (place, value) in sparse.entries {
        let outside =
            || serde::de::Error::custom(format!("a weight at {place} of {}", sparse.length));
        *dense.get_mut(place as usize).ok_or_else(outside)? = value;
    }
    Ok(dense)
}
