//! The formula of a reward, such as `{{ clicked * price }}`: sums and products of numbers, of
//! whether there was a click, and of features.

use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::rule::Choice;
use protocol::{FeatureObject, FeatureValue};

/// The formula of a reward.
#[derive(Debug, Clone)]
pub struct Formula {
    written: Arc<str>,
    root: Term<Variable>,
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Variable {
    /// 1 if there was a click, else 0.
    Clicked,
    /// A feature of the chosen action.
    OfAction(Arc<str>),
    /// A feature of the context.
    OfContext(Arc<str>),
}

/// A part of a formula, whose names stand for `V`.
#[derive(Debug, Clone)]
pub enum Term<V> {
    /// A number.
    Number(f64),
    /// A name.
    Variable(V),
    /// `-a`
    Negative(Box<Term<V>>),
    /// `a + b`
    Sum(Box<[Term<V>; 2]>),
    /// `a * b`
    Product(Box<[Term<V>; 2]>),
}

/// A name in a formula, and the bytes where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// The bytes of the formula.
    pub span: Range<usize>,
}

/// Why a text is no formula.
#[derive(Debug, Clone, PartialEq)]
pub struct FormulaMistake {
    /// What is wrong.
    pub message: String,
    /// The bytes of the text.
    pub span: Range<usize>,
}

impl Formula {
    /// A formula as it is written, and what it says.
    pub fn new(written: &str, root: Term<Variable>) -> Self {
        Self { written: written.into(), root }
    }

    /// The reward of a choice with a click, or without. A feature that is missing counts as zero.
    pub(super) fn value(&self, of: Choice<'_>, clicked: bool) -> f64 {
        self.root.value(&|variable| match variable {
            Variable::Clicked => f64::from(u8::from(clicked)),
            Variable::OfAction(path) => number(&of.action.features, path).unwrap_or(0.0),
            Variable::OfContext(path) => number(of.context, path).unwrap_or(0.0),
        })
    }

    /// The range of its values, where those of its variables are known (interval arithmetic).
    pub fn range(&self, of: &impl Fn(&Variable) -> (f64, f64)) -> (f64, f64) {
        self.root.range(of)
    }
}

impl<V> Term<V> {
    fn value(&self, of: &impl Fn(&V) -> f64) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Variable(variable) => of(variable),
            Self::Negative(term) => -term.value(of),
            Self::Sum(terms) => terms[0].value(of) + terms[1].value(of),
            Self::Product(terms) => terms[0].value(of) * terms[1].value(of),
        }
    }

    fn range(&self, of: &impl Fn(&V) -> (f64, f64)) -> (f64, f64) {
        match self {
            Self::Number(number) => (*number, *number),
            Self::Variable(variable) => of(variable),
            Self::Negative(term) => {
                let (low, high) = term.range(of);
                (-high, -low)
            }
            Self::Sum(terms) => {
                let ((a, b), (c, d)) = (terms[0].range(of), terms[1].range(of));
                (a + c, b + d)
            }
            Self::Product(terms) => {
                let ((a, b), (c, d)) = (terms[0].range(of), terms[1].range(of));
                let ends = [a * c, a * d, b * c, b * d];
                let low = ends.into_iter().fold(f64::INFINITY, f64::min);
                (low, ends.into_iter().fold(f64::NEG_INFINITY, f64::max))
            }
        }
    }

    /// The same term with other variables; nothing, if one of the names stands for none.
    pub fn resolve<W>(&self, of: &mut impl FnMut(&V) -> Option<W>) -> Option<Term<W>> {
        let mut both = |terms: &[Self; 2]| {
            let [left, right] = [terms[0].resolve(of), terms[1].resolve(of)];
            Some(Box::new([left?, right?]))
        };
        Some(match self {
            Self::Number(number) => Term::Number(*number),
            Self::Sum(terms) => Term::Sum(both(terms)?),
            Self::Product(terms) => Term::Product(both(terms)?),
            Self::Variable(variable) => Term::Variable(of(variable)?),
            Self::Negative(term) => Term::Negative(Box::new(term.resolve(of)?)),
        })
    }
}

/// The number that a path of names, joined by dots, leads to.
pub fn number(objects: &[FeatureObject], path: &str) -> Option<f64> {
    let entries = || objects.iter().flat_map(|object| &object.0);
    let found = |name: &str| entries().find(|(key, _)| key == name).map(|(_, value)| value);
    if let Some(FeatureValue::Number(number)) = found(path) {
        return number.as_f64();
    }
    let (outer, inner) = path.split_once('.')?;
    match found(outer)? {
        FeatureValue::Object(object) => number(std::slice::from_ref(object), inner),
        _ => None,
    }
}

/// The paths of all numbers in features.
pub fn number_paths(objects: &[FeatureObject]) -> Vec<String> {
    let path = |(key, value): &(String, FeatureValue)| match value {
        FeatureValue::Number(_) => vec![key.clone()],
        FeatureValue::Object(object) => {
            let inner = number_paths(std::slice::from_ref(object));
            inner.into_iter().map(|path| format!("{key}.{path}")).collect()
        }
        _ => Vec::new(),
    };
    objects.iter().flat_map(|object| &object.0).flat_map(path).collect()
}

