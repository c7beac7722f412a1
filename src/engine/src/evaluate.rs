use std::sync::Arc;
use std::time::Duration;

use super::context::{Run, RunError, target_error};
use clock::Clock;
use plan::{Apply, Evaluate, NamedPolicy, Phase};
use protocol::{
    Evaluation, EvaluationContract, EvaluationStatus, PolicyContract, PolicyResult,
    PolicyResultSummary, PolicySource,
};
use record::Progress;
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
        for result in &evaluation.policy_results {
            if let Some(why) = &result.failure {
                let notice = format!("policy `{}` was not judged: {why}", result.name);
                self.emit(&Progress::Notice(notice))?;
            }
        }
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
        Apply::Best => highest(evaluation, |sums| sums.average_reward),
        Apply::Safest => highest(evaluation, |sums| sums.average_reward - sums.confidence_interval),
        Apply::Optimal => evaluation.optimal_policy.as_deref().filter(|name| !name.is_empty()),
        Apply::Named(name) => Some(name.as_str()),
    };
    name.filter(|name| !name.eq_ignore_ascii_case("online"))
}

/// The learned policy of which a figure is highest; the first of equals. What a search has
/// not seen decides, where there was a search.
fn highest(evaluation: &Evaluation, figure: fn(&PolicyResultSummary) -> f64) -> Option<&str> {
    let figure = |result: &PolicyResult| {
        let sums = result.held_out_summary.as_ref().or(result.total_summary.as_ref());
        sums.map_or(f64::NEG_INFINITY, figure)
    };
    let is_judged = |result: &&PolicyResult| !is_baseline(result) && result.failure.is_none();
    let learned = evaluation.policy_results.iter().filter(is_judged);
    learned
        .reduce(|best, other| if figure(other) > figure(best) { other } else { best })
        .map(|result| result.name.as_str())
}

/// v1.0 of the contract tells a baseline by its name alone.
fn is_baseline(result: &PolicyResult) -> bool {
    let named = |name: &str| result.name.eq_ignore_ascii_case(name);
    matches!(result.policy_source, Some(PolicySource::Baseline | PolicySource::Random))
        || named("baseline1")
        || named("baselineRand")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{EvaluationType, WireDuration};
    use timestamp::Timestamp;

    fn sums(average_reward: f64, confidence_interval: f64) -> PolicyResultSummary {
        PolicyResultSummary {
            time_stamp: Timestamp::VIRTUAL_START,
            ips_estimator_numerator: 0.0,
            ips_estimator_denominator: 0.0,
            snips_estimator_denominator: 0.0,
            aggregate_time_window: WireDuration::default(),
            non_zero_probability: None,
            sum_of_squares: None,
            confidence_interval,
            average_reward,
        }
    }

    /// A policy by its estimates on all events and on held-out ones.
    fn policy(name: &str, total: (f64, f64), held_out: Option<(f64, f64)>) -> PolicyResult {
        PolicyResult {
            name: name.to_owned(),
            arguments: None,
            policy_source: None,
            summary: Vec::new(),
            total_summary: Some(sums(total.0, total.1)),
            held_out_summary: held_out.map(|of| sums(of.0, of.1)),
            failure: None,
        }
    }

    fn evaluation(policy_results: Vec<PolicyResult>) -> Evaluation {
        Evaluation {
            id: String::new(),
            name: String::new(),
            start_time: Timestamp::VIRTUAL_START,
            end_time: Timestamp::VIRTUAL_START,
            job_id: String::new(),
            status: EvaluationStatus::Completed,
            policy_results,
            feature_importance: Vec::new(),
            evaluation_type: Some(EvaluationType::Manual),
            optimal_policy: None,
            creation_time: None,
        }
    }

    #[test]
    fn the_best_has_the_highest_estimate_and_the_safest_the_highest_lower_bound() {
        let found = evaluation(vec![
            policy("bold", (0.9, 0.5), None),
            policy("sure", (0.7, 0.1), None),
            policy("online", (0.5, 0.0), None),
            policy("baseline1", (0.99, 0.0), None),
        ]);
        assert_eq!(to_apply(&found, &Apply::Best), Some("bold"));
        assert_eq!(to_apply(&found, &Apply::Safest), Some("sure"));
    }

    #[test]
    fn the_safest_is_the_online_policy_where_no_lower_bound_exceeds_it() {
        let found =
            evaluation(vec![policy("bold", (0.9, 0.5), None), policy("online", (0.5, 0.0), None)]);
        assert_eq!(to_apply(&found, &Apply::Safest), None);
    }

    #[test]
    fn held_out_events_decide_where_there_was_a_search() {
        let found = evaluation(vec![
            policy("overfitted", (0.9, 0.01), Some((0.4, 0.1))),
            policy("Inter-len2", (0.8, 0.01), Some((0.7, 0.1))),
            policy("online", (0.5, 0.0), Some((0.5, 0.0))),
        ]);
        for apply in [Apply::Best, Apply::Safest] {
            assert_eq!(to_apply(&found, &apply), Some("Inter-len2"), "{apply:?}");
        }
    }
}
