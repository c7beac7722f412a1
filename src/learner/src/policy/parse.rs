use std::ops::Range;
use std::str::FromStr;

use super::options::{OPTIONS, OptionSpec, Support};
use super::tokens::{Token, Words, find, split_option};
use super::{Explorer, LearningPolicy, ModelFiles, PolicyError, Settings};
use crate::cost::CostType;
use crate::features::HashMode;

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

impl PolicyError {
    /// At its place where so many bytes stand before.
    fn after(self, bytes: usize) -> Self {
        Self { span: self.span.start + bytes..self.span.end + bytes, ..self }
    }
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

/// At most so many bits: 2^31 weights would take 32 GiB.
const LARGEST_BITS: u32 = 28;

/// A spanner is improved while its volume grows by so much.
const SMALLEST_SPANNER_C: f32 = 1.01;

/// At most so many models explore together.
const LARGEST_COUNT: u32 = 1000;

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

    /// Whether an option counts, given what was seen before.
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

    fn set(&mut self, name: &'static str, token: &Token<'a>, value: Option<&Token<'a>>) {
        let absent = Token { text: "", span: token.span.clone() };
        let value = value.unwrap_or(&absent);
        match name {
            "epsilon" => self.set_epsilon(value),
            "cb_type" => self.set_cost_type(value),
            "softmax" | "first" | "bag" | "cover" | "squarecb" | "regcb" | "rnd" => {
                self.set_explorer(name, token, value);
            }
            "quadratic" => self.set_interaction(value, |n| n == 2, "two namespaces"),
            "cubic" => self.set_interaction(value, |n| n == 3, "three namespaces"),
            "interactions" => self.set_interaction(value, |n| n >= 2, "at least two namespaces"),
            "adaptive" | "normalized" | "invariant" | "sgd" => self.set_rule(name),
            "hash" => self.set_hash(value),
            "bit_precision" => self.set_bits(value),
            "initial_regressor" | "final_regressor" | "testonly" => {
                self.set_model_file(name, value.text);
            }
            "spanner_c" => self.set_spanner_c(value),
            "max_actions" => self.settings.max_actions = self.at_least_one(name, value),
            "cb_explore" => {
                self.settings.numbered_actions = Some(self.at_least_one(name, value));
                self.numbered_span = Some(token.span.clone());
            }
            "hash_seed" => self.settings.hashing.seed = self.number(value).unwrap_or(0),
            "random_seed" => self.settings.random_seed = Some(self.number(value).unwrap_or(0)),
            _ => self.set_plain(name, value),
        }
    }

    /// Options that set one value or one flag.
    fn set_plain(&mut self, name: &str, value: &Token<'a>) {
        match name {
            "first_only" => self.settings.first_only = true,
            "noconstant" => self.settings.constant = false,
            "chain_hash" => self.settings.hashing.chain = true,
            "coin" => self.settings.coin = true,
            "greedify" => self.settings.greedify = true,
            "nounif" => self.settings.nounif = true,
            "elim" => self.settings.elim = true,
            "regcbopt" => self.settings.regcbopt = true,
            "large_action_space" => self.settings.large_action_space = true,
            "ignore" => self.settings.ignore.extend(value.text.bytes()),
            "keep" => self.settings.keep.extend(value.text.bytes()),
            "ignore_linear" => self.settings.ignore_linear.extend(value.text.bytes()),
            "ccb_explore_adf" => self.settings.slots = true,
            "cb_explore_adf" => {}
            _ => self.set_number(name, value),
        }
    }

    fn set_number(&mut self, name: &str, value: &Token<'a>) {
        let Some(number) = self.finite(value) else { return };
        let settings = &mut self.settings;
        match name {
            "lambda" => settings.lambda = number.abs(),
            "clip_p" => settings.clip_p = number,
            "constant" => settings.constant_weight = number,
            "learning_rate" => settings.learning_rate = Some(number),
            "power_t" => settings.power_t = number,
            "initial_t" => settings.initial_t = number,
            "psi" => settings.psi = number,
            "gamma_scale" => settings.gamma_scale = number,
            "gamma_exponent" => settings.gamma_exponent = number,
            "mellowness" => settings.mellowness = Some(number),
            "cb_min_cost" => settings.min_cost = number,
            "cb_max_cost" => settings.max_cost = number,
            "rnd_alpha" => settings.rnd_alpha = number,
            "rnd_invlambda" => settings.rnd_invlambda = number,
            "l1" => settings.l1 = number.max(0.0),
            "l2" => settings.l2 = number.max(0.0),
            "min_prediction" => settings.min_prediction = Some(number),
            "max_prediction" => settings.max_prediction = Some(number),
            _ => unreachable!("`{name}` is in the table and has no effect"),
        }
    }

