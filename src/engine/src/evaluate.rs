use std::sync::Arc;
use std::time::Duration;

use super::context::{Run, RunError, target_error};
use clock::Clock;
use protocol::{
    Evaluation, EvaluationContract, EvaluationStatus, PolicyContract, PolicyResult, PolicySource,
};
use record::Progress;
use scenario::plan::{Apply, Evaluate, NamedPolicy, Phase};
use target::{CallError, Target};

/// How often the status of an evaluation is polled.
const POLL: Duration = Duration::from_secs(5);

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Runs an offline evaluation over everything logged so far, and applies what the
    /// phase asks for.
    pub(super) async fn evaluate(
        &mut self,
        phase: &Phase,
        evaluate: &Evaluate,
    ) -> Result<(), RunError> {
        let evaluation = Arc::new(self.completed_evaluation(phase, evaluate).await?);
        self.emit(&Progress::Evaluated(Arc::clone(&evaluation)))?;
        match to_apply(&evaluation, &evaluate.apply) {
            Some(policy) => self.apply_from(phase, &evaluation, policy).await,
            None if evaluate.apply == Apply::None => Ok(()),
            None => self.emit(&Progress::Notice("the online policy is kept".to_owned())),
        }
    }

    async fn completed_evaluation(
        &mut self,
        phase: &Phase,
        evaluate: &Evaluate,
    ) -> Result<Evaluation, RunError> {
        let to_error = |error: CallError| target_error(&phase.name, &error);
        let deadline = self.clock.now() + evaluate.timeout;
        let contract = self.contract(phase, evaluate);
        let mut evaluation = self.target.create_evaluation(&contract).await.map_err(to_error)?;
        while is_under_way(evaluation.status)
            && self.clock.now() < deadline
            && !self.stop.is_asked()
        {
            self.wait(POLL).await;
            evaluation = self.target.evaluation(&evaluation.id).await.map_err(to_error)?;
        }
        if is_complete(evaluation.status) {
            return Ok(evaluation);
        }
        let message =
            format!("the evaluation did not complete: its status is `{:?}`", evaluation.status);
        Err(RunError::Target { phase: phase.name.clone(), message })
    }

    fn contract(&self, phase: &Phase, evaluate: &Evaluate) -> EvaluationContract {
        let policy = |named: &NamedPolicy| PolicyContract {
            name: named.name.clone(),
            arguments: named.policy.arguments().to_owned(),
        };
        EvaluationContract {
            name: phase.name.clone(),
            start_time: self.clock.start(),
            end_time: self.clock.timestamp(self.clock.now()),
            policies: evaluate.policies.iter().map(policy).collect(),
            enable_offline_experimentation: evaluate.discover,
        }
    }

    async fn apply_from(
        &mut self,
        phase: &Phase,
        evaluation: &Evaluation,
        policy: &str,
    ) -> Result<(), RunError> {
        let applied = self.applied(evaluation, policy).await;
        let online = applied.map_err(|error| target_error(&phase.name, &error))?;
        self.emit(&Progress::PolicyApplied(online))
    }

    async fn applied(
        &self,
        evaluation: &Evaluation,
        policy: &str,
    ) -> Result<PolicyContract, CallError> {
        self.target.apply_from_evaluation(&evaluation.id, policy).await?;
        let arguments = self.target.policy().await?.arguments;
        Ok(PolicyContract { name: policy.to_owned(), arguments })
    }
}

fn is_under_way(status: EvaluationStatus) -> bool {
    matches!(status, EvaluationStatus::Pending | EvaluationStatus::NotSubmitted)
}

fn is_complete(status: EvaluationStatus) -> bool {
    matches!(
        status,
        EvaluationStatus::Completed
            | EvaluationStatus::OptimalPolicyApplied
            | EvaluationStatus::OnlinePolicyRetained
    )
}

/// The name of the policy to apply, if it is another than the online one.
fn to_apply<'a>(evaluation: &'a Evaluation, apply: &'a Apply) -> Option<&'a str> {
    let name = match apply {
        Apply::None => None,
        Apply::Best => best(evaluation).map(|result| result.name.as_str()),
        Apply::Optimal => evaluation.optimal_policy.as_deref().filter(|name| !name.is_empty()),
        Apply::Named(name) => Some(name.as_str()),
    };
    name.filter(|name| !name.eq_ignore_ascii_case("online"))
}

/// The learned policy with the highest estimate; the first of equals.
fn best(evaluation: &Evaluation) -> Option<&PolicyResult> {
    let estimate = |result: &PolicyResult| {
        result.total_summary.as_ref().map_or(f64::NEG_INFINITY, |total| total.average_reward)
    };
    let learned = evaluation.policy_results.iter().filter(|result| !is_baseline(result));
    learned.reduce(|best, other| if estimate(other) > estimate(best) { other } else { best })
}

/// v1.0 of the contract tells a baseline by its name alone.
fn is_baseline(result: &PolicyResult) -> bool {
    let named = |name: &str| result.name.eq_ignore_ascii_case(name);
    matches!(result.policy_source, Some(PolicySource::Baseline | PolicySource::Random))
        || named("baseline1")
        || named("baselineRand")
}
