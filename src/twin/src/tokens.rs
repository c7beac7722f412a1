//! Features as words: a text or a truth value is one with its name, a number the quarter of the
//! log's numbers that it falls in. Coarse on purpose: words are also the parts of contexts by which
//! a twin is proved.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};
use protocol::{FeatureObject, FeatureValue};

/// The number of a word.
pub type Token = u32;

/// So many features of a context, and of an action, are looked at.
const MOST_OF_CONTEXT: usize = 48;
const MOST_OF_ACTION: usize = 16;

/// Numbers with so many different values or fewer are words themselves.
const FEW_VALUES: usize = 8;

/// A value of a feature.
enum Value {
    Word(String),
    Number(f64),
}

/// Words by their number, and how numbers become words.
#[derive(Debug, Default)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, Token>,
    /// The bounds between the quarters of a feature's numbers; none, if it has few of them.
    quarters: HashMap<String, Vec<f64>>,
}

/// Whose features are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Context,
    Action,
}

impl Vocabulary {
    /// A vocabulary for these features.
    pub fn of<'a>(all: impl Iterator<Item = (Side, &'a [FeatureObject])>) -> Self {
        let mut numbers: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (side, objects) in all {
            each(side, objects, &mut |name, value| {
                if let Value::Number(number) = value {
                    numbers.entry(name.to_owned()).or_default().push(number);
                }
            });
        }
        let mut quarters = HashMap::new();
        for (name, mut values) in numbers {
            values.sort_by(f64::total_cmp);
            let mut different = values.clone();
            different.dedup();
            if different.len() > FEW_VALUES {
                let bound = |quarter: usize| values[values.len() * quarter / 4];
                quarters.insert(name, vec![bound(1), bound(2), bound(3)]);
            }
        }
        Self { words: Vec::new(), numbers: HashMap::new(), quarters }
    }

    /// The words of some features.
    pub fn tokens(&mut self, side: Side, objects: &[FeatureObject]) -> Vec<Token> {
        let mut words = Vec::new();
        let most = if side == Side::Context { MOST_OF_CONTEXT } else { MOST_OF_ACTION };
        each(side, objects, &mut |name, value| {
            let shown = name.split_once(' ').map_or(name, |(_, name)| name);
            let word = match value {
                Value::Word(word) => format!("{shown}={word}"),
                Value::Number(number) => match self.quarters.get(name) {
                    None => format!("{shown}={number}"),
                    Some(bounds) => {
                        let quarter = bounds.iter().filter(|bound| number >= **bound).count();
                        format!("{shown} in quarter {}", quarter + 1)
                    }
                },
            };
            words.push(word);
        });
        words.truncate(most);
        let mut tokens: Vec<Token> = words.into_iter().map(|word| self.token(word)).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    /// The number of a word.
    pub fn token(&mut self, word: String) -> Token {
        if let Some(token) = self.numbers.get(&word) {
            return *token;
        }
        let token = Token::try_from(self.words.len()).unwrap_or(Token::MAX);
        self.numbers.insert(word.clone(), token);
        self.words.push(word);
        token
    }

    /// A word, by its number.
    pub fn word(&self, token: Token) -> &str {
        &self.words[token as usize]
    }
}

fn each(side: Side, objects: &[FeatureObject], with: &mut dyn FnMut(&str, Value)) {
    let root = if side == Side::Context { "x " } else { "a " };
    for object in objects {
        each_of(root, object, with);
    }
}

fn each_of(prefix: &str, object: &FeatureObject, with: &mut dyn FnMut(&str, Value)) {
    for (key, value) in &object.0 {
        // What the learner does not see is no feature here either.
        if !key.starts_with('_') {
            each_value(&format!("{prefix}{key}"), value, with);
        }
    }
}

fn each_value(name: &str, value: &FeatureValue, with: &mut dyn FnMut(&str, Value)) {
    match value {
        FeatureValue::Null => {}
        FeatureValue::Bool(value) => with(name, Value::Word(value.to_string())),
        FeatureValue::Text(text) => with(name, Value::Word(text.clone())),
        FeatureValue::Number(number) => with(name, Value::Number(number.as_f64().unwrap_or(0.0))),
        FeatureValue::Object(object) => each_of(&format!("{name}."), object, with),
        FeatureValue::List(values) => {
            for (index, value) in values.iter().enumerate() {
                each_value(&format!("{name}[{index}]"), value, with);
            }
        }
    }
}
