//! The child process and its pipes.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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
    /// What was read of stdout and not taken; the first `taken` bytes were.
    read: Vec<u8>,
    taken: usize,
    chunk: Box<[u8]>,
}

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
        let stderr = Tail::of(stderr);
        let chunk = vec![0; CHUNK].into();
        Ok(Self { child, stdin: Some(stdin), stdout, stderr, read: Vec::new(), taken: 0, chunk })
    }

    /// Sends a line, and reads the one that answers it, of at most `longest` bytes.
    pub fn ask(
        &mut self,
        line: &[u8],
        longest: usize,
        timeout: Duration,
    ) -> Result<&[u8], Trouble> {
        let deadline = Instant::now() + timeout;
        if let Some(found) = self.unasked() {
            return Err(Trouble::Unasked(found));
        }
        self.send(line, deadline).map_err(|trouble| self.explained(trouble, timeout))?;
        let received = self.receive(longest, deadline);
        let length = received.map_err(|trouble| self.explained(trouble, timeout))?;
        let start = self.taken;
        self.taken += length + 1;
        Ok(&self.read[start..start + length])
    }

    /// What was read beyond the last answer: it would be taken for the answer to the next line.
    fn unasked(&self) -> Option<String> {
        let more = &self.read[self.taken..];
        let line = more.split(|byte| *byte == b'\n').next()?;
        (!more.is_empty()).then(|| String::from_utf8_lossy(line).trim().to_owned())
    }

    /// Sends the last line, waits for the end of the process, and returns what it wrote beyond
    /// its answers.
    pub fn finish(&mut self, line: &[u8], timeout: Duration) -> Result<String, Trouble> {
        let deadline = Instant::now() + timeout;
        // A process that has ended needs no word of the end.
        _ = self.send(line, deadline);
        self.stdin = None;
        let rest = match self.receive(LONGEST_LINE, deadline) {
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

    fn send(&mut self, mut line: &[u8], deadline: Instant) -> Result<(), Interruption> {
        let Some(stdin) = &mut self.stdin else { return Err(Interruption::Ended) };
        while !line.is_empty() {
            match stdin.write(line) {
                Ok(length) => line = &line[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(&stdin, PollFlags::OUT, deadline)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(Interruption::Ended);
                }
                Err(error) => return Err(Interruption::Failed(error)),
            }
        }
        Ok(())
    }

    /// The length of the next line, which is read from `taken` on.
    fn receive(&mut self, longest: usize, deadline: Instant) -> Result<usize, Interruption> {
        self.read.drain(..self.taken);
        self.taken = 0;
        let mut searched = 0;
        loop {
            if let Some(end) = self.read[searched..].iter().position(|byte| *byte == b'\n') {
                return Ok(searched + end);
            }
            searched = self.read.len();
            if searched > longest {
                return Err(Interruption::TooLong(longest));
            }
            // An answer is never there yet, so a read before this would be in vain.
            wait(&self.stdout, PollFlags::IN, deadline)?;
            match self.stdout.read(&mut self.chunk) {
                Ok(0) => return Err(Interruption::Ended),
                Ok(length) => self.read.extend_from_slice(&self.chunk[..length]),
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(Interruption::Failed(error)),
            }
        }
    }

    fn explained(&mut self, interruption: Interruption, timeout: Duration) -> Trouble {
        match interruption {
            Interruption::Late => match self.child.try_wait() {
                // A process that it started may hold the pipe open.
                Ok(Some(status)) => Trouble::Ended(status.to_string()),
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

    /// The status of a process that is about to end.
    fn ended(&mut self, timeout: Duration) -> Option<String> {
        let deadline = Instant::now() + timeout.min(Duration::from_secs(1));
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status.to_string()),
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
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

/// Waits until a pipe is ready.
fn wait(pipe: &impl AsFd, for_what: PollFlags, deadline: Instant) -> Result<(), Interruption> {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left).map_err(|_| Interruption::Late)?;
    match poll(&mut [PollFd::new(pipe, for_what)], Some(&timeout)) {
        Ok(0) => Err(Interruption::Late),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(Interruption::Failed(error.into())),
    }
}
