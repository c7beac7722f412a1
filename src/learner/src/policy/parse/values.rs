//! What each option sets, and which values it takes.

use std::str::FromStr;

use super::Parser;
use crate::cost::CostType;
use crate::features::HashMode;
use crate::policy::Explorer;
use crate::policy::tokens::Token;

/// At most so many bits: 2^31 weights would take 32 GiB.
const LARGEST_BITS: u32 = 28;

/// A spanner is improved while its volume grows by so much.
const SMALLEST_SPANNER_C: f32 = 1.01;

/// At most so many models explore together.
const LARGEST_COUNT: u32 = 1000;

impl Parser<'_> {
    pub(super) fn set(&mut self, name: &'static str, token: &Token<'_>, value: Option<&Token<'_>>) {
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
    fn set_plain(&mut self, name: &str, value: &Token<'_>) {
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

    fn set_number(&mut self, name: &str, value: &Token<'_>) {
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

    fn set_epsilon(&mut self, value: &Token<'_>) {
        let Some(epsilon) = self.finite(value) else { return };
        if !(0.0..=1.0).contains(&epsilon) {
            let message = format!("`--epsilon {}` is not between 0 and 1", value.text);
            return self.refuse(value.span.clone(), message, None);
        }
        self.settings.epsilon = Some(epsilon);
        self.epsilon_span = Some(value.span.clone());
    }

    /// Nearer to one, a spanner is improved without end.
    fn set_spanner_c(&mut self, value: &Token<'_>) {
        let Some(number) = self.finite(value) else { return };
        if number < SMALLEST_SPANNER_C {
            let message = format!("`--spanner_c {}` is below {SMALLEST_SPANNER_C}", value.text);
            return self.refuse(value.span.clone(), message, None);
        }
        self.settings.spanner_c = number;
    }

    fn set_cost_type(&mut self, value: &Token<'_>) {
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

    fn set_explorer(&mut self, name: &'static str, token: &Token<'_>, value: &Token<'_>) {
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

    fn at_least_one(&mut self, name: &str, value: &Token<'_>) -> u32 {
        let Some(count) = self.number::<u32>(value) else { return 1 };
        if !(1..=LARGEST_COUNT).contains(&count) {
            let message = format!("`--{name} {count}` is not between 1 and {LARGEST_COUNT}");
            self.refuse(value.span.clone(), message, None);
        }
        count.clamp(1, LARGEST_COUNT)
    }

    fn set_interaction(
        &mut self,
        value: &Token<'_>,
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

    fn set_hash(&mut self, value: &Token<'_>) {
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

    fn set_bits(&mut self, value: &Token<'_>) {
        let Some(bits) = self.number::<u32>(value) else { return };
        if !(1..=LARGEST_BITS).contains(&bits) {
            let message = format!("`-b {bits}` is not between 1 and {LARGEST_BITS}");
            return self.refuse(value.span.clone(), message, None);
        }
        self.settings.bits = bits;
    }

    fn finite(&mut self, value: &Token<'_>) -> Option<f32> {
        let number = self.number::<f32>(value)?;
        if !number.is_finite() {
            self.refuse(value.span.clone(), format!("`{}` is not finite", value.text), None);
            return None;
        }
        Some(number)
    }

    fn number<N: FromStr>(&mut self, value: &Token<'_>) -> Option<N> {
        let number = value.text.parse().ok();
        if number.is_none() {
            self.refuse(value.span.clone(), format!("`{}` is not such a number", value.text), None);
        }
        number
    }
}
