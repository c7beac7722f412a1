//! The events of a run, as values.
//!
//! The engine emits them, in index order; results, metrics and the console observe them.
//! Times are offsets from the start of the run.
//!
//! Must not know: who makes or reads them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Evaluation, EventId, PolicyContract, ServiceConfiguration};
use timestamp::Timestamp;

/// An event of a run. Phases are given by their index in the plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A phase began.
    PhaseStarted(PhaseStarted),
    /// An iteration ended. They come in index order.
    Iteration(IterationRecord),
    /// The run asked for the model's age.
    ModelChecked(ModelCheck),
    /// The loop exported a model, which answers Rank from now on.
    ModelExported(ModelExport),
    /// The loop joined rewards to interactions: DSJSON lines, in the order of training.
    Joined(Vec<u8>),
    /// Iterations of a phase before `until` may be sent from now on.
    MayBeSent {
        /// The phase.
        phase: usize,
        /// The first iteration that will not, counted among those of the shard.
        until: u64,
    },
    /// A phase waits until a value of the service changes.
    Awaited {
        /// The phase.
        phase: usize,
        /// The value before the change.
        before: String,
    },
    /// Everything so far is final: a good moment to flush.
    Checkpoint,
    /// An evaluation was completed.
    Evaluated(Arc<Evaluation>),
    /// A learning policy became the online one.
    PolicyApplied(PolicyContract),
    /// The settings were changed, and read back as here.
    Configured(ServiceConfiguration),
    /// The loop's data were cleared.
    Reset,
    /// A notice for a person, in a sentence.
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
    /// The id of the action that the visitor prefers; of an iteration with slots, the actions of
    /// the best assignment, as in `a | b | c`.
    pub preferred: Arc<str>,
    /// The id of the action that was chosen, if Rank answered; of an iteration with slots, the
    /// actions of all of them.
    pub chosen: Option<Arc<str>>,
    /// The probability with which it was chosen.
    pub probability: Option<f32>,
    /// The reward of the visitor, of all slots together. It was sent if `reward_start` is known.
    pub reward: Option<f64>,
    /// The regret of the choice, or of the assignment of actions to slots.
    pub loss: Option<Loss>,
    /// How it ended.
    pub outcome: IterationOutcome,
    /// When it was due.
    pub due: Duration,
    /// When Rank was sent, or the iteration was dropped.
    pub rank_start: Duration,
    /// How long Rank took, from when it was sent: its service time.
    pub rank_latency: Option<Duration>,
    /// When Reward was sent.
    pub reward_start: Option<Duration>,
    /// How long Reward took.
    pub reward_latency: Option<Duration>,
    /// Whether an earlier process may have sent it already.
    pub again: bool,
    /// What the log says of the choice, in the twin of a log.
    pub logged: Option<LoggedChoice>,
    /// The slots, in the order in which they are filled. None, if the phase has no slots or Rank
    /// was not answered.
    pub slots: Option<Box<[SlotRecord]>>,
}

/// What was chosen for one slot of an iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRecord {
    /// The id of the action that was chosen.
    pub chosen: Arc<str>,
    /// The id of the best action of those that earlier slots had left.
    pub preferred: Arc<str>,
    /// The reward of the visitor for it.
    pub reward: f64,
    /// How much less it was expected to earn than the best action that was left.
    pub regret: f64,
}

impl SlotRecord {
    /// Whether no better action was left.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.chosen == self.preferred
    }
}

impl IterationRecord {
    /// Whether the chosen action was the preferred one.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.chosen.as_ref() == Some(&self.preferred)
    }

    /// The time from when Rank was due to its answer: what a visitor would have waited.
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
            IterationOutcome::RankFailed(Protocol(_)) | IterationOutcome::RewardFailed(Protocol(_))
        )
    }

    /// Whether a call of it failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, IterationOutcome::RankFailed(_) | IterationOutcome::RewardFailed(_))
    }
}