    fn set_model_file(&mut self, name: &str, path: &str) {
        match name {
            "initial_regressor" => self.model_files.initial = Some(path.to_owned()),
            "final_regressor" => self.model_files.last = Some(path.to_owned()),
            _ => self.model_files.test_only = true,
        }
    }

    fn set_epsilon(&mut self, value: &Token<'a>) {
        let Some(epsilon) = self.finite(value) else { return };
        if !(0.0..=1.0).contains(&epsilon) {
            let message = format!("`--epsilon {}` is not between 0 and 1", value.text);
            return self.refuse(value.span.clone(), message, None);
        }
        self.settings.epsilon = Some(epsilon);
        self.epsilon_span = Some(value.span.clone());
    }

    /// Nearer to one, a spanner is improved without end.
    fn set_spanner_c(&mut self, value: &Token<'a>) {
        let Some(number) = self.finite(value) else { return };
        if number < SMALLEST_SPANNER_C {
            let message = format!("`--spanner_c {}` is below {SMALLEST_SPANNER_C}", value.text);
            return self.refuse(value.span.clone(), message, None);
        }
        self.settings.spanner_c = number;
    }

    fn set_cost_type(&mut self, value: &Token<'a>) {
        self.settings.cost_type = match value.text {
            "mtr" => CostType::Mtr,
            "ips" => CostType::Ips,
            "dr" => CostType::Dr,
            "dm" => CostType::Dm,
            "sm" => CostType::Sm,
            other => {
                let message = format!("`--cb_type {other}` does not exist");
                let help = Some("use mtr, ips, dr, dm or sm".to_owned());
                return self.refuse(value.span.clone(), message, help);
            }
        };
    }

    fn set_explorer(&mut self, name: &'static str, token: &Token<'a>, value: &Token<'a>) {
        self.settings.explorer = match name {
            "softmax" => Explorer::Softmax,
            "squarecb" => Explorer::SquareCb,
            "regcb" => Explorer::RegCb,
            "bag" => Explorer::Bag(self.at_least_one(name, value)),
            "cover" => Explorer::Cover(self.at_least_one(name, value)),
            "rnd" => Explorer::Rnd(self.at_least_one(name, value)),
            _ => Explorer::First(self.number(value).unwrap_or(0)),
        };
        self.explorers.push((name, token.span.clone()));
    }

    fn at_least_one(&mut self, name: &str, value: &Token<'a>) -> u32 {
        let Some(count) = self.number::<u32>(value) else { return 1 };
        if !(1..=LARGEST_COUNT).contains(&count) {
            let message = format!("`--{name} {count}` is not between 1 and {LARGEST_COUNT}");
            self.refuse(value.span.clone(), message, None);
        }
        count.clamp(1, LARGEST_COUNT)
    }

    fn set_interaction(
        &mut self,
        value: &Token<'a>,
        is_valid: impl Fn(usize) -> bool,
        wanted: &str,
    ) {
        if is_valid(value.text.len()) {
            self.settings.interactions.push(value.text.bytes().collect());
        } else {
            let message =
                format!("`{}` names {} namespaces, not {wanted}", value.text, value.text.len());
            self.refuse(
                value.span.clone(),
                message,
                Some("a namespace is its first byte".to_owned()),
            );
        }
    }

    /// The first of these switches the others off.
    fn set_rule(&mut self, name: &str) {
        let settings = &mut self.settings;
        if !self.rules_given {
            self.rules_given = true;
            (settings.adaptive, settings.normalized, settings.invariant) = (false, false, false);
        }
        match name {
            "adaptive" => settings.adaptive = true,
            "normalized" => settings.normalized = true,
            "invariant" => settings.invariant = true,
            _ => {}
        }
    }

    fn set_hash(&mut self, value: &Token<'a>) {
        self.settings.hashing.mode = match value.text {
            "strings" => HashMode::Strings,
            "all" => HashMode::All,
            other => {
                let message = format!("`--hash {other}` does not exist");
                let help = Some("use strings or all".to_owned());
                return self.refuse(value.span.clone(), message, help);
            }
        };
    }

    fn set_bits(&mut self, value: &Token<'a>) {
        let Some(bits) = self.number::<u32>(value) else { return };
        if !(1..=LARGEST_BITS).contains(&bits) {
            let message = format!("`-b {bits}` is not between 1 and {LARGEST_BITS}");
            return self.refuse(value.span.clone(), message, None);
        }
        self.settings.bits = bits;
    }

    fn finite(&mut self, value: &Token<'a>) -> Option<f32> {
        let number = self.number::<f32>(value)?;
        if !number.is_finite() {
            self.refuse(value.span.clone(), format!("`{}` is not finite", value.text), None);
            return None;
        }
        Some(number)
    }

