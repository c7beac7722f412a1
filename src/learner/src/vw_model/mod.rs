//! Models in the format of Vowpal Wabbit 9.11.9 (`parse_regressor.cc`, `save_load_header`;
//! `gd.cc`, `save_load_online_state_gd`).
//!
//! A header with the options that VW keeps, chained hashes over it, then what each reduction
//! saves, from the top of the stack to the bottom, and the weights that are not zero. VW keeps
//! the counters of the first of several models only, and so does a file that is written here.
//!
//! Sums of losses and of features, which VW keeps for its reports, are written as zero.

mod bytes;
mod error;
mod header;
mod options;
mod state;

pub use error::VwModelError;

use crate::learner::Learner;
use crate::policy::LearningPolicy;
use bytes::{Reader, Writer};
use header::Header;

/// A model as VW wrote it, its header read and checked.
#[derive(Debug)]
pub struct VwModel<'a> {
    header: Header,
    /// What stands behind the header.
    state: Reader<'a>,
}

impl<'a> VwModel<'a> {
    /// Reads the header; nothing is made of the weights yet.
    ///
    /// # Errors
    /// If the bytes are not a whole header of a model of this version.
    pub fn read(bytes: &'a [u8]) -> Result<Self, VwModelError> {
        let mut state = Reader::new(bytes);
        let header = Header::read(&mut state)?;
        Ok(Self { header, state })
    }

    /// The policy under which the model goes on: the options of the file, and those of
    /// `arguments`, which may add to them, and may change those that VW lets change.
    ///
    /// # Errors
    /// If an option has another value in the file, or is none that is supported.
    pub fn policy(&self, arguments: &str) -> Result<LearningPolicy, VwModelError> {
        options::merge(&self.header, arguments)
    }

    /// Whether the file has the options of a policy, and no others.
    #[must_use]
    pub fn is_of(&self, policy: &LearningPolicy) -> bool {
        options::is_of(&self.header, policy.arguments())
    }

    /// The model under a policy, which must be the one of [`Self::policy`].
    ///
    /// # Errors
    /// If the policy has other options than the file, or the file ends too early or too late, or
    /// has weights that the policy does not have.
    pub fn learner(&self, policy: &LearningPolicy) -> Result<Learner, VwModelError> {
        let merged = self.policy(policy.arguments())?;
        let mut learner = Learner::new(&merged);
        learner.set_random_state(self.header.random_state);
        state::read(&mut learner, &self.header, self.state.clone())?;
        Ok(learner)
    }
}

impl Learner {
    /// The learner as a model of VW.
    #[must_use]
    pub fn to_vw_model(&mut self) -> Vec<u8> {
        let mut writer = Writer::default();
        Header::of(self).write(&mut writer);
        state::write(self, &mut writer);
        writer.into_bytes()
    }
}
