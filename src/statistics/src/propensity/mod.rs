//! Whether a service draws its actions with the probabilities that it claims.
//!
//! An audit asks each of some contexts many times and bets on how the draws differ from the
//! claims. A bettor's capital is an e-value: under honest claims it reaches `1 / level` with a
//! probability of at most `level`, at any time (Ville's inequality; Vovk and Wang 2021,
//! "E-values: calibration, combination and applications"; Waudby-Smith and Ramdas 2024,
//! "Estimating means of bounded random variables by betting"). So an audit may look after
//! each draw and stop when it is sure, may choose the next context by what it has seen, and
//! the service may learn meanwhile: claims and draws are compared call by call.
//!
//! The level is divided: half over the contexts, half for the dependence between draws. That no
//! honest service is caught, and that no certificate is wrong, each hold with a probability of
//! at least `1 - level`, over all tests of the audit together.

mod context;
mod dependence;
mod share;
#[cfg(test)]
mod tests;

use self::context::ContextTest;
use self::dependence::Dependence;
use super::{Interval, real};

pub use context::Drawn;
pub use dependence::LONGEST_LAG;

/// What a service says of a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The probability of each action, in their order. They add up to about one.
    All(Vec<f64>),
    /// The probability of the action that was drawn, above zero.
    Chosen(f64),
}

/// An audit of the probabilities that a service claims.
#[derive(Debug, Clone)]
pub struct PropensityAudit {
    design: AuditDesign,
    contexts: Vec<ContextTest>,
    dependence: Dependence,
    /// By context.
    excluded: Vec<Excluded>,
    rounds: u64,
    calls: u64,
}

/// By how much claims and draws of a context may still differ, after so many calls.
#[derive(Debug, Clone, Copy)]
struct Excluded {
    calls: u64,
    deviation: f64,
    drawn: Drawn,
}

impl Excluded {
    fn of(context: &ContextTest, miss: f64) -> Self {
        let (deviation, drawn) = context.excluded(miss);
        Self { calls: context.calls(), deviation, drawn }
    }
}

/// What an audit tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuditDesign {
    /// How many contexts are asked.
    pub contexts: usize,
    /// How many actions a request has.
    pub actions: usize,
    /// The probability of a wrong verdict.
    pub level: f64,
    /// A certificate excludes that the probability of an action differs by more from its claim.
    pub within: f64,
}

/// What an audit says.
#[derive(Debug, Clone, PartialEq)]
pub enum AuditVerdict {
    /// The claims are not what is drawn.
    Caught(Vec<Lie>),
    /// A deviation of more than [`AuditDesign::within`] is excluded in each context.
    Certified(Widest),
    /// Neither is sure.
    Undecided(Widest),
}

/// How claims and draws differ.
#[derive(Debug, Clone, PartialEq)]
pub enum Lie {
    /// An action is drawn more or less often in a context than claimed.
    Share {
        /// The context.
        context: usize,
        /// The action, its claim and its draws.
        drawn: Drawn,
        /// So often the context was asked.
        calls: u64,
        /// The natural logarithm of the e-value.
        log_e: f64,
    },
    /// Draws depend on earlier ones.
    Dependence {
        /// How many calls before.
        lag: usize,
        /// So many draws were compared with the one before them by this lag.
        pairs: u64,
        /// The share of those that repeat the earlier one.
        repeated: f64,
        /// The share that would, as claimed.
        expected: f64,
        /// The natural logarithm of the e-value.
        log_e: f64,
    },
}

/// Where the largest deviation is not excluded yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Widest {
    /// The context.
    pub context: usize,
    /// The action, its claim and its draws.
    pub drawn: Drawn,
    /// A larger deviation is excluded in all contexts.
    pub deviation: f64,
    /// How many contexts exclude what is to be excluded.
    pub certified: usize,
    /// Whether claims of some context changed while only the chosen action's were given: then
    /// nothing is certified.
    pub claims_vary: bool,
    /// The largest natural logarithm of an e-value, as a share of what would prove a lie.
    pub suspicion: f64,
}

/// A context is suspected, and asked more often, from this logarithm of its e-value on.
const SUSPECTED: f64 = 1.0;

impl PropensityAudit {
    /// A context is asked so many times in a row, so that draws can be compared within it.
    pub const ROUND: u64 = 256;

    /// An audit of nothing yet.
    ///
    /// # Panics
    /// If there is no context or no action.
    pub fn new(design: AuditDesign) -> Self {
        assert!(design.contexts > 0 && design.actions > 0, "an audit without a request");
        let context = ContextTest::new(design.actions);
        let miss = design.miss();
        Self {
            excluded: vec![Excluded::of(&context, miss); design.contexts],
            contexts: vec![context; design.contexts],
            dependence: Dependence::new(),
            design,
            rounds: 0,
            calls: 0,
        }
    }

