//! Progressive validation of policies on a log that is read as it comes: every policy in
//! one pass, in memory that does not grow with the log.
//!
//! A [`Stream`] takes logs of DSJSON one after the other, batch by batch: while one batch
//! is replayed by the policies, in parallel, the next is read. What it says at the end
//! does not depend on the number of threads.

mod account;
mod batch;
mod beginning;
mod player;
mod sums;

pub use account::{Account, Drops, LogPlace};
pub use batch::Row;
pub use beginning::Beginning;
pub use player::{Player, Source};
pub use sums::Sums;

use std::io::{self, BufRead};

use super::parallel;
use batch::{Batch, BatchReader, Wants};
use learner::{Hashing, LearningPolicy};

/// A policy to be judged.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The policy.
    pub policy: LearningPolicy,
    /// Who named it.
    pub source: Source,
}

/// How a stream is judged.
#[derive(Debug, Clone, Default)]
pub struct StreamSettings {
    /// How many threads may be used; it changes no result.
    pub threads: usize,
    /// The policy that the others are compared with, beside the online policy.
    pub baseline: Option<String>,
    /// From which labelled event on events count as held out.
    pub held_out_from: Option<u64>,
    /// Whether sums are kept for windows of five minutes: [`Player::windows`].
    pub windows: bool,
    /// Whether whole distributions are kept for [`Listener::batch`].
    pub predictions: bool,
}

/// Who wants to know what happens while a log is read.
pub trait Listener {
    /// A batch was replayed. `players` have predicted each of `rows`, in this order.
    ///
    /// # Errors
    /// What cannot be written stops the evaluation.
    fn batch(&mut self, rows: &[Row], players: &[Player]) -> io::Result<()>;
}

/// An evaluation under way.
pub struct Stream {
    settings: StreamSettings,
    players: Vec<Player>,
    reader: BatchReader,
}

/// What can be done at the same time.
enum Task<'a> {
    Read(&'a mut BatchReader, &'a mut dyn Input, &'a mut io::Result<Batch>),
    Replay(&'a mut Player, &'a Batch),
}

/// Where lines come from.
trait Input: BufRead + Send {}

impl<T: BufRead + Send> Input for T {}

impl Stream {
    /// An evaluation of the online policy, the two fixed policies of the service and
    /// `candidates`.
    #[must_use]
    pub fn new(candidates: Vec<Candidate>, settings: StreamSettings) -> Self {
        let mut hashings: Vec<Hashing> = Vec::new();
        let mut players = Player::fixed();
        for candidate in candidates {
            let hashing = candidate.policy.hashing();
            let known = hashings.iter().position(|other| *other == hashing);
            let index = known.unwrap_or(hashings.len());
            if known.is_none() {
                hashings.push(hashing);
            }
            players.push(Player::learning(candidate, index, settings.predictions));
        }
        let has_baseline = settings.baseline.is_some();
        players.iter_mut().for_each(|player| player.compare(has_baseline));
        let wants = Wants { ids: settings.predictions, times: settings.windows };
        let reader = BatchReader::new(hashings, wants);
        Self { settings, players, reader }
    }

    /// Reads one log to its end.
    ///
    /// # Errors
    /// If the log cannot be read or `listener` cannot go on.
    pub fn read(
        &mut self,
        name: &str,
        mut input: impl BufRead + Send,
        listener: &mut dyn Listener,
    ) -> io::Result<()> {
        self.reader.begin(name);
        let mut batch = self.reader.read(&mut input)?;
        while !batch.rows.is_empty() {
            let next = self.replay(&batch, &mut input);
            self.judge(&batch);
            listener.batch(&batch.rows, &self.players)?;
            batch = next?;
        }
        Ok(())
    }

    /// What came of it: the policies, and what the logs were like.
    #[must_use]
    pub fn finish(self) -> (Vec<Player>, Account) {
        (self.players, self.reader.account)
    }

    /// Lets every policy replay a batch, and reads the next one meanwhile.
    fn replay(&mut self, batch: &Batch, input: &mut dyn Input) -> io::Result<Batch> {
        let mut next = Ok(Batch::default());
        let mut tasks = vec![Task::Read(&mut self.reader, input, &mut next)];
        tasks.extend(self.players.iter_mut().map(|player| Task::Replay(player, batch)));
        parallel::for_each(&mut tasks, self.settings.threads, |task| match task {
            Task::Read(reader, input, next) => **next = reader.read(*input),
            Task::Replay(player, batch) => player.replay(batch),
        });
        drop(tasks);
        next
    }

    /// Adds what was replayed to the sums of each policy.
    fn judge(&mut self, batch: &Batch) {
        let baseline = self.baseline();
        let held_out_from = self.settings.held_out_from;
        parallel::for_each(&mut self.players, self.settings.threads, |player| {
            player.judge(batch, baseline.as_deref(), held_out_from);
        });
    }

    /// The probabilities of the policy that the others are compared with.
    fn baseline(&self) -> Option<Vec<f32>> {
        let name = self.settings.baseline.as_ref()?;
        let player = self.players.iter().find(|player| player.name == *name)?;
        Some(player.probabilities().to_vec())
    }
}
