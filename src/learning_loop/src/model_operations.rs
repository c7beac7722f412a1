//! Operations on the model.

use super::log_entry::Operation;
use super::{LearningLoop, configuration};
use learner::{Learner, VwModel};
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

    /// The same in the format of Vowpal Wabbit 9.11.9.
    pub fn vw_model(&mut self, now: Timestamp) -> Vec<u8> {
        self.advance(now);
        match self.trainer.served() {
            Some(learner) => learner.clone().to_vw_model(),
            None => Learner::new(self.trainer.policy()).to_vw_model(),
        }
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
        let learner = match VwModel::read(model) {
            Ok(model) => self.learner_of_vw(&model).map_err(invalid)?,
            Err(_) => self.saved_learner(model).map_err(invalid)?,
        };
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

    /// Policies are checked before anything is made of a model: it says how large it is.
    fn saved_learner(&self, model: &[u8]) -> Result<Learner, String> {
        let policy = Learner::saved_policy(model).map_err(|error| error.to_string())?;
        self.limits.check_policy(&policy)?;
        Learner::load(model).map_err(|error| error.to_string())
    }

    fn learner_of_vw(&self, model: &VwModel<'_>) -> Result<Learner, String> {
        let own = model.policy(self.trainer.policy().arguments());
        let policy = own.or_else(|_| model.policy("")).map_err(|error| error.to_string())?;
        self.limits.check_policy(&policy)?;
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
