//! Evaluations that the loop makes by itself, and applies.

use std::time::Duration;

use super::contest::ONLINE;
use super::fact::Fact;
use super::job::EvaluationJob;
use super::{LearningLoop, evaluations};
use protocol::{
    Evaluation, EvaluationContract, EvaluationStatus, EvaluationType, ServiceConfiguration,
};
use timestamp::Timestamp;

/// How often, where the settings do not say (learning-loop, `ApplicationConstants`).
const EVERY: Duration = Duration::from_secs(28 * 24 * 3600);
/// The first time so long after the last change of the settings, where they do not say.
const FIRST: Duration = Duration::from_secs(15 * 24 * 3600);
/// So many are kept.
const KEPT: usize = 24;

impl LearningLoop {
    /// The evaluation that is due by now, if the loop optimizes itself. It looks at the
    /// whole log, searches for better policies, and its best is applied when it is
    /// finished, if it is convincingly better.
    pub fn begin_optimization(&mut self, now: Timestamp) -> Option<EvaluationJob> {
        let due = self.optimization_due().filter(|due| *due <= now.max(self.now))?;
        self.advance(now);
        let every = every(&self.configuration);
        let missed = self.now.since(due).as_micros() / every.as_micros().max(1);
        let missed = u32::try_from(missed).unwrap_or(u32::MAX);
        self.optimized = Some(due + every.saturating_mul(missed));
        self.note(|| Fact::OptimizationDue);
        let (from, _) = self.log.range()?;
        let contract = EvaluationContract {
            name: format!("auto-{}", self.now),
            start_time: from,
            end_time: self.now + Duration::from_micros(1),
            policies: Vec::new(),
            enable_offline_experimentation: true,
        };
        self.forget_old_optimizations();
        self.submit(&contract, EvaluationType::Auto).ok()
    }

    /// When the loop optimizes itself next; never, if it is not to.
    fn optimization_due(&self) -> Option<Timestamp> {
        let settings = &self.configuration;
        let enabled = settings.is_auto_optimization_enabled == Some(true)
            && !self.trainer.policy().is_multi_slot();
        let start = settings
            .auto_optimization_start_date
            .or_else(|| settings.last_configuration_edit_date.map(|changed| changed + FIRST));
        let start = start.filter(|_| enabled)?;
        let next = self.optimized.map(|last| last + every(settings));
        Some(next.map_or(start, |next| next.max(start)))
    }

    /// Applies what an evaluation of the loop's own found.
    pub(super) fn conclude_optimization(&mut self, id: &str) {
        let Some(evaluation) = self.evaluations.iter().find(|evaluation| evaluation.id == id)
        else {
            return;
        };
        let best = evaluation.optimal_policy.clone().filter(|best| best != ONLINE);
        let policy = best.and_then(|best| evaluations::found_policy(evaluation, &best).ok());
        let status = match policy {
            Some((name, policy)) => {
                self.policy_name = name;
                self.adopt(&policy, Timestamp::NEVER);
                EvaluationStatus::OptimalPolicyApplied
            }
            None => EvaluationStatus::OnlinePolicyRetained,
        };
        for evaluation in self.evaluations.iter_mut().filter(|evaluation| evaluation.id == id) {
            evaluation.status = status;
        }
    }

    fn forget_old_optimizations(&mut self) {
        let is_auto =
            |evaluation: &Evaluation| evaluation.evaluation_type == Some(EvaluationType::Auto);
        let count = self.evaluations.iter().filter(|one| is_auto(one)).count();
        let mut old = (count + 1).saturating_sub(KEPT);
        self.evaluations.retain(|evaluation| {
            let forget = old > 0 && is_auto(evaluation);
            old -= usize::from(forget);
            !forget
        });
    }
}

fn every(settings: &ServiceConfiguration) -> Duration {
    settings.auto_optimization_frequency.map_or(EVERY, |every| every.0)
}
