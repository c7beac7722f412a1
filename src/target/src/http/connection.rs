//! A connection of HTTP/1.1 without TLS, used by one call at a time.
//!
//! A call is one write and, usually, one read on the stream itself. A client that drives its
//! connections in tasks of their own (hyper) wakes two tasks a call and passes two messages
//! between them.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use httparse::{Status, parse_chunk_size};
use hyper::body::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::answer::Answer;
use super::failed::{CallFailure, LARGEST_ANSWER};
use super::head::{Head, Kept, Length, parse, parse_trailers};
use super::request::Request;
use record::FailureKind;

const LARGEST_HEAD: usize = 400 << 10;

/// So much is received at once at least.
const RECEIVED: usize = 8 << 10;

/// A connection to a service.
pub(super) struct Connection {
    wire: Wire,
    /// Ends a call that takes too long. To move one timer on costs nothing; to register and to
    /// remove one for each call cost a tenth of the call.
    timer: Pin<Box<Sleep>>,
}

/// When a call must have gone how far.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// When the head of the answer must be there.
    pub head: Instant,
    /// When the whole answer must be there.
    pub whole: Instant,
}

/// A call took longer than its limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    Head,
    Whole,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        let (received, request) = (Vec::with_capacity(RECEIVED), Vec::new());
        let (keeps_headers, is_answered) = (false, false);
        let wire = Wire { stream, received, request, keeps_headers, is_answered };
        Self { wire, timer: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }

    /// Whether nothing came while nothing was asked, neither bytes nor the end. It costs no system
    /// call where the runtime has seen no event.
    pub fn is_idle(&self) -> bool {
        let came = self.wire.stream.try_read(&mut [0]);
        matches!(came, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether the service has not closed it, by the kernel: the runtime may not have seen yet what
    /// came since it last waited for events.
    pub fn is_open(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let came = SockRef::from(&self.wire.stream).peek(&mut byte);
        matches!(came, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether some of the answer to the last call came.
    pub fn is_answered(&self) -> bool {
        self.wire.is_answered
    }

    /// Makes a call. With its answer comes whether another may follow.
    ///
    /// # Errors
    /// What was late, or within it how the call failed.
    pub async fn call(
        &mut self,
        request: &Request<'_>,
        Limits { head: head_limit, whole }: Limits,
    ) -> Result<Result<(Answer, Kept), CallFailure>, Late> {
        let Self { wire, timer } = self;
        timer.as_mut().reset(head_limit);
        let late = if head_limit < whole { Late::Head } else { Late::Whole };
        let head = match in_time(timer.as_mut(), wire.send(request)).await.ok_or(late)? {
            Ok(head) => head,
            Err(failed) => return Ok(Err(failed)),
        };
        if head_limit != whole {
            timer.as_mut().reset(whole);
        }
        in_time(timer.as_mut(), wire.body(head)).await.ok_or(Late::Whole)
    }
}

/// The output of a future, unless the timer ends before it.
async fn in_time<F: Future>(mut timer: Pin<&mut Sleep>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The stream of a connection, and what is on its way.
struct Wire {
    stream: TcpStream,
    /// What was received and is not used yet.
    received: Vec<u8>,
    /// The request that is sent.
    request: Vec<u8>,
    /// Whether its answer keeps every header.
    keeps_headers: bool,
    /// Whether some of its answer came.
    is_answered: bool,
}

impl Wire {
    /// Sends a request, and receives the head of its answer. A service may answer before it has
    /// read the request, and close.
    async fn send(&mut self, request: &Request<'_>) -> Result<Head, CallFailure> {
        request.write(&mut self.request);
        (self.keeps_headers, self.is_answered) = (request.keeps_headers, false);
        let written = self.stream.write_all(&self.request).await;
        let head = self.head().await;
        match (head, written) {
            (Err(failed), Err(error)) if failed.error.kind == FailureKind::Transport => {
                Err(broken(&error))
            }
            (Ok(head), Err(_)) => Ok(Head { kept: Kept::Not, ..head }),
            (head, _) => head,
        }
    }

    /// Receives the body. With it comes whether another call may follow.
    async fn body(&mut self, head: Head) -> Result<(Answer, Kept), CallFailure> {
        let body = match head.length {
            Length::Known(length) => self.exactly(length).await?,
            Length::Chunked => self.chunks().await?,
            Length::UntilClosed => self.rest().await?,
        };
        let answer = Answer { status: head.status, headers: head.headers, body };
        Ok((answer, if self.received.is_empty() { head.kept } else { Kept::Not }))
    }

    /// The head of the final answer; those of 100 to 199 come before it.
    async fn head(&mut self) -> Result<Head, CallFailure> {
        loop {
            if let Some((head, length)) = parse(&self.received, self.keeps_headers)? {
                self.received.drain(..length);
                match head.status.as_u16() {
                    101 => return Err(CallFailure::violation("the service changed the protocol")),
                    100..200 => continue,
                    _ => return Ok(head),
                }
            }
            if self.received.len() > LARGEST_HEAD {
                return Err(CallFailure::too_large("the head of the answer"));
            }
            self.receive_more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Bytes, CallFailure> {
        if length > LARGEST_ANSWER {
            return Err(CallFailure::large_answer());
        }
        while self.received.len() < length {
            self.receive_more().await?;
        }
        Ok(self.take(length))
    }

    async fn rest(&mut self) -> Result<Bytes, CallFailure> {
        while self.receive().await? {
            if self.received.len() > LARGEST_ANSWER {
                return Err(CallFailure::large_answer());
            }
        }
        Ok(self.take(self.received.len()))
    }

    /// A body in chunks (RFC 9112, 7.1). Extensions and trailers say nothing of a decision.
    async fn chunks(&mut self) -> Result<Bytes, CallFailure> {
        let mut body = Vec::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                self.trailers().await?;
                return Ok(body.into());
            }
            if size > LARGEST_ANSWER - body.len() {
                return Err(CallFailure::large_answer());
            }
            while self.received.len() < size + 2 {
                self.receive_more().await?;
            }
            if &self.received[size..size + 2] != b"\r\n" {
                return Err(CallFailure::violation("a chunk does not end where it says"));
            }
            body.extend_from_slice(&self.received[..size]);
            self.received.drain(..size + 2);
        }
    }

    async fn chunk_size(&mut self) -> Result<usize, CallFailure> {
        loop {
            match parse_chunk_size(&self.received) {
                Ok(Status::Complete((length, size))) => {
                    self.received.drain(..length);
                    return usize::try_from(size).map_err(|_| CallFailure::large_answer());
                }
                Ok(Status::Partial) if self.received.len() > LARGEST_HEAD => {
                    return Err(CallFailure::too_large("the size of a chunk"));
                }
                Ok(Status::Partial) => self.receive_more().await?,
                Err(_) => return Err(CallFailure::violation("the size of a chunk is none")),
            }
        }
    }

    async fn trailers(&mut self) -> Result<(), CallFailure> {
        loop {
            if let Some(length) = parse_trailers(&self.received)? {
                self.received.drain(..length);
                return Ok(());
            }
            if self.received.len() > LARGEST_HEAD {
                return Err(CallFailure::too_large("what follows the body"));
            }
            self.receive_more().await?;
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        let taken = Bytes::copy_from_slice(&self.received[..length]);
        self.received.drain(..length);
        self.received.shrink_to(LARGEST_HEAD);
        taken
    }

    /// Receives what comes next, which must come.
    async fn receive_more(&mut self) -> Result<(), CallFailure> {
        if self.receive().await? {
            return Ok(());
        }
        let message = "the connection was closed before the answer ended";
        Err(CallFailure::new(FailureKind::Transport, message))
    }

    /// Receives what comes next; false at the end.
    async fn receive(&mut self) -> Result<bool, CallFailure> {
        self.received.reserve(RECEIVED);
        let received = self.stream.read_buf(&mut self.received).await;
        let length = received.map_err(|error| broken(&error))?;
        self.is_answered |= length > 0;
        Ok(length > 0)
    }
}

fn broken(error: &io::Error) -> CallFailure {
    CallFailure::of(error, FailureKind::Transport)
}
