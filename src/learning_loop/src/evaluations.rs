//! Operations on offline evaluations.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::evaluation_log::EvaluationLog;
use super::job::{EvaluationJob, EvaluationResults};
use super::log_entry::Operation;
use super::{LearningLoop, configuration, ids};
use policy::Policy;
use protocol::{
    ApplyFromEvaluation, BASELINE_POLICY, ErrorCode, Evaluation, EvaluationContract,
    EvaluationStatus, EvaluationType, LONGEST_NAME, MOST_EVALUATED_POLICIES, MOST_EVALUATIONS,
    MOST_PENDING_EVALUATIONS, ONLINE_POLICY, PolicyContract, RANDOM_POLICY, ServiceError,
};
use timestamp::Timestamp;

/// The lists of features of high, medium and low importance.
const IMPORTANCES: usize = 3;

/// An evaluation that was not finished, with its contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PendingEvaluation {
    id: String,
    contract: EvaluationContract,
}

impl LearningLoop {
    /// `POST /evaluations`, completed in the call: [`Self::begin_evaluation`],
    /// [`EvaluationJob::run`] and [`Self::finish_evaluation`] at one instant.
    ///
    /// # Errors
    /// As [`Self::begin_evaluation`].
    pub fn create_evaluation(
        &mut self,
        contract: &EvaluationContract,
        now: Timestamp,
    ) -> Result<Evaluation, ServiceError> {
        let job = self.begin_evaluation(contract, now)?;
        self.finish_evaluation(job.id(), Some(job.run()), now);
        self.find(job.id()).cloned()
    }

    /// `POST /evaluations`: will compare policies on the events of `[startTime, endTime)`
    /// that were joined. It is pending until it is finished.
    ///
    /// # Errors
    /// `InvalidEvaluationContract`, `DuplicateCustomPolicyNames` and
    /// `MaximumEvaluationCustomPoliciesExceeded`.
    pub fn begin_evaluation(
        &mut self,
        contract: &EvaluationContract,
        now: Timestamp,
    ) -> Result<EvaluationJob, ServiceError> {
        self.advance(now);
        check(contract)?;
        self.check_room()?;
        let job = self.submit(contract, EvaluationType::Manual)?;
        self.log_operation(|| Operation::EvaluationBegun(contract.clone()));
        Ok(job)
    }

    /// Refuses a further evaluation when there are too many.
    fn check_room(&self) -> Result<(), ServiceError> {
        if self.pending.len() >= MOST_PENDING_EVALUATIONS {
            return Err(invalid(format!(
                "{MOST_PENDING_EVALUATIONS} evaluations are pending, which is the limit: wait \
                 until one has ended, or delete one"
            )));
        }
        if self.evaluations.len() >= MOST_EVALUATIONS {
            return Err(invalid(format!(
                "there are {MOST_EVALUATIONS} evaluations, which is the limit: delete one"
            )));
        }
        Ok(())
    }

    /// Lists an evaluation as pending, and returns its job.
    pub(crate) fn submit(
        &mut self,
        contract: &EvaluationContract,
        by: EvaluationType,
    ) -> Result<EvaluationJob, ServiceError> {
        let policies = self.policies(&contract.policies)?;
        let evaluation = self.pending_evaluation(contract, by);
        let id = evaluation.id.clone();
        self.evaluations_made += 1;
        self.evaluations.push(evaluation);
        self.pending.push(PendingEvaluation { id: id.clone(), contract: contract.clone() });
        Ok(self.job(id, contract, policies))
    }

    fn job(
        &self,
        id: String,
        contract: &EvaluationContract,
        policies: Vec<(String, Policy)>,
    ) -> EvaluationJob {
        EvaluationJob {
            id,
            log: self.events_between(contract.start_time, contract.end_time),
            online: self.trainer.policy().clone(),
            policies,
            discovers: contract.enable_offline_experimentation,
            end: contract.end_time,
            threads: self.threads,
        }
    }

