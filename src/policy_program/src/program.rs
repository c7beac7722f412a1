//! The policy that a program is.

use std::fmt;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use protocol::{FeatureObject, RankableAction};

use crate::ahead::Ahead;
use crate::message::{self, ActionTexts, Learned, LearnedEvent, Merged, Request};
use crate::process::Process;
use crate::trouble::{LONGEST_LINE, LONGEST_STATE, Shown, Trouble};

/// One `learn` has at most so many events.
const BATCH: usize = 1000;

/// So many lines of stderr are shown with an error.
const SHOWN_LINES: usize = 10;

/// How a program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// How long it may take for an answer.
    pub timeout: Duration,
    /// The folder in which it runs.
    pub folder: PathBuf,
}

/// An event for which an action is wanted.
#[derive(Debug, Clone, Copy)]
pub struct RankedEvent<'a> {
    /// Its id.
    pub id: &'a str,
    /// The context.
    pub context: &'a [FeatureObject],
    /// The actions.
    pub actions: &'a Arc<[RankableAction]>,
}

/// A program that runs, or the reason why it does not any more.
#[derive(Debug)]
pub struct Program {
    command: Command,
    state: Result<Process, String>,
    name: String,
    /// Whether it can tell what it has learned, and be told that.
    saves: bool,
    /// The number of lines of answers, that which is awaited included.
    line: u64,
    ahead: Ahead,
    request: Vec<u8>,
    actions: ActionTexts,
    stderr: String,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arguments.join(" "))
    }
}

impl Program {
    /// Starts the program. One that cannot be started has failed.
    #[must_use]
    pub fn start(command: &Command, seed: u64) -> Self {
        let mut program = Self::stopped(command, String::new());
        match program.spawn() {
            Ok(process) => {
                program.state = Ok(process);
                // A failure is remembered.
                _ = program.ask(&Request::hello(seed), message::hello).map(|hello| {
                    (program.name, program.saves) = (hello.name, hello.saves);
                });
            }
            Err(trouble) => program.state = Err(format!("the policy `{command}`: {trouble}")),
        }
        program
    }

    /// A program that does not run, and why.
    #[must_use]
    pub fn stopped(command: &Command, why: String) -> Self {
        Self {
            command: command.clone(),
            state: Err(why),
            name: String::new(),
            saves: false,
            line: 0,
            ahead: Ahead::default(),
            request: Vec::new(),
            actions: ActionTexts::default(),
            stderr: String::new(),
        }
    }

    /// What the program calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the program can no longer be asked.
    pub fn failure(&self) -> Option<&str> {
        self.state.as_ref().err().map(String::as_str)
    }

    /// How many more events may be [foreseen](Self::foresee) now; none at most times, so that they
    /// are sent many at a time.
    pub fn foresight(&self) -> usize {
        if self.state.is_ok() { self.ahead.room(self.line) } else { 0 }
    }

    /// Sends what is certain to be asked after everything that was foreseen before: `rank` of an
    /// event, and `learn` of the same event if its outcome is known. The answers are read when it
    /// is asked. Returns false if nothing was sent: it would be more than a pipe takes.
    pub fn foresee(&mut self, event: RankedEvent<'_>, learned: Option<&LearnedEvent>) -> bool {
        let Ok(process) = &mut self.state else { return false };
        let text = self.actions.of(event.actions);
        let rank = Request::Rank { id: event.id, context: Merged(event.context), actions: &text };
        let events = learned.map(std::slice::from_ref).unwrap_or_default();
        let learn =
            Request::Learn { events: Learned { events, actions: std::slice::from_ref(&text) } };
        let requests = [Some(rank), learned.map(|_| learn)];
        let lines: Vec<_> = requests
            .iter()
            .flatten()
            .map(|request| {
                let mut line = Vec::new();
                request.write(&mut line);
                (request.name(), line)
            })
            .collect();
        let fits = self.ahead.fits(lines.iter().map(|(_, line)| line.len()).sum());
        if fits {
            for (request, line) in lines {
                process.add(&line);
                self.ahead.push(request, line.len());
            }
        }
        fits
    }

    /// The probability of each action.
    ///
    /// # Errors
    /// What is wrong with the program or its answer, here and in every later call.
    pub fn rank(&mut self, event: RankedEvent<'_>) -> Result<Vec<f64>, String> {
        let RankedEvent { id, context, actions } = event;
        let count = actions.len();
        let text = self.actions.of(actions);
        let request = Request::Rank { id, context: Merged(context), actions: &text };
        self.ask(&request, |line| message::probabilities(line, count))
    }

    /// Tells what came of earlier choices.
    ///
    /// # Errors
    /// As [`Self::rank`].
    pub fn learn(&mut self, events: &[LearnedEvent]) -> Result<(), String> {
        events.chunks(BATCH).try_for_each(|events| {
            let actions: Vec<_> =
                events.iter().map(|event| self.actions.of(&event.actions)).collect();
            let events = Learned { events, actions: &actions };
            self.ask(&Request::Learn { events }, message::acknowledged)
        })
    }

