use std::cell::RefCell;
use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::connection::{Connection, Late, Limits, Request};
use super::failed::CallFailure;
use clock::{Clock, WallClock};
use record::FailureKind;
use scenario::plan::{ConnectionPlan, Timeouts};

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

struct Idle {
    connection: Connection,
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

    /// Makes a call. What is rare is boxed, so that the future of an iteration stays small.
    pub(crate) async fn call(&self, request: &Request<'_>) -> Result<Answer, CallFailure> {
        let whole = self.clock.deadline_in(self.timeouts.whole);
        let _permit = self.permit(whole).await?;
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => Box::pin(self.connect(whole)).await?,
        };
        let head = self.timeouts.first_byte.map(|limit| self.clock.deadline_in(limit));
        let limits = Limits { head: head.map_or(whole, |head| head.min(whole)), whole };
        let called = connection.call(request, limits).await.map_err(|late| self.late(late))?;
        let (answer, is_kept) = called?;
        if is_kept {
            self.put_back(connection);
        }
        Ok(answer)
    }

    /// Opens a connection, for the next call.
    pub(crate) async fn reach(&self) -> Result<(), CallFailure> {
        let connection = self.connect(self.clock.deadline_in(self.timeouts.connect)).await?;
        self.put_back(connection);
        Ok(())
    }

    /// What the call holds while it uses a connection. The semaphore is never closed, so
    /// acquiring fails only where there is none.
    async fn permit(&self, deadline: Instant) -> Result<Option<SemaphorePermit<'_>>, CallFailure> {
        let Some(permits) = &self.permits else { return Ok(None) };
        if let Ok(permit) = permits.try_acquire() {
            return Ok(Some(permit));
        }
        let permit = Box::pin(timeout_at(deadline, permits.acquire())).await;
        permit.map(Result::ok).map_err(|_| self.late(Late::Whole))
    }

    fn late(&self, late: Late) -> CallFailure {
        match (late, self.timeouts.first_byte) {
            (Late::Head, Some(limit)) => CallFailure::timeout("no answer began", limit),
            _ => CallFailure::timeout("no whole answer", self.timeouts.whole),
        }
    }

    /// The connection that was used last: the others may be closed by the service.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(Idle { connection, since }) = idle.pop() {
            let idle_for = self.clock.now().saturating_sub(since);
            if self.keep_alive.is_some_and(|most| idle_for < most) && connection.is_idle() {
                return Some(connection);
            }
        }
        None
    }

    fn put_back(&self, connection: Connection) {
        if self.keep_alive.is_some() {
            let since = self.clock.now();
            self.idle.borrow_mut().push(Idle { connection, since });
        }
    }

    async fn connect(&self, whole: Instant) -> Result<Connection, CallFailure> {
        let limit = self.timeouts.connect;
        let deadline = self.clock.deadline_in(limit);
        let stream = timeout_at(deadline.min(whole), self.stream()).await;
        let late = |_| {
            if limit <= self.timeouts.whole {
                return CallFailure::timeout("no connection", limit);
            }
            self.late(Late::Whole)
        };
        let stream = stream.map_err(late)??;
        Ok(Connection::new(stream))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::connection::Headers;

    /// An iteration is boxed with all its calls in it, and moved there: when a list of headers was a
    /// part of it, that was a tenth of its instructions.
    #[test]
    fn a_call_is_a_small_future() {
        let plan = scenario::plan::HttpPlan::at("http://127.0.0.1:1");
        let clock = WallClock::start_now();
        let pool = Pool::new("127.0.0.1:1".to_owned(), &plan.connection, plan.timeouts, clock);
        let (method, headers) = (hyper::Method::GET, Headers::default());
        let keeps_headers = false;
        let request =
            Request { method: &method, path: "/", headers: &headers, body: b"", keeps_headers };
        let size = size_of_val(&pool.call(&request));
        assert!(size < 2048, "{size} bytes");
    }
}