    /// The jobs of the evaluations that are pending in a restored loop.
    pub fn pending_jobs(&self) -> Vec<EvaluationJob> {
        let job = |pending: &PendingEvaluation| {
            // Its policies were accepted; limits that are lower now refuse them.
            let policies = self.policies(&pending.contract.policies).ok()?;
            Some(self.job(pending.id.clone(), &pending.contract, policies))
        };
        self.pending.iter().filter_map(job).collect()
    }

    /// Ends an evaluation: completed with its results, or failed. A deleted evaluation stays
    /// deleted. The best policy of an automatic evaluation is applied.
    pub fn finish_evaluation(
        &mut self,
        id: &str,
        outcome: Option<EvaluationResults>,
        now: Timestamp,
    ) {
        self.advance(now);
        let ended = |outcome| Operation::EvaluationEnded { id: id.to_owned(), outcome };
        self.log_operation(|| ended(outcome.clone()));
        self.pending.retain(|pending| pending.id != id);
        let found = self.evaluations.iter_mut().find(|evaluation| evaluation.id == id);
        let Some(evaluation) = found else { return };
        let Some(outcome) = outcome else {
            evaluation.status = EvaluationStatus::Failed;
            return;
        };
        evaluation.status = EvaluationStatus::Completed;
        evaluation.policy_results = outcome.policy_results;
        evaluation.feature_importance = outcome.feature_importance;
        evaluation.feature_importance.resize(IMPORTANCES, Vec::new());
        evaluation.optimal_policy = Some(outcome.optimal_policy);
        if evaluation.evaluation_type == Some(EvaluationType::Auto) {
            self.conclude_optimization(id);
        }
    }

    /// `GET /evaluations`
    pub fn evaluations(&mut self, now: Timestamp) -> Vec<Evaluation> {
        self.advance(now);
        self.evaluations.clone()
    }

    /// `GET /evaluations/{evaluationId}`
    ///
    /// # Errors
    /// `EvaluationNotFound`
    pub fn evaluation(&mut self, id: &str, now: Timestamp) -> Result<Evaluation, ServiceError> {
        self.advance(now);
        self.find(id).cloned()
    }

    /// `DELETE /evaluations/{evaluationId}`
    pub fn delete_evaluation(&mut self, id: &str, now: Timestamp) {
        self.advance(now);
        self.evaluations.retain(|evaluation| evaluation.id != id);
        self.pending.retain(|pending| pending.id != id);
        self.log_operation(|| Operation::EvaluationDeleted { id: id.to_owned() });
    }

    /// `POST /configurations/applyFromEvaluation`: the policy becomes the served one,
    /// with a model learned from the whole log.
    ///
    /// # Errors
    /// `EvaluationNotFound`; `LearningSettingsNotFound`, if the evaluation has no such
    /// policy, or one without arguments.
    pub fn apply_from_evaluation(
        &mut self,
        request: &ApplyFromEvaluation,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.advance(now);
        let evaluation = self.find(&request.evaluation_id)?;
        let (name, policy) = find_policy(evaluation, &request.policy_name, &self.programs)?;
        self.policy_name = name;
        self.adopt(&policy, Timestamp::NEVER);
        self.log_operation(|| Operation::Applied(request.clone()));
        Ok(())
    }

    /// Whether an evaluation has not ended.
    pub fn is_pending(&self, id: &str) -> bool {
        self.find(id).is_ok_and(|evaluation| evaluation.status == EvaluationStatus::Pending)
    }

    fn find(&self, id: &str) -> Result<&Evaluation, ServiceError> {
        let found = self.evaluations.iter().find(|evaluation| evaluation.id == id);
        let message = || format!("there is no evaluation `{id}`");
        found.ok_or_else(|| ServiceError::new(ErrorCode::EvaluationNotFound, message()))
    }

