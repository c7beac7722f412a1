use std::cell::RefCell;
use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::failed::CallFailure;
use clock::{Clock, WallClock};
use record::{FailureKind, Violation};
use scenario::plan::{ConnectionPlan, Timeouts};

/// No answer of the contract is larger.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;

/// Connections that speak HTTP/1.1 without TLS, each used by one call at a time.
///
/// reqwest's redirects, proxies, TLS and pools of many hosts cost six microseconds a call (14.3
/// against 8.4 in all, measured): more than recording it.
pub(super) struct Pool {
    /// Host and port.
    authority: String,
    idle: RefCell<Vec<Idle>>,
    /// Limits the number of connections, if the plan does.
    permits: Option<Semaphore>,
    keep_alive: Option<Duration>,
    timeouts: Timeouts,
    clock: WallClock,
}

type Sender = SendRequest<Full<Bytes>>;

struct Idle {
    sender: Sender,
    since: Duration,
}

impl Pool {
    pub(crate) fn new(
        authority: String,
        plan: &ConnectionPlan,
        timeouts: Timeouts,
        clock: WallClock,
    ) -> Self {
        Self {
            authority,
            idle: RefCell::default(),
            permits: plan.most.map(Semaphore::new),
            keep_alive: plan.keep_alive,
            timeouts,
            clock,
        }
    }

    /// Makes a call.
    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Result<Answer, CallFailure> {
        // The semaphore is never closed, so `acquire` cannot fail.
        let _permit = match &self.permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let (sender, response) = self.send(request).await?;
        let (head, body) = response.into_parts();
        let body = read(body).await?;
        self.put_back(sender);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Opens a connection, for the next call.
    pub(crate) async fn reach(&self) -> Result<(), CallFailure> {
        let sender = self.connect().await?;
        self.put_back(sender);
        Ok(())
    }

    /// Sends the request over an idle connection, or over a new one. A request that was never
    /// written is sent again: its connection had closed while it was idle.
    async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Sender, Response<Incoming>), CallFailure> {
        while let Some(mut sender) = self.take_idle() {
            if sender.ready().await.is_err() {
                continue;
            }
            match self.first_byte(sender.try_send_request(request)).await? {
                Ok(response) => return Ok((sender, response)),
                Err(mut refused) => match refused.take_message() {
                    Some(message) => request = message,
                    None => return Err(CallFailure::of(refused.error(), FailureKind::Transport)),
                },
            }
        }
        let mut sender = self.connect().await?;
        let response = self.first_byte(sender.send_request(request)).await?;
        let response = response.map_err(|error| CallFailure::of(&error, FailureKind::Transport))?;
        Ok((sender, response))
    }

    async fn first_byte<T>(&self, answer: impl Future<Output = T>) -> Result<T, CallFailure> {
        let Some(limit) = self.timeouts.first_byte else { return Ok(answer.await) };
        let answer = tokio::time::timeout(limit, answer).await;
        answer.map_err(|_| CallFailure::timeout("no answer began", limit))
    }

    /// The connection that was used last: the others may be closed by the service.
    fn take_idle(&self) -> Option<Sender> {
        let mut idle = self.idle.borrow_mut();
        while let Some(Idle { sender, since }) = idle.pop() {
            let idle_for = self.clock.now().saturating_sub(since);
            if !sender.is_closed() && self.keep_alive.is_some_and(|most| idle_for < most) {
                return Some(sender);
            }
        }
        None
    }

    fn put_back(&self, sender: Sender) {
        if self.keep_alive.is_some() && !sender.is_closed() {
            let since = self.clock.now();
            self.idle.borrow_mut().push(Idle { sender, since });
        }
    }

    async fn connect(&self) -> Result<Sender, CallFailure> {
        let limit = self.timeouts.connect;
        let stream = tokio::time::timeout(limit, self.stream()).await;
        let stream = stream.map_err(|_| CallFailure::timeout("no connection", limit))??;
        let handshake = Builder::new().handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            handshake.map_err(|error| CallFailure::of(&error, FailureKind::Connect))?;
        // The call that uses the connection gets its error.
        tokio::spawn(async move { connection.await.ok() });
        Ok(sender)
    }

    async fn stream(&self) -> Result<TcpStream, CallFailure> {
        let addresses = lookup_host(&self.authority).await;
        let addresses = addresses.map_err(|error| CallFailure::of(&error, FailureKind::Resolve))?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).ok();
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(CallFailure::of(&last, FailureKind::Connect))
    }
}

async fn read(body: Incoming) -> Result<Bytes, CallFailure> {
    match Limited::new(body, LARGEST_ANSWER).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(match error.downcast::<hyper::Error>() {
            Ok(error) => CallFailure::of_body(&*error, FailureKind::Transport),
            Err(_) => too_large(),
        }),
    }
}

pub(super) fn too_large() -> CallFailure {
    let message = format!("the answer is larger than {LARGEST_ANSWER} bytes");
    CallFailure::new(FailureKind::Protocol(Violation::TooLarge), message)
}
