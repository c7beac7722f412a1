use std::collections::VecDeque;

/// At most so many lines wait for their answers at a time.
const MOST_LINES: usize = 128;

/// And so many bytes, of 64 KiB that a pipe of Linux takes.
const MOST_BYTES: usize = 32 << 10;

/// The first lines go one at a time, so that a program that answers each with two lines is found
/// out before the second is taken for the answer to another line.
const ALONE: u64 = 16;

/// The lines that were sent before the answers to those before them were read.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    lines: VecDeque<Line>,
    bytes: usize,
}

/// A line, by the name of its request.
#[derive(Debug)]
struct Line {
    request: String,
    bytes: usize,
}

impl Ahead {
    /// How many more lines may be sent, after so many were answered. They are sent many at a time:
    /// each that finds the program asleep costs a wake-up.
    pub fn room(&self, answered: u64) -> usize {
        let is_half_full = self.lines.len() > MOST_LINES / 2 || self.bytes > MOST_BYTES / 2;
        if answered < ALONE || is_half_full { 0 } else { MOST_LINES - self.lines.len() }
    }

    /// Whether so many more bytes may be sent.
    pub fn fits(&self, bytes: usize) -> bool {
        self.lines.len() < MOST_LINES && self.bytes + bytes <= MOST_BYTES
    }

    pub fn push(&mut self, request: String, bytes: usize) {
        self.bytes += bytes;
        self.lines.push_back(Line { request, bytes });
    }

    /// The request of the first line.
    pub fn first(&self) -> Option<&str> {
        self.lines.front().map(|line| &*line.request)
    }

    /// Takes the first line, and returns its request.
    pub fn pop(&mut self) -> Option<String> {
        let Line { request, bytes } = self.lines.pop_front()?;
        self.bytes -= bytes;
        Some(request)
    }
}
