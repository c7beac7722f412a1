use std::ops::Range;

use super::value::{check_range, parse_value};
use super::{Expectation, ExpectationError, PhaseScope, Sign, Term, Test};
use crate::metric::{Definition, Dimension, Metric, REGISTRY, Takes, definition};
use crate::window::Window;
use diagnostic::nearest;

type Failure = Vec<ExpectationError>;

/// An operator and the test that it makes of a value.
type Operator = (&'static str, fn(f64) -> Test);

/// Operators; a longer one stands before its own beginning (`>=` before `>`).
const OPERATORS: [Operator; 6] = [
    (">=", Test::AtLeast),
    ("<=", Test::AtMost),
    ("==", Test::Equal),
    ("!=", Test::Unequal),
    (">", Test::Above),
    ("<", Test::Below),
];

pub(super) fn parse(text: &str, phases: &[PhaseScope<'_>]) -> Result<Expectation, Failure> {
    let mut parser = Parser { text, at: 0, phases };
    let left = parser.term();
    let right = parser.sign().map(|sign| parser.term().map(|term| (sign, term))).transpose();
    let (left, right) = both(left, right)?;
    let dimension = common_dimension(&left, right.as_ref())?;
    let sign = right.as_ref().map(|(sign, _)| *sign);
    Ok(Expectation {
        text: text.to_owned(),
        test: parser.comparison(dimension, sign)?,
        left: left.term,
        right: right.map(|(sign, right)| (sign, right.term)),
        abort: None,
    })
}

pub(super) fn parse_term(text: &str, phases: &[PhaseScope<'_>]) -> Result<Term, Failure> {
    let mut parser = Parser { text, at: 0, phases };
    let located = parser.term()?;
    parser.skip_blanks();
    if parser.rest().is_empty() {
        return Ok(located.term);
    }
    let message = format!("`{}` is no part of a metric", parser.rest());
    let help = "name one metric, such as `baseline.success_rate[last 25%]`";
    Err(vec![error(parser.at..text.len(), message, Some(help.to_owned()))])
}

/// Both, or what is wrong with either.
fn both<L, R>(left: Result<L, Failure>, right: Result<R, Failure>) -> Result<(L, R), Failure> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(left), Err(right)) => Err([left, right].concat()),
        (Err(failure), _) | (_, Err(failure)) => Err(failure),
    }
}

/// Checks that like is added to like.
fn common_dimension(
    left: &LocatedTerm,
    right: Option<&(Sign, LocatedTerm)>,
) -> Result<Dimension, Failure> {
    let dimension = left.term.definition.dimension;
    let Some((_, right)) = right else { return Ok(dimension) };
    let other = right.term.definition.dimension;
    if dimension == other {
        return Ok(dimension);
    }
    let message =
        format!("{} and {} cannot be added or subtracted", dimension.noun(), other.noun());
    Err(vec![error(left.span.start..right.span.end, message, None)])
}

