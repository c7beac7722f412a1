use serde::{Deserialize, Serialize};

use super::contest::Contest;
use super::replay::Replay;
use learner::LearningPolicy;
use protocol::PolicyResult;
use timestamp::Timestamp;

/// An evaluation that was asked for, with everything it takes. It needs the loop no
/// more, and may run beside it.
#[derive(Debug)]
pub struct EvaluationJob {
    pub(super) id: String,
    pub(super) replay: Replay,
    pub(super) online: LearningPolicy,
    pub(super) policies: Vec<(String, LearningPolicy)>,
    pub(super) discovers: bool,
    pub(super) end: Timestamp,
    pub(super) threads: usize,
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationOutcome {
    pub(super) policy_results: Vec<PolicyResult>,
    pub(super) optimal_policy: String,
}

impl EvaluationJob {
    /// The id of the evaluation.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Replays the log under every policy. It takes from milliseconds to minutes.
    #[must_use]
    pub fn run(&self) -> EvaluationOutcome {
        let mut contest = Contest::new(&self.replay, &self.online);
        contest.add_custom(&self.policies, self.threads);
        if self.discovers {
            contest.discover(&self.online, self.threads);
        }
        EvaluationOutcome {
            policy_results: contest.results(self.end),
            optimal_policy: contest.optimal().to_owned(),
        }
    }
}
