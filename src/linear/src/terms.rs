//! The features of a linear model: products of those of the context and of the action.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A feature: its key, and its value.
pub type Feature = (u64, f64);

/// What a factor of a term is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// `x`: a feature of the context.
    Context,
    /// `a`: a feature of the action.
    Action,
}

/// Products of features: `1` the constant, `a` those of the action, `x` those of the context,
/// `ax` each of the action with each of the context. A letter that is repeated makes
/// combinations with repetition, as in coba.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Term(Vec<Letter>);

/// A term of more letters makes more features than a linear model can take.
const LONGEST_TERM: usize = 3;

/// The key of the constant.
const CONSTANT: u64 = 1;

impl Term {
    /// The feature that is always one.
    pub const CONSTANT: Self = Self(Vec::new());

    /// The products of these.
    pub fn of(letters: &[Letter]) -> Self {
        Self(letters.to_vec())
    }

    /// Adds the products of a context and an action.
    fn cross(&self, context: &[Feature], action: &[Feature], into: &mut Vec<Feature>) {
        // The key, the value, and from which feature on the same letter may go on.
        let mut products = vec![(CONSTANT, 1.0, 0_usize)];
        for (place, letter) in self.0.iter().enumerate() {
            let is_repeated = place > 0 && self.0[place - 1] == *letter;
            let (features, side) = match letter {
                Letter::Context => (context, 1),
                Letter::Action => (action, 2),
            };
            products = products
                .into_iter()
                .flat_map(|(key, value, start)| {
                    let start = if is_repeated { start } else { 0 };
                    let times = move |(index, feature): (usize, &Feature)| {
                        (mixed(mixed(key, side), feature.0), value * feature.1, start + index)
                    };
                    features[start..].iter().enumerate().map(times)
                })
                .collect();
        }
        into.extend(products.into_iter().map(|(key, value, _)| (key, value)));
    }
}

/// The features of the model for a context and an action.
pub(crate) fn cross(terms: &[Term], context: &[Feature], action: &[Feature]) -> Vec<Feature> {
    let mut features = Vec::new();
    terms.iter().for_each(|term| term.cross(context, action, &mut features));
    features
}

/// The key of a feature by its name. Names are told apart by 64 bits.
pub fn feature_key(name: &[u8]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = name.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    mixed(hash, 0)
}

/// A hash of two (the finalizer of MurmurHash3).
fn mixed(one: u64, other: u64) -> u64 {
    let mut hash = one.rotate_left(25) ^ other.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let letter = |letter: char| match letter {
            'x' => Some(Letter::Context),
            'a' => Some(Letter::Action),
            _ => None,
        };
        let letters: Option<Vec<Letter>> = text.chars().map(letter).collect();
        match (text, letters) {
            ("1", _) => Ok(Self::CONSTANT),
            (_, Some(mut letters)) if (1..=LONGEST_TERM).contains(&letters.len()) => {
                // The order of the factors makes no difference.
                letters.sort_by_key(|letter| *letter == Letter::Context);
                Ok(Self(letters))
            }
            _ => Err(format!(
                "`{text}` is no term: expected `1`, or up to {LONGEST_TERM} letters of `a` (the \
                 action) and `x` (the context), such as `ax`"
            )),
        }
    }
}

impl TryFrom<String> for Term {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        term.to_string()
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("1");
        }
        let letter = |letter: &Letter| if *letter == Letter::Action { "a" } else { "x" };
        self.0.iter().try_for_each(|one| f.write_str(letter(one)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(term: &str) -> Vec<f64> {
        let term: Term = term.parse().unwrap();
        let (context, action) = ([(1, 2.0), (2, 3.0)], [(3, 5.0), (4, 7.0)]);
        cross(&[term], &context, &action).into_iter().map(|(_, value)| value).collect()
    }

    /// The values are those of coba's `InteractionsEncoder`, in its order.
    #[test]
    fn terms_are_those_of_coba() {
        assert_eq!(values("1"), [1.0]);
        assert_eq!(values("x"), [2.0, 3.0]);
        assert_eq!(values("ax"), [10.0, 15.0, 14.0, 21.0]);
        assert_eq!(values("xx"), [4.0, 6.0, 9.0]);
        assert_eq!(values("xxa").len(), 6);
    }

    #[test]
    fn keys_tell_products_apart() {
        let terms =
            ["1", "a", "x", "ax", "aa", "xx", "aax", "axx"].map(|term| term.parse().unwrap());
        // A context and an action with features of one name.
        let same = [(feature_key(b"one"), 1.0), (feature_key(b"two"), 1.0)];
        let features = cross(&terms, &same, &same);
        let mut keys: Vec<u64> = features.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), features.len());
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for text in ["", "b", "2", "axax", "1a"] {
            assert!(text.parse::<Term>().is_err(), "{text}");
        }
        assert_eq!("xa".parse::<Term>().unwrap().to_string(), "ax");
    }
}
