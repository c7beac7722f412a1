//! The child process and its pipes.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::tail::Tail;
use crate::trouble::{LONGEST_LINE, Trouble};

/// A child process in a process group of its own, which is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: Tail,
    /// Lines that were not sent yet.
    unsent: Vec<u8>,
    /// The number of lines that were sent, and whose answers were not taken.
    unanswered: usize,
    /// Bytes of stdout. Lines in the first `taken` bytes were returned already.
    read: Vec<u8>,
    taken: usize,
    chunk: Box<[u8]>,
    /// When the last line was sent or the last answer was read, whichever is later.
    since: Instant,
}

/// To be woken for each of many answers costs more than to pause until some of them are there.
const MANY: usize = 16;
const PAUSE: Duration = Duration::from_micros(50);

/// So long a process that has closed a pipe may take to answer what it has read, and to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// So much is read at a time.
const CHUNK: usize = 16 << 10;

impl Process {
    pub fn start(command: &mut Command) -> Result<Self, Trouble> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = piped.process_group(0).spawn();
        let mut child = started.map_err(|error| Trouble::Start(error.to_string()))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(Trouble::Start("it has no pipes".to_owned()));
        };
        let not_blocking = |error: rustix::io::Errno| Trouble::Start(error.to_string());
        rustix::io::ioctl_fionbio(&stdin, true).map_err(not_blocking)?;
        rustix::io::ioctl_fionbio(&stdout, true).map_err(not_blocking)?;
        Ok(Self {
            child,
            stdin: Some(stdin),
            stdout,
            stderr: Tail::of(stderr),
            unsent: Vec::new(),
            unanswered: 0,
            read: Vec::new(),
            taken: 0,
            chunk: vec![0; CHUNK].into(),
            since: Instant::now(),
        })
    }

    /// Adds a line, with its end, to those that are sent before the next answer is read.
    pub fn add(&mut self, line: &[u8]) {
        self.unsent.extend_from_slice(line);
    }

    /// Sends the lines that were added, and reads the answer to the first line that has none, of
    /// at most `longest` bytes. The time for it starts when the line was sent or the answer before
    /// it came, whichever is later.
    pub fn answer(&mut self, longest: usize, timeout: Duration) -> Result<&[u8], Trouble> {
        let received = self.send_added(timeout).and_then(|()| self.receive(longest, timeout));
        let length = received.map_err(|interruption| self.explained(interruption, timeout))?;
        self.unanswered -= 1;
        let start = self.taken;
        self.taken += length + 1;
        Ok(&self.read[start..start + length])
    }

    /// What was read while every line has its answer: it would be taken for the answer to the
    /// next line.
    pub fn unasked(&self) -> Option<String> {
        let more = &self.read[self.taken..];
        let line = more.split(|byte| *byte == b'\n').next()?;
        (!more.is_empty()).then(|| String::from_utf8_lossy(line).trim().to_owned())
    }

    /// Sends the last line, waits for the end of the process, and returns what it wrote beyond
    /// its answers.
    pub fn finish(&mut self, line: &[u8], timeout: Duration) -> Result<String, Trouble> {
        self.add(line);
        // A process that has ended needs no word of the end.
        _ = self.send_added(timeout);
        self.stdin = None;
        let rest = match self.receive(LONGEST_LINE, timeout) {
            Ok(length) => &self.read[self.taken..self.taken + length],
            Err(Interruption::Ended) => &self.read[self.taken..],
            Err(other) => return Err(self.explained(other, timeout)),
        };
        Ok(String::from_utf8_lossy(rest).trim().to_owned())
    }

    /// Kills the process and its children, and returns the end of what it wrote to stderr.
    pub fn kill(&mut self) -> String {
        self.kill_group();
        self.stderr.finish()
    }

    fn kill_group(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // There is none when all have ended.
            _ = kill_process_group(group, Signal::KILL);
        }
        _ = self.child.wait();
    }

    /// Sends the lines that were added. A process that takes no more of them may still answer
    /// those before: it has ended when none of these is left.
    fn send_added(&mut self, timeout: Duration) -> Result<(), Interruption> {
        if !self.unsent.is_empty() {
            let mut lines = std::mem::take(&mut self.unsent);
            let (sent, all) = self.send(&lines, Instant::now() + timeout);
            self.unanswered += lines[..sent].split(|byte| *byte == b'\n').count() - 1;
            lines.clear();
            self.unsent = lines;
            match all {
                Err(Interruption::Ended) => self.stdin = None,
                all => all?,
            }
            self.since = Instant::now();
        }
        (self.unanswered > 0).then_some(()).ok_or(Interruption::Ended)
    }

    /// The number of bytes that were sent, and why these are not all.
    fn send(&mut self, lines: &[u8], deadline: Instant) -> (usize, Result<(), Interruption>) {
        let mut sent = 0;
        while sent < lines.len() {
            let Some(stdin) = &mut self.stdin else { return (sent, Err(Interruption::Ended)) };
            let written = match stdin.write(&lines[sent..]) {
                Ok(length) => {
                    sent += length;
                    Ok(())
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.read_until_writable(deadline)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Interruption::Ended),
                Err(error) => Err(Interruption::Failed(error)),
            };
            if written.is_err() {
                return (sent, written);
            }
        }
        (sent, Ok(()))
    }

    /// Waits until more can be sent, and reads answers meanwhile: a process whose stdout is full
    /// reads nothing.
    fn read_until_writable(&mut self, deadline: Instant) -> Result<(), Interruption> {
        let Some(stdin) = &self.stdin else { return Err(Interruption::Ended) };
        if self.read.len() > LONGEST_LINE {
            return wait(&mut [PollFd::new(stdin, PollFlags::OUT)], deadline);
        }
        let mut pipes =
            [PollFd::new(stdin, PollFlags::OUT), PollFd::new(&self.stdout, PollFlags::IN)];
        wait(&mut pipes, deadline)?;
        let has_answers = !pipes[1].revents().is_empty();
        if has_answers { self.read_chunk() } else { Ok(()) }
    }

    /// The length of the next line, which begins at `taken`.
    fn receive(&mut self, longest: usize, timeout: Duration) -> Result<usize, Interruption> {
        let mut deadline = self.since + timeout;
        let (mut searched, mut has_read, mut watches_stdin) = (0, false, true);
        loop {
            let unread = &self.read[self.taken..];
            if let Some(end) = unread[searched..].iter().position(|byte| *byte == b'\n') {
                if has_read {
                    self.since = Instant::now();
                }
                return Ok(searched + end);
            }
            searched = unread.len();
            if searched > longest {
                return Err(Interruption::TooLong(longest));
            }
            self.read.drain(..self.taken);
            self.taken = 0;
            // An answer is seldom there yet, so a read before this would be in vain.
            if self.unanswered >= MANY && !has_read {
                thread::sleep(PAUSE);
            }
            if self.wait_for_answer(watches_stdin, deadline)? {
                self.read_chunk()?;
                has_read = true;
            } else {
                watches_stdin = false;
                deadline = deadline.min(Instant::now() + LAST_WORDS);
            }
        }
    }

    /// Waits until there is more of an answer. Returns false if there is none, and the process has
    /// closed its stdin, if that is watched.
    fn wait_for_answer(
        &self,
        watches_stdin: bool,
        deadline: Instant,
    ) -> Result<bool, Interruption> {
        let stdout = PollFd::new(&self.stdout, PollFlags::IN);
        let Some(stdin) = self.stdin.as_ref().filter(|_| watches_stdin) else {
            return wait(&mut [stdout], deadline).map(|()| true);
        };
        // What it wrote before it closed its stdin is there when that is seen to be closed.
        let mut pipes = [PollFd::new(stdin, PollFlags::empty()), stdout];
        wait(&mut pipes, deadline)?;
        let [stdin, stdout] = pipes.map(|pipe| !pipe.revents().is_empty());
        Ok(stdout || !stdin)
    }

    fn read_chunk(&mut self) -> Result<(), Interruption> {
        match self.stdout.read(&mut self.chunk) {
            Ok(0) => Err(Interruption::Ended),
            Ok(length) => {
                self.read.extend_from_slice(&self.chunk[..length]);
                Ok(())
            }
            Err(error) if is_temporary(&error) => Ok(()),
            Err(error) => Err(Interruption::Failed(error)),
        }
    }

    fn explained(&mut self, interruption: Interruption, timeout: Duration) -> Trouble {
        match interruption {
            Interruption::Late => match self.child.try_wait() {
                // A process that it started may hold the pipe open.
                Ok(Some(status)) => Trouble::Ended(status.to_string()),
                _ if self.stdin.is_none() => Trouble::GoesOn(timeout),
                _ if self.reads_nothing() => Trouble::Closed,
                _ => Trouble::Late(timeout),
            },
            Interruption::TooLong(longest) => Trouble::TooLong(longest),
            Interruption::Failed(error) => Trouble::Pipe(error.to_string()),
            Interruption::Ended => {
                // One that closed its pipes and goes on is ended here.
                self.stdin = None;
                self.ended(timeout).map_or(Trouble::Closed, Trouble::Ended)
            }
        }
    }

    /// Whether the process has closed its stdin.
    fn reads_nothing(&self) -> bool {
        let Some(stdin) = &self.stdin else { return false };
        let mut pipe = [PollFd::new(stdin, PollFlags::empty())];
        _ = poll(&mut pipe, Some(&Timespec::default()));
        pipe[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }

    /// The status of a process that is about to end.
    fn ended(&mut self, timeout: Duration) -> Option<String> {
        let deadline = Instant::now() + timeout.min(LAST_WORDS);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status.to_string()),
                Ok(None) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(1));
                }
                _ => return None,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Whether nothing is wrong but that it must be tried again.
fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Why nothing was sent or read.
enum Interruption {
    Late,
    TooLong(usize),
    Ended,
    Failed(io::Error),
}

/// Waits until one of some pipes is ready.
fn wait(pipes: &mut [PollFd<'_>], deadline: Instant) -> Result<(), Interruption> {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left).map_err(|_| Interruption::Late)?;
    match poll(pipes, Some(&timeout)) {
        Ok(0) => Err(Interruption::Late),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(Interruption::Failed(error.into())),
    }
}