/// The loss of a choice in expected reward, known in a simulated world, without noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// Against the best action for the visitor; never below zero.
    pub regret: f64,
    /// Against the most probable action of the service: the price of exploration, below zero
    /// where that action was worse. Unknown if the service returns no ranking.
    pub exploration: Option<f64>,
}

/// What a log says of a choice in its twin: terms of the doubly robust estimate of the policy that
/// plays. Variances are increments: their sums are those of the sums of the terms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoggedChoice {
    /// Whether the log has such choices at all; what it has not is extrapolation.
    pub is_covered: bool,
    /// How much more the log rewards it than the twin, weighted.
    pub residual: f64,
    /// What it adds to the variance of the sum of residuals.
    pub variance: f64,
    /// The weight of the logged events.
    pub weight: f64,
    /// What it adds to the sum of the squares of the weights of single events.
    pub weight_squares: f64,
}

/// How an iteration ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IterationOutcome {
    /// Rank and Reward were answered.
    Completed,
    /// Rank failed, so there was nothing to reward.
    RankFailed(FailureKind),
    /// Rank was answered, Reward failed.
    RewardFailed(FailureKind),
    /// It was due when so many were under way that it could not start.
    Dropped,
    /// A log was replayed in which another action was chosen, so the choice has no reward.
    Rejected,
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The host name cannot be resolved.
    Resolve,
    /// The connection failed.
    Connect,
    /// The TLS handshake failed: its certificate or ours was not accepted.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Transport,
    /// An answer with this status.
    Status(u16),
    /// An answer with a status of success that says that the call failed.
    Refused,
    /// An answer that breaks the contract.
    Protocol(Violation),
    /// The learning policy of an embedded loop can no longer decide.
    Policy,
}

/// How an answer breaks the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Violation {
    /// It is not HTTP.
    Http,
    /// It is too large.
    TooLarge,
    /// It is compressed in a way that was not asked for, or not as it says.
    Encoding,
    /// It is not JSON, or not the JSON that the contract says.
    Json,
    /// It is for another event.
    Event,
    /// It chooses or ranks an action that was not sent, or ranks one twice or not at all.
    Action,
    /// Its probabilities are invalid.
    Probability,
}

impl Violation {
    /// Every violation.
    pub const ALL: [Self; 7] = [
        Self::Http,
        Self::TooLarge,
        Self::Encoding,
        Self::Json,
        Self::Event,
        Self::Action,
        Self::Probability,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::TooLarge => "too_large",
            Self::Encoding => "encoding",
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
            Self::Refused => f.write_str("refused"),
            Self::Protocol(violation) => write!(f, "protocol_{}", violation.word()),
            Self::Policy => f.write_str("policy"),
        }
    }
}

/// A check of the age of the model.
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

/// Models that the loop exported between two iterations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelExport {
    /// The phase.
    pub phase: usize,
    /// How many iterations of it had started before.
    pub iterations: u64,
    /// When the last of the models was exported.
    pub at: Duration,
    /// How many were exported; the last of them is served.
    pub models: u64,
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
    /// The rate that was asked for, in iterations per second, if one was.
    pub asked_rate: Option<f64>,
    /// How many models the loop exported in it, if the target tells.
    pub model_exports: Option<u64>,
}

/// Observes the events of a run.
///
/// An implementor must not block the engine except to write its own files, and must ignore
/// events that it does not need.
pub trait Observer {
    /// Observes one event.
    ///
    /// # Errors
    /// When it cannot be recorded. The run stops.
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError>;
}

/// An event could not be recorded.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct ObserveError {
    /// The file.
    pub path: String,
    /// Why.
    pub source: std::io::Error,
}

/// Several observers, called in their order.
pub struct Observers<'a>(pub Vec<&'a mut dyn Observer>);

impl Observer for Observers<'_> {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.0.iter_mut().try_for_each(|observer| observer.observe(progress))
    }
}
