//! Operations on the model.

use super::fact::Fact;
use super::{LearningLoop, configuration};
use learner::Learner;
use protocol::{ErrorCode, ModelProperties, ServiceError};
use timestamp::Timestamp;

impl LearningLoop {
    /// `GET /model`: the served model as [`Learner::save`] writes it, a blank one before
    /// the first export.
    pub fn model(&mut self, now: Timestamp) -> Vec<u8> {
        self.advance(now);
        match self.trainer.served() {
            Some(learner) => learner.save(),
            None => Learner::new(self.trainer.policy()).save(),
        }
    }

    /// `PUT /model`: serves a model from now on, and learns on from it. Its policy
    /// becomes that of the loop.
    ///
    /// # Errors
    /// `InvalidModelImportFormat`, if it is no model, or one that explores as the settings
    /// do not have it.
    pub fn set_model(&mut self, model: &[u8], now: Timestamp) -> Result<(), ServiceError> {
        self.advance(now);
        let invalid = |message| ServiceError::new(ErrorCode::InvalidModelImportFormat, message);
        let learner = Learner::load(model).map_err(|error| invalid(error.to_string()))?;
        let policy = learner.policy();
        if configuration::effective(policy, &self.configuration) != *policy {
            let (found, set) = (policy.arguments(), self.configuration.exploration_percentage);
            return Err(invalid(format!(
                "the model explores as `{found}` says, the settings have an \
                 `explorationPercentage` of {set}: change that first"
            )));
        }
        self.trainer.replace(learner, self.now);
        self.note(|| Fact::ModelSet(model.to_owned()));
        Ok(())
    }

    /// `GET /model/properties`
    pub fn model_properties(&mut self, now: Timestamp) -> ModelProperties {
        self.advance(now);
        self.trainer.properties()
    }

    /// `DELETE /model`: choices are uniform again until something new is learned.
    pub fn delete_model(&mut self, now: Timestamp) {
        self.advance(now);
        let policy = self.trainer.policy().clone();
        self.trainer.blank(&policy);
        self.note(|| Fact::ModelDeleted);
    }
}
