use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use learner::Prediction;
use policy_program::{Command, LearnedEvent, Program, RankedEvent};
use serde::{Deserialize, Serialize};

use crate::model::{Outcome, Seen, put};
use crate::policy::Policy;

/// How the bytes of a saved program begin.
const MAGIC: &[u8; 8] = b"rnrprogr";

/// Of so many `learn`s is known how many events each had; of those before, only how many they had
/// together.
const MOST_LEARNS: usize = 1 << 16;

/// A program, and what it was not told yet. Copies are one process: it is told what to learn
/// when a model is exported, and answers Rank from then on as it learned.
#[derive(Debug, Clone)]
pub struct ProgramModel {
    command: Command,
    seed: u64,
    program: Arc<Mutex<Program>>,
    waiting: Vec<LearnedEvent>,
    history: History,
}

/// What a new process is told, so that it becomes as this one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct History {
    /// What it saved.
    state: Option<String>,
    /// Of each `learn` since then, the number of events.
    learned: VecDeque<usize>,
}

/// Everything of a program but its process.
#[derive(Serialize, Deserialize)]
struct Saved {
    policy: String,
    waiting: Vec<LearnedEvent>,
    history: History,
}

/// What a process was told that took the place of one that had failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restarted {
    /// Whether it was told what an earlier one had saved.
    pub loaded: bool,
    /// The events that it learned.
    pub learned: usize,
    /// The events that it should have learned, and that are gone.
    pub missing: usize,
}

impl ProgramModel {
    pub(crate) fn start(command: &Command, seed: u64) -> Self {
        Self::of(Program::start(command, seed), command, seed)
    }

    fn of(program: Program, command: &Command, seed: u64) -> Self {
        Self {
            command: command.clone(),
            seed,
            program: Arc::new(Mutex::new(program)),
            waiting: Vec::new(),
            history: History::default(),
        }
    }

    /// How the program is started.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }

    pub(crate) fn predict(&mut self, event: Seen<'_>, into: &mut Prediction) -> Result<(), String> {
        let Seen { id, context, actions } = event;
        let probabilities = self.program().rank(RankedEvent { id, context, actions })?;
        #[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
        let pmf: Vec<f32> =
            probabilities.into_iter().map(|probability| probability as f32).collect();
        put(&pmf, pmf.iter().map(|_| 0.0), into);
        Ok(())
    }

    /// How many coming events it helps to [foresee](crate::Model::foresee) now: none at most times,
    /// and then many.
    #[must_use]
    pub fn foresight(&self) -> usize {
        self.program().foresight()
    }

    pub(crate) fn foresee(&self, event: Seen<'_>, outcome: Option<Outcome>) -> bool {
        let Seen { id, context, actions } = event;
        let learned = outcome.map(|outcome| learned_event(event, outcome));
        self.program().foresee(RankedEvent { id, context, actions }, learned.as_ref())
    }

    pub(crate) fn learn(&mut self, event: Seen<'_>, outcome: Outcome) {
        self.waiting.push(learned_event(event, outcome));
    }