/// A term and where it stands.
struct LocatedTerm {
    term: Term,
    span: Range<usize>,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    phases: &'a [PhaseScope<'a>],
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes what stands here as long as `belongs` says.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn term(&mut self) -> Result<LocatedTerm, Failure> {
        self.skip_blanks();
        let start = self.at;
        let phase = self.phase()?;
        let name_start = self.at;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let name_span = name_start..self.at;
        let definition =
            definition(name).ok_or_else(|| unknown_metric(name, name_span, phase.name))?;
        let Some(iterations) = phase.iterations else {
            let message = format!("phase `{}` makes no iterations", phase.name);
            return Err(vec![error(
                start..start + phase.name.len(),
                message,
                self.with_iterations(),
            )]);
        };
        if let Metric::Slot(number, _) = definition.metric
            && usize::from(number) > phase.slots
        {
            return Err(no_slot(number, start..self.at, &phase));
        }
        let (window, threshold) = match definition.takes {
            Takes::Threshold => (None, Some(self.threshold(&definition)?)),
            _ => (self.window(&definition, iterations)?, None),
        };
        let text = self.text[start..self.at].to_owned();
        let phase = phase.name.to_owned();
        let term = Term { text, phase, definition, iterations, window, threshold };
        Ok(LocatedTerm { term, span: start..self.at })
    }

    /// Takes the name of a phase and the dot; the longest name that fits is meant.
    fn phase(&mut self) -> Result<PhaseScope<'a>, Failure> {
        let rest = self.rest();
        let fits = |phase: &&PhaseScope<'_>| {
            rest.strip_prefix(phase.name).is_some_and(|rest| rest.starts_with('.'))
        };
        let Some(phase) = self.phases.iter().filter(fits).max_by_key(|phase| phase.name.len())
        else {
            return Err(vec![self.unknown_phase()]);
        };
        self.at += phase.name.len() + 1;
        Ok(*phase)
    }

    fn unknown_phase(&mut self) -> ExpectationError {
        let start = self.at;
        let word = self.take_while(|c| !c.is_whitespace() && !"<>=![]".contains(c));
        if word.is_empty() {
            let help = "begin with a metric of a phase, such as `baseline.success_rate`";
            return error(start..start, "a metric is missing".to_owned(), Some(help.to_owned()));
        }
        if definition(word).is_some() {
            let example = self.phases.iter().find(|phase| phase.iterations.is_some());
            let help = example.map(|phase| format!("write `{}.{word}`", phase.name));
            return error(start..self.at, format!("`{word}` of which phase?"), help);
        }
        let name = word.split('.').next().unwrap_or(word);
        let message = format!("there is no phase `{name}`");
        let help = nearest(name, self.phases.iter().map(|phase| phase.name))
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(|| self.with_iterations());
        error(start..start + name.len(), message, help)
    }

    /// Which phases can be spoken of.
    fn with_iterations(&self) -> Option<String> {
        let names = self.phases.iter().filter(|phase| phase.iterations.is_some());
        let names: Vec<_> = names.map(|phase| format!("`{}`", phase.name)).collect();
        (!names.is_empty()).then(|| format!("phases with iterations: {}", names.join(", ")))
    }

    /// What stands in brackets here, and where.
    fn brackets(&mut self) -> Result<Option<(&'a str, Range<usize>)>, Failure> {
        let start = self.at;
        if !self.take("[") {
            return Ok(None);
        }
        let inner = self.take_while(|c| c != ']');
        if !self.take("]") {
            let message = "these brackets have no end".to_owned();
            return Err(vec![error(start..self.at, message, Some("add `]`".to_owned()))]);
        }
        Ok(Some((inner, start..self.at)))
    }

    /// The success rate that is to be reached.
    fn threshold(&mut self, definition: &Definition) -> Result<f64, Failure> {
        let end = self.at;
        let Some((inner, span)) = self.brackets()? else {
            let name = &definition.name;
            let message = format!("`{name}` of which success rate?");
            let help = format!("write `{name}[70%]`");
            return Err(vec![error(end - name.len()..end, message, Some(help))]);
        };
        let inside = span.start + 1..span.end - 1;
        let value = parse_value(inner, inside.clone(), Dimension::Share);
        value
            .and_then(|value| {
                check_range(value, inner, inside, Dimension::Share, None).map(|()| value)
            })
            .map_err(|error| vec![error])
    }

    fn window(
        &mut self,
        definition: &Definition,
        iterations: u64,
    ) -> Result<Option<Range<u64>>, Failure> {
        let Some((inner, span)) = self.brackets()? else { return Ok(None) };
        let Some(window) = Window::parse(inner) else {
            let message = format!("`{inner}` is not a window");
            let help = "write `[..100]`, `[2000..]`, `[100..200]`, `[first 10%]` or `[last 20%]`";
            return Err(vec![error(span, message, Some(help.to_owned()))]);
        };
        if definition.takes != Takes::Window {
            let message = format!("`{}` is known for a whole phase only", definition.name);
            let names = names_where(|definition| definition.takes == Takes::Window);
            return Err(vec![error(span, message, Some(format!("windows are for {names}")))]);
        }
        let range = window.resolve(iterations);
        range.map(Some).map_err(|message| vec![error(span, message, None)])
    }

    fn sign(&mut self) -> Option<Sign> {
        self.skip_blanks();
        if self.take("+") {
            return Some(Sign::Plus);
        }
        self.take("-").then_some(Sign::Minus)
    }

    fn comparison(&mut self, dimension: Dimension, sign: Option<Sign>) -> Result<Test, Failure> {
        self.skip_blanks();
        let operator = OPERATORS.iter().find(|(operator, _)| self.rest().starts_with(operator));
        if let Some((operator, make)) = operator {
            self.at += operator.len();
            return Ok(make(self.value(self.text.len(), dimension, sign)?));
        }
        let is_interval = self.rest().starts_with("in")
            && self.rest()[2..].starts_with(|c: char| c.is_whitespace());
        if is_interval {
            self.at += 2;
            return self.interval(dimension, sign);
        }
        let start = self.at;
        let word = self.take_while(|c| !c.is_whitespace());
        let message = match word {
            "" => "what should hold of it?".to_owned(),
            word => format!("`{word}` is not a comparison"),
        };
        let help = match word {
            "=>" => "did you mean `>=`?",
            "=<" => "did you mean `<=`?",
            "=" => "did you mean `==`?",
            _ => "compare with `>=`, `>`, `<=`, `<`, `==`, `!=`, or `in LOW..HIGH`",
        };
        Err(vec![error(start..self.at, message, Some(help.to_owned()))])
    }

    fn interval(&mut self, dimension: Dimension, sign: Option<Sign>) -> Result<Test, Failure> {
        self.skip_blanks();
        let start = self.at;
        let Some(dots) = self.rest().find("..") else {
            let message = format!("`{}` is not an interval", self.rest().trim_end());
            let help = Some("write `in LOW..HIGH`".to_owned());
            return Err(vec![error(start..self.text.trim_end().len().max(start), message, help)]);
        };
        let low = self.value(start + dots, dimension, sign)?;
        self.at = start + dots + 2;
        let high = self.value(self.text.len(), dimension, sign)?;
        if low > high {
            let message = "the interval is empty: its low end is above its high end".to_owned();
            return Err(vec![error(start..self.text.trim_end().len(), message, None)]);
        }
        Ok(Test::Within(low, high))
    }

    /// Reads the value from here to `end`.
    fn value(
        &mut self,
        end: usize,
        dimension: Dimension,
        sign: Option<Sign>,
    ) -> Result<f64, Failure> {
        let from = self.text.len() - self.rest().trim_start().len();
        let text = self.text[from.min(end)..end].trim_end();
        let span = from.min(end)..from.min(end) + text.len();
        self.at = end;
        let value = parse_value(text, span.clone(), dimension).map_err(|error| vec![error])?;
        check_range(value, text, span, dimension, sign).map_err(|error| vec![error])?;
        Ok(value)
    }
}