    fn number<N: FromStr>(&mut self, value: &Token<'a>) -> Option<N> {
        let number = value.text.parse().ok();
        if number.is_none() {
            self.refuse(value.span.clone(), format!("`{}` is not such a number", value.text), None);
        }
        number
    }

    fn refuse(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        self.errors.push(PolicyError { span, message, help });
    }

    fn refuse_unknown(&mut self, name: &Token<'a>) {
        let message = format!("`{}` is no option of a learning policy", name.text);
        let supported = OPTIONS.iter().filter(|spec| spec.support == Support::Full);
        let typed = name.text.trim_start_matches('-');
        let distance = |spec: &&OptionSpec| strsim::damerau_levenshtein(spec.name, typed);
        let near = supported.min_by_key(distance).filter(|spec| distance(spec) * 3 <= typed.len());
        self.refuse(
            name.span.clone(),
            message,
            near.map(|spec| format!("did you mean `--{}`?", spec.name)),
        );
    }

    fn refuse_value(&mut self, spec: &OptionSpec, value: &Token<'a>) {
        let message = format!("`--{}` takes no value, found `{}`", spec.name, value.text);
        self.refuse(value.span.clone(), message, None);
    }

    fn refuse_missing(&mut self, spec: &OptionSpec, what: &str, token: &Token<'a>) {
        let message = format!("`--{}` needs a value", spec.name);
        self.refuse(token.span.clone(), message, Some(format!("write `--{} {what}`", spec.name)));
    }

    /// Some strategies work with some cost types only.
    fn refuse_cost_type(&mut self) {
        use CostType::{Dr, Ips, Mtr};
        let (name, allowed): (_, &[CostType]) = match self.settings.explorer {
            Explorer::Cover(_) => ("cover", &[Ips, Dr, Mtr]),
            Explorer::SquareCb => ("squarecb", &[Mtr]),
            Explorer::RegCb => ("regcb", &[Mtr]),
            _ => return,
        };
        if !allowed.contains(&self.settings.cost_type) {
            let message = format!("`--{name}` does not work with this `--cb_type`");
            let span = self.explorers.first().map_or(0..0, |(_, span)| span.clone());
            self.refuse(span, message, Some("use `--cb_type mtr`".to_owned()));
        }
    }

    /// VW refuses others, or reads and writes outside of arrays with them.
    fn refuse_large_action_space(&mut self) {
        let settings = &self.settings;
        if !settings.large_action_space {
            return;
        }
        let other = match settings.explorer {
            Explorer::Cover(_) => "cover",
            Explorer::Bag(_) => "bag",
            Explorer::First(_) => "first",
            Explorer::RegCb => "regcb",
            Explorer::Rnd(_) => "rnd",
            Explorer::SquareCb if settings.elim => "elim",
            _ if settings.slots => "ccb_explore_adf",
            _ if settings.numbered_actions.is_some() => "cb_explore",
            _ => return,
        };
        let message = format!("`--large_action_space` does not work with `--{other}`");
        let help = "use it with epsilon-greedy, `--softmax` or `--squarecb`";
        self.refuse(0..self.arguments.len(), message, Some(help.to_owned()));
    }

    fn finish(mut self) -> Result<LearningPolicy, Vec<PolicyError>> {
        let explores =
            |name: &str| matches!(name, "cb_explore_adf" | "ccb_explore_adf" | "cb_explore");
        let has_model = self.model_files.initial.is_some();
        let explores = self.seen.iter().any(|(name, _)| explores(name));
        if !explores && !has_model && self.errors.is_empty() {
            let message = "a learning policy must contain `--cb_explore_adf`".to_owned();
            let help = Some("add `--cb_explore_adf`, or `--ccb_explore_adf` for slots".to_owned());
            self.refuse(0..self.arguments.len(), message, help);
        }
        if let [(first, _), (second, span), ..] = self.explorers.as_slice() {
            let message = format!("`--{first}` and `--{second}` exclude each other");
            let span = span.clone();
            self.refuse(span, message, Some("keep one of them".to_owned()));
        }
        if let Some(span) = self.numbered_span.clone().filter(|_| self.settings.slots) {
            let message = "`--cb_explore` and `--ccb_explore_adf` exclude each other".to_owned();
            self.refuse(span, message, Some("keep one of them".to_owned()));
        }
        // `--regcbopt` alone asks for it too (`cb_explore_adf_regcb.cc`).
        if self.settings.regcbopt && self.explorers.is_empty() {
            self.settings.explorer = Explorer::RegCb;
        }
        self.refuse_cost_type();
        self.refuse_large_action_space();
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

/// What to do where an option of `runner evaluate` cannot be used.
fn remedy(name: &str) -> &'static str {
    if name == "cb_explore" {
        "use `--cb_explore_adf`: requests tell actions apart by their ids, not by their numbers"
    } else {
        "leave it out here"
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