    /// Tells the program what to learn. A failure is remembered by the program.
    pub(crate) fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.history.note(waiting.len());
            _ = self.program().learn(&waiting);
        }
    }

    /// Why the program can no longer be asked.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.program().failure().map(str::to_owned)
    }

    pub(crate) fn fork(&self) -> Self {
        Self {
            command: self.command.clone(),
            seed: self.seed,
            program: Arc::clone(&self.program),
            waiting: Vec::new(),
            history: History::default(),
        }
    }

    /// Ends the program, and returns the end of what it wrote to stderr.
    ///
    /// # Errors
    /// If it does not end, wrote more than its answers, or failed before.
    pub fn end(&mut self) -> Result<String, String> {
        self.program().end()
    }

    /// Everything of the program but its process, which is asked what it has learned if it can
    /// tell; otherwise the events must be kept that it learned.
    ///
    /// # Panics
    /// If memory runs out.
    #[must_use]
    pub fn save(&mut self) -> Vec<u8> {
        self.save_state();
        let policy = Policy::from(self.command.clone()).arguments().to_owned();
        let (waiting, history) = (self.waiting.clone(), self.history.clone());
        let mut bytes = MAGIC.to_vec();
        let saved = Saved { policy, waiting, history };
        serde_json::to_writer(&mut bytes, &saved).expect("features are finite");
        bytes
    }

    /// The text of the policy of a saved program; none for the bytes of other models.
    pub(crate) fn saved_text(bytes: &[u8]) -> Option<String> {
        bytes.starts_with(MAGIC).then(|| saved(bytes).map(|saved| saved.policy).unwrap_or_default())
    }

    /// The program that was saved, which does not run: see [`Self::restart`].
    pub(crate) fn load(bytes: &[u8], command: &Command, seed: u64) -> Result<Self, String> {
        let Saved { waiting, history, .. } = saved(bytes)?;
        let program = Program::stopped(command, format!("the policy `{command}` was not started"));
        Ok(Self { waiting, history, ..Self::of(program, command, seed) })
    }

    /// What the program has learned is what it saves, from now on: the events before are about to
    /// go. One that saves nothing loses them when it is started again.
    pub fn forget_events(&mut self) {
        self.flush();
        self.save_state();
        self.history.learned.clear();
    }

    /// The number of the last learned events that [`Self::restart`] needs: those after the last
    /// `waiting`, which it has.
    #[must_use]
    pub fn events_to_restart(&self) -> (usize, usize) {
        (self.history.learned.iter().sum(), self.waiting.len())
    }

    /// Starts a new process, and tells it what this one had learned: what was saved, and then
    /// `events`, the last ones of those that it needs, in the same `learn`s.
    ///
    /// # Errors
    /// What is wrong with the new process: the model has failed again.
    pub fn restart(
        &mut self,
        events: impl IntoIterator<Item = LearnedEvent>,
    ) -> Result<Restarted, String> {
        let mut program = Program::start(&self.command, self.seed);
        let events = events.into_iter().collect();
        let restarted = self.history.tell(&mut program, events);
        // Those who rank meet the new process from here on.
        *self.program() = program;
        restarted
    }

    /// What was learned before needs no events any more, if the program can tell it.
    fn save_state(&mut self) {
        let mut program = self.program();
        if !program.saves() {
            return;
        }
        // A failure is remembered by the program.
        let Ok(state) = program.save() else { return };
        drop(program);
        self.history = History { state: Some(state), learned: VecDeque::new() };
    }

    fn program(&self) -> MutexGuard<'_, Program> {
        // A panic leaves it as it was: a line is sent whole.
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// Tells it to a new process, which needs the last events that were learned.
    fn tell(
        &self,
        program: &mut Program,
        mut events: VecDeque<LearnedEvent>,
    ) -> Result<Restarted, String> {
        if let Some(failure) = program.failure() {
            return Err(failure.to_owned());
        }
        if let Some(state) = &self.state {
            program.load(state)?;
        }
        let needed: usize = self.learned.iter().sum();
        let (learned, missing) = (events.len(), needed - events.len());
        let mut lost = missing;
        for &count in &self.learned {
            let gone = lost.min(count);
            lost -= gone;
            let told: Vec<LearnedEvent> = events.drain(..count - gone).collect();
            program.learn(&told)?;
        }
        Ok(Restarted { loaded: self.state.is_some(), learned, missing })
    }

    fn note(&mut self, events: usize) {
        self.learned.push_back(events);
        if self.learned.len() > MOST_LEARNS
            && let Some(first) = self.learned.pop_front()
            && let Some(second) = self.learned.front_mut()
        {
            *second += first;
        }
    }
}

/// An event as a program learns it.
#[must_use]
pub fn learned_event(event: Seen<'_>, outcome: Outcome) -> LearnedEvent {
    LearnedEvent {
        id: event.id.to_owned(),
        context: event.context.clone(),
        actions: event.actions.clone(),
        chosen: outcome.action,
        probability: outcome.probability,
        reward: outcome.reward,
    }
}

fn saved(bytes: &[u8]) -> Result<Saved, String> {
    let json = bytes.strip_prefix(MAGIC).ok_or("it is no saved program")?;
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
