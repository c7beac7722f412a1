//! What happened in a run, as values.
//!
//! The engine makes them, in index order; results, metrics and the console take them
//! in. Times are offsets from the start of the run.
//!
//! Must not know: who makes or reads them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Evaluation, EventId, PolicyContract, ServiceConfiguration};
use timestamp::Timestamp;

/// Something that happened. Phases are named by their index in the plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A phase began.
    PhaseStarted(PhaseStarted),
    /// An iteration ended. They come in index order.
    Iteration(IterationRecord),
    /// The run asked for the model's age.
    ModelChecked(ModelCheck),
    /// The loop joined rewards to interactions; a DSJSON line each, with its line
    /// break, in the order of training.
    Joined(Vec<u8>),
    /// Iterations of a phase before `until` may be sent from now on.
    MayBeSent {
        /// The phase.
        phase: usize,
        /// The first iteration that will not be, among those that are made here.
        until: u64,
    },
    /// A phase waits for something of the service to change from this.
    Awaited {
        /// The phase.
        phase: usize,
        /// What the service says before the change.
        before: String,
    },
    /// Nothing will be taken back of what was said so far: a good moment to flush.
    Checkpoint,
    /// An evaluation was completed.
    Evaluated(Arc<Evaluation>),
    /// A learning policy became the online one.
    PolicyApplied(PolicyContract),
    /// The settings were changed, and read back as here.
    Configured(ServiceConfiguration),
    /// The loop's data were cleared.
    Reset,
    /// Something a person should know of, in a sentence.
    Notice(String),
    /// A phase ended.
    PhaseEnded(PhaseRecord),
}

/// A phase began.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseStarted {
    /// Which.
    pub phase: usize,
    /// When.
    pub at: Duration,
}

/// One iteration: a Rank, the comparison with the known preference, a Reward.
#[derive(Debug, Clone, PartialEq)]
pub struct IterationRecord {
    /// The phase it belongs to.
    pub phase: usize,
    /// Its index in the phase, from 0.
    pub iteration: u64,
    /// The id of the event.
    pub event_id: EventId,
    /// The value of each context dimension, in the order of the plan.
    pub context: Arc<[String]>,
    /// The id of the action that the visitor prefers.
    pub preferred: Arc<str>,
    /// The id of the action that was chosen, if Rank answered.
    pub chosen: Option<Arc<str>>,
    /// The probability with which it was chosen.
    pub probability: Option<f32>,
    /// The reward that was sent.
    pub reward: Option<f64>,
    /// What the choice cost, as the world knows it.
    pub loss: Option<Loss>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was due.
    pub due: Duration,
    /// When Rank was sent, or its slot was dropped.
    pub rank_start: Duration,
    /// How long Rank took, from when it was sent: its service time.
    pub rank_latency: Option<Duration>,
    /// When Reward was sent.
    pub reward_start: Option<Duration>,
    /// How long Reward took.
    pub reward_latency: Option<Duration>,
    /// Whether it may have been sent before, by a process that ended before it could say.
    pub again: bool,
}

impl IterationRecord {
    /// Whether the chosen action was the preferred one.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.chosen.as_ref() == Some(&self.preferred)
    }

    /// How long Rank took from when it was due: what a visitor would have waited, however
    /// late it was sent.
    #[must_use]
    pub fn rank_response(&self) -> Option<Duration> {
        self.rank_latency.map(|latency| self.lag() + latency)
    }

    /// How late Rank was sent.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.rank_start.saturating_sub(self.due)
    }

    /// Whether an answer broke the contract.
    #[must_use]
    pub fn breaks_the_contract(&self) -> bool {
        use FailureKind::Protocol;
        matches!(
            self.outcome,
            Outcome::RankFailed(Protocol(_)) | Outcome::RewardFailed(Protocol(_))
        )
    }

    /// Whether a call of it failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::RankFailed(_) | Outcome::RewardFailed(_))
    }
}

/// What a choice cost in expected reward: what the world knows, without luck and noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// Against the best action for the visitor; never below zero.
    pub regret: f64,
    /// Against the action that the service thinks best, its most probable: the price of
    /// exploration, below zero where that was worse. It is not known of a service that does
    /// not say its ranking.
    pub exploration: Option<f64>,
}

/// How an iteration ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Rank and Reward were answered.
    Completed,
    /// Rank failed, so there was nothing to reward.
    RankFailed(FailureKind),
    /// Rank was answered, Reward failed.
    RewardFailed(FailureKind),
    /// It was due when so many were under way that it could not start.
    Dropped,
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The name of the host is not known.
    Resolve,
    /// No connection.
    Connect,
    /// No TLS with the service: its certificate, or ours, was not accepted.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Transport,
    /// An answer with this status.
    Status(u16),
    /// An answer that breaks the contract.
    Protocol(Violation),
}

/// How an answer breaks the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Violation {
    /// It is not HTTP.
    Http,
    /// It is larger than any answer.
    TooLarge,
    /// It is not JSON, or not the JSON that the contract says.
    Json,
    /// It is for another event.
    Event,
    /// It chooses or ranks an action that was not sent, or ranks one twice or not at all.
    Action,
    /// Its probabilities are none.
    Probability,
}

impl Violation {
    /// Every violation.
    pub const ALL: [Self; 6] =
        [Self::Http, Self::TooLarge, Self::Json, Self::Event, Self::Action, Self::Probability];

    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::TooLarge => "too_large",
            Self::Json => "json",
            Self::Event => "event",
            Self::Action => "action",
            Self::Probability => "probability",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve => f.write_str("resolve"),
            Self::Connect => f.write_str("connect"),
            Self::Tls => f.write_str("tls"),
            Self::Timeout => f.write_str("timeout"),
            Self::Transport => f.write_str("transport"),
            Self::Status(status) => write!(f, "status_{status}"),
            Self::Protocol(violation) => write!(f, "protocol_{}", violation.word()),
        }
    }
}

/// The age of the model, asked for every so many iterations.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCheck {
    /// The phase.
    pub phase: usize,
    /// After how many iterations of it.
    pub iterations: u64,
    /// When.
    pub at: Duration,
    /// When the model was last exported.
    pub last_modified: Timestamp,
    /// Whether that has changed since the last check.
    pub changed: bool,
}

/// A phase ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseRecord {
    /// Which.
    pub phase: usize,
    /// When it began.
    pub started: Duration,
    /// When it ended.
    pub ended: Duration,
    /// How many iterations were made.
    pub iterations: u64,
}

/// Takes in what happens.
///
/// An implementor must not keep the engine waiting for anything but its own files, and
/// must not fail for what it does not care about.
pub trait Observer {
    /// Takes in one thing.
    ///
    /// # Errors
    /// When what was taken in could not be kept. The run stops.
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError>;
}

/// Something could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct ObserveError {
    /// The file.
    pub path: String,
    /// Why.
    pub source: std::io::Error,
}

/// Several observers, told in their order.
pub struct Observers<'a>(pub Vec<&'a mut dyn Observer>);

impl Observer for Observers<'_> {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.iter_mut().try_for_each(|observer| observer.observe(progress))
    }
}
