//! Operations on the settings of the loop.

use super::fact::Fact;
use super::{LearningLoop, RETRAINED, configuration, identity};
use learner::LearningPolicy;
use protocol::{PolicyContract, ServiceConfiguration, ServiceError};
use timestamp::Timestamp;

impl LearningLoop {
    /// `GET /configurations/service`
    pub fn configuration(&mut self, now: Timestamp) -> ServiceConfiguration {
        self.advance(now);
        self.configuration.clone()
    }

    /// `PUT /configurations/service`. Where rewards or exploration change, the model is
    /// learned anew from the events of the last two days. Windows that are open close
    /// when they were to close, and their events are learned first.
    ///
    /// # Errors
    /// `InvalidServiceConfiguration`, `InvalidLogRetentionDays`,
    /// `InvalidLearningModeServiceConfiguration` and
    /// `ProblemTypeIncompatibleWithAutoOptimization`.
    pub fn set_configuration(
        &mut self,
        mut new: ServiceConfiguration,
        now: Timestamp,
    ) -> Result<ServiceConfiguration, ServiceError> {
        self.advance(now);
        new.learning_mode = new.learning_mode.or(self.configuration.learning_mode);
        new.last_configuration_edit_date = Some(self.now);
        configuration::check(&new)?;
        configuration::check_change(&self.configuration, &new)?;
        configuration::check_optimization(&new, self.trainer.policy())?;
        let old = std::mem::replace(&mut self.configuration, new.clone());
        if old.model_export_frequency != new.model_export_frequency {
            self.trainer.reschedule(new.model_export_frequency.0, self.now);
        }
        if configuration::needs_new_model(&old, &new) {
            self.adopt(&self.trainer.policy().clone(), self.now - RETRAINED);
        }
        self.note(|| Fact::Configured(Box::new(new.clone())));
        Ok(new)
    }

    /// `GET /configurations/policy`: the policy with the share of exploration that is in
    /// force.
    pub fn policy(&mut self, now: Timestamp) -> PolicyContract {
        self.advance(now);
        self.policy_contract()
    }

    /// `PUT /configurations/policy`. The model is learned anew from the whole log, as it
    /// is when a policy is applied from an evaluation.
    ///
    /// # Errors
    /// `InvalidPolicyContract` and `InvalidPolicyConfiguration`.
    pub fn set_policy(
        &mut self,
        contract: PolicyContract,
        now: Timestamp,
    ) -> Result<PolicyContract, ServiceError> {
        self.advance(now);
        let policy = configuration::parse(&contract)?;
        self.policy_name.clone_from(&contract.name);
        self.adopt(&policy, Timestamp::NEVER);
        self.note(|| Fact::PolicySet(contract));
        Ok(self.policy_contract())
    }

    /// `DELETE /configurations/policy`: back to the policy of a new service, which fills slots
    /// if the policy before did. The model is learned anew from the whole log.
    pub fn delete_policy(&mut self, now: Timestamp) -> PolicyContract {
        self.advance(now);
        self.policy_name = identity::identifier(&[&self.app_id, "policy"]);
        let fills_slots = self.trainer.policy().is_multi_slot();
        self.adopt(&configuration::default_policy(fills_slots), Timestamp::NEVER);
        self.note(|| Fact::PolicyDeleted);
        self.policy_contract()
    }

    /// Learns and serves under a policy from now on.
    pub(super) fn adopt(&mut self, policy: &LearningPolicy, oldest: Timestamp) {
        let policy = configuration::effective(policy, &self.configuration);
        self.retrain(&policy, oldest);
    }

    /// The policy under which the loop learns.
    pub(super) fn policy_contract(&self) -> PolicyContract {
        let arguments = self.trainer.policy().arguments().to_owned();
        PolicyContract { name: self.policy_name.clone(), arguments }
    }
}
