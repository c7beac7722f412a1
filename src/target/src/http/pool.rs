use std::cell::RefCell;
use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::connection::{Connection, Head, Request};
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

    /// Makes a call.
    pub(crate) async fn call(&self, request: &Request<'_>) -> Result<Answer, CallFailure> {
        // The semaphore is never closed, so `acquire` cannot fail.
        let _permit = match &self.permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let head = self.send(&mut connection, request).await?;
        let (answer, is_kept) = connection.body(head).await?;
        if is_kept {
            self.put_back(connection);
        }
        Ok(answer)
    }

    /// Opens a connection, for the next call.
    pub(crate) async fn reach(&self) -> Result<(), CallFailure> {
        let connection = self.connect().await?;
        self.put_back(connection);
        Ok(())
    }

    async fn send(
        &self,
        connection: &mut Connection,
        request: &Request<'_>,
    ) -> Result<Head, CallFailure> {
        let head = connection.send(request);
        let Some(limit) = self.timeouts.first_byte else { return head.await };
        let head = tokio::time::timeout(limit, head).await;
        head.unwrap_or_else(|_| Err(CallFailure::timeout("no answer began", limit)))
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

    async fn connect(&self) -> Result<Connection, CallFailure> {
        let limit = self.timeouts.connect;
        let stream = tokio::time::timeout(limit, self.stream()).await;
        let stream = stream.map_err(|_| CallFailure::timeout("no connection", limit))??;
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
