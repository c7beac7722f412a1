use std::fmt::Write as _;

use super::Audited;
use super::contexts::Contexts;
use crate::cli::console::{self, count};
use crate::cli::verdict_files::{RowResult, VerdictRow, escaped_markdown, markdown_table};
use plan::Plan;
use statistics::Interval;
use statistics::propensity::{
    AuditDesign, AuditVerdict, Drawn, LONGEST_LAG, Lie, Widest, weighting_error,
};

/// What is said of an audit.
pub struct AuditReport<'a> {
    pub plan: &'a Plan,
    pub contexts: &'a Contexts<'a>,
    pub design: AuditDesign,
    pub audited: &'a Audited,
}

impl AuditReport<'_> {
    /// The verdict, for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.word(), self.headline());
        for line in self.findings() {
            // Writing to a text cannot fail.
            _ = writeln!(text, "  {line}");
        }
        text
    }

    /// The verdict for a CI server.
    pub fn row(&self) -> VerdictRow {
        let result = match (&self.audited.verdict, &self.audited.failures.impossible) {
            (_, Some(_)) | (Some(AuditVerdict::Caught(_)), None) => RowResult::Failed,
            (Some(AuditVerdict::Certified(_)), None) => RowResult::Passed,
            (Some(AuditVerdict::Undecided(_)) | None, None) => RowResult::NotJudged,
        };
        VerdictRow {
            name: format!("propensities within {}", self.design.within),
            subject: self.plan.name.clone(),
            observed: self.findings().join("; "),
            words: self.word().to_owned(),
            result,
        }
    }

    /// The verdict as Markdown that fits a comment.
    pub fn markdown(&self, rows: &[VerdictRow]) -> String {
        const LARGEST: usize = 60_000;
        let name = escaped_markdown(&self.plan.name);
        format!("## {name}\n{}", markdown_table("audit", rows, LARGEST))
    }

    fn word(&self) -> &'static str {
        match &self.audited.verdict {
            _ if self.audited.failures.impossible.is_some() => "caught",
            Some(AuditVerdict::Caught(_)) => "caught",
            Some(AuditVerdict::Certified(_)) => "certified",
            Some(AuditVerdict::Undecided(_)) | None => "undecided",
        }
    }

    fn headline(&self) -> String {
        let within = self.design.within;
        let contexts = self.contexts.count();
        let calls = count(self.audited.calls);
        match self.word() {
            "certified" => format!(
                "in {contexts} contexts no action's probability differs from its claim by more than {within}, after {calls} calls"
            ),
            "caught" => {
                format!("the service does not draw as it claims, shown after {calls} calls")
            }
            _ => format!("neither a lie nor its absence is shown after {calls} calls"),
        }
    }

    fn findings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(impossible) = &self.audited.failures.impossible {
            lines.push(format!("an answer cannot be: {}", console::name(impossible)));
        }
        match &self.audited.verdict {
            Some(AuditVerdict::Caught(found)) => {
                lines.extend(found.iter().flat_map(|lie| self.lie(lie)));
            }
            Some(AuditVerdict::Certified(widest)) => lines.extend(self.certificate(widest)),
            Some(AuditVerdict::Undecided(widest)) => lines.extend(self.undecided(widest)),
            None => {}
        }
        lines.extend(self.conditions());
        lines
    }

    fn lie(&self, lie: &Lie) -> Vec<String> {
        match lie {
            Lie::Share { context, drawn, calls, log_e } => {
                let of = format!("{} of its calls, e-value {}", count(*calls), e_value(*log_e));
                let mut lines = vec![format!("{}: {} in {of}", self.name(*context), self.drawn(drawn))];
                lines.extend(weighting(drawn));
                lines
            }
            Lie::Dependence { lag, pairs, repeated, expected, log_e } => vec![
                format!(
                    "draws depend on those before them: {:.1} % repeat the one {} before, {:.1} % would as claimed ({} pairs, e-value {})",
                    100.0 * repeated,
                    if *lag == 1 { "call".to_owned() } else { format!("{} calls", count(*lag as u64)) },
                    100.0 * expected,
                    count(*pairs),
                    e_value(*log_e)
                ),
                "IPS: its intervals count draws as independent, and are wrong; random numbers are used again".to_owned(),
            ],
        }
    }

    fn certificate(&self, widest: &Widest) -> Vec<String> {
        vec![
            format!(
                "excluded is more than {:.4}, at {} over all contexts and actions",
                widest.deviation,
                self.confidence()
            ),
            format!("widest: {}: {}", self.name(widest.context), self.drawn(&widest.drawn)),
            Self::dependence(widest),
        ]
    }

    fn undecided(&self, widest: &Widest) -> Vec<String> {
        let (certified, all) = (widest.certified, self.contexts.count());
        let mut lines = vec![
            format!(
                "excluded so far is more than {:.4}, at {} over all contexts and actions; {certified} of {all} contexts are within {}",
                widest.deviation,
                self.confidence(),
                self.design.within
            ),
            format!("widest: {}: {}", self.name(widest.context), self.drawn(&widest.drawn)),
            Self::dependence(widest),
        ];
        if widest.claims_vary {
            lines.push("the claims of a context change, and only those of chosen actions are given: nothing can be certified; let the answer give all probabilities, or stop the training meanwhile".to_owned());
        } else {
            lines.push("give more `--calls`, or a wider `--within`".to_owned());
        }
        lines
    }

    fn dependence(widest: &Widest) -> String {
        format!(
            "no dependence on the {} draws before is shown; the strongest of all tests went {:.0} % of the way to a proof",
            count(LONGEST_LAG as u64),
            100.0 * widest.suspicion.max(0.0)
        )
    }

    /// Under which conditions the verdict holds.
    fn conditions(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.audited.tells_chosen {
            lines.push("the answers give the probability of the chosen action only: it is compared with what the context claimed before".to_owned());
        }
        if self.audited.failures.count > 0 {
            lines.push(format!(
                "{} calls failed and count as none",
                count(self.audited.failures.count)
            ));
        }
        lines.extend(self.contexts.remark());
        lines
    }

    fn confidence(&self) -> String {
        format!("{} % confidence", 100.0 * (1.0 - self.design.level))
    }

    fn name(&self, context: usize) -> String {
        console::name(&self.contexts.name(context))
    }

    fn drawn(&self, drawn: &Drawn) -> String {
        let action = console::name(&self.plan.actions[drawn.action].id);
        let claimed = match drawn.claimed {
            Some(claimed) => format!("claimed {claimed:.4}"),
            None => "never chosen".to_owned(),
        };
        let Interval { lower, upper } = drawn.interval;
        format!("`{action}` {claimed}, drawn {:.4} ({lower:.4} to {upper:.4})", drawn.share)
    }
}

/// What a false claim does to inverse propensity scoring.
fn weighting(drawn: &Drawn) -> Option<String> {
    let (factor, interval) = weighting_error(drawn)?;
    let percent = |factor: f64| format!("{:+.1} %", 100.0 * (factor - 1.0));
    Some(format!(
        "IPS: its estimates for this action in this context are off by {} ({} to {})",
        percent(factor),
        percent(interval.lower),
        percent(interval.upper)
    ))
}

/// An e-value, by its natural logarithm.
fn e_value(log_e: f64) -> String {
    if log_e < 13.0 {
        format!("{:.0}", libm::exp(log_e))
    } else {
        format!("1e{:.0}", log_e / std::f64::consts::LN_10)
    }
}