    /// The context of the next round: every second time the one that is suspected most, else the
    /// one that was asked least, of those that are not certified.
    pub fn next_context(&mut self) -> usize {
        self.rounds += 1;
        let all = 0..self.contexts.len();
        let log_e = |context: &usize| self.contexts[*context].log_e();
        let suspect = all
            .clone()
            .max_by(|left, right| log_e(left).total_cmp(&log_e(right)))
            .filter(|context| log_e(context) > SUSPECTED);
        if let (Some(suspect), true) = (suspect, self.rounds.is_multiple_of(2)) {
            return suspect;
        }
        let open = |context: &usize| !self.is_certified(*context);
        let calls = |context: &usize| self.contexts[*context].calls();
        let least = all.clone().filter(open).min_by_key(calls);
        least.or_else(|| all.min_by_key(calls)).unwrap_or(0)
    }

    /// Observes a draw. Contexts and actions are indices.
    pub fn observe(&mut self, context: usize, action: usize, claim: &Claim) {
        self.calls += 1;
        let forecast = self.contexts[context].observe(action, claim);
        if let Some(forecast) = forecast {
            self.dependence.observe(&forecast.claims, action, forecast.idle);
        }
    }

    /// How many draws were observed.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Whether a lie is proven.
    pub fn has_caught(&self) -> bool {
        let suspicion = self.contexts.iter().map(|context| self.of_context(context));
        suspicion.fold(self.of_dependence(), f64::max) >= 1.0
    }

    /// What is known now.
    pub fn verdict(&mut self) -> AuditVerdict {
        let lies = self.lies();
        if !lies.is_empty() {
            return AuditVerdict::Caught(lies);
        }
        let miss = self.design.miss();
        for (known, context) in self.excluded.iter_mut().zip(&self.contexts) {
            if known.calls < context.calls() {
                *known = Excluded::of(context, miss);
            }
        }
        let widest = self.widest();
        let is_certified = widest.certified == self.contexts.len();
        let verdict = if is_certified { AuditVerdict::Certified } else { AuditVerdict::Undecided };
        verdict(widest)
    }

    fn lies(&self) -> Vec<Lie> {
        let contexts = self.contexts.iter().enumerate();
        let caught = contexts.filter(|(_, test)| self.of_context(test) >= 1.0);
        let miss = self.design.miss();
        let mut lies: Vec<Lie> = caught
            .map(|(context, test)| Lie::Share {
                context,
                drawn: test.worst(miss),
                calls: test.calls(),
                log_e: test.log_e(),
            })
            .collect();
        if self.of_dependence() >= 1.0 {
            let (lag, repeats) = self.dependence.worst();
            let pairs = real(repeats.pairs.max(1));
            lies.push(Lie::Dependence {
                lag,
                pairs: repeats.pairs,
                repeated: real(repeats.repeated) / pairs,
                expected: repeats.expected / pairs,
                log_e: self.dependence.log_e(),
            });
        }
        lies
    }

    fn widest(&self) -> Widest {
        let all = self.excluded.iter().enumerate();
        let (context, Excluded { deviation, drawn, .. }) = all
            .max_by(|left, right| left.1.deviation.total_cmp(&right.1.deviation))
            .expect("an audit has contexts");
        let contexts = self.contexts.iter();
        let suspicion = contexts.map(|context| self.of_context(context));
        Widest {
            context,
            drawn: *drawn,
            deviation: *deviation,
            certified: (0..self.contexts.len()).filter(|it| self.is_certified(*it)).count(),
            claims_vary: !self.contexts.iter().all(ContextTest::claims_are_known),
            suspicion: suspicion.fold(self.of_dependence(), f64::max),
        }
    }

    fn is_certified(&self, context: usize) -> bool {
        self.excluded[context].deviation <= self.design.within
            && self.contexts[context].claims_are_known()
    }

    /// The logarithm of the e-value of a context, as a share of what proves a lie.
    fn of_context(&self, test: &ContextTest) -> f64 {
        test.log_e() / libm::log(2.0 * real(self.contexts.len() as u64) / self.design.level)
    }

    fn of_dependence(&self) -> f64 {
        self.dependence.log_e() / libm::log(2.0 / self.design.level)
    }
}

impl AuditDesign {
    /// The probability with which the interval of one action in one context may miss, so that
    /// all of them together miss with a probability of at most the level.
    fn miss(&self) -> f64 {
        self.level / real((self.contexts * self.actions) as u64)
    }
}

/// The factor by which inverse propensity scoring is off for an action: the probability with
/// which it is drawn divided by the claim, with its interval.
pub fn weighting_error(drawn: &Drawn) -> Option<(f64, Interval)> {
    let claimed = drawn.claimed.filter(|claimed| *claimed > 0.0)?;
    let Interval { lower, upper } = drawn.interval;
    let interval = Interval { lower: lower / claimed, upper: upper / claimed };
    Some((drawn.share / claimed, interval))
}
