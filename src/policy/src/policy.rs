use learner::{LearningPolicy, PolicyError};
use linear::Algorithm;
use policy_program::Command;
use serde_json::{Value, json};

/// A learning policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// Arguments of Vowpal Wabbit.
    VowpalWabbit(Box<LearningPolicy>),
    /// A linear model, or means without a context.
    Linear(LinearPolicy),
    /// A program.
    Program(ProgramPolicy),
}

/// A linear model, or means without a context.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearPolicy {
    algorithm: Algorithm,
    text: String,
}

/// A policy that is a program.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramPolicy {
    command: Command,
    text: String,
}

impl Policy {
    /// Parses Vowpal Wabbit arguments, or the text of a linear policy: JSON such as
    /// `{"lin_ucb":{"alpha":1}}`. A program is refused: a text may come from anywhere.
    ///
    /// # Errors
    /// Everything that cannot be used, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyError>> {
        Self::parse_among(text, &[])
    }

    /// The same, where a text may also be that of one of some programs, which the user named.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_among(text: &str, programs: &[Self]) -> Result<Self, Vec<PolicyError>> {
        if !text.trim_start().starts_with('{') {
            return LearningPolicy::parse(text).map(Self::from);
        }
        let refused = |message: String, help: Option<&str>| {
            let help = help.map(str::to_owned);
            vec![PolicyError { span: 0..text.len(), message, help }]
        };
        let invalid = |error: serde_json::Error| {
            let help =
                "expected Vowpal Wabbit arguments, or JSON such as `{\"lin_ucb\":{\"alpha\":1}}`";
            refused(format!("the learning policy cannot be read: {error}"), Some(help))
        };
        let value: Value = serde_json::from_str(text).map_err(invalid)?;
        if value.get("command").is_some() {
            let is_named = |program: &&Self| {
                serde_json::from_str::<Value>(program.arguments()).is_ok_and(|own| own == value)
            };
            let known = programs.iter().find(is_named);
            let help = "name it where the loop is started: `learning_policy: { command: […] }` in \
                        a scenario, `--policy` of `runner serve`";
            let message = "a program that the loop was not started with cannot be its policy";
            return known.cloned().ok_or_else(|| refused(message.to_owned(), Some(help)));
        }
        let algorithm: Algorithm = serde_json::from_value(value).map_err(invalid)?;
        algorithm.check().map_err(|message| refused(message, None))?;
        Ok(algorithm.into())
    }

    /// The policy as a text: Vowpal Wabbit arguments as they were given, or JSON.
    #[must_use]
    pub fn arguments(&self) -> &str {
        match self {
            Self::VowpalWabbit(policy) => policy.arguments(),
            Self::Linear(policy) => &policy.text,
            Self::Program(policy) => &policy.text,
        }
    }

    /// Its arguments of Vowpal Wabbit, if it has some.
    #[must_use]
    pub fn vowpal_wabbit(&self) -> Option<&LearningPolicy> {
        match self {
            Self::VowpalWabbit(policy) => Some(policy),
            Self::Linear(_) | Self::Program(_) => None,
        }
    }

    /// How it is started, if it is a program.
    #[must_use]
    pub fn program(&self) -> Option<&Command> {
        match self {
            Self::Program(policy) => Some(policy.command()),
            Self::VowpalWabbit(_) | Self::Linear(_) => None,
        }
    }

    /// Whether it is a program.
    #[must_use]
    pub fn is_program(&self) -> bool {
        matches!(self, Self::Program(_))
    }

    /// Whether it fills the slots of an event.
    #[must_use]
    pub fn is_multi_slot(&self) -> bool {
        self.vowpal_wabbit().is_some_and(LearningPolicy::is_multi_slot)
    }

    /// The share of events that explore, if it is given.
    #[must_use]
    pub fn epsilon(&self) -> Option<f32> {
        match self {
            Self::VowpalWabbit(policy) => policy.epsilon(),
            Self::Linear(policy) => policy.algorithm.epsilon(),
            Self::Program(_) => None,
        }
    }

    /// The same policy with another share of exploration; unchanged where none is given.
    #[must_use]
    pub fn with_epsilon(&self, epsilon: f32) -> Self {
        match self {
            Self::VowpalWabbit(policy) => policy.with_epsilon(epsilon).into(),
            Self::Linear(policy) => policy.algorithm.with_epsilon(epsilon).into(),
            Self::Program(policy) => Self::Program(policy.clone()),
        }
    }
}

impl LinearPolicy {
    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }
}

impl ProgramPolicy {
    /// How the program is started.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }
}

impl From<LearningPolicy> for Policy {
    fn from(policy: LearningPolicy) -> Self {
        Self::VowpalWabbit(Box::new(policy))
    }
}

impl From<Algorithm> for Policy {
    fn from(algorithm: Algorithm) -> Self {
        // Through text, so that numbers of 32 bits keep their shortest form.
        let text = serde_json::to_string(&algorithm).expect("settings are finite");
        let mut value: Value = serde_json::from_str(&text).expect("it is JSON");
        // What is not given is left out.
        for settings in value.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
            if let Some(settings) = settings.as_object_mut() {
                settings.retain(|_, value| !value.is_null());
            }
        }
        Self::Linear(LinearPolicy { algorithm, text: value.to_string() })
    }
}

impl From<Command> for Policy {
    /// The folder is not part of the text: a scenario means the same wherever it is.
    fn from(command: Command) -> Self {
        let timeout = format!("{}ms", command.timeout.as_millis());
        let text = json!({ "command": command.arguments, "timeout": timeout }).to_string();
        Self::Program(ProgramPolicy { command, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_policy_is_its_text() {
        for text in [
            r#"{"lin_ucb":{}}"#,
            r#"{"lin_ucb":{"alpha":0.5,"model":"disjoint","features":["1","x"]}}"#,
            r#"{"lin_ts":{"v":0.25,"samples":1,"epsilon":0.1}}"#,
            r#"{"ucb1":{"alpha":2}}"#,
            r#"{"thompson":{}}"#,
        ] {
            let policy = Policy::parse(text).unwrap();
            assert_eq!(Policy::parse(policy.arguments()).unwrap(), policy);
        }
    }

    #[test]
    fn what_is_no_policy_is_refused_by_name() {
        for (text, named) in [
            (r#"{"lin_uc":{}}"#, "lin_uc"),
            (r#"{"lin_ucb":{"alhpa":1}}"#, "alhpa"),
            (r#"{"lin_ucb":{"alpha":-1}}"#, "`alpha`"),
            (r#"{"lin_ts":{"samples":0}}"#, "`samples`"),
            (r#"{"lin_ucb":{"features":["ab"]}}"#, "`ab`"),
            (r#"{"command":["sh"]}"#, "a program"),
            ("--cats 4", "--cats"),
        ] {
            let errors = Policy::parse(text).unwrap_err();
            assert!(errors[0].message.contains(named), "{}", errors[0].message);
        }
    }

    #[test]
    fn exploration_is_changed_where_it_is_given() {
        let with = Policy::parse(r#"{"lin_ucb":{"epsilon":0.1}}"#).unwrap();
        assert_eq!(with.with_epsilon(0.5).epsilon(), Some(0.5));
        let without = Policy::parse(r#"{"lin_ucb":{}}"#).unwrap();
        assert_eq!(without.with_epsilon(0.5), without);
    }
}
