//! Automatic optimization: evaluations whose best policy is applied.

use std::time::Duration;

use super::job::EvaluationJob;
use super::log_entry::Operation;
use super::{LearningLoop, evaluations};
use protocol::{
    Evaluation, EvaluationContract, EvaluationStatus, EvaluationType, MOST_AUTOMATIC_EVALUATIONS,
    ONLINE_POLICY, OPTIMIZATION_DELAY, OPTIMIZATION_INTERVAL, ServiceConfiguration,
};
use timestamp::Timestamp;

impl LearningLoop {
    /// The automatic evaluation that is due by now, if any. It searches for better policies on
    /// the whole log; when it is finished, its best policy is applied if it is convincingly
    /// better.
    pub fn begin_optimization(&mut self, now: Timestamp) -> Option<EvaluationJob> {
        let due = self.optimization_due().filter(|due| *due <= now.max(self.now))?;
        self.advance(now);
        let every = every(&self.configuration);
        let missed = self.now.since(due).as_micros() / every.as_micros().max(1);
        let missed = u32::try_from(missed).unwrap_or(u32::MAX);
        self.optimized = Some(due + every.saturating_mul(missed));
        self.log_operation(|| Operation::OptimizationDue);
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

    /// When the next automatic evaluation is due; `None` if they are disabled.
    fn optimization_due(&self) -> Option<Timestamp> {
        let settings = &self.configuration;
        let enabled = settings.is_auto_optimization_enabled == Some(true)
            && !self.trainer.policy().is_multi_slot();
        let start = settings.auto_optimization_start_date.or_else(|| {
            settings.last_configuration_edit_date.map(|changed| changed + OPTIMIZATION_DELAY)
        });
        let start = start.filter(|_| enabled)?;
        let next = self.optimized.map(|last| last + every(settings));
        Some(next.map_or(start, |next| next.max(start)))
    }

    /// Applies the best policy of an automatic evaluation.
    pub(crate) fn conclude_optimization(&mut self, id: &str) {
        let Some(evaluation) = self.evaluations.iter().find(|evaluation| evaluation.id == id)
        else {
            return;
        };
        let best = evaluation.optimal_policy.clone().filter(|best| best != ONLINE_POLICY);
        let policy =
            best.and_then(|best| evaluations::find_policy(evaluation, &best, &self.programs).ok());
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
        let mut old = (count + 1).saturating_sub(MOST_AUTOMATIC_EVALUATIONS);
        self.evaluations.retain(|evaluation| {
            let forget = old > 0 && is_auto(evaluation);
            old -= usize::from(forget);
            !forget
        });
    }
}

fn every(settings: &ServiceConfiguration) -> Duration {
    settings.auto_optimization_frequency.map_or(OPTIMIZATION_INTERVAL, |every| every.0)
}