/// Reads what stands in the braces of a formula.
///
/// # Errors
/// If the text is not a formula; the error has the byte range of the mistake.
pub fn parse(text: &str) -> Result<Term<Name>, FormulaMistake> {
    let start = text.find("{{").map_or(0, |at| at + 2);
    let end = text.rfind("}}").unwrap_or(text.len());
    let mut parser = Parser { text, at: start, end, depth: 0 };
    let term = parser.sum()?;
    match parser.peek() {
        None => Ok(term),
        Some(_) => Err(parser.unexpected("`+`, `-`, `*` or the end")),
    }
}

/// So deep may parentheses and signs be nested, and so many operators may there be.
const MOST_PARTS: usize = 64;

/// A parser by recursive descent.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..self.end]
    }

    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        let is_next = self.peek() == Some(expected);
        self.at += if is_next { expected.len_utf8() } else { 0 };
        is_next
    }

    fn unexpected(&mut self, expected: &str) -> FormulaMistake {
        let (found, length) = match self.peek() {
            Some(found) => (format!("`{found}`"), found.len_utf8()),
            None => ("the end".to_owned(), 0),
        };
        let help = if found == "`/`" { ": multiply by a number instead" } else { "" };
        let message = format!("expected {expected} in the formula, found {found}{help}");
        FormulaMistake { message, span: self.at..self.at + length }
    }

    fn grow(&mut self) -> Result<(), FormulaMistake> {
        self.depth += 1;
        let message = || format!("a formula may have {MOST_PARTS} operators and parentheses");
        let span = self.at..self.end;
        (self.depth <= MOST_PARTS)
            .then_some(())
            .ok_or_else(|| FormulaMistake { message: message(), span })
    }

    fn sum(&mut self) -> Result<Term<Name>, FormulaMistake> {
        let mut sum = self.product()?;
        loop {
            let is_minus = self.peek() == Some('-');
            if !is_minus && self.peek() != Some('+') {
                return Ok(sum);
            }
            self.at += 1;
            self.grow()?;
            let term = self.product()?;
            let term = if is_minus { Term::Negative(Box::new(term)) } else { term };
            sum = Term::Sum(Box::new([sum, term]));
        }
    }

    fn product(&mut self) -> Result<Term<Name>, FormulaMistake> {
        let mut product = self.factor()?;
        while self.take('*') {
            self.grow()?;
            product = Term::Product(Box::new([product, self.factor()?]));
        }
        Ok(product)
    }

    fn factor(&mut self) -> Result<Term<Name>, FormulaMistake> {
        if self.take('-') {
            self.grow()?;
            return Ok(Term::Negative(Box::new(self.factor()?)));
        }
        if self.take('(') {
            self.grow()?;
            let inner = self.sum()?;
            return if self.take(')') { Ok(inner) } else { Err(self.unexpected("`)`")) };
        }
        match self.peek() {
            Some(letter) if letter.is_ascii_digit() => self.number(),
            Some(letter) if letter.is_alphabetic() => Ok(Term::Variable(self.name())),
            _ => Err(self.unexpected("a number, `clicked`, a feature or `(`")),
        }
    }

    fn number(&mut self) -> Result<Term<Name>, FormulaMistake> {
        let span = self.word(|letter| letter.is_ascii_digit() || letter == '.');
        let text = &self.text[span.clone()];
        let number = text.parse().map_err(|_| format!("`{text}` is not a number"));
        number.map(Term::Number).map_err(|message| FormulaMistake { message, span })
    }

    fn name(&mut self) -> Name {
        let span = self.word(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.');
        Name { name: self.text[span.clone()].to_owned(), span }
    }

    /// Passes over the letters of a word.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
        start..self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        let term = parse(&format!("{{{{{text}}}}}")).unwrap();
        term.value(&|name: &Name| match name.name.as_str() {
            "clicked" => 1.0,
            "price" => 3.5,
            "user.budget" => -2.0,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn products_bind_more_than_sums_and_signs_more_than_products() {
        for (text, expected) in [
            ("clicked * price", 3.5),
            (" clicked*price - 1 ", 2.5),
            ("1 - 2 - 3", -4.0),
            ("1 + 2 * price", 8.0),
            ("(1 + 2) * price", 10.5),
            ("-price * -2", 7.0),
            ("2 - -user.budget", 0.0),
            ("0.25", 0.25),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn the_range_of_a_formula_has_every_value() {
        let term = parse("{{ clicked * (price - 2) - price }}").unwrap();
        let range =
            term.range(&|name| if name.name == "clicked" { (0.0, 1.0) } else { (1.0, 5.0) });
        for (clicked, price) in [(0.0, 1.0), (0.0, 5.0), (1.0, 1.0), (1.0, 5.0), (1.0, 3.0)] {
            let value = term.value(&|name| if name.name == "clicked" { clicked } else { price });
            assert!((range.0..=range.1).contains(&value), "{value} in {range:?}");
        }
        assert_eq!(range, (-6.0, 2.0));
    }

    #[test]
    fn what_is_no_formula_is_told_where() {
        for (text, part) in [
            ("{{ }}", ""),
            ("{{ clicked / price }}", "/"),
            ("{{ clicked price }}", "p"),
            ("{{ (clicked }}", ""),
            ("{{ 1.2.3 }}", "1.2.3"),
            ("{{ clicked * }}", ""),
            ("{{ ünit ! }}", "!"),
        ] {
            let mistake = parse(text).unwrap_err();
            assert_eq!(&text[mistake.span.clone()], part, "{text}: {}", mistake.message);
        }
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(parse(&deep).unwrap_err().message.contains("64"));
    }
}
