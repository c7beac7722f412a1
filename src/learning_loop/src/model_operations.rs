//! Operations on the model.

use super::log_entry::Operation;
use super::model_bytes::ModelBytes;
use super::{LearningLoop, configuration};
use learner::{Learner, VwModel};
use policy::Model;
use protocol::{ErrorCode, ModelProperties, ServiceError};
use timestamp::Timestamp;

impl LearningLoop {
    /// `GET /model`: the served model in the format of [`Model::save`]; a blank one before
    /// the first export.
    ///
    /// # Errors
    /// `InvalidPolicyConfiguration`, if the policy has no model that can be saved.
    pub fn model(&mut self, now: Timestamp) -> Result<Vec<u8>, ServiceError> {
        self.advance(now);
        let saved = match self.trainer.served() {
            Some(model) => model.save(),
            None => Model::blank(self.trainer.policy(), 0).save(),
        };
        saved.ok_or_else(|| self.has_no_model("model that can be saved"))
    }

    /// The same in the format of Vowpal Wabbit 9.11.9.
    ///
    /// # Errors
    /// `InvalidPolicyConfiguration`, if the policy is not one of Vowpal Wabbit.
    pub fn vw_model(&mut self, now: Timestamp) -> Result<Vec<u8>, ServiceError> {
        self.advance(now);
        let Some(policy) = self.trainer.policy().vowpal_wabbit().cloned() else {
            return Err(self.has_no_model("model of Vowpal Wabbit"));
        };
        let served = self.trainer.served().and_then(Model::vowpal_wabbit).cloned();
        Ok(served.unwrap_or_else(|| Learner::new(&policy)).to_vw_model())
    }

    fn has_no_model(&self, what: &str) -> ServiceError {
        let policy = self.trainer.policy().arguments();
        let message = format!("the learning policy `{policy}` has no {what}");
        ServiceError::new(ErrorCode::InvalidPolicyConfiguration, message)
    }

    /// `PUT /model`: serves a model, its own or one of Vowpal Wabbit, and continues to train
    /// it. Its policy becomes that of the loop; a model of Vowpal Wabbit keeps the loop's where
    /// its options are the same.
    ///
    /// # Errors
    /// `InvalidModelImportFormat`, if the bytes are not a model, or its exploration is not that
    /// of the settings.
    pub fn set_model(&mut self, model: &[u8], now: Timestamp) -> Result<(), ServiceError> {
        self.advance(now);
        let invalid = |message| ServiceError::new(ErrorCode::InvalidModelImportFormat, message);
        let read: Model = match VwModel::read(model) {
            Ok(model) => self.learner_of_vw(&model).map_err(invalid)?.into(),
            Err(_) => self.saved_model(model).map_err(invalid)?,
        };
        let policy = read.policy();
        if configuration::effective(&policy, &self.configuration) != policy {
            let (found, set) = (policy.arguments(), self.configuration.exploration_percentage);
            return Err(invalid(format!(
                "the model was trained with `{found}`, but `explorationPercentage` is {set}: \
                 change the setting first"
            )));
        }
        self.trainer.replace(policy, read, self.now);
        self.log_operation(|| Operation::ModelSet(ModelBytes(model.to_owned())));
        Ok(())
    }

    /// Policies are checked before anything is made of a model: it says how large it is.
    fn saved_model(&self, model: &[u8]) -> Result<Model, String> {
        let policy = Model::saved_policy(model)?;
        self.limits.check_policy(&policy)?;
        Model::load(model, self.trainer.random_seed())
    }

    fn learner_of_vw(&self, model: &VwModel<'_>) -> Result<Learner, String> {
        // The options of the file alone must make a policy: another is not its own.
        let alone = model.policy("").map_err(|error| error.to_string())?;
        let own = self.trainer.policy().vowpal_wabbit().filter(|policy| model.is_of(policy));
        let own = own.and_then(|policy| model.policy(policy.arguments()).ok());
        let policy = own.unwrap_or(alone);
        self.limits.check_policy(&policy.clone().into())?;
        model.learner(&policy).map_err(|error| error.to_string())
    }

    /// `GET /model/properties`
    pub fn model_properties(&mut self, now: Timestamp) -> ModelProperties {
        self.advance(now);
        self.trainer.properties()
    }

    /// `DELETE /model`: choices are uniform until the next export.
    pub fn delete_model(&mut self, now: Timestamp) {
        self.advance(now);
        let policy = self.trainer.policy().clone();
        self.trainer.blank(&policy);
        self.log_operation(|| Operation::ModelDeleted);
    }
}
