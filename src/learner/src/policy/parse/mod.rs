//! From the words of the arguments to a policy, or to every mistake in them.

mod combinations;
mod mistakes;
mod values;

use std::ops::Range;

use super::options::{OptionSpec, Support};
use super::tokens::{Token, Words, find, split_option};
use super::{Explorer, LearningPolicy, ModelFiles, PolicyError, Settings};
use mistakes::remedy;

/// Parses the arguments and collects every mistake.
pub(super) fn parse(
    arguments: &str,
    for_evaluation: bool,
) -> Result<LearningPolicy, Vec<PolicyError>> {
    let mut parser = Parser { for_evaluation, ..Parser::new(arguments.trim()) };
    while let Some(token) = parser.words.next() {
        parser.take(&token);
    }
    let left_out = arguments.len() - arguments.trim_start().len();
    parser
        .finish()
        .map_err(|errors| errors.into_iter().map(|error| error.after(left_out)).collect())
}

struct Parser<'a> {
    arguments: &'a str,
    words: Words<'a>,
    settings: Settings,
    dropped: Vec<String>,
    for_evaluation: bool,
    model_files: ModelFiles,
    errors: Vec<PolicyError>,
    /// Options seen, with their values, for repetition.
    seen: Vec<(&'static str, String)>,
    explorers: Vec<(&'static str, Range<usize>)>,
    epsilon_span: Option<Range<usize>>,
    rules_given: bool,
    /// Where `--cb_explore` stands.
    numbered_span: Option<Range<usize>>,
    /// Whether the option before is unknown and stands without a value.
    follows_unknown: bool,
}

/// Repeated with other values: they add up.
const ACCUMULATING: [&str; 6] =
    ["quadratic", "cubic", "interactions", "ignore", "ignore_linear", "keep"];

/// Repeated with other values: the first one counts.
const FIRST_COUNTS: [&str; 4] = ["epsilon", "learning_rate", "power_t", "lambda"];

impl<'a> Parser<'a> {
    fn new(arguments: &'a str) -> Self {
        Self {
            arguments,
            words: Words::new(arguments),
            settings: Settings::default(),
            dropped: Vec::new(),
            for_evaluation: false,
            model_files: ModelFiles::default(),
            errors: Vec::new(),
            seen: Vec::new(),
            explorers: Vec::new(),
            epsilon_span: None,
            rules_given: false,
            numbered_span: None,
            follows_unknown: false,
        }
    }

    /// Takes an option, and its value if it has one.
    fn take(&mut self, token: &Token<'a>) {
        let Some((name, inline)) = split_option(token) else {
            // An unknown option may have values: the mistake is the option.
            if self.follows_unknown {
                return;
            }
            return self.refuse(
                token.span.clone(),
                format!("`{}` belongs to no option", token.text),
                Some("options start with `--`".to_owned()),
            );
        };
        let spec = find(name.text);
        self.follows_unknown = spec.is_none() && inline.is_none();
        let Some(spec) = spec else { return self.refuse_unknown(&name) };
        let value = match (spec.value, inline) {
            (None, None) => None,
            (None, Some(value)) => return self.refuse_value(spec, &value),
            (Some(_), Some(value)) => Some(value),
            (Some(what), None) => match self.words.next() {
                Some(value) => Some(value),
                None => return self.refuse_missing(spec, what, token),
            },
        };
        self.apply(spec, token, value.as_ref());
    }

    fn apply(&mut self, spec: &'static OptionSpec, token: &Token<'a>, value: Option<&Token<'a>>) {
        match spec.support {
            Support::Dropped => self.dropped.push(format!("--{}", spec.name)),
            Support::Evaluation | Support::Alike if !self.for_evaluation => self.refuse(
                token.span.clone(),
                format!("`--{}` is for `runner evaluate` only ({})", spec.name, spec.doc),
                Some(remedy(spec.name).to_owned()),
            ),
            Support::Refused => self.refuse(
                token.span.clone(),
                format!("`--{}` is not supported ({})", spec.name, spec.doc),
                None,
            ),
            Support::Evaluation | Support::Alike | Support::Full => {
                if self.counts(spec, value) {
                    self.set(spec.name, token, value);
                }
            }
        }
    }

    /// Whether this occurrence of an option takes effect, given the options before it.
    fn counts(&mut self, spec: &'static OptionSpec, value: Option<&Token<'a>>) -> bool {
        let text = value.map_or("", |value| value.text).to_owned();
        let before = self.seen.iter().find(|(name, _)| *name == spec.name);
        let Some((_, earlier)) = before else {
            self.seen.push((spec.name, text));
            return true;
        };
        if ACCUMULATING.contains(&spec.name) {
            return true;
        }
        if let Some(value) =
            value.filter(|_| *earlier != text && !FIRST_COUNTS.contains(&spec.name))
        {
            let message = format!("`--{}` is given twice, with other values", spec.name);
            self.refuse(
                value.span.clone(),
                message,
                Some(format!("keep one of them: `{earlier}` or `{text}`")),
            );
        }
        false
    }

    fn finish(mut self) -> Result<LearningPolicy, Vec<PolicyError>> {
        // `--regcbopt` alone asks for it too (`cb_explore_adf_regcb.cc`).
        if self.settings.regcbopt && self.explorers.is_empty() {
            self.settings.explorer = Explorer::RegCb;
        }
        self.refuse_combinations();
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        Ok(LearningPolicy {
            arguments: self.arguments.to_owned(),
            settings: self.settings,
            dropped: self.dropped,
            model_files: self.model_files,
            epsilon_span: self.epsilon_span,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::LearningPolicy;

    fn messages(arguments: &str) -> Vec<String> {
        let errors = LearningPolicy::parse(arguments).unwrap_err();
        errors.iter().map(|error| format!("{:?} {}", error.span, error.message)).collect()
    }

    #[test]
    fn space_before_the_first_option_moves_the_places_of_mistakes() {
        let without = LearningPolicy::parse("--cb_explore_adf --tau 1").unwrap_err();
        let with = LearningPolicy::parse(" \n --cb_explore_adf --tau 1").unwrap_err();
        assert_eq!(with[0].span, without[0].span.start + 3..without[0].span.end + 3);
    }

    #[test]
    fn models_are_read_and_written_where_files_are() {
        let arguments = "--cb_explore_adf -i old.vw -f new.vw -t";
        assert_eq!(LearningPolicy::parse(arguments).unwrap_err().len(), 3);
        let policy = LearningPolicy::parse_for_evaluation(arguments).unwrap();
        let files = policy.model_files();
        assert_eq!(files.initial.as_deref(), Some("old.vw"));
        assert_eq!(files.last.as_deref(), Some("new.vw"));
        assert!(files.test_only);
        // What a model holds need not be given again.
        assert!(LearningPolicy::parse_for_evaluation("-i old.vw").is_ok());
    }

    #[test]
    fn the_forms_of_an_option_mean_the_same() {
        let forms = ["-q :: -l 0.5", "-q:: -l.5", "--quadratic=:: --learning_rate 5e-1"];
        let settings = forms.map(|form| {
            LearningPolicy::parse(&format!("--cb_explore_adf {form}")).unwrap().settings
        });
        assert_eq!(settings[0], settings[1]);
        assert_eq!(settings[0], settings[2]);
    }

    #[test]
    fn every_mistake_is_named_at_its_place() {
        assert_eq!(
            messages("--cb_explore_adf --cb_typ mtr --epsilon 2 --cats 3"),
            [
                "17..25 `--cb_typ` is no option of a learning policy",
                "40..41 `--epsilon 2` is not between 0 and 1",
                "42..48 `--cats` is not supported (continuous actions)",
            ]
        );
        assert_eq!(messages("--cb_explore_adf --nosuch=1 2 --nosuch 3 4 --epsilon 0.1 5").len(), 4);
        let unknown = &LearningPolicy::parse("--cb_explore_adf --cb_typ mtr").unwrap_err()[0];
        assert_eq!(unknown.help.as_deref(), Some("did you mean `--cb_type`?"));
    }

    #[test]
    fn what_is_repeated_adds_up_or_the_first_counts_or_is_refused() {
        let policy =
            LearningPolicy::parse("--cb_explore_adf -q ab -q cd --epsilon 0.1 --epsilon 0.3")
                .unwrap();
        assert_eq!(policy.settings.interactions, [b"ab".to_vec(), b"cd".to_vec()]);
        assert_eq!(policy.epsilon(), Some(0.1));
        assert_eq!(messages("--cb_explore_adf --random_seed 5 --random_seed 6").len(), 1);
        assert!(LearningPolicy::parse("--cb_explore_adf --random_seed 5 --random_seed 5").is_ok());
    }

    #[test]
    fn large_action_spaces_are_explored_by_some_strategies_with_a_bound() {
        let parse = |options: &str| {
            let arguments = format!("--cb_explore_adf --large_action_space {options}");
            LearningPolicy::parse_for_evaluation(&arguments).map_err(|errors| errors[0].to_string())
        };
        assert!(parse("--squarecb --max_actions 5 --spanner_c 1.5").is_ok());
        assert_eq!(parse("--spanner_c 1").unwrap_err(), "`--spanner_c 1` is below 1.01");
        for (options, name) in
            [("--bag 3", "bag"), ("--squarecb --elim", "elim"), ("--regcb", "regcb")]
        {
            let message = format!("`--large_action_space` does not work with `--{name}`");
            assert_eq!(parse(options).unwrap_err(), message);
        }
        assert!(LearningPolicy::parse("--cb_explore 3").unwrap_err()[0].help.is_some());
    }

    #[test]
    fn what_steers_vw_as_a_program_is_dropped() {
        let policy = LearningPolicy::parse("--cb_explore_adf --dsjson --quiet").unwrap();
        assert_eq!(policy.dropped(), ["--dsjson", "--quiet"]);
    }

    #[test]
    fn another_epsilon_replaces_the_one_that_is_given() {
        let policy = LearningPolicy::parse("--cb_explore_adf --epsilon 0.2 -q ::").unwrap();
        let other = policy.with_epsilon(0.05);
        assert_eq!(other.arguments(), "--cb_explore_adf --epsilon 0.05 -q ::");
        assert_eq!(other, LearningPolicy::parse(other.arguments()).unwrap());
        assert_eq!(other.with_epsilon(0.2), policy);
        let without = LearningPolicy::parse("--cb_explore_adf").unwrap();
        assert_eq!(without.with_epsilon(0.5), without);
    }
}
