//! Options that do not go together, and the one that is required.

use super::Parser;
use crate::cost::CostType;
use crate::policy::Explorer;

impl Parser<'_> {
    /// Once every option is read.
    pub(super) fn refuse_combinations(&mut self) {
        self.require_bandit();
        self.refuse_exclusive();
        self.refuse_cost_type();
        self.refuse_large_action_space();
    }

    fn require_bandit(&mut self) {
        let explores =
            |name: &str| matches!(name, "cb_explore_adf" | "ccb_explore_adf" | "cb_explore");
        let has_model = self.model_files.initial.is_some();
        let explores = self.seen.iter().any(|(name, _)| explores(name));
        if !explores && !has_model && self.errors.is_empty() {
            let message = "a learning policy must contain `--cb_explore_adf`".to_owned();
            let help = Some("add `--cb_explore_adf`, or `--ccb_explore_adf` for slots".to_owned());
            self.refuse(0..self.arguments.len(), message, help);
        }
    }

    fn refuse_exclusive(&mut self) {
        if let [(first, _), (second, span), ..] = self.explorers.as_slice() {
            let message = format!("`--{first}` and `--{second}` exclude each other");
            let span = span.clone();
            self.refuse(span, message, Some("keep one of them".to_owned()));
        }
        if let Some(span) = self.numbered_span.clone().filter(|_| self.settings.slots) {
            let message = "`--cb_explore` and `--ccb_explore_adf` exclude each other".to_owned();
            self.refuse(span, message, Some("keep one of them".to_owned()));
        }
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
}