    /// Whether the program can tell what it has learned.
    #[must_use]
    pub fn saves(&self) -> bool {
        self.saves
    }

    /// What the program has learned, as it says it. Only for those that say that they can.
    ///
    /// # Errors
    /// As [`Self::rank`].
    pub fn save(&mut self) -> Result<String, String> {
        self.ask(&Request::Save, message::saved)
    }

    /// Tells a new process of the program what another one had learned.
    ///
    /// # Errors
    /// As [`Self::rank`], and if the program does not say that it can.
    pub fn load(&mut self, state: &str) -> Result<(), String> {
        let request = Request::Load { state };
        if self.state.is_ok() && !self.saves {
            return Err(self.fail(&Request::hello(0).name(), &Trouble::LoadsNothing));
        }
        self.ask(&request, message::acknowledged)
    }

    /// Ends the program, and returns the end of what it wrote to stderr.
    ///
    /// # Errors
    /// If it does not end, wrote more than its answers, or failed before.
    pub fn end(&mut self) -> Result<String, String> {
        self.skip_foreseen()?;
        let process = self.state.as_mut().map_err(|failure| failure.clone())?;
        Request::End.write(&mut self.request);
        self.line += 1;
        let ended = process.finish(&self.request, self.command.timeout);
        let trouble = match ended {
            Ok(rest) if rest.is_empty() => None,
            Ok(rest) => Some(Trouble::Unasked(rest)),
            Err(trouble) => Some(trouble),
        };
        self.stderr = process.kill();
        let failure = trouble.map(|trouble| self.described(&Request::End.name(), &trouble));
        self.state = Err(format!("the policy `{}` has ended", self.command));
        failure.map_or_else(|| Ok(self.stderr.clone()), Err)
    }

    fn spawn(&self) -> Result<Process, Trouble> {
        let Command { arguments, folder, .. } = &self.command;
        let [program, rest @ ..] = &arguments[..] else {
            return Err(Trouble::Start("the command is empty".to_owned()));
        };
        let mut command = process::Command::new(program);
        // Python orders sets by hashes that are random unless a seed is given.
        command.args(rest).current_dir(folder).env("PYTHONHASHSEED", "0");
        Process::start(&mut command).map_err(|trouble| match trouble {
            Trouble::Start(why) => {
                Trouble::Start(format!("{why}, in the folder `{}`", folder.display()))
            }
            other => other,
        })
    }

    fn ask<T>(
        &mut self,
        request: &Request<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let name = request.name();
        if self.ahead.first() == Some(&name) {
            self.ahead.pop();
        } else {
            self.skip_foreseen()?;
            self.add(request)?;
        }
        let longest = if matches!(request, Request::Save) { LONGEST_STATE } else { LONGEST_LINE };
        self.answer(&name, longest, read)
    }

    /// Adds a line while every line before has its answer.
    fn add(&mut self, request: &Request<'_>) -> Result<(), String> {
        let process = self.state.as_mut().map_err(|failure| failure.clone())?;
        if let Some(found) = process.unasked() {
            self.line += 1;
            return Err(self.fail(&request.name(), &Trouble::Unasked(found)));
        }
        request.write(&mut self.request);
        process.add(&self.request);
        Ok(())
    }

    /// Reads the answers to what was foreseen and is not asked: a run was stopped.
    fn skip_foreseen(&mut self) -> Result<(), String> {
        while let Some(request) = self.ahead.pop() {
            self.answer(&request, LONGEST_LINE, |_| Ok(()))?;
        }
        Ok(())
    }

    /// Reads the answer to the first line that has none.
    fn answer<T>(
        &mut self,
        request: &str,
        longest: usize,
        read: impl FnOnce(&[u8]) -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let process = self.state.as_mut().map_err(|failure| failure.clone())?;
        self.line += 1;
        let answer = process.answer(longest, self.command.timeout);
        answer.and_then(read).map_err(|trouble| self.fail(request, &trouble))
    }

    /// Kills the program, and remembers why.
    fn fail(&mut self, request: &str, trouble: &Trouble) -> String {
        if let Ok(process) = &mut self.state {
            self.stderr = process.kill();
        }
        let failure = self.described(request, trouble);
        self.state = Err(failure.clone());
        failure
    }

    /// The line, what it answers, what is wrong with it, and what the program wrote to stderr.
    fn described(&self, request: &str, trouble: &Trouble) -> String {
        let Self { command, line, .. } = self;
        let message =
            format!("the policy `{command}`: line {line}, the answer to {request}: {trouble}");
        let lines: Vec<&str> = self.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        last.iter().fold(message, |text, line| format!("{text}\n  stderr: {}", Shown(line)))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Its failure was either told before, or the run has ended by then.
        _ = self.end();
    }
}