    /// The policies of a request, with the exploration percentage of the settings.
    fn policies(
        &self,
        contracts: &[PolicyContract],
    ) -> Result<Vec<(String, Policy)>, ServiceError> {
        let policy = |contract: &PolicyContract| {
            let policy =
                configuration::parse(contract, &self.programs, &self.limits).map_err(|error| {
                    invalid(format!("policy `{}`: {}", contract.name, error.message))
                })?;
            Ok((contract.name.clone(), configuration::effective(&policy, &self.configuration)))
        };
        contracts.iter().map(policy).collect()
    }

    fn events_between(&self, start: Timestamp, end: Timestamp) -> EvaluationLog {
        let times = start..end;
        let inside =
            self.log.snapshot(|event| event.is_learnable() && times.contains(&event.time()));
        EvaluationLog::new(inside)
    }

    fn pending_evaluation(&self, contract: &EvaluationContract, by: EvaluationType) -> Evaluation {
        let number = self.evaluations_made.to_string();
        let id = ids::identifier(&[&self.app_id, "evaluation", &number]);
        Evaluation {
            job_id: id.clone(),
            id,
            status: EvaluationStatus::Pending,
            policy_results: Vec::new(),
            feature_importance: Vec::new(),
            evaluation_type: Some(by),
            optimal_policy: Some(String::new()),
            creation_time: Some(self.now),
            name: contract.name.clone(),
            start_time: contract.start_time,
            end_time: contract.end_time,
        }
    }
}

/// The policy of an evaluation, by its name in any case.
pub(crate) fn find_policy(
    evaluation: &Evaluation,
    name: &str,
    programs: &[Policy],
) -> Result<(String, Policy), ServiceError> {
    let results = &evaluation.policy_results;
    let found = results.iter().find(|result| result.name.eq_ignore_ascii_case(name));
    let policy = found.and_then(|result| {
        let policy = Policy::parse_among(result.arguments.as_ref()?, programs).ok()?;
        Some((result.name.clone(), policy))
    });
    policy.ok_or_else(|| {
        let message = format!("the evaluation has no policy `{name}` that can be applied");
        ServiceError::new(ErrorCode::LearningSettingsNotFound, message)
    })
}

fn check(contract: &EvaluationContract) -> Result<(), ServiceError> {
    if !(1..=LONGEST_NAME).contains(&contract.name.chars().count()) {
        return Err(invalid(format!(
            "the name of an evaluation must have 1 to {LONGEST_NAME} characters"
        )));
    }
    if contract.start_time >= contract.end_time {
        return Err(invalid("`startTime` must be before `endTime`"));
    }
    if contract.policies.len() > MOST_EVALUATED_POLICIES {
        let message = format!("at most {MOST_EVALUATED_POLICIES} policies are compared");
        return Err(ServiceError::new(ErrorCode::MaximumEvaluationCustomPoliciesExceeded, message));
    }
    check_names(contract)
}

/// Policies are applied by name: no two may share one, in any case.
fn check_names(contract: &EvaluationContract) -> Result<(), ServiceError> {
    let mut names = HashSet::new();
    for policy in &contract.policies {
        let name = policy.name.to_ascii_lowercase();
        if is_reserved(&name, contract.enable_offline_experimentation) {
            let message = format!("the policy name `{}` is reserved", policy.name);
            return Err(invalid(message));
        }
        if !names.insert(name) {
            let message = format!("two policies have the name `{}`", policy.name);
            return Err(ServiceError::new(ErrorCode::DuplicateCustomPolicyNames, message));
        }
    }
    Ok(())
}

fn is_reserved(name: &str, discovers: bool) -> bool {
    let known = [ONLINE_POLICY, BASELINE_POLICY, RANDOM_POLICY]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name));
    known || discovers && ["inter-len", "hyper"].iter().any(|family| name.starts_with(family))
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidEvaluationContract, message)
}