fn error(span: Range<usize>, message: String, help: Option<String>) -> ExpectationError {
    ExpectationError { span, message, help }
}

fn no_slot(number: u8, span: Range<usize>, phase: &PhaseScope<'_>) -> Failure {
    let (name, slots) = (phase.name, phase.slots);
    let (message, help) = if slots == 0 {
        (format!("phase `{name}` has no slots"), "say `slots: 3` in its `iterate`".to_owned())
    } else {
        let help = format!("its last is `{name}.slot_{slots}.success_rate`");
        (format!("phase `{name}` has no slot {number}"), help)
    };
    vec![ExpectationError { span, message, help: Some(help) }]
}

fn unknown_metric(name: &str, span: Range<usize>, phase: &str) -> Failure {
    let near = nearest(name, REGISTRY.iter().map(|definition| &*definition.name));
    let near = near.or_else(|| only_beginning(name));
    let help = near.map_or_else(
        || format!("metrics are {}", names_where(|_| true)),
        |near| format!("did you mean `{phase}.{near}`?"),
    );
    let message = match name {
        "" => format!("which metric of `{phase}`?"),
        name => format!("there is no metric `{name}`"),
    };
    vec![ExpectationError { span, message, help: Some(help) }]
}

/// The metric whose first word a name is, if there is one: `success`.
fn only_beginning(name: &str) -> Option<&'static str> {
    let has = |metric: &&str| metric.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
    let mut metrics = REGISTRY.iter().map(|definition| &*definition.name).filter(has);
    metrics.next().filter(|_| metrics.next().is_none())
}

/// The names of the metrics of which `holds` is true, as a list for people.
fn names_where(holds: impl Fn(&Definition) -> bool) -> String {
    let names = REGISTRY.iter().filter(|definition| holds(definition));
    names.map(|definition| format!("`{}`", definition.name)).collect::<Vec<_>>().join(", ")
}
