use serde::{Deserialize, Serialize};

use super::evaluation_log::EvaluationLog;
use super::evaluation_run::EvaluationRun;
use super::feature_importance;
use policy::Policy;
use protocol::PolicyResult;
use timestamp::Timestamp;

/// A pending evaluation with its events and policies. It can run on any thread.
#[derive(Debug)]
pub struct EvaluationJob {
    pub(crate) id: String,
    pub(crate) log: EvaluationLog,
    pub(crate) online: Policy,
    pub(crate) policies: Vec<(String, Policy)>,
    pub(crate) discovers: bool,
    pub(crate) end: Timestamp,
    pub(crate) threads: usize,
}

/// The results of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationResults {
    pub(crate) policy_results: Vec<PolicyResult>,
    pub(crate) optimal_policy: String,
    /// The features of high, medium and low importance.
    #[serde(default)]
    pub(crate) feature_importance: Vec<Vec<String>>,
}

impl EvaluationJob {
    /// The id of the evaluation.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Replays the log under every policy. It takes from milliseconds to minutes.
    #[must_use]
    pub fn run(&self) -> EvaluationResults {
        let mut run = EvaluationRun::new(&self.log, &self.online);
        run.add_custom(&self.policies, self.threads);
        if self.discovers {
            run.discover(&self.online, self.threads);
        }
        EvaluationResults {
            policy_results: run.results(self.end),
            optimal_policy: run.optimal().to_owned(),
            feature_importance: feature_importance::lists(&self.log, &self.online, self.threads),
        }
    }
}
