//! Operations on the settings of the loop.

use super::log_entry::Operation;
use super::{LearningLoop, configuration, ids};
use policy::Policy;
use protocol::{PolicyContract, RETRAINING_HORIZON, ServiceConfiguration, ServiceError};
use timestamp::Timestamp;

impl LearningLoop {
    /// `GET /configurations/service`
    pub fn configuration(&mut self, now: Timestamp) -> ServiceConfiguration {
        self.advance(now);
        self.configuration.clone()
    }

    /// `PUT /configurations/service`. If rewards or exploration change, the model is trained
    /// again with the events of the last two days. A shorter reward wait time also applies to
    /// open windows; a longer one only to new events.
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
        self.settings_version += 1;
        if old.model_export_frequency != new.model_export_frequency {
            self.trainer.reschedule(new.model_export_frequency.0, self.now);
        }
        if new.reward_wait_time < old.reward_wait_time {
            self.joiner.shorten(new.reward_wait_time.0);
            self.advance(now);
        }
        if configuration::needs_new_model(&old, &new) {
            self.adopt(&self.trainer.policy().clone(), self.now - RETRAINING_HORIZON);
        }
        self.log_operation(|| Operation::Configured(Box::new(new.clone())));
        Ok(new)
    }

    /// `GET /configurations/policy`: the policy with the exploration percentage of the settings.
    pub fn policy(&mut self, now: Timestamp) -> PolicyContract {
        self.advance(now);
        self.policy_contract()
    }

    /// `PUT /configurations/policy`. The model is trained again with the whole log, as when a
    /// policy is applied from an evaluation.
    ///
    /// # Errors
    /// `InvalidPolicyContract` and `InvalidPolicyConfiguration`.
    pub fn set_policy(
        &mut self,
        contract: PolicyContract,
        now: Timestamp,
    ) -> Result<PolicyContract, ServiceError> {
        self.advance(now);
        let policy = configuration::parse(&contract, &self.programs, &self.limits)?;
        self.policy_name.clone_from(&contract.name);
        self.adopt(&policy, Timestamp::NEVER);
        self.log_operation(|| Operation::PolicySet(contract));
        Ok(self.policy_contract())
    }

    /// `DELETE /configurations/policy`: sets the default policy, that for slots if the policy
    /// before was one. The model is trained again with the whole log.
    pub fn delete_policy(&mut self, now: Timestamp) -> PolicyContract {
        self.advance(now);
        self.policy_name = ids::identifier(&[&self.app_id, "policy"]);
        let fills_slots = self.trainer.policy().is_multi_slot();
        self.adopt(&configuration::default_policy(fills_slots), Timestamp::NEVER);
        self.log_operation(|| Operation::PolicyDeleted);
        self.policy_contract()
    }

    /// Learns and serves under a policy from now on.
    pub(crate) fn adopt(&mut self, policy: &Policy, oldest: Timestamp) {
        let policy = configuration::effective(policy, &self.configuration);
        self.retrain(&policy, oldest);
    }

    /// The policy under which the loop learns.
    pub(crate) fn policy_contract(&self) -> PolicyContract {
        let arguments = self.trainer.policy().arguments().to_owned();
        PolicyContract { name: self.policy_name.clone(), arguments }
    }
}
