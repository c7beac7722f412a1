//! Operations on the model.

use super::log_entry::Operation;
use super::{LearningLoop, configuration};
use learner::Learner;
use protocol::{ErrorCode, ModelProperties, ServiceError};
use timestamp::Timestamp;

impl LearningLoop {
    /// `GET /model`: the served model in the format of [`Learner::save`]; a blank one before
    /// the first export.
    pub fn model(&mut self, now: Timestamp) -> Vec<u8> {
        self.advance(now);
        match self.trainer.served() {
            Some(learner) => learner.save(),
            None => Learner::new(self.trainer.policy()).save(),
        }
    }

    /// `PUT /model`: serves a model and continues to train it. Its policy becomes that of the
    /// loop.
    ///
    /// # Errors
    /// `InvalidModelImportFormat`, if the bytes are not a model, or its exploration is not that
    /// of the settings.
    pub fn set_model(&mut self, model: &[u8], now: Timestamp) -> Result<(), ServiceError> {
        self.advance(now);
        let invalid = |message| ServiceError::new(ErrorCode::InvalidModelImportFormat, message);
        let policy = Learner::saved_policy(model).map_err(|error| invalid(error.to_string()))?;
        self.limits.check_policy(&policy).map_err(invalid)?;
        let learner = Learner::load(model).map_err(|error| invalid(error.to_string()))?;
        let policy = learner.policy();
        if configuration::effective(policy, &self.configuration) != *policy {
            let (found, set) = (policy.arguments(), self.configuration.exploration_percentage);
            return Err(invalid(format!(
                "the model was trained with `{found}`, but `explorationPercentage` is {set}: \
                 change the setting first"
            )));
        }
        self.trainer.replace(learner, self.now);
        self.log_operation(|| Operation::ModelSet(model.to_owned()));
        Ok(())
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
